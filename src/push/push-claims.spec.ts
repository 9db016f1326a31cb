import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { rowsRead } from '../../test/support/rows-read';
import { pipelinedPool } from '../database/pool';
import { claimListings, putOffListings } from './push-claims';

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

/** A dirty listing that waits for its channel's budget, claimed because it changed. */
async function claimWaiting(channel: string) {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO listings (channel, channel_sku) VALUES ($1, 'A') RETURNING id`,
    [channel],
  );
  await pool.query(
    `INSERT INTO dirty_listings (listing_id, channel, waits_for, waits_until)
     VALUES ($1, $2, 'its changes are used up', clock_timestamp() + interval '1 hour')`,
    [rows[0]!.id, channel],
  );
  const lease = '00000000-0000-4000-8000-000000000001';
  const claimed = await claimListings(pool, { channel, lease, limit: 10, leaseSeconds: 60, follows: false });
  expect(claimed).toMatchObject([{ waits: true }]);
  return { lease, claimed, id: rows[0]!.id };
}

const due = (channel: string) =>
  pool.query<{ due: boolean; kept: boolean }>(
    `SELECT not_before <= clock_timestamp() AS due, not_before = waits_until AS kept FROM dirty_listings
      WHERE channel = $1 AND lease IS NULL`,
    [channel],
  );

test('what waits is put off until its budget is back', async () => {
  const { lease, claimed } = await claimWaiting('patient');
  await putOffListings(pool, lease, claimed);
  expect((await due('patient')).rows).toEqual([{ due: false, kept: true }]);
});

test('what changed while it was looked at is looked at again: it may be sold out by now', async () => {
  const { lease, claimed, id } = await claimWaiting('busy');
  await pool.query('UPDATE dirty_listings SET marks = marks + 1 WHERE listing_id = $1', [id]);
  await putOffListings(pool, lease, claimed);
  expect((await due('busy')).rows).toEqual([{ due: true, kept: false }]);
});

test('whose claim has gone to another is left to them', async () => {
  const { claimed } = await claimWaiting('taken');
  await putOffListings(pool, '00000000-0000-4000-8000-000000000002', claimed);
  expect((await due('taken')).rows).toEqual([]);
});

test('what is claimed comes oldest first, and in the order of the listings where it became dirty at once', async () => {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO listings (channel, channel_sku) SELECT 'queue', n::text FROM generate_series(1, 6) n RETURNING id`,
  );
  const ids = rows.map(({ id }) => id);
  // The last one has waited longest; of the others, the later ones were marked first.
  await pool.query(
    `INSERT INTO dirty_listings (listing_id, channel, since)
     SELECT id, 'queue', timestamptz '2026-11-01' - (id = $2)::int * interval '1 hour' FROM unnest($1::int[]) id ORDER BY id DESC`,
    [ids, ids.at(-1)],
  );
  const lease = '00000000-0000-4000-8000-000000000003';
  const claim = { channel: 'queue', lease, limit: 10, leaseSeconds: 60, follows: false };
  const claimed = await claimListings(pool, claim);
  expect(claimed.map(({ listingId }) => listingId)).toEqual([ids.at(-1), ...ids.slice(0, -1)]);
});

test('a claim looks at what it takes, however many are due or were since the last vacuum', async () => {
  const due = 6_000;
  await pool.query(
    `INSERT INTO listings (channel, channel_sku) SELECT 'full', n::text FROM generate_series(1, $1::int) n`,
    [due],
  );
  const markAll = `INSERT INTO dirty_listings (listing_id, channel) SELECT id, channel FROM listings WHERE channel = 'full'
    ON CONFLICT (listing_id) DO NOTHING`;
  await pool.query(markAll);
  await pool.query(`DELETE FROM dirty_listings WHERE channel = 'full' AND listing_id % 100 > 0`);
  // What the planner knows of a queue is as of a quiet moment.
  await pool.query('ANALYZE');
  await pool.query(markAll);
  const claim = { channel: 'full', limit: 100, leaseSeconds: 60, follows: false };
  const speak = () => Promise.all([1, 2].map(() => pool.query('SELECT pg_sleep(0.1)')));
  const read = await rowsRead(pool, speak, async () => {
    for (const nr of [1, 2, 3]) {
      const lease = `00000000-0000-4000-8000-00000000001${nr}`;
      expect(await claimListings(pool, { ...claim, lease })).toHaveLength(100);
    }
  });
  expect(read.dirty_listings).toBeGreaterThanOrEqual(300);
  expect(read.dirty_listings).toBeLessThan(due / 4);
});

test('what was refused has its turn when it is due, before what became dirty after that', async () => {
  const mark = async (channelSku: string, dueAt: string) => {
    const { rows } = await pool.query<{ id: number }>(
      `WITH made AS (INSERT INTO listings (channel, channel_sku) VALUES ('fair', $1) RETURNING id)
       INSERT INTO dirty_listings (listing_id, channel, not_before) SELECT id, 'fair', $2::timestamptz FROM made
       RETURNING listing_id AS id`,
      [channelSku, dueAt],
    );
    return rows[0]!.id;
  };
  const waits = await mark('waits already', '-infinity');
  const refused = await mark('refused', new Date().toISOString());
  const newest = await mark('newest', '-infinity');
  const claim = { channel: 'fair', limit: 1, leaseSeconds: 60, follows: false };
  const claimed: number[] = [];
  for (const nr of [1, 2, 3]) {
    const lease = `00000000-0000-4000-8000-00000000002${nr}`;
    claimed.push(...(await claimListings(pool, { ...claim, lease })).map(({ listingId }) => listingId));
  }
  expect(claimed).toEqual([waits, refused, newest]);
});
