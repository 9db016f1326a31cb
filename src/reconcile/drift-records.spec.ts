import { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { DriftRecords } from './drift-records';

const LISTINGS = 20_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  // What takes so long looks at each listing once for each of the others.
  pool = new Pool({ connectionString: database.url, max: 1, statement_timeout: 5_000 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('listings that a channel has not shown are found by one look at each, though none was ever read before', async () => {
  await pool.query(
    `WITH made AS (
       INSERT INTO listings (channel, channel_sku) SELECT 'shop', n::text FROM generate_series(1, $1::int) n RETURNING id)
     INSERT INTO shown_quantities (listing_id, channel_location)
     SELECT id, location FROM made, unnest(ARRAY['a', 'b']) AS location`,
    [LISTINGS],
  );
  await pool.query('ANALYZE');
  const records = new DriftRecords(pool);
  const since = await records.now();
  const hidden = ['1', '7000', String(LISTINGS)];
  await pool.query(
    `UPDATE shown_quantities SET read_at = clock_timestamp()
      WHERE channel_location = 'b' AND listing_id IN (SELECT id FROM listings WHERE NOT channel_sku = ANY($1::text[]))`,
    [hidden],
  );
  const { rows } = await pool.query<{ id: number }>(
    'SELECT id FROM listings WHERE channel_sku = ANY($1::text[]) ORDER BY id',
    [hidden],
  );
  expect(await records.notShownSince('shop', since, null, 0, 500)).toEqual(rows.map(({ id }) => id));
});
