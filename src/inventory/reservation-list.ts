import type { ReservationState } from './reservation';

/** A SKU's part in a reservation, as it stands. Units of our SKU throughout. */
export interface SkuReservation {
  id: string;
  reference: string | null;
  channel: string | null;
  orderId: string | null;
  state: ReservationState;
  expiresAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  /** Promised, and neither shipped nor given back; those of all open reservations make the level's `reserved`. */
  openUnits: number;
  /** Its lines of the SKU, one for each location that they were taken from. */
  lines: {
    line: number;
    lineId: string | null;
    locationId: number;
    quantity: number;
    reserved: number;
    fulfilled: number;
    released: number;
  }[];
}

/** Of the newest event that reserved for it: where it stands in the list. */
export type SkuReservationRow = SkuReservation & { seq: number };

/**
 * Reservations that ever held units of the SKU `$1`, newest first: those of which some are still open, if `$2`,
 * in the state `$3`, before `$4`, at most `$5`. They are found in the SKU's own part of the ledger, along its primary
 * key, for an index of the lines by SKU would slow every reservation down.
 */
export const LIST_RESERVATIONS = `
  SELECT r.id, r.reference, r.channel, r.order_id AS "orderId", r.state, r.expires_at AS "expiresAt",
         r.created_at AS "createdAt", r.updated_at AS "updatedAt", h.seq, p."openUnits", p.lines
    FROM (SELECT reservation_id, max(seq) AS seq FROM ledger
           WHERE sku_id = $1 AND type = 'RESERVE' AND reservation_id IS NOT NULL GROUP BY reservation_id) h
    JOIN reservations r ON r.id = h.reservation_id
    JOIN LATERAL (
      SELECT sum(reserved - fulfilled - released)::bigint AS "openUnits",
             jsonb_agg(jsonb_build_object('line', line, 'lineId', line_id, 'locationId', location_id, 'quantity', quantity,
               'reserved', reserved, 'fulfilled', fulfilled, 'released', released) ORDER BY line, part) AS lines
        FROM reservation_lines WHERE reservation_id = r.id AND sku_id = $1) p ON true
   WHERE (NOT $2 OR p."openUnits" > 0) AND ($3::text IS NULL OR r.state = $3) AND ($4::bigint IS NULL OR h.seq < $4)
   ORDER BY h.seq DESC LIMIT $5`;
