import { ADMIN_KEY, startTestHost, type TestHost } from '../support/host';
import { startShopHost, type ShopHost, signedWebhook, deliver } from '../support/shop-host';

let host: TestHost;

/** Requests of a host that believes its proxy, so that a test can come from anywhere. */
const from = (address: string, key: string | undefined, path = '/v1/stock') =>
  host.api.withKey(key).send<{ code: string; detail: string }>('GET', path, {
    headers: { 'x-forwarded-for': address },
  });

describe('a caller', () => {
  beforeAll(async () => {
    host = await startTestHost({ access: { requestsPerSecond: 2 } });
  });

  afterAll(() => host.close());

  test('that calls too often is told when to come again, and costs no other caller anything', async () => {
    const made = await host.api.post<{ key: string }>('/v1/keys', { name: 'busy', scopes: ['stock:read'] });
    const busy = host.api.withKey(made.body.key);
    const statuses: number[] = [];
    for (let each = 0; each < 25; each++) statuses.push((await busy.get('/v1/stock')).status);
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(200));
    expect(statuses.slice(20)).toEqual(Array(5).fill(429));
    const { headers, body } = await busy.get<{ code: string; type: string }>('/v1/availability?sku=A');
    expect(body).toMatchObject({ code: 'too-many-requests', type: 'urn:onhand:problem:too-many-requests' });
    expect(headers.get('content-type')).toMatch('application/problem+json');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(10);
    expect(headers.get('ratelimit-policy')).toBe('"onhand";q=20;w=10');
    expect(headers.get('ratelimit')).toBe(`"onhand";r=0;t=${headers.get('retry-after')}`);
    expect((await host.api.get('/v1/stock')).status).toBe(200);
    expect((await busy.get('/health/live')).status).toBe(200);
  });
});

describe('wrong keys', () => {
  beforeAll(async () => {
    host = await startTestHost({ access: { failuresPerMinute: 5 }, server: { trustProxy: true } });
  });

  afterAll(() => host.close());

  async function guess(address: string, times = 5): Promise<number[]> {
    const statuses: number[] = [];
    for (let each = 0; each < times; each++) statuses.push((await from(address, `guess-${each}`)).status);
    return statuses;
  }

  test('make their address wait, and the right one is no use to it then', async () => {
    expect(await guess('192.0.2.1', 6)).toEqual([401, 401, 401, 401, 401, 429]);
    const right = await from('192.0.2.1', ADMIN_KEY);
    expect(right).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(Number(right.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await from('192.0.2.2', ADMIN_KEY)).status).toBe(200);
    // IPv4 written as IPv6 is the same address.
    expect((await from('::ffff:192.0.2.1', 'guess')).status).toBe(429);
  });

  test('do not shut out who was there before, behind the same proxy', async () => {
    const made = await host.api.post<{ key: string }>('/v1/keys', {
      name: 'scanner',
      scopes: ['stock:read'],
    });
    expect((await from('192.0.2.3', made.body.key)).status).toBe(200);
    await guess('192.0.2.3');
    expect((await from('192.0.2.3', made.body.key)).status).toBe(200);
    expect((await from('192.0.2.3', 'guess')).status).toBe(429);
  });

  test.each([
    ['of one network of IPv6 are counted together', '2001:db8:1:2::9', 429],
    ['written otherwise are the same', '2001:0DB8:1:2:0:0:0:1', 429],
    ['of another network are not', '2001:db8:1:3::1', 401],
  ])('%s', async (_, address, status) => {
    if ((await from('2001:db8:1:2::1', 'guess')).status !== 429) await guess('2001:db8:1:2::1');
    expect((await from(address, 'guess')).status).toBe(status);
  });

  test('count as failed sign-ins do', async () => {
    const signIn = (key: string) =>
      host.api.withKey(undefined).send('POST', '/v1/session', {
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.4' },
        body: JSON.stringify({ key }),
      });
    for (let each = 0; each < 5; each++) expect((await signIn(`guess-${each}`)).status).toBe(401);
    const right = await signIn(ADMIN_KEY);
    expect(right.status).toBe(429);
    expect(right.headers.get('set-cookie')).toBeNull();
  });
});

describe('webhooks', () => {
  let shop: ShopHost;

  beforeAll(async () => {
    shop = await startShopHost({ access: { requestsPerSecond: 1, failuresPerMinute: 1 } });
  });

  afterAll(() => shop.close());

  test('are counted by nobody, forged or not', async () => {
    const order = (nr: number) => ({ id: `O-${nr}`, version: 1, lines: [] });
    const genuine = await Promise.all(
      Array.from({ length: 50 }, (_, nr) => deliver(shop, signedWebhook(order(nr)))),
    );
    expect(new Set(genuine.map(({ status }) => status))).toEqual(new Set([200]));
    const forged = await Promise.all(
      Array.from({ length: 20 }, (_, nr) => deliver(shop, signedWebhook(order(nr), 'not the secret'))),
    );
    expect(new Set(forged.map(({ status }) => status))).toEqual(new Set([401]));
    expect((await deliver(shop, signedWebhook(order(99)))).status).toBe(200);
  });
});
