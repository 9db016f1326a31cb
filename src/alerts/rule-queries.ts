import type { AlertRuleKey } from '../config/alerts.config';

/** An alert that is open is over only once its value has fallen below so much of its threshold. */
export const CLEARS_BELOW = 0.8;

const SINCE = (column: string) => `extract(epoch FROM clock_timestamp() - ${column})::float8`;

/** What is more than `$1` raises; what is more than most of it keeps an alert open. */
const graded = (rows: string) => `
  SELECT q.*, $1::float8 AS threshold, value > $1 AS raises FROM (${rows}) q WHERE value > $1 * ${CLEARS_BELOW}`;

const BREAKER = graded(`
  SELECT channel, NULL AS subject, ${SINCE('since')} AS value, reason AS detail FROM breakers
   WHERE channel = ANY($2) AND state = 'open' AND NOT held`);

const ORDERS_UNREAD = graded(`
  SELECT channel, NULL AS subject, ${SINCE('failing_since')} AS value, error AS detail FROM order_polls
   WHERE channel = ANY($2) AND failing_since IS NOT NULL`);

/** What waits because a channel is away, or was paused by a person, is told as that. */
const WAITING = `
  FROM dirty_listings d
 WHERE channel = ANY($2) AND parked_at IS NULL AND NOT EXISTS (SELECT FROM channel_pauses p WHERE p.channel = d.channel)
   AND NOT EXISTS (SELECT FROM breakers b WHERE b.channel = d.channel AND b.state = 'open')
 GROUP BY channel`;

const QUEUE_LISTINGS = graded(`SELECT channel, NULL AS subject, count(*)::float8 AS value ${WAITING}`);

const QUEUE_SECONDS = graded(`
  SELECT channel, NULL AS subject, ${SINCE('min(since)')} AS value,
         (array_agg(last_error ORDER BY not_before DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS detail ${WAITING}`);

const DRIFT_ESCALATED = graded(`
  SELECT channel, NULL AS subject, count(*)::float8 AS value,
         array_to_string((array_agg(channel_sku ORDER BY escalated_at))[1:3], ', ') || CASE WHEN count(*) > 3 THEN ', …' ELSE '' END AS detail
    FROM drifts WHERE channel = ANY($2) AND escalated_at IS NOT NULL AND resolved_at IS NULL GROUP BY channel`);

const DRIFT_RATIO = graded(`
  SELECT subject AS channel, NULL AS subject, (report->>'drifted')::float8 / greatest(1, (report->>'listings')::float8) AS value,
         (report->>'drifted')::int AS count
    FROM (SELECT DISTINCT ON (subject) subject, report FROM tasks
           WHERE kind = 'reconcile' AND state = 'done' AND subject = ANY($2) ORDER BY subject, asked_at DESC) t`);

const COUNT_DRIFT = graded(`
  SELECT NULL AS channel, source AS subject, drift AS value
    FROM (SELECT DISTINCT ON (source) source, drift FROM counts
           WHERE finished_at > clock_timestamp() - interval '30 days' ORDER BY source, received_at DESC) c
   WHERE drift IS NOT NULL`);

/** Units at places of our own: what a channel holds for us is not for the others' orders. */
const LOW_STOCK = `
  SELECT * FROM (
    SELECT NULL AS channel, s.code AS subject, s.tags, coalesce(l.available, 0)::float8 AS value,
           s.reorder_point::float8 AS threshold, coalesce(l.on_order, 0)::int AS count,
           coalesce(l.available, 0) <= s.reorder_point * $1::float8 AS raises
      FROM skus s LEFT JOIN LATERAL (
        SELECT sum(v.available) AS available, sum(v.on_order) AS on_order FROM levels v JOIN locations p ON p.id = v.location_id
         WHERE v.sku_id = s.id AND p.counted_by IS NULL) l ON true
     WHERE s.reorder_point IS NOT NULL) q
   WHERE value <= threshold * $1 / ${CLEARS_BELOW}`;

const STRANDED = graded(`
  SELECT NULL AS channel, NULL AS subject, count(*)::float8 AS value, coalesce(sum(units), 0)::int AS count FROM stranded_reservations`);

/** A backorder waits for stock and not for a person. */
const OVERSELLS = graded(`
  SELECT channel, NULL AS subject, ${SINCE('min(opened_at)')} AS value, count(*)::int AS count
    FROM oversells WHERE state NOT IN ('resolved', 'closed', 'backordered') GROUP BY channel`);

const PARKED = graded(`
  SELECT channel, NULL AS subject, sum(n)::float8 AS value, string_agg(n || ' ' || what, ', ' ORDER BY n DESC) AS detail
    FROM (SELECT channel, 'webhooks' AS what, count(*) AS n FROM inbox WHERE state = 'parked' GROUP BY 1
          UNION ALL SELECT channel, 'order lines', count(*) FROM parked_lines GROUP BY 1
          UNION ALL SELECT channel, 'orders', count(*) FROM parked_orders WHERE state = 'parked' GROUP BY 1
          UNION ALL SELECT channel, 'listings', count(*) FROM dirty_listings WHERE parked_at IS NOT NULL GROUP BY 1) p
   GROUP BY channel`);

/** A task that no host has any more is nobody's. */
const TASKS = `FROM schedule WHERE declared_at > clock_timestamp() - interval '15 minutes'`;

const TASK_OVERDUE = graded(
  `SELECT NULL AS channel, name AS subject, ${SINCE('greatest(due_at, lease_until)')} AS value ${TASKS}`,
);

const TASK_FAILING = graded(
  `SELECT NULL AS channel, name AS subject, ${SINCE('failing_since')} AS value, error AS detail ${TASKS} AND failing_since IS NOT NULL`,
);

const RECEIVER_FAILING = graded(`
  SELECT NULL AS channel, name AS subject, ${SINCE('failing_since')} AS value, error AS detail,
         (SELECT count(*)::int FROM deliveries d WHERE d.receiver = r.name AND d.state = 'waiting') AS count
    FROM receivers r WHERE name = ANY($2) AND failing_since IS NOT NULL`);

const LEDGER = graded(`
  SELECT NULL AS channel, NULL AS subject, (report->>'violationCount')::float8 AS value
    FROM (SELECT report FROM tasks WHERE kind = 'verify' AND state = 'done' ORDER BY asked_at DESC LIMIT 1) t`);

/** `$1` is the most that is allowed, `$2` the names of channels, or of receivers. Null for a rule on KPIs. */
export const RULE_QUERIES: Readonly<Record<AlertRuleKey, string | null>> = {
  breakerOpenSeconds: BREAKER,
  ordersUnreadSeconds: ORDERS_UNREAD,
  queueListings: QUEUE_LISTINGS,
  queueSeconds: QUEUE_SECONDS,
  throttledRatio: null,
  driftEscalated: DRIFT_ESCALATED,
  driftRatio: DRIFT_RATIO,
  countDriftRatio: COUNT_DRIFT,
  lowStock: LOW_STOCK,
  strandedReservations: STRANDED,
  oversellSeconds: OVERSELLS,
  parkedItems: PARKED,
  taskOverdueSeconds: TASK_OVERDUE,
  taskFailingSeconds: TASK_FAILING,
  receiverFailingSeconds: RECEIVER_FAILING,
  ledgerViolations: LEDGER,
};
