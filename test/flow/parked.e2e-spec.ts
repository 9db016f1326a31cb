import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { ChannelsService } from '../../src/channels/channels.service';
import { JobsService } from '../../src/jobs/jobs.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { deliver, listingsCsv, signedWebhook, WEBHOOK_SECRET } from '../support/shop-host';

const ODD_PLUGIN = join(__dirname, '../support/odd-plugin.ts');
const PLACED = '2024-05-01T10:00:00.000Z';
const ODDITIES = [
  ...['throws', 'throws nothing', 'nothing', 'no list', 'list of nothing', 'unknown kind', 'a promise'],
  ...['far too much', 'half a number', 'half an order'],
];

interface Parked {
  items: {
    id: number;
    channel: string;
    code: string;
    error: string;
    attempts: number;
    state: string;
    lastAction: object | null;
  }[];
}

const order = (id: string, more: object = {}) =>
  signedWebhook({
    id,
    revision: 1,
    placed_at: PLACED,
    lines: [{ id: 'L', sku: 'S-A', ordered: 1 }],
    ...more,
  });

describe('what cannot be applied', () => {
  let database: TestDatabase;
  let shop: ChannelSimulator;
  let host: TestHost;

  beforeAll(async () => {
    database = await createTestDatabase();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    host = await start();
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1_000 });
  });

  afterAll(async () => {
    await host.close();
    await shop.close();
    await database.drop();
  });

  function start(more: object = {}): Promise<TestHost> {
    const options = { limit: { perSecond: 10_000, burst: 10_000 }, ...shop.pluginOptions };
    const common = { pollOrdersEverySeconds: 0, listings: listingsCsv([['S-A', 'A', 1]]), mode: 'observe' };
    return startTestHost(
      {
        channels: [
          { name: 'odd', plugin: ODD_PLUGIN, options, ...common, ...more },
          { name: 'even', plugin: GENERIC_REST_SOURCE, options, ...common },
        ],
      },
      { database },
    );
  }

  const parked = async (query = '') => (await host.api.get<Parked>(`/v1/parked/webhooks${query}`)).body.items;
  const reserved = async () =>
    (await host.api.get<{ total: { reserved: number } }>('/v1/stock/A')).body.total.reserved;

  async function waiting(channel: string): Promise<number> {
    const rows = await host.dataSource.query(
      `SELECT count(*)::int AS count FROM inbox WHERE channel = $1 AND state = 'received'`,
      [channel],
    );
    return rows[0].count;
  }

  /** As a webhook that an earlier run of the host received. */
  async function received(channel: string, bodies: Buffer[]): Promise<void> {
    await host.dataSource.query(
      `INSERT INTO inbox (channel, identity, topic, path, headers, body)
       SELECT $1, b.identity, 'order/changed', '/', '{}', b.body FROM unnest($2::bytea[], $3::bytea[]) AS b (identity, body)`,
      [channel, bodies.map((body) => createHash('sha256').update(body).digest()), bodies],
    );
  }

  test('every kind of nonsense from a plugin is parked after one attempt, with its reason', async () => {
    for (const odd of ODDITIES) {
      expect((await deliver(host, order(odd, { odd }), 'odd')).status).toBe(200);
    }
    await deliver(host, order('SOUND'), 'odd');
    await eventually(async () => expect(await parked('?channel=odd')).toHaveLength(ODDITIES.length));
    await eventually(async () => expect(await reserved()).toBe(1));
    for (const { code, error, attempts } of await parked('?channel=odd')) {
      expect(['plugin-fault', 'untranslatable']).toContain(code);
      expect(error.length).toBeGreaterThan(10);
      expect(attempts).toBe(1);
    }
    const faults = await parked('?channel=odd&code=plugin-fault');
    expect(faults).toHaveLength(2);
    expect(faults[0]!.error).toContain('the plugin odd failed on it: cannot read properties');
    expect(await parked('?channel=even')).toEqual([]);
    expect(await parked('?topic=none')).toEqual([]);
  });

  test('a parked webhook is dismissed with a reason, stays listed as dismissed, and can be tried again', async () => {
    const { id } = (await parked())[0]!;
    const path = `/v1/parked/webhooks/${id}`;
    for (const body of [undefined, {}, { reason: '' }, { reason: 7 }, { reason: 'x', state: 'applied' }])
      expect((await host.api.post(`${path}/dismiss`, body)).status).toBe(400);
    for (const attempt of ['first', 'second'])
      expect(await host.api.post(`${path}/dismiss`, { reason: attempt })).toMatchObject({
        status: 200,
        body: { id, state: 'dismissed' },
      });
    expect((await parked()).map((row) => row.id)).not.toContain(id);
    expect(await parked('?state=dismissed')).toMatchObject([
      { id, lastAction: { action: 'dismiss', reason: 'first', actor: 'api:ONHAND_ADMIN_KEY' } },
    ]);
    // The same body delivered again is the same webhook: it stays dismissed.
    await deliver(host, order(ODDITIES[0]!, { odd: ODDITIES[0] }), 'odd');
    expect(await parked('?state=dismissed')).toMatchObject([{ id, deliveries: 2 }]);

    expect(await host.api.post(`${path}/retry`)).toMatchObject({ status: 200 });
    await eventually(async () => expect((await parked()).map((row) => row.id)).toContain(id));
    const actions = await host.dataSource.query(
      `SELECT action, actor FROM intake_actions WHERE subject = 'webhook' AND subject_id = $1 ORDER BY id`,
      [id],
    );
    expect(actions).toEqual([
      { action: 'dismiss', actor: 'api:ONHAND_ADMIN_KEY' },
      { action: 'retry', actor: 'api:ONHAND_ADMIN_KEY' },
    ]);
  });

  test('what is not parked cannot be dismissed, and what does not exist is told so', async () => {
    const [applied] = await host.dataSource.query(`SELECT id FROM inbox WHERE state = 'applied' LIMIT 1`);
    const path = `/v1/parked/webhooks/${applied.id}`;
    expect(await host.api.post(`${path}/dismiss`, { reason: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'wrong-state' },
    });
    expect(await host.api.post(`${path}/retry`)).toMatchObject({ status: 200, body: { state: 'applied' } });
    for (const id of ['999999', '0', '-1', 'x', '1e3', '99999999999999999999'])
      expect((await host.api.post(`/v1/parked/webhooks/${id}/retry`)).status).toBe(404);
  });

  test('many are acted upon at once by what they have in common, and by nothing in common not at all', async () => {
    const faults = await parked('?code=plugin-fault');
    const retry = await host.api.post('/v1/parked/webhooks/retry', { channel: 'odd', code: 'plugin-fault' });
    expect(retry).toMatchObject({ status: 200, body: { changed: faults.length } });
    await eventually(async () => expect(await parked('?code=plugin-fault')).toHaveLength(faults.length));
    for (const body of [{}, { reason: 'all' }, { channelSku: 'A', reason: 'x' }, { channel: 7, reason: 'x' }])
      expect((await host.api.post('/v1/parked/webhooks/dismiss', body)).status).toBe(400);
    expect((await host.api.post('/v1/parked/webhooks/dismiss', { channel: 'odd' })).status).toBe(400);
    const filter = { channel: 'odd', topic: 'order/changed', reason: 'a bad day of the plugin' };
    expect((await host.api.post('/v1/parked/webhooks/dismiss', filter)).body).toEqual({
      changed: ODDITIES.length,
    });
    expect((await host.api.post('/v1/parked/webhooks/dismiss', filter)).body).toEqual({ changed: 0 });
    expect(await parked()).toEqual([]);
    expect(await parked('?state=dismissed')).toHaveLength(ODDITIES.length);
  });

  test('a dismissed line is not parked again, and stays listed as dismissed', async () => {
    const lines = [{ id: 'GIFT', sku: 'GIFT-CARD', ordered: 1 }];
    await deliver(host, signedWebhook({ id: 'GIFTED', revision: 1, placed_at: PLACED, lines }), 'even');
    const list = async (query = '') =>
      (await host.api.get<{ items: { id: number }[] }>(`/v1/parked/lines${query}`)).body.items;
    await eventually(async () => expect(await list()).toHaveLength(1));
    const { id } = (await list())[0]!;
    const reason = 'gift cards are not stock';
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await host.api.post(`/v1/parked/lines/${id}/dismiss`, { reason })).toMatchObject({
        status: 200,
        body: { id, state: 'dismissed' },
      });
    await deliver(host, signedWebhook({ id: 'GIFTED', revision: 2, placed_at: PLACED, lines }), 'even');
    await eventually(async () => expect(await waiting('even')).toBe(0));
    expect(await list()).toEqual([]);
    expect(await list('?state=dismissed')).toMatchObject([
      { id, channelSku: 'GIFT-CARD', orderId: 'GIFTED', lastAction: { reason } },
    ]);
    // Another SKU on that line is another matter.
    const changed = [{ ...lines[0], sku: 'SOMETHING' }];
    await deliver(
      host,
      signedWebhook({ id: 'GIFTED', revision: 3, placed_at: PLACED, lines: changed }),
      'even',
    );
    await eventually(async () => expect(await list('?channelSku=SOMETHING')).toHaveLength(1));
    expect(
      (await host.api.post('/v1/parked/lines/dismiss', { channelSku: 'SOMETHING', reason })).body,
    ).toEqual({ changed: 1 });
    expect(await list()).toEqual([]);
  });

  test('a thousand poison rows of one channel do not keep another waiting', async () => {
    await host.close();
    const poison = Array.from({ length: 1_000 }, (_, index) =>
      Buffer.from(JSON.stringify({ id: `BAD-${index}`, odd: 'throws' })),
    );
    const sound = Array.from({ length: 100 }, (_, index) => order(`GOOD-${index}`).body);
    const client = await database.dataSource();
    host = { dataSource: client } as TestHost;
    await received('odd', poison);
    await received('even', sound);
    host = await start();
    await eventually(
      async () => expect([await waiting('odd'), await waiting('even')]).toEqual([0, 0]),
      25_000,
    );
    const [{ before, all }] = await host.dataSource.query(
      `SELECT count(*) FILTER (WHERE parked_at < (SELECT max(applied_at) FROM inbox WHERE channel = 'even'))::int AS before,
              count(*)::int AS all FROM inbox WHERE channel = 'odd' AND state = 'parked'`,
    );
    expect(all).toBe(1_000);
    // The last of the 100 rows had to wait for no more than a few claims of the channel beside it.
    expect(before).toBeLessThan(500);
    expect(await reserved()).toBe(101);
  });

  test('rows of a channel that is not served wait without losing attempts, and are applied once it is', async () => {
    await host.close();
    host = { dataSource: await database.dataSource() } as TestHost;
    await received('odd', [order('PATIENT').body]);
    host = await start({ plugin: './gone.cjs' });
    expect(host.app.get(ChannelsService).get('odd').state).toBe('failed');
    for (let sweep = 0; sweep < 3; sweep++) await host.app.get(JobsService).run('apply-inbox');
    await deliver(host, order('BESIDE'), 'even');
    await eventually(async () => expect(await reserved()).toBe(102));
    const [row] = await host.dataSource.query(
      `SELECT attempts, state FROM inbox WHERE channel = 'odd' AND state = 'received'`,
    );
    expect(row).toEqual({ attempts: 0, state: 'received' });
    await host.close();
    host = await start();
    await eventually(async () => expect(await reserved()).toBe(103));
  });

  test('rows of a channel that is configured no more are parked after an hour', async () => {
    await received('former', [order('FORMER').body]);
    await host.app.get(JobsService).run('apply-inbox');
    expect(await waiting('former')).toBe(1);
    await host.dataSource.query(
      `UPDATE inbox SET received_at = received_at - interval '1 hour' WHERE channel = 'former'`,
    );
    await host.app.get(JobsService).run('apply-inbox');
    expect(await parked('?channel=former')).toMatchObject([{ code: 'unknown-channel', attempts: 0 }]);
  });
});
