import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { InventoryApp, reservationIn } from '../../test/support/inventory-app';
import { rowsRead } from '../../test/support/rows-read';
import { poolOf } from '../database/pool';

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

test('what is read for an order, or for a reservation, does not grow with all those there are', async () => {
  const read = await rowsRead(
    poolOf(host.dataSource),
    () => host.restock(skuId, 1),
    async () => {
      for (let index = 0; index < 5; index++) {
        await settle(`new ${index}`, 1, 2);
        await settle(`new ${index}`, 2, 1);
        await settle(`known ${index}`, 2, 0);
        const { id: reservationId } = reservationIn(await host.reserve([{ skuId, quantityUnits: 1 }]));
        await host.post({ kind: 'release', reservationId });
      }
    },
  );
  expect(read).toMatchObject({ reservations: expect.any(Number), reservation_lines: expect.any(Number) });
  expect(Object.entries(read).filter(([, rows]) => rows > KNOWN / 10)).toEqual([]);
});
