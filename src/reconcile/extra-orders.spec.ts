import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { rowsRead } from '../../test/support/rows-read';
import { poolOf } from '../database/pool';
import { noteExtra } from './extra-orders';

const ORDERS = 2_000;

let database: TestDatabase;
let dataSource: DataSource;
let pool: Pool;

const placed = (channel: string) =>
  pool.query(
    `INSERT INTO orders (channel, order_id, revision, document, placed_at, received_at, updated_at)
     SELECT $1, 'O-' || n, 1, '{"placedAt": "2026-11-01T00:00:00Z"}', at, at, at
       FROM generate_series(1, $2::int) n, (SELECT timestamptz '2026-11-01' AS at) t`,
    [channel, ORDERS],
  );

const speak = () => pool.query('SELECT 1');

/** A channel whose orders came, and were compared, after the server gathered its statistics from those of another. */
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
  pool = poolOf(dataSource);
  await placed('before');
  await pool.query(`INSERT INTO order_marks SELECT gen_random_uuid(), order_id FROM orders LIMIT 10`);
  await pool.query('ANALYZE');
});

afterAll(() => database.drop());

test('orders that were not listed are found by one look at those that were', async () => {
  await placed('shop');
  const taskId = randomUUID();
  await pool.query(
    `INSERT INTO order_marks SELECT $1, order_id FROM orders WHERE channel = 'shop' AND order_id NOT IN ('O-7', 'O-77')`,
    [taskId],
  );
  let extra = 0;
  const read = await rowsRead(pool, speak, async () => {
    const compared = { taskId, channel: 'shop', since: '2026-10-01T00:00:00Z', startedAt: new Date() };
    extra = await noteExtra(dataSource, compared);
  });
  expect(extra).toBe(2);
  const { rows } = await pool.query('SELECT order_id FROM order_differences WHERE task_id = $1 ORDER BY 1', [
    taskId,
  ]);
  expect(rows).toEqual([{ order_id: 'O-7' }, { order_id: 'O-77' }]);
  expect(read.order_marks).toBeLessThan(3 * ORDERS);
});
