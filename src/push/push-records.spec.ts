import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { pipelinedPool } from '../database/pool';
import type { PlannedPush } from './push-plan';
import { claimListings } from './push-claims';
import { beginPushes, settlePushes } from './push-records';

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

/** As many as Amazon takes in one feed. */
const MANY = 25_000;

/** Of listings that became dirty after the planner had last looked, and before anybody claimed them. */
async function claimMany(channel: string): Promise<{ lease: string; planned: PlannedPush[] }> {
  await pool.query(
    `INSERT INTO listings (channel, channel_sku) SELECT $1, n::text FROM generate_series(1, $2::int) n`,
    [channel, MANY],
  );
  await pool.query(
    'INSERT INTO dirty_listings (listing_id, channel) SELECT id, channel FROM listings WHERE channel = $1',
    [channel],
  );
  // As the server does by itself; what it has seen by now has no lease.
  await pool.query('ANALYZE dirty_listings, pushes, shown_quantities');
  const lease = randomUUID();
  const listings = await claimListings(pool, {
    channel,
    lease,
    limit: MANY,
    leaseSeconds: 60,
    follows: true,
  });
  const planned = listings.map((claimed) => ({
    ...{ claimed, listing: { id: claimed.listingId }, channelLocation: '', waterfall: {}, previous: null },
    update: { pushId: randomUUID(), quantityUnits: 5 },
  }));
  return { lease, planned: planned as unknown as PlannedPush[] };
}

/** What takes the square of its number is ended by the time that a statement may take. */
test.each([
  ['accepted', { accepted: MANY, dirty: 0, known: MANY }],
  ['failed', { failed: MANY, dirty: MANY, known: 0 }],
] as const)('a whole feed of pushes is begun and told that it was %s in one go', async (state, kept) => {
  const { lease, planned } = await claimMany(state);
  const begun = await beginPushes(pool, { channel: state, lease, follows: true }, planned);
  expect(begun.size).toBe(MANY);
  const outcomes = planned.map((push) => ({ push, state, receipt: 'feed 1', blame: 'batch' as const }));
  await settlePushes(pool, lease, outcomes, [], 10);
  const { rows } = await pool.query(
    `SELECT (SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM pushes WHERE channel = $1 GROUP BY 1) p) AS pushes,
            (SELECT count(*)::int FROM dirty_listings WHERE channel = $1 AND lease IS NULL) AS dirty,
            (SELECT count(pushed_units)::int FROM shown_quantities q JOIN listings l ON l.id = q.listing_id WHERE l.channel = $1) AS known`,
    [state],
  );
  const { dirty, known, ...pushes } = kept;
  expect(rows).toEqual([{ pushes, dirty, known }]);
});
