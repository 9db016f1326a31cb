import type { Pool } from 'pg';
import { inOneGo, JOIN_ONCE } from '../database/pool';

/** A dirty listing that this worker alone may push until its lease ends. */
export interface ClaimedListing {
  listingId: number;
  marks: number;
  forced: boolean;
  /** Times in a row that the channel refused this listing. */
  attempts: number;
  /** Batches in a row with this listing that failed as a whole. */
  batchFailures: number;
  /** Until then its channel takes no change of it but to 0. */
  waits: boolean;
  /** Traceparents of what made it dirty, the last few; null where no traces are collected. */
  traces: string[] | null;
  /** Of the listing's mapping; 0 when it is mapped no more. */
  revision: number;
  /** What the channel took and shows, for each of its locations that is known; '' is the channel as a whole. */
  known: Map<string, KnownQuantity>;
}

export interface KnownQuantity {
  /** What the channel took last; null when it never took anything, or may have taken more since. */
  pushedUnits: number | null;
  /** What the channel said it shows when it was last pushed to, or else what it is known to show. */
  believedUnits: number | null;
}

interface ClaimRow extends Omit<ClaimedListing, 'known'> {
  abandoned: boolean;
  known: [channelLocation: string, pushedUnits: number | null, believedUnits: number | null][];
}

/** Orders that the channel cannot list for so long are no reason to leave a wrong number standing. */
const LONGEST_WAIT_FOR_ORDERS = `interval '15 minutes'`;

/**
 * Oldest first, what is tried again from when it is due; a claim that was never settled is free again when its lease
 * ends. None while the channel is paused, and with `follows` none of which the channel has yet to decide on an earlier
 * push.
 */
export async function claimListings(
  pool: Pool,
  claim: { channel: string; lease: string; limit: number; leaseSeconds: number; follows: boolean },
): Promise<ClaimedListing[]> {
  const { channel, lease, limit, leaseSeconds, follows } = claim;
  const [, claimed] = await inOneGo(pool, [
    { text: CLAIM_SETTINGS },
    { name: 'claim-listings', text: CLAIM, values: [channel, lease, limit, leaseSeconds, follows] },
  ]);
  return (claimed!.rows as ClaimRow[]).map(({ abandoned, known, ...row }) => ({
    ...row,
    known: new Map(known.map(quantityOf(abandoned))),
  }));
}

/** A lease that was never given back: that worker may have sent, so what was taken last is not known. */
function quantityOf(abandoned: boolean) {
  return ([location, pushedUnits, believedUnits]: ClaimRow['known'][number]): [string, KnownQuantity] => [
    location,
    { pushedUnits: abandoned ? null : pushedUnits, believedUnits },
  ];
}

/**
 * Marks what the channel has never taken at one of these locations: a channel that was only observed and now
 * goes live, or a location that is mapped now. With `tags`, only listings with a SKU that carries one.
 */
export async function markNeverPushed(
  pool: Pool,
  channel: string,
  locations: readonly string[],
  tags: readonly string[] | null,
): Promise<void> {
  await pool.query(MARK_NEVER_PUSHED, [channel, locations, tags]);
}

/** Gives back what waits for its channel's budget, unless it changed meanwhile: then it is looked at again at once. */
export async function putOffListings(
  pool: Pool,
  lease: string,
  listings: readonly ClaimedListing[],
): Promise<void> {
  if (listings.length === 0) return;
  const marks = listings.map((each) => each.marks);
  const values = [lease, listings.map(({ listingId }) => listingId), marks];
  await inOneGo(pool, [{ text: JOIN_ONCE }, { text: PUT_OFF, values }]);
}

/** Gives back what was claimed and not tried. */
export async function releaseListings(
  pool: Pool,
  lease: string,
  listingIds: readonly number[],
): Promise<void> {
  if (listingIds.length === 0) return;
  await pool.query(RELEASE, [lease, listingIds]);
}

/**
 * The record of the pushes, which is written before anything is sent, takes the claim to the disk with it. And the
 * oldest are read by the index that has them in order: all that are due, sorted, would be all that were since the
 * last vacuum as well.
 */
const CLAIM_SETTINGS = 'SET LOCAL synchronous_commit = off; SET LOCAL enable_sort = off';

const CLAIM = `
  WITH due AS (
    SELECT listing_id, lease IS NOT NULL AS abandoned FROM dirty_listings
     WHERE channel = $1 AND parked_at IS NULL AND not_before <= clock_timestamp() AND lease_until <= clock_timestamp()
       AND (orders_after IS NULL OR orders_after < clock_timestamp() - ${LONGEST_WAIT_FOR_ORDERS}
            OR orders_after <= (SELECT covered_at FROM order_polls WHERE channel = $1))
       AND NOT EXISTS (SELECT FROM channel_pauses WHERE channel = $1)
       AND NOT ($5 AND EXISTS (SELECT FROM pushes p WHERE p.channel = $1 AND p.listing_id = dirty_listings.listing_id
            AND p.state = 'accepted' AND p.receipt IS NOT NULL AND p.decided_at IS NULL))
     ORDER BY greatest(since, not_before) LIMIT $3 FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE dirty_listings d SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $4)
      FROM due WHERE d.listing_id = due.listing_id
    RETURNING d.listing_id, d.marks, d.forced, d.attempts, d.batch_failures, d.traces, due.abandoned,
              coalesce(d.waits_until > clock_timestamp(), false) AS waits, greatest(d.since, d.not_before) AS due_at)
  SELECT c.listing_id AS "listingId", c.marks, c.forced, c.attempts, c.batch_failures AS "batchFailures", c.traces, c.abandoned, c.waits,
         CASE WHEN l.retired_at IS NULL THEN l.revision ELSE 0 END AS revision,
         (SELECT coalesce(jsonb_agg(jsonb_build_array(q.channel_location, q.pushed_units, coalesce(q.believed_units, q.shown_units))), '[]')
            FROM shown_quantities q WHERE q.listing_id = c.listing_id) AS known
    FROM claimed c LEFT JOIN listings l ON l.id = c.listing_id ORDER BY c.due_at, c.listing_id`;

const MARK_NEVER_PUSHED = `
  INSERT INTO dirty_listings (listing_id, channel)
  SELECT l.id, l.channel FROM listings l
   WHERE l.channel = $1 AND l.retired_at IS NULL
     AND (SELECT count(*) FROM shown_quantities q
           WHERE q.listing_id = l.id AND q.channel_location = ANY($2::text[]) AND q.pushed_units IS NOT NULL) < cardinality($2::text[])
     AND ($3::text[] IS NULL OR EXISTS (
           SELECT FROM listing_components c JOIN skus s ON s.id = c.sku_id WHERE c.listing_id = l.id AND s.tags && $3::text[]))
   ORDER BY l.id
  ON CONFLICT (listing_id) DO NOTHING`;

/** In listing order, as the ledger's trigger locks them. */
const PUT_OFF = `
  WITH held AS MATERIALIZED (
    SELECT d.listing_id, d.marks > s.marks AS changed
      FROM dirty_listings d JOIN unnest($2::int[], $3::bigint[]) AS s (id, marks) ON d.listing_id = s.id
     WHERE d.lease = $1 AND d.listing_id = ANY($2::int[]) ORDER BY d.listing_id FOR UPDATE OF d)
  UPDATE dirty_listings d SET lease = NULL, lease_until = '-infinity',
         not_before = CASE WHEN held.changed THEN '-infinity' ELSE d.waits_until END
    FROM held WHERE d.listing_id = ANY($2::int[]) AND d.listing_id = held.listing_id`;

/** In listing order, as the ledger's trigger locks them. */
const RELEASE = `
  WITH held AS MATERIALIZED (
    SELECT listing_id FROM dirty_listings WHERE lease = $1 AND listing_id = ANY($2::int[]) ORDER BY listing_id FOR UPDATE)
  UPDATE dirty_listings d SET lease = NULL, lease_until = '-infinity' FROM held WHERE d.listing_id = held.listing_id`;
