import type { DataSource } from 'typeorm';
import { inTransaction, JOIN_ONCE } from '../database/pool';

/** A comparison of a channel's list of orders with ours, from `since` (ISO 8601) until it began. */
export interface ComparedOrders {
  taskId: string;
  channel: string;
  since: string;
  startedAt: Date;
}

/** Notes orders of ours that changed in that time and were not listed. Answers how many, 10,000 at most. */
export function noteExtra(
  dataSource: DataSource,
  { taskId, channel, since, startedAt }: ComparedOrders,
): Promise<number> {
  return inTransaction(dataSource, async (client) => {
    await client.query(`SET LOCAL statement_timeout = 0; ${JOIN_ONCE}`);
    return (await client.query(EXTRA, [taskId, channel, since, startedAt])).rowCount ?? 0;
  });
}

/** An order that came while the list was read may not be in it. */
const EXTRA = `
  INSERT INTO order_differences (task_id, channel, order_id, difference, detail)
  SELECT $1, $2, o.order_id, 'extra', 'changed at ' || (coalesce(o.document->>'updatedAt', o.document->>'placedAt')) || ', and not listed by the channel'
    FROM orders o
   WHERE o.channel = $2 AND o.received_at < $4 AND o.updated_at < $4
     AND coalesce(o.document->>'updatedAt', o.document->>'placedAt')::timestamptz BETWEEN $3 AND $4
     AND NOT EXISTS (SELECT FROM order_marks m WHERE m.task_id = $1 AND m.order_id = o.order_id)
   ORDER BY o.order_id LIMIT 10000
  ON CONFLICT (task_id, order_id) DO NOTHING`;
