import type { PoolClient } from 'pg';
import { isoTime } from '../database/sql-time';
import type { OutboundEvent } from './outbound-event';

type EventRow = Omit<OutboundEvent, 'type'> & { type: string };

/** `stock.changed` for each of these levels, each once. */
export async function readLevels(
  client: PoolClient,
  skuIds: readonly number[],
  locationIds: readonly number[],
): Promise<OutboundEvent[]> {
  if (skuIds.length === 0) return [];
  return (await client.query<EventRow>(LEVELS, [skuIds, locationIds])).rows as OutboundEvent[];
}

/** `reservation.<state>` for each of these, each once, its version being the newest of its marks. */
export async function readReservations(
  client: PoolClient,
  ids: readonly string[],
  markIds: readonly number[],
): Promise<OutboundEvent[]> {
  if (ids.length === 0) return [];
  return (await client.query<EventRow>(RESERVATIONS, [ids, markIds])).rows as OutboundEvent[];
}

/** `drift.<state>` for drifts in another state than was told; they count as told with the caller's commit. */
export async function readDriftChanges(
  client: PoolClient,
  limit: number,
): Promise<{ taken: number; events: OutboundEvent[] }> {
  const { rows } = await client.query<EventRow>(DRIFTS, [limit]);
  return { taken: rows.length, events: rows as OutboundEvent[] };
}

const LEVELS = `
  SELECT 'stock.changed' AS type, s.code || ' at ' || l.code AS subject, ${isoTime('v.updated_at')} AS at, v.version,
         'level:' || v.sku_id || ':' || v.location_id AS "stateOf", s.tags,
         ARRAY(SELECT DISTINCT m.channel FROM listing_components c JOIN listings m ON m.id = c.listing_id AND m.retired_at IS NULL
                WHERE c.sku_id = v.sku_id ORDER BY 1) AS channels,
         jsonb_build_object('sku', s.code, 'location', l.code, 'version', v.version,
           'physical', v.available + v.reserved + v.quarantined + v.damaged, 'available', v.available, 'reserved', v.reserved,
           'quarantined', v.quarantined, 'damaged', v.damaged, 'inTransit', v.in_transit, 'onOrder', v.on_order) AS data
    FROM (SELECT DISTINCT * FROM unnest($1::int[], $2::int[]) AS t (sku, location)) t
    JOIN levels v ON v.sku_id = t.sku AND v.location_id = t.location
    JOIN skus s ON s.id = v.sku_id JOIN locations l ON l.id = v.location_id`;

/** Marks of one reservation are numbered while its row is locked, so their numbers grow as its states follow. */
const RESERVATIONS = `
  SELECT 'reservation.' || r.state AS type, coalesce(r.channel || ' order ' || r.order_id, r.reference, r.id::text) AS subject,
         ${isoTime('r.updated_at')} AS at, t.version, 'reservation:' || r.id AS "stateOf",
         array_remove(ARRAY[r.channel], NULL) AS channels,
         ARRAY(SELECT DISTINCT unnest(s.tags) FROM reservation_lines n JOIN skus s ON s.id = n.sku_id WHERE n.reservation_id = r.id) AS tags,
         jsonb_build_object('id', r.id, 'state', r.state, 'version', t.version, 'reference', r.reference, 'channel', r.channel,
           'orderId', r.order_id, 'expiresAt', ${isoTime('r.expires_at')},
           'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object('line', n.line, 'lineId', n.line_id, 'sku', s.code,
                        'location', l.code, 'quantity', n.quantity, 'reserved', n.reserved, 'fulfilled', n.fulfilled,
                        'released', n.released, 'returned', n.returned) ORDER BY n.line, n.part), '[]')
                       FROM reservation_lines n JOIN skus s ON s.id = n.sku_id LEFT JOIN locations l ON l.id = n.location_id
                      WHERE n.reservation_id = r.id)) AS data
    FROM (SELECT id, max(mark) AS version FROM unnest($1::uuid[], $2::bigint[]) AS m (id, mark) GROUP BY id) t
    JOIN reservations r ON r.id = t.id`;

/** A drift that was over before anybody was told of it is not told. */
const DRIFTS = `
  WITH turned AS (
    SELECT channel, channel_sku, channel_location,
           CASE WHEN resolved_at IS NOT NULL THEN 'resolved' WHEN escalated_at IS NOT NULL THEN 'escalated' ELSE 'found' END AS state
      FROM drifts
     WHERE told IS DISTINCT FROM CASE WHEN resolved_at IS NOT NULL THEN 'resolved' WHEN escalated_at IS NOT NULL THEN 'escalated' ELSE 'found' END
       AND NOT (told IS NULL AND resolved_at IS NOT NULL)
     ORDER BY found_at LIMIT $1 FOR UPDATE SKIP LOCKED),
  d AS (
    UPDATE drifts SET told = t.state FROM turned t
     WHERE drifts.channel = t.channel AND drifts.channel_sku = t.channel_sku AND drifts.channel_location = t.channel_location
    RETURNING drifts.*, (extract(epoch FROM greatest(drifts.found_at, drifts.escalated_at, drifts.resolved_at)) * 1000)::bigint AS version)
  SELECT 'drift.' || told AS type, channel_sku || ' on ' || channel AS subject, ${isoTime('greatest(found_at, escalated_at, resolved_at)')} AS at,
         version, 'drift:' || channel || ':' || channel_sku || ':' || channel_location AS "stateOf", ARRAY[channel] AS channels,
         ARRAY(SELECT DISTINCT unnest(s.tags) FROM listings m JOIN listing_components c ON c.listing_id = m.id JOIN skus s ON s.id = c.sku_id
                WHERE m.channel = d.channel AND m.channel_sku = d.channel_sku) AS tags,
         jsonb_build_object('state', told, 'version', version, 'channel', channel, 'channelSku', channel_sku,
           'channelLocation', nullif(channel_location, ''), 'cause', cause, 'shownUnits', shown_units, 'expectedUnits', expected_units,
           'since', ${isoTime('since')}, 'foundAt', ${isoTime('found_at')}, 'resolvedAt', ${isoTime('resolved_at')},
           'times', times, 'corrections', corrections) AS data
    FROM d`;
