import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { rowsRead } from '../../test/support/rows-read';
import { poolOf } from '../database/pool';
import { CONFIRM_PUSHES } from './listings-sql';

const ACCEPTED = 6_000;
const SHOWN = 100;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(await database.dataSource());
});

afterAll(() => database.drop());

test('what a page shows confirms its own pushes, and looks at no others of all that are accepted', async () => {
  await pool.query(
    `INSERT INTO pushes (id, listing_id, channel, quantity, waterfall, trigger, state, sent_at)
     SELECT gen_random_uuid(), n, 'shop', 5, '{}', 'change', 'applied', clock_timestamp() FROM generate_series(1, $1::int) n`,
    [ACCEPTED],
  );
  // What the planner knows of what is accepted is as of a quiet moment.
  await pool.query('ANALYZE pushes');
  await pool.query(`UPDATE pushes SET state = 'accepted'`);
  const ids = Array.from({ length: SHOWN }, (_, index) => index * 50 + 1);
  const values = [ids, ids.map(() => ''), ids.map(() => 5), 'shop', null];
  let confirmed: number | null = 0;
  const read = await rowsRead(
    pool,
    () => pool.query('SELECT 1'),
    async () => {
      confirmed = (await pool.query(CONFIRM_PUSHES, values)).rowCount;
    },
  );
  expect(confirmed).toBe(SHOWN);
  expect(read.pushes).toBeLessThan(ACCEPTED / 4);
});
