import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { Waterfall } from '../buffers/waterfall';
import { inTransaction, poolOf } from '../database/pool';

/** A dirty listing that this worker alone may push until its lease ends. */
export interface ClaimedListing {
  listingId: number;
  marks: number;
  forced: boolean;
  attempts: number;
  /** What the channel took last; null when it never took anything, or may have taken more since. */
  pushedUnits: number | null;
  /** What the channel is known to show. */
  shownUnits: number | null;
}

export interface PushRow {
  id: string;
  listingId: number;
  quantity: number;
  previous: number | null;
  waterfall: Waterfall;
  trigger: string;
  state: 'accepted' | 'applied' | 'rejected' | 'stale' | 'failed' | 'observed';
  reason?: string;
  /** Whether a rejected update may succeed when sent again. */
  retryable?: boolean;
  retryAfterMs?: number;
  shownUnits?: number;
}

/** Without a row the listing needed no push. */
export interface SettledListing {
  claimed: ClaimedListing;
  row?: PushRow;
}

const MAX_BACKOFF_MS = 300_000;

/** The rows behind pushing: claims with a lease, the history, and what stays dirty. */
export class PushRecords {
  constructor(private readonly dataSource: DataSource) {}

  /** Oldest first; a claim that was never settled is free again when its lease ends. */
  async claim(
    channel: string,
    lease: string,
    limit: number,
    leaseSeconds: number,
  ): Promise<ClaimedListing[]> {
    const found = await poolOf(this.dataSource).query(CLAIM, [channel, lease, limit, leaseSeconds]);
    return found.rows;
  }

  /**
   * Stores what was sent, takes off the dirty list what was done and not marked again, and puts back the
   * rest with a growing delay. A worker whose lease ended settles nothing. Returns how many were parked.
   */
  async settle(
    lease: string,
    settled: readonly SettledListing[],
    maxAttempts: number,
    channel = '',
  ): Promise<number> {
    if (settled.length === 0) return 0;
    return inTransaction(this.dataSource, async (client) => {
      const rows = settled.flatMap(({ row }) => (row ? [row] : []));
      await client.query('SELECT FROM dirty_listings WHERE lease = $1 ORDER BY listing_id FOR UPDATE', [
        lease,
      ]);
      if (rows.length > 0) await insertPushes(client, rows, channel);
      const done = settled.filter(({ row }) => isDone(row));
      const again = settled.filter(({ row }) => !isDone(row));
      await finish(client, lease, done);
      return again.length > 0 ? putBack(client, lease, again, maxAttempts) : 0;
    });
  }
}

function isDone(row: PushRow | undefined): boolean {
  return row === undefined || row.state === 'accepted' || row.state === 'applied' || row.state === 'observed';
}

/** A lease that was never given back: that worker may have sent, so what the channel took last is not known. */
const CLAIM = `
  WITH due AS (
    SELECT listing_id, lease IS NOT NULL AS abandoned FROM dirty_listings
     WHERE channel = $1 AND parked_at IS NULL AND not_before <= clock_timestamp() AND lease_until <= clock_timestamp()
     ORDER BY not_before, since LIMIT $3 FOR UPDATE SKIP LOCKED)
  UPDATE dirty_listings d SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $4)
    FROM due JOIN listings l ON l.id = due.listing_id
   WHERE d.listing_id = due.listing_id
  RETURNING d.listing_id AS "listingId", d.marks, d.forced, d.attempts,
            CASE WHEN due.abandoned THEN NULL ELSE l.pushed_units END AS "pushedUnits", l.shown_units AS "shownUnits"`;

async function insertPushes(client: PoolClient, rows: readonly PushRow[], channel: string): Promise<void> {
  await client.query(
    `INSERT INTO pushes (id, listing_id, channel, quantity, previous, waterfall, trigger, state, reason, sent_at, answered_at)
     SELECT p.id, p.listing, $2, p.quantity, p.previous, p.waterfall, p.trigger, p.state, p.reason,
            (p.waterfall->>'computedAt')::timestamptz, clock_timestamp()
       FROM jsonb_to_recordset($1::jsonb) AS p (id uuid, listing int, quantity bigint, previous bigint,
            waterfall jsonb, trigger text, state text, reason text)`,
    [JSON.stringify(rows.map(({ listingId: listing, ...row }) => ({ listing, ...row }))), channel],
  );
}

async function finish(client: PoolClient, lease: string, done: readonly SettledListing[]): Promise<void> {
  const values = [
    lease,
    done.map(({ claimed }) => claimed.listingId),
    done.map(({ claimed }) => claimed.marks),
    done.map(({ row }) => (row && row.state !== 'observed' ? row.quantity : null)),
    done.map(({ row }) => (row?.state === 'applied' ? row.quantity : null)),
  ];
  await client.query(
    `UPDATE listings l SET pushed_units = s.pushed, pushed_at = clock_timestamp(),
            shown_units = coalesce(s.shown, l.shown_units),
            shown_at = CASE WHEN s.shown IS NULL THEN l.shown_at ELSE clock_timestamp() END
       FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[]) AS s (id, marks, pushed, shown)
       JOIN dirty_listings d ON d.listing_id = s.id AND d.lease = $1
      WHERE l.id = s.id AND s.pushed IS NOT NULL`,
    values,
  );
  await client.query(
    `DELETE FROM dirty_listings d USING unnest($2::int[], $3::bigint[]) AS s (id, marks)
      WHERE d.listing_id = s.id AND d.lease = $1 AND d.marks = s.marks`,
    values.slice(0, 3),
  );
  await client.query(
    `UPDATE dirty_listings SET lease = NULL, lease_until = '-infinity', attempts = 0, last_error = NULL
      WHERE lease = $1 AND listing_id = ANY($2::int[])`,
    values.slice(0, 2),
  );
}

async function putBack(
  client: PoolClient,
  lease: string,
  again: readonly SettledListing[],
  maxAttempts: number,
): Promise<number> {
  const parks = again.map(
    ({ claimed, row }) => claimed.attempts + 1 >= maxAttempts || row?.retryable === false,
  );
  await client.query(
    `UPDATE dirty_listings d SET lease = NULL, lease_until = '-infinity', attempts = d.attempts + 1, last_error = s.reason,
            not_before = clock_timestamp() + make_interval(secs => s.delay_ms / 1000.0),
            parked_at = CASE WHEN s.park THEN clock_timestamp() END
       FROM unnest($2::int[], $3::text[], $4::float8[], $5::bool[]) AS s (id, reason, delay_ms, park)
      WHERE d.listing_id = s.id AND d.lease = $1`,
    [
      lease,
      again.map(({ claimed }) => claimed.listingId),
      again.map(({ row }) => row?.reason ?? null),
      again.map(({ claimed, row }) => row?.retryAfterMs ?? backoffMs(claimed.attempts)),
      parks,
    ],
  );
  // An update that was not answered may have been applied: what the channel took last is not known any more.
  const unknown = again.filter(({ row }) => row?.state !== 'rejected');
  await client.query('UPDATE listings SET pushed_units = NULL WHERE id = ANY($1::int[])', [
    unknown.map(({ claimed }) => claimed.listingId),
  ]);
  const stale = again.filter(({ row }) => row?.shownUnits !== undefined);
  if (stale.length > 0) {
    await client.query(
      `UPDATE listings l SET shown_units = s.shown, shown_at = clock_timestamp()
         FROM unnest($1::int[], $2::bigint[]) AS s (id, shown) WHERE l.id = s.id`,
      [stale.map(({ claimed }) => claimed.listingId), stale.map(({ row }) => row!.shownUnits)],
    );
  }
  return parks.filter(Boolean).length;
}

/** Doubles from a quarter of a second, with jitter, so that a recovering channel is not met by all at once. */
function backoffMs(attempts: number): number {
  return Math.min(MAX_BACKOFF_MS, 250 * 2 ** Math.min(attempts, 20)) * (0.5 + Math.random());
}
