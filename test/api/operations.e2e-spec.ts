import { eventually } from '../support/eventually';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';
import { operationsOf, routesOf } from '../support/routes';
import { VERSION } from '../../src/version';

describe('the operations of a host', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({ shows: ['A'], shop: { listings: listingsCsv([['A', 'A', 1]]) } });
  });

  afterAll(() => host.close());

  const open = () => host.api.withKey(undefined);

  test('health answers without a key, and tells what part the host has among others', async () => {
    const live = { status: 'ok', version: VERSION };
    expect(await open().get('/health/live')).toMatchObject({ status: 200, body: live });
    await eventually(async () => {
      const { status, body } = await open().get('/health/ready');
      const part = { roles: ['web', 'worker', 'scheduler'], leader: true, redis: 'off' };
      expect({ status, body }).toEqual({ status: 200, body: { ...live, ...part } });
    });
  });

  test('metrics tell of jobs, roles and leader', async () => {
    await eventually(async () => {
      const { body } = await open().get<string>('/metrics');
      expect(body).toMatch(/^onhand_job_duration_seconds_count\{job="push-listings"\} [1-9]/m);
      expect(body).toMatch(/^onhand_job_failures_total\{job="push-listings"\} 0$/m);
      for (const role of ['web', 'worker', 'scheduler'])
        expect(body).toContain(`onhand_role{role="${role}"} 1`);
      expect(body).toMatch(/^onhand_leader 1$/m);
      expect(body).toMatch(/^onhand_jobs_running \d+$/m);
      expect(body).toContain('onhand_wakes_total{by="postgresql"} 0');
      expect(body).not.toContain('onhand_redis_up');
    });
  });

  test('metrics count what the ledger did and what waits on a channel', async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 5 }, 'metric');
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 5 }, 'metric');
    await host.api.post('/v1/events', { type: 'DAMAGE', sku: 'A', quantity: 50 });
    const { status, headers, body } = await open().get<string>('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    const value = (name: string) =>
      Number(
        body
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1],
      );
    expect({
      commands: value('onhand_ledger_commands_total'),
      duplicates: value('onhand_ledger_duplicates_total'),
      refusals: value('onhand_ledger_refusals_total'),
      events: value('onhand_ledger_events_total'),
      waiting: value('onhand_ledger_waiting'),
      served: value('onhand_channel_served{channel="shop"}'),
    }).toEqual({ commands: 3, duplicates: 1, refusals: 1, events: 1, waiting: 0, served: 1 });
    for (const name of [
      'dirty_listings',
      'parked_listings',
      'lag_seconds',
      'inbox_received',
      'inbox_parked',
      'parked_lines',
      'open_shortfalls',
    ]) {
      expect({ name, known: value(`onhand_channel_${name}{channel="shop"}`) >= 0 }).toEqual({
        name,
        known: true,
      });
    }
    expect(body).toMatch(/^process_cpu_seconds_total/m);
  });

  test('the OpenAPI document lists every route of /v1 and the webhooks, with what each is for', async () => {
    const { status, body } = await open().get<Parameters<typeof operationsOf>[0] & { openapi: string }>(
      '/docs/openapi.json',
    );
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\./);
    const documented = operationsOf(body).map(({ method, path }) => `${method} ${path}`);
    const answered = routesOf(host.app)
      .filter(({ path }) => path.startsWith('/v1/'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(answered.length).toBeGreaterThan(25);
    expect(documented).toEqual(expect.arrayContaining(answered));
    expect(documented).toContain('POST /webhooks/{channel}');
    const summaries = Object.values(body.paths).flatMap((operations) =>
      Object.values(operations).map((operation) => (operation as { summary?: string }).summary),
    );
    expect(summaries.filter((summary) => !summary)).toEqual([]);
  });

  test('the page of the API is served', async () => {
    const { status, headers } = await open().get('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch('text/html');
  });

  test('an address that nobody serves is a problem like any other', async () => {
    for (const path of ['/nowhere', '/v1', '/v2/skus', '/v1/skus/../nothing']) {
      const { status, headers, body } = await host.api.get(path);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toMatch('application/problem+json');
      expect(body).toMatchObject({ type: 'urn:onhand:problem:not-found', code: 'not-found', status: 404 });
    }
  });

  test('a request carries its id into the answer and its problem', async () => {
    const answer = await host.api.send<{ requestId: string }>('GET', '/v1/stock/NONE', {
      headers: { 'x-request-id': 'trace-42' },
    });
    expect(answer.headers.get('x-request-id')).toBe('trace-42');
    expect(answer.body.requestId).toBe('trace-42');
    const odd = await host.api.send<{ requestId: string }>('GET', '/v1/stock/NONE', {
      headers: { 'x-request-id': 'a b"c' },
    });
    expect(odd.body.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('no answer says what the host is made of, and pages run no script from elsewhere', async () => {
    const page = await open().get('/docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    for (const { headers } of [page, await open().get('/health/live')]) {
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
    }
  });
});
