import type { Pool, QueryConfig } from 'pg';
import { inOneGo, JOIN_ONCE } from '../database/pool';
import type { PushOutcome } from './push-batch';
import type { ClaimedListing } from './push-claims';
import type { PlannedPush } from './push-plan';

const MAX_BACKOFF_MS = 300_000;

/**
 * Records pushes before they are sent, so that even a killed worker leaves a trace of what a channel may have
 * been told. Whatever of the listing was still open is superseded. Returns the listings that are this
 * worker's to push: none of those whose lease has ended, and with `follows` none of which the channel has yet to
 * decide on a push that another worker sent just before.
 */
export async function beginPushes(
  pool: Pool,
  { channel, lease, follows }: { channel: string; lease: string; follows: boolean },
  pushes: readonly PlannedPush[],
  state: 'sent' | 'observed' = 'sent',
): Promise<Set<number>> {
  if (pushes.length === 0) return new Set();
  const rows = pushes.map(({ update, listing, channelLocation, previous, waterfall, claimed }) => ({
    id: update.pushId,
    listing: listing.id,
    location: channelLocation,
    quantity: update.quantityUnits,
    previous,
    waterfall,
    trigger: triggerOf(claimed),
  }));
  const ids = rows.map(({ listing }) => listing);
  const values = [lease, channel, state, JSON.stringify(rows), follows, ids];
  const [, begun] = await inOneGo(pool, [
    { text: JOIN_ONCE },
    { name: 'begin-pushes', text: BEGIN_PUSHES, values },
  ]);
  return new Set((begun!.rows as { listing_id: number }[]).map((row) => row.listing_id));
}

/**
 * Stores the answers, takes off the dirty list what is done and was not marked again, and puts back the rest
 * with a growing delay. `done` are listings that needed no push, or were only observed. A worker whose lease
 * ended changes nothing but the history. Returns how many were parked. The pool must be a pipelined one: all of
 * it is one way to the database and back.
 */
export async function settlePushes(
  pool: Pool,
  lease: string,
  outcomes: readonly PushOutcome[],
  done: readonly ClaimedListing[],
  maxAttempts: number,
): Promise<number> {
  if (outcomes.length === 0 && done.length === 0) return 0;
  const failed = firstFailures(outcomes);
  const claimed = new Set([...outcomes.map(({ push }) => push.claimed), ...done]);
  const finished = [...claimed].filter(({ listingId }) => !failed.has(listingId));
  const parks = [...failed.values()].map((outcome) => isParked(outcome, maxAttempts));
  await inOneGo(pool, [
    // A settlement lost with the server leaves a lease that ends, and the listing is pushed once more.
    { text: `SET LOCAL synchronous_commit = off; ${JOIN_ONCE}` },
    { name: 'lock-held', text: LOCK_HELD, values: [lease, [...claimed].map(({ listingId }) => listingId)] },
    ...(outcomes.length > 0 ? [storeAnswers(outcomes), storeQuantities(lease, outcomes)] : []),
    ...(finished.length > 0 ? finish(lease, finished) : []),
    ...(failed.size > 0 ? [putBack(lease, [...failed.values()], parks)] : []),
  ]);
  return parks.filter(Boolean).length;
}

function isParked({ push: { claimed }, blame, final }: PushOutcome, maxAttempts: number): boolean {
  return blame === 'listing' && (final === true || claimed.attempts + 1 >= maxAttempts);
}

/** Of each listing that has one: what keeps it dirty. */
function firstFailures(outcomes: readonly PushOutcome[]): Map<number, PushOutcome> {
  const failed = outcomes.filter(({ state }) => !['applied', 'accepted', 'observed'].includes(state));
  return new Map(failed.reverse().map((outcome) => [outcome.push.listing.id, outcome]));
}

function triggerOf({ forced, attempts, batchFailures }: ClaimedListing): string {
  if (attempts + batchFailures > 0) return 'retry';
  return forced ? 'resync' : 'change';
}

function storeAnswers(outcomes: readonly PushOutcome[]): QueryConfig {
  return {
    name: 'store-answers',
    text: STORE_ANSWERS,
    values: [
      outcomes.map(({ push }) => push.update.pushId),
      outcomes.map(({ state }) => state),
      outcomes.map(({ reason }) => reason ?? null),
      outcomes.map(({ receipt }) => receipt ?? null),
    ],
  };
}

/** An update that was not answered may have been applied: what the channel took last is not known any more. */
function storeQuantities(lease: string, outcomes: readonly PushOutcome[]): QueryConfig {
  const told = outcomes.filter(({ state }) => state !== 'rejected' && state !== 'observed');
  return {
    name: 'store-quantities',
    text: STORE_QUANTITIES,
    values: [
      told.map(({ push }) => push.listing.id),
      told.map(({ push }) => push.channelLocation),
      told.map(({ push, state }) =>
        state === 'applied' || state === 'accepted' ? push.update.quantityUnits : null,
      ),
      told.map(({ push, state, shownUnits }) =>
        state === 'applied' ? push.update.quantityUnits : (shownUnits ?? null),
      ),
      lease,
    ],
  };
}

function finish(lease: string, done: readonly ClaimedListing[]): QueryConfig[] {
  const ids = done.map(({ listingId }) => listingId);
  return [
    { name: 'take-off', text: TAKE_OFF, values: [lease, ids, done.map(({ marks }) => marks)] },
    { name: 'dirty-still', text: DIRTY_STILL, values: [lease, ids] },
  ];
}

function putBack(lease: string, again: readonly PushOutcome[], parks: readonly boolean[]): QueryConfig {
  return {
    name: 'put-back',
    text: PUT_BACK,
    values: [
      lease,
      again.map(({ push }) => push.listing.id),
      again.map(({ reason }) => reason ?? null),
      again.map(({ push: { claimed }, retryAfterMs }) => retryAfterMs ?? backoffMs(claimed)),
      parks,
      again.map(({ blame }) => blame ?? 'listing'),
      again.map(({ ordersFirst }) => ordersFirst === true),
      again.map(({ waits }) => waits === true),
      again.map(({ push }) => push.claimed.marks),
    ],
  };
}

/** Doubles from a quarter of a second, with jitter, so that a recovering channel is not met by all at once. */
function backoffMs({ attempts, batchFailures }: ClaimedListing): number {
  const doublings = Math.min(attempts + batchFailures, 20);
  return Math.min(MAX_BACKOFF_MS, 250 * 2 ** doublings) * (0.5 + Math.random());
}

const BEGIN_PUSHES = `
  WITH p AS MATERIALIZED (
    SELECT r.*, d.since FROM jsonb_to_recordset($4::jsonb)
           AS r (id uuid, listing int, location text, quantity bigint, previous bigint, waterfall jsonb, trigger text)
      JOIN dirty_listings d ON d.listing_id = r.listing
     WHERE d.lease = $1 AND d.lease_until > clock_timestamp() AND d.listing_id = ANY($6::int[])
       AND NOT ($5 AND EXISTS (SELECT FROM pushes f WHERE f.channel = $2 AND f.listing_id = r.listing
            AND f.state = 'accepted' AND f.receipt IS NOT NULL AND f.decided_at IS NULL))
  ), superseded AS (
    UPDATE pushes o SET state = 'superseded' FROM p
     WHERE $3 = 'sent' AND o.channel = $2 AND o.listing_id = ANY($6::int[]) AND o.listing_id = p.listing AND o.channel_location = p.location
       AND o.state IN ('sent', 'accepted')
  )
  INSERT INTO pushes (id, listing_id, channel, channel_location, quantity, previous, waterfall, trigger, state, dirty_since, sent_at, answered_at)
  SELECT id, listing, $2, location, quantity, previous, waterfall, trigger, $3, since, clock_timestamp(),
         CASE WHEN $3 = 'observed' THEN clock_timestamp() END
    FROM p
  RETURNING listing_id`;

/** In listing order, as the ledger's trigger locks them. */
const LOCK_HELD = `
  SELECT FROM dirty_listings WHERE lease = $1 AND listing_id = ANY($2::int[]) ORDER BY listing_id FOR UPDATE`;

const TAKE_OFF = `
  DELETE FROM dirty_listings d USING unnest($2::int[], $3::bigint[]) AS s (id, marks)
   WHERE d.listing_id = ANY($2::int[]) AND d.listing_id = s.id AND d.lease = $1 AND d.marks = s.marks`;

const DIRTY_STILL = `
  UPDATE dirty_listings SET lease = NULL, lease_until = '-infinity', since = clock_timestamp(), attempts = 0,
         batch_failures = 0, orders_after = NULL, last_error = NULL
   WHERE lease = $1 AND listing_id = ANY($2::int[])`;

const STORE_ANSWERS = `
  UPDATE pushes p SET state = s.state, reason = s.reason, receipt = s.receipt, answered_at = clock_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS s (id, state, reason, receipt)
   WHERE p.id = ANY($1::uuid[]) AND p.id = s.id AND p.state = 'sent'`;

/** What was taken and is not shown yet is believed once it was read. */
const STORE_QUANTITIES = `
  INSERT INTO shown_quantities AS q (listing_id, channel_location, pushed_units, pushed_at, shown_units, shown_at, believed_units)
  SELECT id, location, pushed, CASE WHEN pushed IS NOT NULL THEN clock_timestamp() END, shown,
         CASE WHEN shown IS NOT NULL THEN clock_timestamp() END, shown
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[]) AS s (id, location, pushed, shown)
    JOIN dirty_listings d ON d.listing_id = ANY($1::int[]) AND d.listing_id = s.id AND d.lease = $5
  ON CONFLICT (listing_id, channel_location) DO UPDATE
    SET pushed_units = excluded.pushed_units, pushed_at = coalesce(excluded.pushed_at, q.pushed_at),
        shown_units = coalesce(excluded.shown_units, q.shown_units), shown_at = coalesce(excluded.shown_at, q.shown_at),
        believed_units = CASE WHEN excluded.pushed_units IS NULL THEN coalesce(excluded.believed_units, q.believed_units)
                              ELSE excluded.believed_units END`;

const PUT_BACK = `
  UPDATE dirty_listings d SET lease = NULL, lease_until = '-infinity', last_error = s.reason,
         attempts = d.attempts + (s.blame = 'listing')::int,
         batch_failures = CASE WHEN s.blame = 'batch' THEN d.batch_failures + 1 ELSE 0 END,
         not_before = CASE WHEN s.waits AND d.marks > s.marks THEN '-infinity' ELSE s.again_at END,
         waits_for = CASE WHEN s.waits THEN s.reason END, waits_until = CASE WHEN s.waits THEN s.again_at END,
         parked_at = CASE WHEN s.park THEN clock_timestamp() END,
         orders_after = CASE WHEN s.orders_first THEN clock_timestamp() ELSE d.orders_after END
    FROM (SELECT *, clock_timestamp() + make_interval(secs => delay_ms / 1000.0) AS again_at
            FROM unnest($2::int[], $3::text[], $4::float8[], $5::bool[], $6::text[], $7::bool[], $8::bool[], $9::bigint[])
                 AS u (id, reason, delay_ms, park, blame, orders_first, waits, marks)) AS s
   WHERE d.listing_id = ANY($2::int[]) AND d.listing_id = s.id AND d.lease = $1`;
