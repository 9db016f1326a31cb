import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import { Load, reservationBody } from '../support/load';
import { deliver, listingsCsv, signedWebhook, WEBHOOK_SECRET } from '../support/shop-host';

const STOCK = 1_000_000;
const ROUNDS = 6;
const LISTINGS = listingsCsv([['S-A', 'A', 1]]);
const UNLIMITED = { perSecond: 10_000, burst: 10_000 };

/** A host in a process of its own, its database and its shop. */
interface Rig {
  database: TestDatabase;
  dataSource: DataSource;
  shop: ChannelSimulator;
  folder: HostFolder;
}

async function createRig(): Promise<Rig> {
  const database = await createTestDatabase();
  const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
  shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
  const options = { ...shop.pluginOptions, limit: UNLIMITED };
  const channels = [{ name: 'shop', plugin: GENERIC_REST_PACKAGE, options, listings: LISTINGS }];
  const folder = await HostFolder.create({ channels }, database.url);
  return { database, dataSource: await database.dataSource(), shop, folder };
}

async function removeRig({ folder, shop, database }: Rig): Promise<void> {
  await folder.remove();
  await shop.close();
  await database.drop();
}

const restock = (host: SpawnedHost, quantity: number) =>
  host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity });

async function expectWhole(host: SpawnedHost): Promise<void> {
  expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
}

/** What a killed host had in hand is another's after a minute, and the sweep sooner; this lets the minute pass. */
async function letClaimsEnd({ dataSource }: Rig): Promise<void> {
  await dataSource.query(
    "UPDATE schedule SET lease_until = lease_until - interval '1 minute', due_at = clock_timestamp()",
  );
  await dataSource.query(
    "UPDATE inbox SET not_before = not_before - interval '1 minute' WHERE state = 'received'",
  );
}

/** Every webhook that was answered 2xx has its order, its reservation, and nothing waits or is parked. */
async function expectApplied({ dataSource }: Rig, load: Load): Promise<void> {
  await eventually(async () => {
    const [waiting] = await dataSource.query(
      "SELECT count(*)::int AS count FROM inbox WHERE state <> 'applied'",
    );
    expect(waiting).toEqual({ count: 0 });
  });
  const rows: { id: string; reserved: number }[] = await dataSource.query(
    `SELECT r.order_id AS id, sum(p.reserved)::int AS reserved FROM reservations r
       JOIN reservation_lines p ON p.reservation_id = r.id WHERE r.channel = 'shop' GROUP BY 1`,
  );
  const reserved = new Map(rows.map((row) => [row.id, row.reserved]));
  expect(rows.every((row) => row.reserved === 1)).toBe(true);
  expect(load.answered('webhook').filter(({ key }) => !reserved.has(key))).toEqual([]);
}

describe('a host that is killed', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await createRig();
  });

  afterAll(() => removeRig(rig));

  test('has done all that it said it had, however often it dies', async () => {
    const load = new Load('A', 'S-A');
    let host = await rig.folder.start();
    await restock(host, STOCK);
    for (let round = 0; round < ROUNDS; round++) {
      const before = load.sent.length;
      load.start(host.url, 16);
      await eventually(() => expect(load.sent.length).toBeGreaterThan(before + 20));
      await sleep(Math.random() * 400);
      expect(await host.kill('SIGKILL')).toBe('SIGKILL');
      await load.stop();
      host = await rig.folder.start();
    }
    const reserved = load.answered('reservation');
    expect(reserved.length).toBeGreaterThan(ROUNDS * 5);
    expect(load.answered('webhook').length).toBeGreaterThan(ROUNDS * 5);
    expect(load.sent.filter(({ status }) => status >= 400)).toEqual([]);

    await letClaimsEnd(rig);
    await expectApplied(rig, load);
    await expectReserved(host, load);
    await expectWhole(host);
    await expectStock(host, load);
    await eventually(async () => {
      const { body } = await host.api.get<{ total: { available: number } }>('/v1/stock/A');
      expect(rig.shop.shown().get('S-A')).toBe(body.total.available);
    });
  });

  /** By its id, and by its key, which answers again what it answered then. */
  async function expectReserved(host: SpawnedHost, load: Load): Promise<void> {
    for (const batch of chunks(load.answered('reservation'), 50)) {
      await Promise.all(
        batch.map(async ({ key, body }) => {
          const answered = JSON.parse(body) as { id: string };
          expect((await host.api.get(`/v1/reservations/${answered.id}`)).body).toEqual(answered);
          const again = await host.api.post('/v1/reservations', reservationBody('A'), key);
          expect(again).toMatchObject({ status: 201, body: answered });
        }),
      );
    }
  }

  /** What was never answered was done once or not at all: its key, sent again, makes it once. */
  async function expectStock(host: SpawnedHost, load: Load): Promise<void> {
    const all = load.sent.filter(({ kind }) => kind === 'reservation');
    for (const { key } of all.filter(({ status }) => status === 0)) {
      expect((await host.api.post('/v1/reservations', reservationBody('A'), key)).status).toBe(201);
    }
    const orders: { count: number }[] = await rig.dataSource.query(
      "SELECT count(*)::int AS count FROM reservations WHERE channel = 'shop'",
    );
    const reserved = all.length + orders[0]!.count;
    const { body } = await host.api.get<{ total: object }>('/v1/stock/A');
    expect(body.total).toMatchObject({ available: STOCK - reserved, reserved, physical: STOCK });
  }

  test('applies a webhook that it answered and had no time for', async () => {
    const host = await rig.folder.start();
    const orders = Array.from({ length: 20 }, (_, index) => `LAST-${index}`);
    const lines = [{ id: 'L', sku: 'S-A', ordered: 1 }];
    const delivered = orders.map((id) =>
      deliver(host, signedWebhook({ id, revision: 1, placed_at: '2024-05-01T10:00:00Z', lines })),
    );
    // The first answer is the sign: what else was answered by then is known, and nothing after.
    await Promise.race(delivered);
    await host.kill('SIGKILL');
    const outcomes = await Promise.allSettled(delivered);
    const answered = orders.filter((_, index) => {
      const outcome = outcomes[index]!;
      return outcome.status === 'fulfilled' && outcome.value.status === 200;
    });
    expect(answered.length).toBeGreaterThan(0);
    const stored: { id: string }[] = await rig.dataSource.query(
      "SELECT convert_from(body, 'UTF8')::json->>'id' AS id FROM inbox WHERE convert_from(body, 'UTF8') LIKE '%LAST-%'",
    );
    expect(answered.filter((id) => !stored.some((row) => row.id === id))).toEqual([]);
    await rig.folder.start();
    await letClaimsEnd(rig);
    await eventually(async () => {
      const rows: { id: string }[] = await rig.dataSource.query(
        "SELECT order_id AS id FROM reservations WHERE order_id LIKE 'LAST-%'",
      );
      expect(answered.filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
    });
  });

  test('puts right what it sent and did not note, even when stock is back at what it was', async () => {
    const host = await rig.folder.start();
    await eventually(async () => {
      const { body } = await host.api.get<{ total: { available: number } }>('/v1/stock/A');
      expect(rig.shop.shown().get('S-A')).toBe(body.total.available);
    });
    const before = rig.shop.shown().get('S-A')!;
    rig.shop.faults({ slow: 1, slowMs: 2_000 });
    await restock(host, 5);
    await eventually(() => expect(rig.shop.shown().get('S-A')).toBe(before + 5));
    await host.kill('SIGKILL');
    rig.shop.faults({ slow: 0 });
    const next = await rig.folder.start();
    await next.api.post('/v1/events', { type: 'ADJUST', sku: 'A', quantity: -5, reason: 'count' });
    // The killed host's lease runs for five seconds.
    await eventually(() => expect(rig.shop.shown().get('S-A')).toBe(before), 15_000);
  });
});

async function expectNotDone({ dataSource }: Rig, keys: string[]): Promise<void> {
  const done = await dataSource.query(
    `SELECT key FROM unnest($1::text[]) AS k (key)
      WHERE EXISTS (SELECT FROM idempotency_keys i WHERE i.key = 'api:' || k.key)
         OR EXISTS (SELECT FROM orders o WHERE o.order_id = k.key)
         OR EXISTS (SELECT FROM inbox WHERE position(k.key::bytea IN body) > 0)`,
    [keys],
  );
  expect(done).toEqual([]);
}

describe('a host that is told to stop', () => {
  test.each([{ keepAlive: true }, { keepAlive: false }])(
    'answers what it took, takes no more, and leaves the ledger whole (%j)',
    async (connections) => {
      const rig = await createRig();
      try {
        const load = new Load('A', 'S-A');
        const host = await rig.folder.start();
        await restock(host, STOCK);
        load.start(host.url, 16, connections);
        await eventually(() => expect(load.answered('reservation').length).toBeGreaterThan(20));
        const toldAt = Date.now();
        await host.kill('SIGTERM');
        expect(Date.now() - toldAt).toBeLessThan(10_000);
        await load.stop();
        const failures = load.sent.filter(({ status }) => status !== 200 && status !== 201);
        expect(failures.filter(({ status }) => status !== 503 && status !== 0)).toEqual([]);
        expect(failures.filter(({ failure }) => failure?.startsWith('cut off'))).toEqual([]);
        // A connection that was still waiting to be taken is reset; what was sent over it was not done.
        await expectNotDone(
          rig,
          failures.map(({ key }) => key),
        );
        expect(host.output()).not.toMatch(/"level":50/);

        const next = await rig.folder.start();
        await expectApplied(rig, load);
        await expectWhole(next);
      } finally {
        await removeRig(rig);
      }
    },
  );

  test('does not wait for a channel that does not answer, and its successor pushes instead', async () => {
    const rig = await createRig();
    try {
      const host = await rig.folder.start();
      rig.shop.faults({ slow: 1, slowMs: 30_000, fail: 1 });
      const calls = rig.shop.calls.length;
      await restock(host, 5);
      await eventually(() => expect(rig.shop.calls.length).toBeGreaterThan(calls));
      const toldAt = Date.now();
      await host.kill('SIGTERM');
      expect(Date.now() - toldAt).toBeLessThan(10_000);
      rig.shop.faults({ slow: 0, fail: 0 });
      await rig.folder.start();
      await eventually(() => expect(rig.shop.shown().get('S-A')).toBe(5), 15_000);
    } finally {
      await removeRig(rig);
    }
  });
});

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
