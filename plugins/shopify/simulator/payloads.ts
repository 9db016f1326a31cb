import { gid, jsonId } from './ids';
import {
  fulfilledUnits,
  fulfillmentStatus,
  type Fulfillment,
  type OrderLine,
  refundedUnits,
  type Refund,
  remainingUnits,
  type ShopOrder,
} from './order-model';
import type { OrderNews } from './orders';
import type { StockLevel } from './stock';

/** A merchant's time zone: webhooks tell times in it, and not in UTC as the API does. */
const SHOP_OFFSET_MS = -5 * 3_600_000;

/** Times are by the second, with the shop's own offset from UTC. */
export function shopTime(at: number): string {
  return `${new Date(at + SHOP_OFFSET_MS).toISOString().slice(0, 19)}-05:00`;
}

/**
 * Bodies of webhooks by topic, made after Shopify's samples of 2026-07
 * (shopify.dev/docs/api/webhooks): what an inventory app reads of them, and not the buyer's address or the prices.
 */
export function payloadOf(
  { topic, order, refund, returnId, edit }: OrderNews,
  spoiled: ReadonlySet<string>,
): object {
  if (topic === 'orders/edited' && edit) return editPayload(order, edit);
  if (topic === 'refunds/create' && refund) return refundPayload(order, refund);
  if (topic.startsWith('returns/') && returnId !== undefined) return returnPayload(topic, order, returnId);
  return orderPayload(order, spoiled);
}

/** `spoiled` orders have a time that is not documented. */
export function orderPayload(order: ShopOrder, spoiled: ReadonlySet<string>): object {
  const created = spoiled.has(order.id) ? 'the day before yesterday' : shopTime(order.createdAt);
  const status = fulfillmentStatus(order);
  const words = { UNFULFILLED: null, PARTIALLY_FULFILLED: 'partial', FULFILLED: 'fulfilled' };
  return {
    ...identity('Order', order.id),
    cancel_reason: order.cancelReason?.toLowerCase() ?? null,
    cancelled_at: order.cancelledAt === undefined ? null : shopTime(order.cancelledAt),
    closed_at: order.cancelledAt === undefined ? null : shopTime(order.cancelledAt),
    confirmed: true,
    created_at: created,
    currency: 'USD',
    financial_status: 'paid',
    fulfillment_status: words[status],
    location_id: order.retailLocationId === undefined ? null : jsonId(order.retailLocationId),
    name: `#${order.number}`,
    number: order.number - 1000,
    order_number: order.number,
    processed_at: created,
    source_name: order.sourceName,
    test: order.test,
    updated_at: shopTime(order.updatedAt),
    fulfillments: order.fulfillments.map((each) => fulfillmentPayload(order, each)),
    line_items: order.lines.map((line) => linePayload(order, line)),
    refunds: order.refunds.map((refund) => refundPayload(order, refund)),
    returns: order.returns.map(({ id, status }) => ({
      ...identity('Return', id),
      status: status.toLowerCase(),
    })),
  };
}

function linePayload(order: ShopOrder, line: OrderLine) {
  const fulfilled = fulfilledUnits(order, line);
  const remaining = remainingUnits(order, line);
  return {
    ...identity('LineItem', line.id),
    current_quantity: line.quantity - refundedUnits(order, line),
    fulfillable_quantity: remaining,
    fulfillment_service: 'manual',
    fulfillment_status: fulfilled === 0 ? null : remaining > 0 ? 'partial' : 'fulfilled',
    gift_card: false,
    name: line.item?.title ?? line.sku,
    product_exists: line.item !== undefined,
    product_id: line.item ? jsonId(line.item.productId) : null,
    quantity: line.quantity,
    requires_shipping: true,
    sku: line.sku,
    title: line.item?.title ?? line.sku,
    variant_id: line.item ? jsonId(line.item.variantId) : null,
    variant_inventory_management: 'shopify',
  };
}

/** What is left of the line now is not told here. */
function refundedLinePayload(order: ShopOrder, line: OrderLine): object {
  const { current_quantity: _, ...payload } = linePayload(order, line);
  return payload;
}

function fulfillmentPayload(order: ShopOrder, { id, at, locationId, lines }: Fulfillment): object {
  return {
    ...identity('Fulfillment', id),
    order_id: jsonId(order.id),
    status: 'success',
    created_at: shopTime(at),
    updated_at: shopTime(at),
    location_id: jsonId(locationId),
    line_items: lines.map(({ line, units }) => ({
      ...linePayload(order, line),
      quantity: units,
    })),
  };
}

function refundPayload(order: ShopOrder, { id, at, note, lines }: Refund): object {
  return {
    ...identity('Refund', id),
    order_id: jsonId(order.id),
    created_at: shopTime(at),
    processed_at: shopTime(at),
    note: note ?? null,
    restock: lines.some(({ restockType }) => restockType !== 'NO_RESTOCK'),
    refund_line_items: lines.map((each) => ({
      id: jsonId(each.id),
      quantity: each.units,
      line_item_id: jsonId(each.line.id),
      location_id: each.locationId === undefined ? null : jsonId(each.locationId),
      restock_type: each.restockType.toLowerCase(),
      line_item: refundedLinePayload(order, each.line),
    })),
    transactions: [],
    return: null,
  };
}

function editPayload(order: ShopOrder, edit: NonNullable<OrderNews['edit']>): object {
  const lines = (edited: typeof edit.additions) =>
    edited.map(({ lineId, delta }) => ({ id: jsonId(lineId), delta }));
  return {
    order_edit: {
      order_id: jsonId(order.id),
      created_at: shopTime(order.updatedAt),
      committed_at: shopTime(order.updatedAt),
      notify_customer: false,
      staff_note: '',
      line_items: { additions: lines(edit.additions), removals: lines(edit.removals) },
    },
  };
}

/** Some topics nest the order, others name it by `order_id`; of `returns/process` no field is documented. */
function returnPayload(topic: string, order: ShopOrder, returnId: string): object {
  if (topic === 'returns/process') return { admin_graphql_api_id: gid('Return', returnId) };
  const found = order.returns.find(({ id }) => id === returnId);
  const base = { ...identity('Return', returnId), status: found?.status.toLowerCase() };
  const isNested = ['returns/request', 'returns/approve', 'returns/decline'].includes(topic);
  return isNested ? { ...base, order: identity('Order', order.id) } : { ...base, order_id: jsonId(order.id) };
}

/** Says what is available and not why: a sale, an edit by hand and our own push look the same. */
export function levelPayload({ item, location, available, updatedAt }: StockLevel): object {
  return {
    inventory_item_id: jsonId(item.itemId),
    location_id: jsonId(location.id),
    available,
    updated_at: shopTime(updatedAt),
    admin_graphql_api_id: `${gid('InventoryLevel', location.id)}?inventory_item_id=${item.itemId}`,
  };
}

function identity(type: string, id: string): { id: number | string; admin_graphql_api_id: string } {
  return { id: jsonId(id), admin_graphql_api_id: gid(type, id) };
}
