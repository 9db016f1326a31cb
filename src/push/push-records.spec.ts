import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { pipelinedPool } from '../database/pool';
import type { PlannedPush } from './push-plan';
import { beginPushes } from './push-records';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = pipelinedPool(await database.dataSource(), 2);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** One listing, dirty, under a lease that ends so many seconds from now, and a push of it that its worker has planned. */
async function claimed(channel: string, seconds: number): Promise<{ lease: string; planned: PlannedPush }> {
  const lease = randomUUID();
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO listings (channel, channel_sku) VALUES ($1, 'A') RETURNING id`,
    [channel],
  );
  const { id } = rows[0]!;
  await pool.query(
    `INSERT INTO dirty_listings (listing_id, channel, lease, lease_until)
     VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))`,
    [id, channel, lease, seconds],
  );
  const planned = {
    claimed: { forced: false, attempts: 0, batchFailures: 0 },
    listing: { id },
    channelLocation: '',
    waterfall: {},
    update: { pushId: randomUUID(), quantityUnits: 5 },
    previous: null,
  };
  return { lease, planned: planned as unknown as PlannedPush };
}

async function begun(channel: string, lease: string, planned: PlannedPush): Promise<number> {
  const held = await beginPushes(pool, { channel, lease, follows: false }, [planned]);
  const { rows } = await pool.query('SELECT FROM pushes WHERE channel = $1', [channel]);
  expect(rows).toHaveLength(held.size);
  return held.size;
}

test('a push begins under a lease that lasts', async () => {
  const { lease, planned } = await claimed('awake', 60);
  expect(await begun('awake', lease, planned)).toBe(1);
});

test('no push begins under a lease that has ended, though nobody has taken the listing since', async () => {
  const { lease, planned } = await claimed('asleep', -1);
  expect(await begun('asleep', lease, planned)).toBe(0);
});

test('no push begins under a lease that was another’s', async () => {
  const { planned } = await claimed('taken', 60);
  expect(await begun('taken', randomUUID(), planned)).toBe(0);
});
