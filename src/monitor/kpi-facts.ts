import { BIN_BASE, type Combine } from './kpi-tally';

/** A push that takes longer from commit to channel has missed the aim. */
export const SYNC_TARGET_SECONDS = 90;

/**
 * Something that is counted. `sql` counts it in the time from `$1` up to, not including, `$2`, in spans of `$3` seconds:
 * `channel` ('' where it belongs to none), `bucket`, `numerator`, `denominator` and, of durations, `bins` and `bin_counts`.
 */
export interface Fact {
  sql: string;
  /** Counted once for each span and kept, as there is much of it. What was counted must never change afterwards. */
  isKept: boolean;
  /** How much there is at a moment, which nobody can count afterwards: `sql` takes no times, and samples are kept. */
  isLevel: boolean;
  combine: Combine;
  /** Of durations, whose percentiles are told. */
  hasBins?: boolean;
  /** When the first of what is kept happened, as SQL. */
  oldest?: string;
}

const BUCKET = (time: string) => `date_bin(make_interval(secs => $3), ${time}, '2000-01-01T00:00:00Z')`;
const WITHIN = (time: string) => `${time} >= $1::timestamptz AND ${time} < $2::timestamptz`;

const kept = (sql: string, time: string, from: string): Fact => ({
  sql,
  isKept: true,
  isLevel: false,
  combine: 'sum',
  oldest: `SELECT min(${time}) AS oldest FROM ${from}`,
});
const direct = (sql: string, combine: Combine = 'sum'): Fact => ({
  sql,
  isKept: false,
  isLevel: false,
  combine,
});
const level = (sql: string): Fact => ({ sql, isKept: true, isLevel: true, combine: 'max' });

/** How many rows, by channel. */
const countOf = (from: string, time: string, where: string, channel = 'channel') =>
  direct(`
  SELECT coalesce(${channel}, '') AS channel, ${BUCKET(time)} AS bucket, count(*)::float8 AS numerator, 0::float8 AS denominator
    FROM ${from} WHERE ${WITHIN(time)} AND ${where} GROUP BY 1, 2`);

/** Of an order, the first time that some of it was short. */
export const FIRST_SHORT = `s.cause = 'order' AND NOT EXISTS (
  SELECT FROM shortfalls e WHERE e.cause = 'order' AND e.channel = s.channel AND e.order_id = s.order_id
     AND (e.recorded_at, e.id) < (s.recorded_at, s.id))`;

export const REFUSED_FOR_STOCK = `outcome->'refused'->>'code' = 'insufficient-stock'`;

/** Orders and API reservations that were asked for, and those of them that stock did not cover. */
const RESERVATIONS = `
  SELECT channel, bucket, sum(conflicts)::float8 AS numerator, sum(attempts)::float8 AS denominator FROM (
      SELECT coalesce(channel, '') AS channel, ${BUCKET('created_at')} AS bucket, 0 AS conflicts, 1 AS attempts
        FROM reservations WHERE ${WITHIN('created_at')}
      UNION ALL
      SELECT '', ${BUCKET('recorded_at')}, 1, 1 FROM idempotency_keys WHERE ${WITHIN('recorded_at')} AND ${REFUSED_FOR_STOCK}
      UNION ALL
      SELECT s.channel, ${BUCKET('s.recorded_at')}, 1, 0 FROM shortfalls s WHERE ${WITHIN('s.recorded_at')} AND ${FIRST_SHORT}
    ) a GROUP BY 1, 2`;

/** When a channel had what it was sent: where it takes it first and applies it later, once it was seen to show it. */
export const SYNCED_AT = 'coalesce(confirmed_at, answered_at)';
export const IS_SYNCED = `state IN ('applied', 'confirmed') AND dirty_since IS NOT NULL`;
export const SYNC_SECONDS = `greatest(0, extract(epoch FROM ${SYNCED_AT} - dirty_since))::float8`;

const SYNCS = `
  SELECT channel, bucket, sum(hits)::float8 AS numerator, sum(n)::float8 AS denominator, array_agg(bin) AS bins,
         array_agg(n::float8) AS bin_counts FROM (
      SELECT channel, ${BUCKET(SYNCED_AT)} AS bucket, count(*) AS n, count(*) FILTER (WHERE ${SYNC_SECONDS} <= ${SYNC_TARGET_SECONDS}) AS hits,
             greatest(0, ceil(ln(greatest(${SYNC_SECONDS} * 1000, 1)) / ln(${BIN_BASE}::float8)))::int AS bin
        FROM pushes WHERE ${WITHIN(SYNCED_AT)} AND ${IS_SYNCED} GROUP BY channel, 2, bin
    ) b GROUP BY 1, 2`;

const callsOf = (outcome: string) =>
  kept(
    `
  SELECT channel, ${BUCKET('minute')} AS bucket, sum(${outcome})::float8 AS numerator,
         sum(answered + throttled + unanswered)::float8 AS denominator
    FROM channel_calls WHERE ${WITHIN('minute')} GROUP BY 1, 2`,
    'minute',
    'channel_calls',
  );

/** A change by which less is withheld than before for one of the reasons, or a hold that ended. */
export const IS_RELEASE = `(cause = 'hold ended' OR (sku_id IS NOT NULL AND EXISTS (
  SELECT FROM jsonb_array_elements(before->'needs') AS was
   WHERE (was->>'amount')::float8 > coalesce((SELECT (is_now->>'amount')::float8 FROM jsonb_array_elements(after->'needs') AS is_now
     WHERE is_now->>'kind' = was->>'kind'), 0))))`;

/** What people do where the host left it to them, or did otherwise than they want. Keys, SKUs and mappings are set up. */
export const INTERVENTION = `actor_kind <> 'host' AND outcome = 'done' AND (
  split_part(action, '.', 1) IN ('oversell', 'parked-webhook', 'parked-order', 'parked-line', 'parked-push', 'breaker', 'hold',
    'drift', 'stock')
  OR action IN ('channel.pause', 'channel.resume', 'count.approve', 'count.reject', 'ledger.rebuild', 'buffer.recalculate',
    'task.cancel', 'schedule.run'))`;

export const CANCELLED_AT = 'coalesce(answered_at, called_at)';
export const IS_CANCELLED = `state IN ('cancelled', 'pending', 'done')`;

export const FACTS = {
  reservations: kept(RESERVATIONS, 'recorded_at', 'idempotency_keys'),
  syncs: { ...kept(SYNCS, SYNCED_AT, `pushes WHERE ${IS_SYNCED}`), hasBins: true },
  callErrors: callsOf('unanswered'),
  callThrottles: callsOf('throttled'),
  releases: kept(countOf('buffer_changes', 'changed_at', IS_RELEASE).sql, 'changed_at', 'buffer_changes'),
  oversells: countOf('oversells', 'opened_at', 'true'),
  interventions: countOf('activity', 'at', INTERVENTION),
  cancellations: countOf('cancellations', CANCELLED_AT, IS_CANCELLED),
  /** The worst of the counts that were compared. */
  counts: direct(
    `SELECT '' AS channel, ${BUCKET('finished_at')} AS bucket, max(drift) AS numerator, 1::float8 AS denominator
       FROM counts WHERE ${WITHIN('finished_at')} AND drift IS NOT NULL GROUP BY 2`,
    'max',
  ),
  /** A task ends within a day of being asked for, and is found by when it was. */
  reconciliations: direct(
    `SELECT subject AS channel, ${BUCKET('finished_at')} AS bucket, sum((report->>'drifted')::float8) AS numerator,
            sum((report->>'listings')::float8) AS denominator
       FROM tasks WHERE kind = 'reconcile' AND state = 'done' AND asked_at >= $1::timestamptz - interval '1 day'
        AND ${WITHIN('finished_at')} GROUP BY 1, 2`,
  ),
  stranded: level(
    `SELECT coalesce(channel, '') AS channel, count(*)::float8 AS numerator FROM stranded_reservations GROUP BY 1`,
  ),
  queue: level(
    `SELECT channel, count(*)::float8 AS numerator FROM dirty_listings WHERE parked_at IS NULL GROUP BY 1`,
  ),
} satisfies Record<string, Fact>;

export type FactName = keyof typeof FACTS;
