import { isKnownRoute } from '../../src/activity/recorded-actions';
import type { Scope } from '../../src/access/scopes';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/host';
import { routesOf } from '../support/routes';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

interface Entry {
  id: number;
  at: string;
  actor: { kind: string; name: string; id?: string };
  action: string;
  subject: string | null;
  channel: string | null;
  outcome: string;
  status: number | null;
  requestId: string | null;
  detail: Record<string, unknown> | null;
}

const CANARY = 'canary-in-a-request';
const JSON_BODY = { 'content-type': 'application/json' };

let host: ShopHost;

beforeAll(async () => {
  host = await startShopHost({
    shows: ['S-A', 'S-B'],
    shop: {
      listings: listingsCsv([
        ['S-A', 'A', 1],
        ['S-B', 'B', 1],
      ]),
      shortfall: { policy: 'cancel', graceSeconds: 0, message: `Dear buyer ${CANARY}` },
    },
    breaker: { failures: 1, openSeconds: 1, maxOpenSeconds: 1 },
  });
});

afterAll(() => host.close());

async function entries(query = ''): Promise<Entry[]> {
  const { status, body } = await host.api.get<{ items: Entry[] }>(`/v1/activity?${query}`);
  expect(status).toBe(200);
  return body.items;
}

/** At once: what was answered as done is in the log already. */
const last = async (query = '') => (await entries(query))[0];

async function keyWith(name: string, ...scopes: Scope[]): Promise<string> {
  return (await host.api.post<{ key: string }>('/v1/keys', { name, scopes })).body.key;
}

test('every route that changes something is known to be written down, or known not to be', () => {
  const unsafe = routesOf(host.app).filter(({ method, path }) => method !== 'GET' && path.startsWith('/v1/'));
  const patterns = unsafe.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
  expect(patterns.length).toBeGreaterThan(40);
  expect(patterns.filter((pattern) => !isKnownRoute(pattern))).toEqual([]);
});

describe('what is done', () => {
  const PAUSE = ['PUT', '/v1/channels/shop/pause', { reason: 'stocktaking' }] as const;
  test.each<[string, string, object | undefined, Partial<Entry>]>([
    [
      'POST',
      '/v1/skus',
      { sku: 'NEW' },
      { action: 'sku.create', subject: 'NEW', channel: null, status: 201 },
    ],
    [
      ...PAUSE,
      { action: 'channel.pause', subject: 'shop', channel: 'shop', detail: { reason: 'stocktaking' } },
    ],
    [
      'DELETE',
      '/v1/channels/shop/pause',
      undefined,
      { action: 'channel.resume', channel: 'shop', status: 204, detail: null },
    ],
    [
      'POST',
      '/v1/channels/shop/breaker',
      { state: 'auto', reason: 'x' },
      { action: 'breaker.hold', detail: { state: 'auto', reason: 'x' } },
    ],
    [
      'PUT',
      '/v1/channels/shop/listings/S-NEW',
      { components: [{ sku: 'NEW', units: 2 }] },
      { action: 'listing.set', subject: 'S-NEW', detail: { components: [{ sku: 'NEW', units: 2 }] } },
    ],
    [
      'POST',
      '/v1/buffers/policies',
      { policies: [{ name: 'p', units: 2 }] },
      { action: 'policy.set', subject: 'p', detail: { policies: [{ name: 'p', units: 2 }] } },
    ],
    [
      'POST',
      '/v1/schedule/find-stranded/run',
      undefined,
      { action: 'schedule.run', subject: 'find-stranded', status: 202 },
    ],
    [
      'POST',
      '/v1/channels/shop/unmapped/ignore',
      { channelSkus: ['GIFT'] },
      { action: 'unmapped.ignore', detail: { channelSkus: ['GIFT'] } },
    ],
    [
      'POST',
      '/v1/parked/webhooks/dismiss',
      { channel: 'shop', reason: 'old' },
      {
        action: 'parked-webhook.dismiss',
        channel: 'shop',
        detail: { channel: 'shop', reason: 'old', changed: 0 },
      },
    ],
    [
      'POST',
      '/v1/counts?source=wms&takenAt=2026-01-01T00:00:00Z&reason=count',
      [{ sku: 'A', quantity: 0 }],
      { action: 'count.receive', status: 200, detail: { source: 'wms', lines: 1, items: 1 } },
    ],
    ['POST', '/v1/ledger/verify', undefined, { action: 'ledger.verify', status: 200 }],
  ])('%s %s is in the log once it is answered', async (method, path, body, expected) => {
    const sent = { ...(body && { headers: JSON_BODY, body: JSON.stringify(body) }) };
    const answer = await host.api.send(method, path, sent);
    expect(answer.status).toBeLessThan(300);
    expect(await last()).toMatchObject({
      actor: { kind: 'key', name: 'ONHAND_ADMIN_KEY', id: 'environment' },
      outcome: 'done',
      requestId: answer.headers.get('x-request-id'),
      ...expected,
    });
  });

  test('a hold is told with what it withholds, and its end with its number', async () => {
    const { body } = await host.api.post<{ id: number }>('/v1/buffers/holds', {
      sku: 'A',
      units: 3,
      reason: 'recall',
    });
    expect(await last()).toMatchObject({
      action: 'hold.place',
      subject: String(body.id),
      detail: { sku: 'A', units: 3 },
    });
    await host.api.delete(`/v1/buffers/holds/${body.id}`);
    expect(await last()).toMatchObject({ action: 'hold.end', subject: String(body.id) });
  });

  test('what would be changed is no change', async () => {
    const before = await last();
    await host.api.post('/v1/buffers/policies?dryRun=true', { policies: [{ name: 'q', units: 9 }] });
    expect(await last()).toEqual(before);
  });

  test('a browser is told from the key that it signed in with, and the command line from both', async () => {
    const key = await keyWith('console', 'channels:write');
    const browser = host.api.withKey(undefined);
    const signedIn = await browser.post('/v1/session', { key });
    expect(await last()).toMatchObject({
      action: 'session.create',
      actor: { kind: 'session', name: 'console' },
    });
    const cookie = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!;
    const headers = { cookie, 'x-onhand-console': '1' };
    await browser.send('POST', '/v1/schedule/find-stranded/run', { headers });
    expect(await last()).toMatchObject({
      action: 'schedule.run',
      actor: { kind: 'session', name: 'console' },
    });
    await browser.send('DELETE', '/v1/session', { headers });
    expect(await last()).toMatchObject({
      action: 'session.end',
      actor: { kind: 'session', name: 'console' },
    });
    await host.api
      .withKey(key)
      .send('POST', '/v1/schedule/find-stranded/run', { headers: { 'x-onhand-client': 'cli' } });
    expect(await last()).toMatchObject({ action: 'schedule.run', actor: { kind: 'cli', name: 'console' } });
  });

  test('stock that a person corrects at the console is in the log, and what machines post is not', async () => {
    const before = (await last())!.id;
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'B', quantity: 5 });
    await host.api.post('/v1/reservations', { lines: [{ sku: 'B', quantity: 1 }] });
    await host.api.post('/v1/reservations', { lines: [{ sku: 'B', quantity: 100 }] });
    expect((await last())!.id).toBe(before);
    const browser = host.api.withKey(undefined);
    const signedIn = await browser.post('/v1/session', { key: ADMIN_KEY });
    const headers = {
      ...JSON_BODY,
      cookie: signedIn.headers.get('set-cookie')!.split(';', 1)[0]!,
      'x-onhand-console': '1',
    };
    const event = { type: 'ADJUST', sku: 'B', quantity: 1, reason: 'found one' };
    const posted = await browser.send('POST', '/v1/events', { headers, body: JSON.stringify(event) });
    expect(posted).toMatchObject({ status: 201 });
    expect(await last()).toMatchObject({
      action: 'stock.adjust',
      subject: 'B',
      actor: { kind: 'session' },
      detail: { quantity: 1, reason: 'found one' },
    });
  });
});

describe('what is refused', () => {
  test('a key without the scope is in the log with what it tried, for what machines send too', async () => {
    const api = host.api.withKey(await keyWith('reader', 'stock:read', 'channels:read'));
    for (const [method, path, action] of [
      ['DELETE', '/v1/channels/shop/pause', 'channel.resume'],
      ['POST', '/v1/keys', 'key.create'],
      ['POST', '/v1/reservations', 'reservation.create'],
    ] as const) {
      expect((await api.send(method, path)).status).toBe(403);
      await eventually(async () =>
        expect(await last()).toMatchObject({
          action,
          outcome: 'refused',
          status: 403,
          actor: { name: 'reader' },
          detail: { code: 'forbidden' },
        }),
      );
    }
  });

  test('a request that is wrong is told by its code, and nothing of what it held', async () => {
    await host.api.put('/v1/channels/nowhere/pause', { reason: 'x' });
    await eventually(async () =>
      expect(await last()).toMatchObject({ action: 'channel.pause', status: 404, channel: 'nowhere' }),
    );
    await host.api.post('/v1/keys', { name: CANARY, scopes: [CANARY], token: CANARY });
    await eventually(async () =>
      expect(await last()).toMatchObject({
        action: 'key.create',
        status: 400,
        subject: null,
        detail: { code: 'invalid-request' },
      }),
    );
  });

  test('the same refusal again and again is one entry, until its minute is over', async () => {
    for (let time = 0; time < 5; time++) await host.api.delete('/v1/keys/none');
    await host.api.delete('/v1/keys/another');
    await eventually(async () => expect(await last()).toMatchObject({ subject: 'another' }));
    expect((await entries('action=key.revoke')).map(({ subject }) => subject)).toEqual(['another', 'none']);
  });

  test('who is not known leaves no entry', async () => {
    const before = await last();
    await host.api.withKey('onhand_unknown').delete('/v1/channels/shop/pause');
    await host.api.withKey(undefined).post('/v1/session', { key: CANARY });
    expect(await last()).toEqual(before);
  });
});

describe('what the host does of itself', () => {
  test('an order that its policy cancels is in the log, without its message to the buyer', async () => {
    const line = { lineId: '1', channelSku: 'S-A', quantityUnits: 4 };
    host.shop.placeOrder({ orderId: 'SHORT', placedAt: new Date().toISOString(), lines: [line] });
    await deliver(host, host.shop.webhookFor('SHORT'));
    await eventually(async () =>
      expect(await last('action=oversell.cancel')).toMatchObject({
        actor: { kind: 'host', name: 'policy:cancel' },
        channel: 'shop',
        outcome: 'done',
        status: null,
        detail: { orderId: 'SHORT', units: 4 },
      }),
    );
  });

  test('a breaker that opens and closes again is in the log, once each', async () => {
    host.shop.faults({ fail: 1 });
    await host.api.post('/v1/channels/shop/reconcile');
    await eventually(async () =>
      expect(await last('action=breaker.open')).toMatchObject({ actor: { kind: 'host' }, channel: 'shop' }),
    );
    host.shop.faults({ fail: 0 });
    await eventually(async () => expect(await last('action=breaker.close')).toBeDefined(), 10_000);
    const changes = await host.dataSource.query(
      `SELECT change FROM breaker_changes WHERE actor = 'host' AND change <> 'reopened'`,
    );
    expect(
      (await entries('action=breaker&limit=100')).filter(({ actor }) => actor.kind === 'host'),
    ).toHaveLength(changes.length);
  });
});

describe('the log', () => {
  test('is read by who may, page by page and by who, what, where and since when', async () => {
    expect((await host.api.withKey(await keyWith('stock', 'stock:read')).get('/v1/activity')).status).toBe(
      403,
    );
    const reader = host.api.withKey(await keyWith('channels', 'channels:read'));
    type Page = { items: Entry[]; nextCursor?: string };
    const all = await entries('limit=500');
    const read: Entry[] = [];
    for (let cursor = ''; ;) {
      const { body } = await reader.get<Page>(`/v1/activity?limit=7${cursor}`);
      read.push(...body.items);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(read).toEqual(all);
    const picked = async (query: string) => (await entries(`limit=500&${query}`)).map(({ id }) => id);
    const those = (fits: (entry: Entry) => boolean) => all.filter(fits).map(({ id }) => id);
    expect(await picked('actor=reader')).toEqual(those(({ actor }) => actor.name === 'reader'));
    expect(await picked('action=key')).toEqual(those(({ action }) => action.startsWith('key.')));
    expect(await picked('channel=shop&outcome=done')).toEqual(
      those(({ channel, outcome }) => channel === 'shop' && outcome === 'done'),
    );
    const middle = all[Math.floor(all.length / 2)]!.at;
    expect(await picked(`since=${middle}`)).toEqual(those(({ at }) => at >= middle));
  });

  test('holds no secret, and nothing that is for a buyer', async () => {
    await host.api.post('/v1/oversells/1/cancel', { reason: 'a person', message: `Dear ${CANARY}` });
    await deliver(host, signedWebhook({ orderId: CANARY }));
    const text = JSON.stringify(await host.dataSource.query('SELECT * FROM activity'));
    expect(text).toContain('SHORT');
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(ADMIN_KEY);
    expect(text).not.toMatch(/onhand_[\w-]{20}/);
  });

  test('only grows, until entries are older than they are kept', async () => {
    for (const change of ['UPDATE activity SET actor = 1', 'DELETE FROM activity', 'TRUNCATE activity'])
      await expect(host.dataSource.query(change)).rejects.toThrow('append-only');
    const entry = `INSERT INTO activity (at, actor_kind, actor, action, outcome) VALUES (now() - make_interval(days => $1), 'key', $2, 'a.b', 'done')`;
    await host.dataSource.query(entry, [399, 'kept']);
    await host.dataSource.query(entry, [401, 'forgotten']);
    await host.app.get(JobsService).run('forget-activity');
    expect((await entries('action=a')).map(({ actor }) => actor.name)).toEqual(['kept']);
  });

  test('that cannot be written changes no answer, and is written once it can', async () => {
    await host.dataSource.query('ALTER TABLE activity RENAME TO activity_away');
    const answer = await host.api.post('/v1/skus', { sku: 'MEANWHILE' });
    await host.dataSource.query('ALTER TABLE activity_away RENAME TO activity');
    expect(answer.status).toBe(201);
    await eventually(async () =>
      expect(await last('action=sku')).toMatchObject({
        subject: 'MEANWHILE',
        requestId: answer.headers.get('x-request-id'),
      }),
    );
    expect((await entries('limit=500')).filter(({ subject }) => subject === 'MEANWHILE')).toHaveLength(1);
  });
});
