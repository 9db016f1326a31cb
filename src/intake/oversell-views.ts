import { isoTime } from '../database/sql-time';

/**
 * What the oversell desk shows. Of each shortfall: the newest reservations before it that together hold the
 * units it lacks, which are the orders it lost them to. Read from the ledger along its primary key.
 */
const TAKEN_BY = `
  SELECT jsonb_agg(jsonb_build_object('channel', t.channel, 'orderId', t.order_id, 'reservationId', t.reservation_id,
           'location', p.code, 'quantity', t.quantity, 'occurredAt', ${isoTime('t.occurred_at')}, 'recordedAt', ${isoTime('t.recorded_at')},
           'secondsBefore', round(extract(epoch FROM s.recorded_at - t.recorded_at)::numeric, 3))
         ORDER BY t.recorded_at DESC, t.version DESC) AS taken_by
    FROM (SELECT e.*, sum(e.quantity) OVER (ORDER BY e.recorded_at DESC, e.location_id, e.version DESC
                                            ROWS UNBOUNDED PRECEDING) - e.quantity AS later
            FROM levels l, LATERAL (
              SELECT * FROM ledger
               WHERE sku_id = l.sku_id AND location_id = l.location_id
                 AND version <= version_known_at(l.sku_id, l.location_id, l.version, s.recorded_at)
               ORDER BY version DESC LIMIT 100) e
           WHERE l.sku_id = s.sku_id AND l.location_id = coalesce(s.location_id, l.location_id) AND e.type = 'RESERVE'
             AND (e.channel, e.order_id) IS DISTINCT FROM (s.channel, s.order_id)) t
    JOIN locations p ON p.id = t.location_id
   WHERE t.later < s.quantity`;

const SHORTFALLS = `
  SELECT jsonb_agg(jsonb_build_object('id', s.id, 'lineId', s.line_id, 'sku', k.code, 'quantity', s.quantity,
           'recordedAt', ${isoTime('s.recorded_at')}, 'takenBy', coalesce(c.taken_by, '[]')) ORDER BY s.id) AS shortfalls
    FROM shortfalls s JOIN skus k ON k.id = s.sku_id, LATERAL (${TAKEN_BY}) c
   WHERE s.channel = o.channel AND s.order_id = o.order_id AND s.cause = 'order' AND s.state = 'open'`;

const VIEW = `
  SELECT o.id, o.channel, o.order_id AS "orderId", o.state, o.units, o.note,
         CASE WHEN o.state IN ('grace', 'cancelling') THEN o.due_at END AS "dueAt",
         d.placed_at AS "placedAt", o.opened_at AS "openedAt", o.changed_at AS "changedAt",
         coalesce(f.shortfalls, '[]') AS shortfalls`;

const FROM = `
    FROM oversells o LEFT JOIN orders d ON d.channel = o.channel AND d.order_id = o.order_id,
         LATERAL (${SHORTFALLS}) f`;

/** `$1` the states, `$2` the channel or null, `$3` the largest id seen, `$4` how many. */
export const LIST_OVERSELLS = `${VIEW} ${FROM}
   WHERE o.state = ANY($1::text[]) AND ($2::text IS NULL OR o.channel = $2) AND o.id > $3 ORDER BY o.id LIMIT $4`;

/** `$1` the id. With what the channel was asked, and what people did. */
export const SHOW_OVERSELL = `${VIEW},
         (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'state', c.state, 'lines', c.lines, 'reason', c.reason,
                   'message', c.message, 'actor', c.actor, 'receipt', c.receipt, 'error', c.error, 'attempts', c.attempts,
                   'intendedAt', ${isoTime('c.intended_at')}, 'calledAt', ${isoTime('c.called_at')}, 'answeredAt', ${isoTime('c.answered_at')})
                 ORDER BY c.intended_at), '[]') FROM cancellations c WHERE c.oversell_id = o.id) AS cancellations,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('action', a.action, 'reason', a.reason, 'actor', a.actor,
                   'at', ${isoTime('a.acted_at')}) ORDER BY a.id), '[]')
            FROM intake_actions a WHERE a.subject = 'oversell' AND a.subject_id = o.id) AS actions
    ${FROM} WHERE o.id = $1`;
