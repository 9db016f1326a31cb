import {
  UntranslatableError,
  type OrderDocument,
  type OrderDocumentLine,
  type ShownInventory,
  type UnreadableItem,
} from 'onhand/channel-api';
import type { WireItem, WireOrder, WireOrderItem } from './amazon-sp-api.wire';

/** Not shipped, and perhaps not paid: no unit of it is cancelled before Amazon says so. */
const PENDING = ['PENDING', 'PENDING_AVAILABILITY'];

/**
 * An order as Orders v2026-01-01 has it; undefined for one that Amazon ships from its own stock. A buyer's request to
 * cancel (`cancellationRequest`) cancels nothing: that is the seller's to decide, and the status says what was done.
 * Pending orders reserve: the buyer has the unit, whether or not the payment is authorised yet.
 * Throws `UntranslatableError`.
 */
export function translateOrder(value: unknown): OrderDocument | undefined {
  const order = objectOf(value, 'order') as Partial<WireOrder>;
  const { fulfillmentStatus: status, fulfilledBy } = objectOf(order.fulfillment, 'fulfillment') as Partial<
    NonNullable<WireOrder['fulfillment']>
  >;
  if (fulfilledBy === 'AMAZON') return undefined;
  const orderStatus = textOf(status, 'fulfillment.fulfillmentStatus');
  const updatedAt = timeOf(order.lastUpdatedTime, 'lastUpdatedTime');
  if (!Array.isArray(order.orderItems)) throw new UntranslatableError('orderItems must be a list');
  return {
    kind: 'order',
    orderId: textOf(order.orderId, 'orderId'),
    revision: updatedAt.getTime(),
    placedAt: timeOf(order.createdTime, 'createdTime').toISOString(),
    updatedAt: updatedAt.toISOString(),
    lines: order.orderItems.map((item: unknown, index) => lineOf(item, orderStatus, `orderItems[${index}]`)),
  };
}

/**
 * Amazon says how much of an item is shipped and how much is still to be; the rest of what was ordered is cancelled.
 */
function lineOf(value: unknown, status: string, at: string): OrderDocumentLine {
  const item = objectOf(value, at) as Partial<WireOrderItem>;
  const ordered = unitsOf(item.quantityOrdered, `${at}.quantityOrdered`);
  const { quantityFulfilled, quantityUnfulfilled } = item.fulfillment ?? {};
  const fulfilled = unitsOf(quantityFulfilled ?? 0, `${at}.fulfillment.quantityFulfilled`);
  const open =
    PENDING.includes(status) || (quantityUnfulfilled === undefined && status !== 'CANCELLED')
      ? ordered - fulfilled
      : status === 'CANCELLED'
        ? 0
        : unitsOf(quantityUnfulfilled, `${at}.fulfillment.quantityUnfulfilled`);
  return {
    lineId: textOf(item.orderItemId, `${at}.orderItemId`),
    channelSku: textOf(item.product?.sellerSku, `${at}.product.sellerSku`),
    ordered,
    cancelled: Math.max(ordered - fulfilled - open, 0),
    fulfilled,
    returned: 0,
  };
}

/** Who ships a SKU, and what buyers are shown of it. */
export interface ReadItem {
  channelSku: string;
  /** Amazon itself holds and counts it: there is no quantity of ours. */
  byAmazon: boolean;
  /** Absent where Amazon holds it. */
  shown?: ShownInventory;
}

/** Of the effective quantities; what was submitted and not applied yet is elsewhere. Throws `UntranslatableError`. */
export function translateItem(value: unknown): ReadItem {
  const item = objectOf(value, 'item') as Partial<WireItem>;
  const channelSku = textOf(item.sku, 'sku');
  const places = item.fulfillmentAvailability ?? [];
  if (!Array.isArray(places)) throw new UntranslatableError('fulfillmentAvailability must be a list');
  const own = places.find((place) => place.fulfillmentChannelCode === 'DEFAULT');
  if (!own && places.some(({ fulfillmentChannelCode: code }) => String(code).startsWith('AMAZON')))
    return { channelSku, byAmazon: true };
  // Nothing was ever submitted for it, or no number is given: buyers are offered none.
  const quantityUnits = unitsOf(own?.quantity ?? 0, 'fulfillmentAvailability.quantity');
  const title = item.summaries?.[0]?.itemName;
  return {
    channelSku,
    byAmazon: false,
    shown: { channelSku, quantityUnits, ...(title === undefined ? {} : { title }) },
  };
}

/** A row of the report of all listings. Throws `UntranslatableError`. */
export function translateReportRow(value: unknown): ReadItem {
  const row = objectOf(value, 'row') as Record<string, string | undefined>;
  const channelSku = textOf(row['seller-sku'], 'seller-sku');
  if (row['fulfillment-channel']?.startsWith('AMAZON')) return { channelSku, byAmazon: true };
  const quantity = row['quantity'] ?? '';
  const quantityUnits = unitsOf(quantity === '' ? 0 : Number(quantity), 'quantity');
  const title = row['item-name'];
  return { channelSku, byAmazon: false, shown: { channelSku, quantityUnits, ...(title ? { title } : {}) } };
}

/** Each row by itself: one that is not as documented is set aside and costs no other. */
export function translateRows<T>(
  rows: readonly unknown[],
  idField: string,
  translate: (row: unknown) => T | undefined,
): { items: T[]; unreadable: UnreadableItem[] } {
  const items: T[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const row of rows) {
    try {
      const item = translate(row);
      if (item !== undefined) items.push(item);
    } catch (error) {
      if (!(error instanceof UntranslatableError)) throw error;
      const id = (row as Record<string, unknown> | null)?.[idField];
      unreadable.push({
        ...(typeof id === 'string' && id !== '' ? { id } : {}),
        reason: error.message,
        body: JSON.stringify(row) ?? String(row),
      });
    }
  }
  return { items, unreadable };
}

export function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UntranslatableError(`${name} must be an object`);
}

export function textOf(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  // A model's text that comes as a bare number is still the same id.
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new UntranslatableError(`${name} must be a text`);
}

export function unitsOf(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UntranslatableError(`${name} must be a whole number, 0 or more`);
}

function timeOf(value: unknown, name: string): Date {
  const time = typeof value === 'string' ? new Date(value) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  throw new UntranslatableError(`${name} must be an ISO 8601 time`);
}
