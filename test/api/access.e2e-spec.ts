import { SCOPES, type Scope } from '../../src/access/scopes';
import { startTestHost, type TestHost } from '../support/host';
import type { HostClient } from '../support/host-client';
import { filled, operationsOf, routesOf } from '../support/routes';
import { countRows } from '../support/row-counts';

/** What each route needs. A route that is not here fails the tests below. */
const NEEDED: Record<string, Scope> = {
  'GET /v1/activity': 'channels:read',
  'GET /v1/availability': 'stock:read',
  'GET /v1/channels': 'channels:read',
  'GET /v1/channels/{channel}/authorization': 'channels:write',
  'POST /v1/channels/{channel}/authorization': 'channels:write',
  'GET /v1/channels/{channel}/breaker': 'channels:read',
  'POST /v1/channels/{channel}/breaker': 'channels:write',
  'GET /v1/channels/{channel}/drifts': 'channels:read',
  'GET /v1/channels/{channel}/limits': 'channels:read',
  'GET /v1/channels/{channel}/listings': 'channels:read',
  'DELETE /v1/channels/{channel}/listings/{channelSku}': 'channels:write',
  'PUT /v1/channels/{channel}/listings/{channelSku}': 'channels:write',
  'POST /v1/channels/{channel}/listings/import': 'channels:write',
  'DELETE /v1/channels/{channel}/pause': 'channels:write',
  'PUT /v1/channels/{channel}/pause': 'channels:write',
  'POST /v1/channels/{channel}/reconcile': 'channels:write',
  'GET /v1/channels/{channel}/queue': 'channels:read',
  'GET /v1/channels/{channel}/reconciliations': 'channels:read',
  'GET /v1/channels/{channel}/suggestions': 'channels:read',
  'POST /v1/channels/{channel}/suggestions': 'channels:write',
  'POST /v1/channels/{channel}/suggestions/confirm': 'channels:write',
  'POST /v1/channels/{channel}/suggestions/dismiss': 'channels:write',
  'GET /v1/channels/{channel}/unmapped': 'channels:read',
  'POST /v1/channels/{channel}/unmapped/ignore': 'channels:write',
  'POST /v1/channels/{channel}/unmapped/unignore': 'channels:write',
  'GET /v1/channels/{channel}/reconcile/plan': 'channels:read',
  'POST /v1/channels/{channel}/drifts/accept': 'channels:write',
  'POST /v1/channels/{channel}/drifts/correct': 'channels:write',
  'POST /v1/channels/{channel}/orders/reconcile': 'channels:write',
  'GET /v1/channels/{channel}/orders/differences': 'channels:read',
  'GET /v1/config': 'admin',
  'GET /v1/counts': 'stock:read',
  'POST /v1/counts': 'stock:write',
  'GET /v1/counts/{id}': 'stock:read',
  'GET /v1/counts/{id}/lines': 'stock:read',
  'POST /v1/counts/{id}/approve': 'stock:write',
  'POST /v1/counts/{id}/reject': 'stock:write',
  'GET /v1/reports/settlement': 'stock:read',
  'GET /v1/stranded-reservations': 'stock:read',
  'GET /v1/schedule': 'channels:read',
  'POST /v1/schedule/{name}/run': 'channels:write',
  'GET /v1/tasks': 'channels:read',
  'GET /v1/tasks/{id}': 'channels:read',
  'POST /v1/tasks/{id}/cancel': 'channels:write',
  'GET /v1/alerts': 'channels:read',
  'GET /v1/alerts/rules': 'channels:read',
  'POST /v1/alerts/{id}/acknowledge': 'channels:write',
  'POST /v1/alerts/{id}/resolve': 'channels:write',
  'GET /v1/receivers': 'channels:read',
  'POST /v1/receivers/{name}/test': 'channels:write',
  'GET /v1/deliveries': 'channels:read',
  'GET /v1/deliveries/{id}': 'channels:read',
  'POST /v1/deliveries/retry': 'channels:write',
  'POST /v1/deliveries/{id}/retry': 'channels:write',
  'POST /v1/events': 'stock:write',
  'DELETE /v1/keys/{id}': 'admin',
  'GET /v1/keys': 'admin',
  'GET /v1/kpis': 'channels:read',
  'GET /v1/kpis/history': 'channels:read',
  'GET /v1/kpis/{name}/events': 'channels:read',
  'POST /v1/keys': 'admin',
  'GET /v1/secrets': 'admin',
  'POST /v1/secrets/rotate': 'admin',
  'GET /v1/ledger': 'stock:read',
  'POST /v1/ledger/rebuild': 'admin',
  'POST /v1/ledger/verify': 'stock:read',
  'GET /v1/buffers': 'channels:read',
  'POST /v1/buffers/backtest': 'channels:read',
  'GET /v1/buffers/history': 'channels:read',
  'GET /v1/buffers/holds': 'channels:read',
  'POST /v1/buffers/holds': 'channels:write',
  'DELETE /v1/buffers/holds/{id}': 'channels:write',
  'GET /v1/buffers/policies': 'channels:read',
  'POST /v1/buffers/policies': 'channels:write',
  'DELETE /v1/buffers/policies/{name}': 'channels:write',
  'GET /v1/buffers/rows': 'channels:read',
  'POST /v1/buffers/recalculate': 'channels:write',
  'GET /v1/listings/{id}/pushes': 'channels:read',
  'GET /v1/listings/{id}/waterfall': 'channels:read',
  'GET /v1/locations': 'stock:read',
  'POST /v1/locations': 'stock:write',
  'GET /v1/oversells': 'channels:read',
  'GET /v1/oversells/{id}': 'channels:read',
  'POST /v1/oversells/{id}/backorder': 'channels:write',
  'POST /v1/oversells/{id}/cancel': 'channels:write',
  'POST /v1/oversells/{id}/close': 'channels:write',
  'POST /v1/oversells/{id}/hold': 'channels:write',
  'POST /v1/oversells/{id}/retry': 'channels:write',
  'GET /v1/parked/lines': 'channels:read',
  'POST /v1/parked/lines/dismiss': 'channels:write',
  'POST /v1/parked/lines/{id}/dismiss': 'channels:write',
  'GET /v1/parked/orders': 'channels:read',
  'POST /v1/parked/orders/dismiss': 'channels:write',
  'POST /v1/parked/orders/retry': 'channels:write',
  'POST /v1/parked/orders/{id}/dismiss': 'channels:write',
  'POST /v1/parked/orders/{id}/retry': 'channels:write',
  'GET /v1/parked/pushes': 'channels:read',
  'POST /v1/parked/pushes/dismiss': 'channels:write',
  'POST /v1/parked/pushes/retry': 'channels:write',
  'GET /v1/parked/webhooks': 'channels:read',
  'POST /v1/parked/webhooks/dismiss': 'channels:write',
  'POST /v1/parked/webhooks/retry': 'channels:write',
  'POST /v1/parked/webhooks/{id}/dismiss': 'channels:write',
  'POST /v1/parked/webhooks/{id}/retry': 'channels:write',
  'GET /v1/reservations': 'stock:read',
  'POST /v1/reservations': 'reservations:write',
  'GET /v1/reservations/{id}': 'stock:read',
  'POST /v1/reservations/{id}/confirm': 'reservations:write',
  'POST /v1/reservations/{id}/fulfil': 'reservations:write',
  'POST /v1/reservations/{id}/release': 'reservations:write',
  'GET /v1/shortfalls': 'stock:read',
  'GET /v1/skus': 'stock:read',
  'POST /v1/skus': 'stock:write',
  'PATCH /v1/skus/{sku}': 'stock:write',
  'GET /v1/stock': 'stock:read',
  'GET /v1/stock/{sku}': 'stock:read',
  'GET /v1/stock/{sku}/events': 'stock:read',
  'GET /v1/stream': 'stock:read',
  'GET /v1/tags': 'stock:read',
};

const ROUTES = Object.keys(NEEDED).map((name) => {
  const [method, path] = name.split(' ') as [string, string];
  return { name, method, path: filled(path), needed: NEEDED[name]! };
});

/** Its answer has no end; who may listen is looked at beside it. */
const ENDING = ROUTES.filter(({ name }) => name !== 'GET /v1/stream');

describe('access', () => {
  let host: TestHost;
  const byScope = new Map<Scope, HostClient>();

  beforeAll(async () => {
    host = await startTestHost();
    for (const scope of SCOPES) byScope.set(scope, host.api.withKey(await newKey([scope])));
  });

  afterAll(() => host.close());

  async function newKey(scopes: Scope[]): Promise<string> {
    const { body } = await host.api.post<{ key: string }>('/v1/keys', { name: scopes.join(' '), scopes });
    return body.key;
  }

  /** As a caller would, with a body that each writing route refuses. */
  const call = (client: HostClient, method: string, path: string) =>
    method === 'POST'
      ? client.post(path, { nonsense: true })
      : client.send(method, path, { headers: { 'idempotency-key': 'access' } });

  test('every route of the API is in the table of needed scopes', async () => {
    const { body } = await host.api.get<Parameters<typeof operationsOf>[0]>('/docs/openapi.json');
    const routes = operationsOf(body).filter(({ path }) => !/^\/(webhooks\/|v1\/session$)/.test(path));
    expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(Object.keys(NEEDED).sort());
  });

  test('no route outside of the table answers without a key but health, metrics, docs and webhooks', async () => {
    const open = routesOf(host.app)
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => !(name in NEEDED));
    const known =
      /^(GET \/(|icon\.svg|health\/(live|ready)|metrics|docs\/.*|docs(-yaml)?)|\w+ \/v1\/session|\w[\w-]* \/webhooks\/\{channel\}(\/(\{rest\}|stock-inquiry(\/token)?))?)$/;
    expect(open.filter((name) => !known.test(name))).toEqual([]);
    expect(open).toContain('GET /health/live');
  });

  test.each(ROUTES)(
    '$name without a key, or with one that is none, answers 401',
    async ({ method, path }) => {
      for (const key of [undefined, 'onhand_unknown', 'x'.repeat(300)]) {
        const { status, headers, body } = await call(host.api.withKey(key), method, path);
        expect(status).toBe(401);
        expect(headers.get('content-type')).toMatch('application/problem+json');
        expect(headers.get('www-authenticate')).toBe('Bearer realm="onhand"');
        expect(body).toMatchObject({ type: 'urn:onhand:problem:unauthorized', code: 'unauthorized' });
      }
    },
  );

  test.each(ENDING)(
    '$name opens to $needed and admin, and to no other scope',
    async ({ method, path, needed }) => {
      for (const [scope, client] of byScope) {
        const { status, body } = await call(client, method, path);
        if (scope === needed || scope === 'admin') expect([401, 403]).not.toContain(status);
        else {
          expect({ scope, status }).toEqual({ scope, status: 403 });
          expect(body).toMatchObject({
            code: 'forbidden',
            detail: expect.stringContaining(needed) as string,
          });
        }
      }
    },
  );

  test('a key with two scopes opens what either of them opens', async () => {
    const client = host.api.withKey(await newKey(['stock:read', 'channels:read']));
    expect((await client.get('/v1/stock')).status).toBe(200);
    expect((await client.get('/v1/channels')).status).toBe(200);
    expect((await client.post('/v1/skus', { sku: 'X' })).status).toBe(403);
  });

  test.each([
    ['another scheme', 'Basic b25oYW5kOm9uaGFuZA=='],
    ['no scheme', 'canary-admin-key-of-the-tests'],
    ['two keys', 'Bearer canary-admin-key-of-the-tests canary-admin-key-of-the-tests'],
    ['a key in quotes', 'Bearer "canary-admin-key-of-the-tests"'],
    ['an empty key', 'Bearer '],
    ['the beginning of a key', 'Bearer canary-admin-key-of-the-test'],
  ])('%s in the header is not a key', async (_name, authorization) => {
    const answer = await host.api.withKey(undefined).send('GET', '/v1/stock', { headers: { authorization } });
    expect(answer.status).toBe(401);
  });

  test('a key in the address is not a key', async () => {
    const key = await newKey(['admin']);
    for (const parameter of ['key', 'api_key', 'access_token', 'token']) {
      const answer = await host.api.withKey(undefined).get(`/v1/stock?${parameter}=${key}`);
      expect(answer.status).toBe(401);
    }
  });

  test('a refused caller writes nothing', async () => {
    const before = await countRows(host.dataSource);
    const reader = byScope.get('stock:read')!;
    for (const client of [host.api.withKey(undefined), reader]) {
      await client.post('/v1/skus', { sku: 'INTRUDER' }, 'key-1');
      await client.post('/v1/locations', { code: 'intruder' });
      await client.post('/v1/keys', { name: 'mine', scopes: ['admin'] });
      await client.post('/v1/events', { type: 'RESTOCK', sku: 'INTRUDER', quantity: 1 }, 'key-1');
      await client.post('/v1/reservations', { lines: [{ sku: 'INTRUDER', quantity: 1 }] }, 'key-1');
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('a revoked key answers 401 everywhere from then on', async () => {
    const { body } = await host.api.post<{ id: string; key: string }>('/v1/keys', {
      name: 'short-lived',
      scopes: ['admin'],
    });
    const client = host.api.withKey(body.key);
    expect((await client.get('/v1/stock')).status).toBe(200);
    const revoked = await client.delete(`/v1/keys/${body.id}`);
    expect(revoked).toMatchObject({ status: 204, body: '' });
    for (const { method, path } of ROUTES) {
      expect({ path, status: (await call(client, method, path)).status }).toEqual({ path, status: 401 });
    }
    expect((await host.api.delete(`/v1/keys/${body.id}`)).status).toBe(204);
  });

  test('a key revoked on one host is refused by the other', async () => {
    const other = await startTestHost({}, { database: host.database });
    try {
      const { body } = await host.api.post<{ id: string; key: string }>('/v1/keys', {
        name: 'for both',
        scopes: ['stock:read'],
      });
      const client = other.api.withKey(body.key);
      await untilStatus(client, 200);
      await host.api.delete(`/v1/keys/${body.id}`);
      await untilStatus(client, 401);
    } finally {
      await other.close();
    }
  });

  async function untilStatus(client: HostClient, status: number): Promise<void> {
    const deadline = Date.now() + 5_000;
    while ((await client.get('/v1/stock')).status !== status) {
      if (Date.now() > deadline) throw new Error(`no ${status} within 5 s`);
    }
  }

  test('keys are listed without themselves, and only their hash is stored', async () => {
    const key = await newKey(['channels:write']);
    const { status, body } = await host.api.get<{ items: object[] }>('/v1/keys');
    expect(status).toBe(200);
    expect(body.items.at(-1)).toEqual({
      id: expect.any(String) as string,
      name: 'channels:write',
      scopes: ['channels:write'],
      createdAt: expect.any(String) as string,
      revokedAt: null,
    });
    expect(JSON.stringify(body)).not.toContain(key);
    const [stored] = await host.dataSource.query(
      `SELECT count(*) FILTER (WHERE hash = sha256(convert_to($1, 'UTF8')))::int AS hashed,
              count(*) FILTER (WHERE k::text LIKE '%' || $1 || '%' OR position(convert_to($1, 'UTF8') IN hash) > 0)::int AS plain
         FROM api_keys k`,
      [key],
    );
    expect(stored).toEqual({ hashed: 1, plain: 0 });
  });
});
