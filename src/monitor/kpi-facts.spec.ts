import { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { rowsRead } from '../../test/support/rows-read';
import { FACTS } from './kpi-facts';

const ROWS = 5_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, max: 1 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** One in a hundred is of the last minute, and lies among the others: rows take the room of those before them. */
const SCATTERED = `CASE WHEN n % 100 = 0 THEN clock_timestamp() - interval '30 s' ELSE clock_timestamp() - n * interval '1 min' END`;

const PUSHES = `
  INSERT INTO pushes (id, listing_id, channel, quantity, waterfall, trigger, state, sent_at, dirty_since, answered_at)
  SELECT gen_random_uuid(), n, 'shop', 1, '{}', 'event', 'applied', at, at, at
    FROM (SELECT n, ${SCATTERED} AS at FROM generate_series(1, $1::int) n) s`;

const RESERVATIONS = `
  INSERT INTO reservations (id, state, created_at, updated_at)
  SELECT gen_random_uuid(), 'confirmed', at, at FROM (SELECT ${SCATTERED} AS at FROM generate_series(1, $1::int) n) s`;

test.each([
  ['pushes', PUSHES, FACTS.syncs],
  ['reservations', RESERVATIONS, FACTS.reservations],
])(
  'of the %s only those of the time that is counted are read, wherever they lie',
  async (table, fill, fact) => {
    await pool.query(fill, [ROWS]);
    await pool.query('ANALYZE');
    const counted: { denominator: number }[] = [];
    const read = await rowsRead(
      pool,
      () => pool.query('SELECT 1'),
      async () => {
        const now = Date.now();
        const { rows } = await pool.query<{ denominator: number }>(fact.sql, [
          new Date(now - 60_000),
          new Date(now),
          60,
        ]);
        counted.push(...rows);
      },
    );
    expect(counted.reduce((sum, { denominator }) => sum + denominator, 0)).toBe(ROWS / 100);
    expect(read[table]).toBeGreaterThanOrEqual(ROWS / 100);
    expect(read[table]).toBeLessThan(ROWS / 10);
  },
);
