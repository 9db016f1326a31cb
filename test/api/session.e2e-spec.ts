import { SCOPES, type Scope } from '../../src/access/scopes';
import { ADMIN_KEY, startTestHost, type TestHost } from '../support/host';
import { eventually } from '../support/eventually';

const FROM_CONSOLE = { 'x-onhand-console': '1' };

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
});

afterAll(() => host.close());

/** A browser: no API key, and the cookies that it was given. */
const browser = () => host.api.withKey(undefined);

async function newKey(...scopes: Scope[]): Promise<{ id: string; key: string }> {
  const made = await host.api.post<{ id: string; key: string }>('/v1/keys', { name: 'console', scopes });
  return made.body;
}

async function signIn(key: string): Promise<string> {
  const answer = await browser().post('/v1/session', { key });
  expect(answer.status).toBe(200);
  return answer.headers.get('set-cookie')!.split(';', 1)[0]!;
}

const send = (
  method: string,
  path: string,
  cookie: string,
  headers: Record<string, string> = {},
  body?: object,
) =>
  browser().send(method, path, {
    headers: { cookie, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });

describe('signing in', () => {
  test('an API key becomes a cookie that no script reads and no other site sends', async () => {
    const answer = await browser().post<object>('/v1/session', { key: ADMIN_KEY });
    expect(answer.body).toEqual({
      name: 'ONHAND_ADMIN_KEY',
      scopes: ['admin'],
      expiresAt: expect.any(String) as string,
    });
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^onhand_session=[\w-]{43}; Path=\/; Expires=.+; HttpOnly; SameSite=Strict$/);
    expect(await host.dataSource.query('SELECT * FROM console_sessions')).toHaveLength(1);
    expect(JSON.stringify(await host.dataSource.query('SELECT * FROM console_sessions'))).not.toContain(
      ADMIN_KEY,
    );
  });

  test.each([
    ['an unknown key', { key: 'onhand_unknown' }, 401],
    ['no key', {}, 400],
    ['a key that is none', { key: 7 }, 400],
    ['a field too many', { key: ADMIN_KEY, scopes: ['admin'] }, 400],
  ])('%s signs nobody in', async (_name, body, status) => {
    const answer = await browser().post('/v1/session', body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('the browser asks who it is, and is nobody after signing out', async () => {
    const cookie = await signIn((await newKey('stock:read')).key);
    expect(await send('GET', '/v1/session', cookie)).toMatchObject({
      status: 200,
      body: { name: 'console', scopes: ['stock:read'] },
    });
    const out = await send('DELETE', '/v1/session', cookie);
    expect(out.headers.get('set-cookie')).toMatch(/^onhand_session=; .*Expires=Thu, 01 Jan 1970/);
    for (const path of ['/v1/session', '/v1/stock'])
      expect((await send('GET', path, cookie)).status).toBe(401);
  });
});

describe('a session', () => {
  test.each(SCOPES)('with %s reads what its key reads', async (scope) => {
    const { key } = await newKey(scope);
    const cookie = await signIn(key);
    for (const path of ['/v1/stock', '/v1/channels', '/v1/keys']) {
      const byKey = await host.api.withKey(key).get(path);
      expect((await send('GET', path, cookie)).status).toBe(byKey.status);
    }
  });

  test('changes something only with the header that another site cannot send', async () => {
    const cookie = await signIn(ADMIN_KEY);
    const refused = await send('POST', '/v1/skus', cookie, {}, { sku: 'FORGED' });
    expect(refused).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('x-onhand-console') as string },
    });
    expect((await host.api.get<{ items: [] }>('/v1/skus?sku=FORGED')).body.items).toEqual([]);
    expect((await send('POST', '/v1/skus', cookie, FROM_CONSOLE, { sku: 'MEANT' })).status).toBe(201);
    // A page that would send the header has to ask first, and is given no leave.
    const asked = await send('OPTIONS', '/v1/skus', cookie, { origin: 'https://evil.example' });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('ends with its key, on every host', async () => {
    const { id, key } = await newKey('admin');
    const cookie = await signIn(key);
    expect((await send('GET', '/v1/stock', cookie)).status).toBe(200);
    await host.api.delete(`/v1/keys/${id}`);
    expect((await send('GET', '/v1/stock', cookie)).status).toBe(401);
    expect((await browser().post('/v1/session', { key })).status).toBe(401);
  });

  test('ends by itself, and its row goes with the next sign-in', async () => {
    const cookie = await signIn(ADMIN_KEY);
    await host.dataSource.query(`UPDATE console_sessions SET expires_at = now() - interval '1 second'`);
    expect((await send('GET', '/v1/stock', cookie)).status).toBe(401);
    await signIn(ADMIN_KEY);
    expect(await host.dataSource.query('SELECT FROM console_sessions')).toHaveLength(1);
  });

  test.each([
    'onhand_session=',
    'onhand_session=x',
    `onhand_session=${'a'.repeat(43)}`,
    'onhand_session',
    '=;;=',
  ])('is not had by the cookie %p', async (cookie) => {
    expect((await send('GET', '/v1/stock', cookie)).status).toBe(401);
  });

  test('does not help a key that is wrong', async () => {
    const cookie = await signIn(ADMIN_KEY);
    expect((await send('GET', '/v1/stock', cookie, { authorization: 'Bearer x' })).status).toBe(401);
  });
});

describe('the stream', () => {
  /** The events that come until `end` is called. */
  async function listen(headers: Record<string, string>) {
    const stop = new AbortController();
    const response = await fetch(`${host.url}/v1/stream`, { headers, signal: stop.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body!) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    const events = () =>
      [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, name, data]) => ({
        name: name!,
        data: JSON.parse(data!) as { skus?: string[]; items?: unknown[] },
      }));
    const end = () => {
      stop.abort();
      return reading;
    };
    return { response, events, end };
  }

  const restock = (sku: string) =>
    host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 1 }, `k-${sku}`);

  test('tells a signed-in browser of each SKU whose stock changes, and of the channels', async () => {
    await host.api.post('/v1/skus', [{ sku: 'LIVE-1' }, { sku: 'LIVE-2' }]);
    const stream = await listen({ cookie: await signIn(ADMIN_KEY) });
    expect(stream.response.headers.get('content-type')).toMatch('text/event-stream');
    await eventually(() => expect(stream.events()).toContainEqual({ name: 'channels', data: { items: [] } }));
    await Promise.all([restock('LIVE-1'), restock('LIVE-2')]);
    await eventually(() => {
      const told = stream.events().flatMap(({ name, data }) => (name === 'stock' ? data.skus! : []));
      expect(told.sort()).toEqual(['LIVE-1', 'LIVE-2']);
    });
    await stream.end();
  });

  test('tells of channels only who may read them', async () => {
    const stream = await listen({ authorization: `Bearer ${(await newKey('stock:read')).key}` });
    await host.api.post('/v1/skus', { sku: 'LIVE-3' });
    await restock('LIVE-3');
    await eventually(() => expect(stream.events()).toEqual([{ name: 'stock', data: { skus: ['LIVE-3'] } }]));
    await stream.end();
    const READING = ['admin', 'stock:read', 'channels:read'];
    for (const scope of SCOPES.filter((each) => !READING.includes(each))) {
      const refused = await listen({ authorization: `Bearer ${(await newKey(scope)).key}` });
      expect(refused.response.status).toBe(403);
      await refused.end();
    }
  });

  test('tells of stock only who may read it', async () => {
    const all = await listen({ authorization: `Bearer ${ADMIN_KEY}` });
    const stream = await listen({ authorization: `Bearer ${(await newKey('channels:read')).key}` });
    await host.api.post('/v1/skus', { sku: 'LIVE-5' });
    await restock('LIVE-5');
    await eventually(() => expect(all.events().map(({ name }) => name)).toContain('stock'));
    await eventually(() => expect(stream.events().map(({ name }) => name)).toContain('channels'));
    expect(stream.events().map(({ name }) => name)).not.toContain('stock');
    await Promise.all([all.end(), stream.end()]);
  });

  test('tells what another host changed, and ends when its host does', async () => {
    const other = await startTestHost({}, { database: host.database });
    await host.api.post('/v1/skus', { sku: 'LIVE-4' });
    const stream = await listen({ authorization: `Bearer ${ADMIN_KEY}` });
    await other.api.post('/v1/events', { type: 'RESTOCK', sku: 'LIVE-4', quantity: 1 }, 'k-other');
    await eventually(() =>
      expect(stream.events().some(({ data }) => data.skus?.includes('LIVE-4'))).toBe(true),
    );
    const ended = await fetch(`${other.url}/v1/stream`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const reading = ended.text();
    await other.close();
    expect(await reading).toContain('retry: 2000');
    await stream.end();
  });
});
