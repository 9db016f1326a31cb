import { isoTime } from '../database/sql-time';
import type { ParkedFilter } from './parked-request';

export type ParkedKind = 'webhook' | 'order' | 'line';

/** The SQL that differs between the things that wait for a person. `$1` to `$4` are the filter, see `filterValues`. */
interface KindStatements {
  /** Fields by which they are told apart. */
  filters: readonly (keyof ParkedFilter)[];
  /** `$5` the largest id seen, `$6` how many, `$7` the state. */
  list: string;
  /**
   * CTEs of which `changed` has the `id, channel` of what is to be tried again; `$5` are their ids, or null for
   * all that fit. Absent where mapping does it.
   */
  retry?: string;
  /** As `retry`. */
  dismiss: string;
  /** `state` of the row with id `$1`. */
  state: string;
}

/** One request changes no more: its rows are locked while it does. */
const AT_ONCE = 10_000;

/** For `$1` to `$4`. */
export function filterValues({ channel, topic, code, channelSku }: ParkedFilter): unknown[] {
  return [channel ?? null, topic ?? null, code ?? null, channelSku ?? null];
}

/** `field = $n` where `$n` is given; a kind that lacks the field is never asked for it. */
function fits(fields: Partial<Record<'topic' | 'code' | 'channel_sku', true>>): string {
  const column = (name: keyof typeof fields, place: number) =>
    `($${place}::text IS NULL${fields[name] ? ` OR ${name} = $${place}` : ''})`;
  return `($1::text IS NULL OR channel = $1) AND ${column('topic', 2)} AND ${column('code', 3)} AND ${column('channel_sku', 4)}`;
}

/** One id, whatever state it is in that can be left; or all parked ones that fit. */
function chosen(table: string, fields: Parameters<typeof fits>[0], single: string, all: string): string {
  return `SELECT id FROM ${table} WHERE ${fits(fields)}
     AND CASE WHEN $5::bigint[] IS NULL THEN ${all} ELSE id = ANY($5) AND ${single} END
   ORDER BY id LIMIT ${AT_ONCE} FOR UPDATE`;
}

const LAST_ACTION = (subject: ParkedKind, id: string) => `
  LEFT JOIN LATERAL (SELECT jsonb_build_object('action', action, 'reason', reason, 'actor', actor, 'at', ${isoTime('acted_at')}) AS last_action
    FROM intake_actions WHERE subject = '${subject}' AND subject_id = ${id} ORDER BY id DESC LIMIT 1) a ON true`;

const INBOX = { topic: true, code: true } as const;
const ORDERS = { code: true } as const;
const LINES = { channel_sku: true } as const;
const PARKED = "state = 'parked'";

const webhook: KindStatements = {
  filters: ['channel', 'topic', 'code'],
  list: `SELECT i.id, channel, topic, code, error, attempts, deliveries, state, received_at AS "receivedAt",
                parked_at AS "parkedAt", last_action AS "lastAction"
           FROM inbox i ${LAST_ACTION('webhook', 'i.id')}
          WHERE ${fits(INBOX)} AND state = $7 AND i.id > $5 ORDER BY i.id LIMIT $6`,
  retry: `changed AS (
    UPDATE inbox SET state = 'received', attempts = 0, not_before = '-infinity', parked_at = NULL
     WHERE id IN (${chosen('inbox', INBOX, "state IN ('parked', 'dismissed')", PARKED)}) RETURNING id, channel)`,
  dismiss: `changed AS (
    UPDATE inbox SET state = 'dismissed'
     WHERE id IN (${chosen('inbox', INBOX, PARKED, PARKED)}) RETURNING id, channel)`,
  state: 'SELECT state FROM inbox WHERE id = $1',
};

const order: KindStatements = {
  filters: ['channel', 'code'],
  list: `SELECT p.id, channel, order_id AS "orderId", code, p.reason, body, times, state, parked_at AS "parkedAt",
                seen_at AS "seenAt", last_action AS "lastAction"
           FROM parked_orders p ${LAST_ACTION('order', 'p.id')}
          WHERE ${fits(ORDERS)} AND (state = $7 OR (state = 'retrying' AND $7 = 'parked')) AND p.id > $5
          ORDER BY p.id LIMIT $6`,
  // The channel is read again from as far back as the order was listed: its newest state is what counts.
  retry: `retried AS (
    UPDATE parked_orders SET state = 'retrying'
     WHERE id IN (${chosen('parked_orders', ORDERS, "state IN ('parked', 'dismissed')", PARKED)})
    RETURNING id, channel, listed_since
  ), polls AS (
    INSERT INTO order_polls AS o (channel, reread_from)
    SELECT channel, min(listed_since) FROM retried GROUP BY channel
    ON CONFLICT (channel) DO UPDATE SET reread_from = least(o.reread_from, excluded.reread_from)
  ), changed AS (SELECT id, channel FROM retried)`,
  dismiss: `changed AS (
    UPDATE parked_orders SET state = 'dismissed'
     WHERE id IN (${chosen('parked_orders', ORDERS, "state IN ('parked', 'retrying')", PARKED)})
    RETURNING id, channel)`,
  state: 'SELECT state FROM parked_orders WHERE id = $1',
};

const line: KindStatements = {
  filters: ['channel', 'channelSku'],
  list: `SELECT l.id, channel, order_id AS "orderId", line_id AS "lineId", channel_sku AS "channelSku", l.reason,
                parked_at AS "parkedAt", $7::text AS state, last_action AS "lastAction"
           FROM (SELECT * FROM (SELECT id, channel, order_id, line_id, channel_sku, reason, parked_at, 'parked' AS state
                   FROM parked_lines UNION ALL SELECT *, 'dismissed' FROM dismissed_lines) both_tables WHERE state = $7) l
           ${LAST_ACTION('line', 'l.id')}
          WHERE ${fits(LINES)} AND l.id > $5 ORDER BY l.id LIMIT $6`,
  dismiss: `gone AS (
    DELETE FROM parked_lines WHERE id IN (${chosen('parked_lines', LINES, 'true', 'true')})
    RETURNING id, channel, order_id, line_id, channel_sku, reason, parked_at
  ), kept AS (
    INSERT INTO dismissed_lines SELECT * FROM gone ON CONFLICT DO NOTHING
  ), changed AS (SELECT id, channel FROM gone)`,
  state: `SELECT 'parked' AS state FROM parked_lines WHERE id = $1
          UNION ALL SELECT 'dismissed' FROM dismissed_lines WHERE id = $1`,
};

export const PARKED_STATEMENTS: Readonly<Record<ParkedKind, KindStatements>> = { webhook, order, line };
