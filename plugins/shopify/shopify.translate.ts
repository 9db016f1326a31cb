import { type OrderDocument, type OrderDocumentLine, UntranslatableError } from 'onhand/channel-api';

/** Units of a line that one of the shop's locations is to send, or has sent. */
export interface Place {
  openUnits: number;
  shippedUnits: number;
}

/** A line of an order, whether an API answer or a webhook told of it. Units of the variant. */
export interface LineState {
  lineId: string;
  sku?: string | null;
  barcode?: string | null;
  variantId?: string;
  /** As ordered and edited since, with all that was taken off again. */
  ordered: number;
  /** Less what was refunded, and what was taken off by an edit. */
  current: number;
  /** Not yet sent, as Shopify reckons; what a fulfilment service was asked for is in neither. */
  remaining: number;
  /** Sent. */
  shipped: number;
  /** Sent, or with a service that was asked to. */
  inFulfilment: number;
  /** Of the units refunded: by what was done with them. */
  refunded: { cancelled: number; returned: number; unsaid: number };
  /** Of Shopify's returns: put back on the shelf. */
  putBack: number;
  places: Map<string, Place>;
}

export interface OrderState {
  orderId: string;
  createdAt: string;
  updatedAt: string;
  isCancelled: boolean;
  isTest: boolean;
  /** Where a sale over the counter was made. */
  retailLocation?: string;
  lines: LineState[];
  /** What was noted with its refunds. */
  refundNotes: string[];
}

/** What the options say of orders. */
export interface OrderRules {
  mapBy: 'sku' | 'barcode';
  orderLocations: string;
}

/** An order as it stands → the host's document. Pure. */
export function documentOf(state: OrderState, rules: OrderRules): OrderDocument {
  return {
    kind: 'order',
    orderId: state.orderId,
    revision: Date.parse(state.updatedAt),
    placedAt: state.createdAt,
    updatedAt: state.updatedAt,
    lines: state.lines.flatMap((line) => linesOf(line, state, rules)),
  };
}

/** A test order keeps no stock: a document of it has no lines. */
export function withoutLines(state: OrderState, rules: OrderRules): OrderDocument {
  return documentOf({ ...state, lines: [] }, rules);
}

function linesOf(line: LineState, state: OrderState, rules: OrderRules): OrderDocumentLine[] {
  const channelSku = codeOf(line, rules.mapBy);
  // A tip, a gift wrapping, anything typed in by hand: there is no stock of it.
  if (channelSku === undefined) return [];
  const counts = countsOf(line, state.isCancelled);
  if (rules.orderLocations === 'assigned' && line.places.size > 0) return byPlace(line, channelSku, counts);
  const fixed = ['none', 'assigned'].includes(rules.orderLocations) ? undefined : rules.orderLocations;
  const channelLocation = fixed ?? state.retailLocation;
  return [
    {
      lineId: line.lineId,
      channelSku,
      ...(channelLocation === undefined ? {} : { channelLocation }),
      ...counts,
    },
  ];
}

/** A variant without a code is shown to the operator by its id: its units are sold, whether or not it is mapped. */
function codeOf({ sku, barcode, variantId }: LineState, mapBy: OrderRules['mapBy']): string | undefined {
  const code = mapBy === 'sku' ? sku : barcode;
  if (code) return code;
  return variantId === undefined ? undefined : `variant:${variantId}`;
}

type Counts = Pick<OrderDocumentLine, 'ordered' | 'cancelled' | 'fulfilled' | 'returned'>;

/**
 * Every unit was sent, is still to be sent, or was cancelled. A refund says whether its units were cancelled or
 * came back; one that restocks nothing says neither, and is taken for a cancellation only as far as units are
 * neither sent nor left to be sent.
 */
function countsOf(line: LineState, isCancelled: boolean): Counts {
  const { ordered, shipped, refunded, inFulfilment } = line;
  const fulfilled = Math.min(shipped, ordered);
  const returned = Math.min(fulfilled, Math.max(refunded.returned, line.putBack));
  if (isCancelled) return { ordered, cancelled: ordered - fulfilled, fulfilled, returned };
  const refundedUnits = refunded.cancelled + refunded.returned + refunded.unsaid;
  const editedOut = Math.max(0, ordered - line.current - refundedUnits);
  const certain = refunded.cancelled + editedOut;
  const unsent = Math.max(0, ordered - inFulfilment);
  const unsaid = inFulfilment === 0 ? refunded.unsaid : Math.max(0, unsent - certain - line.remaining);
  const cancelled = Math.min(unsent, certain + Math.min(unsaid, refunded.unsaid));
  return { ordered, cancelled, fulfilled, returned };
}

/**
 * A line for each location that sends of it. Its id carries the location, so that units which Shopify moves from
 * one to another are given back there and taken here.
 */
function byPlace(line: LineState, channelSku: string, counts: Counts): OrderDocumentLine[] {
  const places = [...line.places].sort(([a], [b]) => (a < b ? -1 : 1));
  const placed = places.reduce((sum, [, place]) => sum + place.openUnits + place.shippedUnits, 0);
  // Cancelled, or on their way from one location to the next.
  let rest = Math.max(0, counts.ordered - placed);
  let cancelled = Math.min(counts.cancelled, rest);
  let returned = counts.returned;
  return places.map(([channelLocation, { openUnits, shippedUnits }]) => {
    const back = Math.min(returned, shippedUnits);
    const part = {
      lineId: `${line.lineId}@${channelLocation}`,
      channelSku,
      channelLocation,
      ordered: openUnits + shippedUnits + rest,
      cancelled,
      fulfilled: shippedUnits,
      returned: back,
    };
    returned -= back;
    rest = 0;
    cancelled = 0;
    return part;
  });
}

/** The line of the shop that a document's line is of. */
export function shopLineOf(lineId: string): string {
  return lineId.split('@', 1)[0] as string;
}

export function instant(value: unknown, field: string): string {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(at)) throw new UntranslatableError(`${field} must be an ISO 8601 time`);
  return new Date(at).toISOString();
}

export function units(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UntranslatableError(`${field} must be a whole number, 0 or more`);
}

export function list(value: unknown, field: string): Record<string, unknown>[] {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'object' && each !== null);
  if (!isList) throw new UntranslatableError(`${field} must be a list of objects`);
  return value as Record<string, unknown>[];
}

export function text(value: unknown, field: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw new UntranslatableError(`${field} must be a text`);
  return value;
}
