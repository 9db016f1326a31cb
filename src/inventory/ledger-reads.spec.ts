import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { InventoryApp, reservationIn } from '../../test/support/inventory-app';

/** Reservations there are before anything is counted; one look through all of them is as many rows. */
const KNOWN = 3_000;

let database: TestDatabase;
let host: InventoryApp;
let skuId: number;

beforeAll(async () => {
  database = await createTestDatabase();
  host = await InventoryApp.start(database.url);
  skuId = await host.newSku(KNOWN * 2);
  await Promise.all(Array.from({ length: KNOWN }, (_, index) => settle(`known ${index}`, 1, 1)));
  await host.rows('ANALYZE');
});

afterAll(async () => {
  await host.stop();
  await database.drop();
});

function settle(orderId: string, revision: number, ordered: number) {
  return host.post({
    kind: 'settle-order',
    channel: 'shop',
    orderId,
    revision,
    reservationId: randomUUID(),
    lines: [{ lineId: 'a', skuId, ordered, cancelled: 0, fulfilled: 0, returned: 0 }],
    lineIds: ['a'],
    placedAt: '2024-05-01T10:00:00.000Z',
  });
}

/** Rows read so far of each table, through an index or not. */
async function reads(): Promise<Map<string, number>> {
  const rows = await host.rows<{ name: string; read: number }>(
    `SELECT relname AS name, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::float8 AS read
       FROM pg_stat_user_tables`,
  );
  return new Map(rows.map(({ name, read }) => [name, read]));
}

/** A connection tells what it read when it ends something a second after it last told. */
async function told(): Promise<Map<string, number>> {
  const before = await reads();
  await sleep(1_100);
  await host.restock(skuId, 1);
  await eventually(async () => expect((await reads()).get('levels')).toBeGreaterThan(before.get('levels')!));
  return reads();
}

test('what is read for an order, or for a reservation, does not grow with all those there are', async () => {
  const before = await told();
  for (let index = 0; index < 5; index++) {
    await settle(`new ${index}`, 1, 2);
    await settle(`new ${index}`, 2, 1);
    await settle(`known ${index}`, 2, 0);
    const { id: reservationId } = reservationIn(await host.reserve([{ skuId, quantityUnits: 1 }]));
    await host.post({ kind: 'release', reservationId });
  }
  const after = await told();
  const read = [...after].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
  expect(Object.fromEntries(read)).toMatchObject({ reservations: expect.any(Number) });
  expect(read.filter(([, count]) => count > KNOWN / 10)).toEqual([]);
});
