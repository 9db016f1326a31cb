import {
  CANCELLED_AT,
  type FactName,
  FIRST_SHORT,
  INTERVENTION,
  IS_CANCELLED,
  IS_RELEASE,
  IS_SYNCED,
  REFUSED_FOR_STOCK,
  SYNC_SECONDS,
  SYNCED_AT,
} from './kpi-facts';

/** From `$1` up to, not including, `$2`; of the channel `$3` or of all, `$4` at most, newest first unless it says otherwise. */
const OF = (time: string, channel = 'channel') =>
  `${time} >= $1::timestamptz AND ${time} < $2::timestamptz AND ($3::text IS NULL OR ${channel} = $3)`;
/** For what is there now, whenever it came. */
const OF_NOW = `$1::timestamptz IS NOT NULL AND $2::timestamptz IS NOT NULL AND ($3::text IS NULL OR channel = $3)`;

const CALLS = (outcome: string) => `
  SELECT minute AS at, channel, sum(answered) AS answered, sum(throttled) AS throttled, sum(unanswered) AS unanswered, sum(refused) AS refused
    FROM channel_calls WHERE ${OF('minute')} GROUP BY 1, 2 HAVING sum(${outcome}) > 0 ORDER BY 1 DESC, 2 LIMIT $4`;

/** The events behind each fact, as they stand in the tables that it is counted from. */
export const FACT_EVENTS: Readonly<Record<FactName, string>> = {
  reservations: `
  SELECT * FROM (
      SELECT s.recorded_at AS at, s.channel, s.order_id AS "orderId", s.reservation_id AS "reservationId", k.code AS sku, s.quantity AS "shortUnits",
             NULL AS "idempotencyKey"
        FROM shortfalls s LEFT JOIN skus k ON k.id = s.sku_id WHERE ${OF('s.recorded_at', 's.channel')} AND ${FIRST_SHORT}
      UNION ALL
      SELECT recorded_at, NULL, NULL, NULL, (SELECT code FROM skus WHERE id = (outcome->'refused'->'lines'->0->>'skuId')::int),
             (outcome->'refused'->'lines'->0->>'requested')::bigint - (outcome->'refused'->'lines'->0->>'available')::bigint, key
        FROM idempotency_keys WHERE ${OF('recorded_at', `''`)} AND ${REFUSED_FOR_STOCK}
    ) c ORDER BY at DESC LIMIT $4`,
  /** The slowest first. */
  syncs: `
  SELECT ${SYNCED_AT} AS at, p.channel, p.id, p.listing_id AS "listingId", l.channel_sku AS "channelSku", p.quantity, p.state,
         p.dirty_since AS "dirtySince", ${SYNC_SECONDS} AS seconds
    FROM pushes p LEFT JOIN listings l ON l.id = p.listing_id
   WHERE ${OF(SYNCED_AT, 'p.channel')} AND ${IS_SYNCED} ORDER BY seconds DESC LIMIT $4`,
  callErrors: CALLS('unanswered'),
  callThrottles: CALLS('throttled'),
  releases: `
  SELECT changed_at AS at, channel, c.id, (SELECT code FROM skus WHERE id = sku_id) AS sku,
         (SELECT code FROM locations WHERE id = location_id) AS location, policy, before, after, cause, actor
    FROM buffer_changes c WHERE ${OF('changed_at')} AND ${IS_RELEASE} ORDER BY changed_at DESC LIMIT $4`,
  oversells: `
  SELECT opened_at AS at, channel, id, order_id AS "orderId", state, units, note FROM oversells
   WHERE ${OF('opened_at')} ORDER BY opened_at DESC LIMIT $4`,
  interventions: `
  SELECT at, channel, id, jsonb_build_object('kind', actor_kind, 'name', actor) AS actor, action, subject, detail FROM activity
   WHERE ${OF('at')} AND ${INTERVENTION} ORDER BY at DESC LIMIT $4`,
  cancellations: `
  SELECT ${CANCELLED_AT} AS at, channel, id, oversell_id AS "oversellId", order_id AS "orderId", lines, reason, actor, state
    FROM cancellations WHERE ${OF(CANCELLED_AT)} AND ${IS_CANCELLED} ORDER BY 1 DESC LIMIT $4`,
  counts: `
  SELECT finished_at AS at, NULL AS channel, id, source, kind, taken_at AS "takenAt", accuracy, drift FROM counts
   WHERE ${OF('finished_at', 'NULL')} AND drift IS NOT NULL ORDER BY drift DESC, finished_at DESC LIMIT $4`,
  reconciliations: `
  SELECT finished_at AS at, subject AS channel, id, (report->>'drifted')::int AS drifted, (report->>'listings')::int AS listings FROM tasks
   WHERE kind = 'reconcile' AND state = 'done' AND asked_at >= $1::timestamptz - interval '1 day' AND ${OF('finished_at', 'subject')}
   ORDER BY finished_at DESC LIMIT $4`,
  stranded: `
  SELECT reserved_at AS at, channel, reservation_id AS "reservationId", order_id AS "orderId", reference, state, units, skus
    FROM stranded_reservations WHERE ${OF_NOW} ORDER BY reserved_at LIMIT $4`,
  queue: `
  SELECT since AS at, d.channel, d.listing_id AS "listingId", (SELECT channel_sku FROM listings WHERE id = d.listing_id) AS "channelSku",
         d.attempts, d.last_error AS "lastError"
    FROM dirty_listings d WHERE ${OF_NOW} AND parked_at IS NULL ORDER BY since LIMIT $4`,
};
