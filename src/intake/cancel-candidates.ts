import type { Pool } from 'pg';
import { type CancelCandidate, rankCandidates, type RankedCandidate } from './rank-candidates';

/** An oversell as the desk shows it. */
export interface ShortOrder {
  id: number;
  channel: string;
  orderId: string;
  units: number;
  placedAt: Date | null;
  shortfalls: {
    lineId: string;
    sku: string;
    quantity: number;
    takenBy: { channel: string | null; orderId: string | null; reservationId: string | null }[];
  }[];
}

interface OrderRow {
  channel: string;
  orderId: string;
  placedAt: string;
  /** Lines of which something is still wanted. */
  lineIds: string[];
}

interface OpenRow {
  reservationId: string;
  sku: string;
  lineId: string | null;
  open: number;
}

/**
 * Of each oversell: the orders of which one could be cancelled, ranked. It is one of them itself; the others are
 * those of channels that took what it lacks, as far as they have not been shipped or released since.
 */
export async function readCandidates(
  pool: Pool,
  oversells: readonly ShortOrder[],
  penaltyOf: (channel: string) => number,
): Promise<RankedCandidate[][]> {
  const takers = oversells.flatMap(takersOf);
  const keys = [...oversells, ...takers];
  const { rows: orders } = await pool.query<OrderRow>(READ_ORDERS, [
    keys.map(({ channel }) => channel),
    keys.map(({ orderId }) => orderId),
  ]);
  const { rows: open } = await pool.query<OpenRow>(READ_OPEN, [
    [...new Set(takers.map(({ reservationId }) => reservationId))],
    [...new Set(oversells.flatMap(({ shortfalls }) => shortfalls.map(({ sku }) => sku)))],
  ]);
  const orderOf = new Map(orders.map((order) => [keyOf(order), order]));
  return oversells.map((oversell) => {
    const itself = candidateOf(oversell, orderOf.get(keyOf(oversell)), penaltyOf, {
      isShort: true,
      freesUnits: oversell.units,
      lineIds: oversell.shortfalls.map(({ lineId }) => lineId),
    });
    const others = takersOf(oversell).flatMap((taker) => {
      const held = open.filter(
        ({ reservationId, sku }) =>
          reservationId === taker.reservationId && oversell.shortfalls.some((each) => each.sku === sku),
      );
      const freesUnits = unitsFreed(oversell, held);
      if (freesUnits === 0) return [];
      const lineIds = held.flatMap(({ lineId }) => lineId ?? []);
      return [
        candidateOf(taker, orderOf.get(keyOf(taker)), penaltyOf, { isShort: false, freesUnits, lineIds }),
      ];
    });
    return rankCandidates([itself, ...others], oversell.units);
  });
}

interface Taker {
  channel: string;
  orderId: string;
  reservationId: string;
}

/** Each once, however many of the lines it took from. A reservation that is no channel's is nobody's to cancel here. */
function takersOf({ shortfalls }: ShortOrder): Taker[] {
  const takers = new Map<string, Taker>();
  for (const { channel, orderId, reservationId } of shortfalls.flatMap(({ takenBy }) => takenBy))
    if (channel !== null && orderId !== null && reservationId !== null)
      takers.set(reservationId, { channel, orderId, reservationId });
  return [...takers.values()];
}

/** Of each SKU no more than is short of it. */
function unitsFreed({ shortfalls }: ShortOrder, held: readonly OpenRow[]): number {
  const skus = [...new Set(shortfalls.map(({ sku }) => sku))];
  return skus.reduce((sum, sku) => {
    const short = shortfalls
      .filter((each) => each.sku === sku)
      .reduce((units, { quantity }) => units + quantity, 0);
    const open = held.filter((each) => each.sku === sku).reduce((units, each) => units + each.open, 0);
    return sum + Math.min(short, open);
  }, 0);
}

function candidateOf(
  { channel, orderId }: Pick<ShortOrder, 'channel' | 'orderId'>,
  order: OrderRow | undefined,
  penaltyOf: (channel: string) => number,
  { isShort, freesUnits, lineIds }: { isShort: boolean; freesUnits: number; lineIds: readonly string[] },
): CancelCandidate {
  const otherLines = order?.lineIds.filter((lineId) => !lineIds.includes(lineId)).length ?? 0;
  const placedAt = order === undefined ? null : new Date(order.placedAt).toISOString();
  return { channel, orderId, isShort, placedAt, freesUnits, otherLines, penalty: penaltyOf(channel) };
}

function keyOf({ channel, orderId }: Pick<ShortOrder, 'channel' | 'orderId'>): string {
  return `${channel}\n${orderId}`;
}

const READ_ORDERS = `
  SELECT o.channel, o.order_id AS "orderId", o.placed_at AS "placedAt",
         ARRAY(SELECT l->>'lineId' FROM jsonb_array_elements(o.document->'lines') l
                WHERE (l->>'ordered')::bigint > (l->>'cancelled')::bigint) AS "lineIds"
    FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS k (channel, order_id)) k
    JOIN orders o ON o.channel = k.channel AND o.order_id = k.order_id`;

const READ_OPEN = `
  SELECT r.reservation_id AS "reservationId", k.code AS sku, r.line_id AS "lineId",
         sum(r.reserved - r.fulfilled - r.released)::bigint AS open
    FROM reservation_lines r JOIN skus k ON k.id = r.sku_id
   WHERE r.reservation_id = ANY($1::uuid[]) AND k.code = ANY($2::text[]) AND r.reserved > r.fulfilled + r.released
   GROUP BY 1, 2, 3`;
