import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { rowsRead } from '../../test/support/rows-read';
import { poolOf } from '../database/pool';
import { propose } from './suggestions-sql';

const SKUS = 1_000;

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
});

afterAll(() => database.drop());

/** Lists every SKU on the channel, by another code. */
const list = (channel: string) =>
  dataSource.query(
    `WITH made AS (
       INSERT INTO listings (channel, channel_sku, origin) SELECT $1, 'L-' || n, 'file' FROM generate_series(1, $2::int) n
       RETURNING id, channel_sku)
     INSERT INTO listing_components (listing_id, sku_id, units)
     SELECT m.id, s.id, 1 FROM made m JOIN skus s ON s.code = 'S-' || substr(m.channel_sku, 3)`,
    [channel, SKUS],
  );

test('proposals for a channel that is new are made by one look at its listings and at the SKUs', async () => {
  await dataSource.query(`INSERT INTO skus (code) SELECT 'S-' || n FROM generate_series(1, $1::int) n`, [
    SKUS,
  ]);
  await list('before');
  await dataSource.query('ANALYZE');
  await list('shop');
  await dataSource.query(
    `INSERT INTO unmapped_skus (channel, channel_sku, first_seen_in, last_seen_in)
     SELECT 'shop', CASE n % 4 WHEN 0 THEN 'S-' || n WHEN 1 THEN 's ' || n WHEN 2 THEN 'L-' || n ELSE 'X-' || n END, 'read', 'read'
       FROM generate_series(1, $1::int) n`,
    [SKUS],
  );
  let proposed: unknown;
  const read = await rowsRead(
    poolOf(dataSource),
    () => dataSource.query('SELECT 1'),
    async () => {
      proposed = await propose(dataSource, 'shop');
    },
  );
  // A quarter is mapped already, of another quarter nothing is alike, and the others share what is listed.
  expect(proposed).toEqual({ unmapped: (SKUS * 3) / 4, proposed: SKUS / 2, ambiguous: SKUS / 2 });
  expect(read.listings).toBeLessThan(10 * SKUS);
  expect(read.listing_components).toBeLessThan(10 * SKUS);
});
