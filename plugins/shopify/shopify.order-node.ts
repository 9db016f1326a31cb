import { UntranslatableError } from 'onhand/channel-api';
import { shortId } from './shopify.ids';
import { instant, type LineState, list, type OrderState, text, units } from './shopify.translate';

type Node = Record<string, unknown>;

/** Fulfilments that come to nothing. https://shopify.dev/docs/api/admin-graphql/latest/enums/FulfillmentStatus */
const FAILED_FULFILMENTS = ['CANCELLED', 'ERROR', 'FAILURE'];
/** Fulfilment orders with nothing left to send. */
const ENDED_ORDERS = ['CANCELLED', 'CLOSED'];

/**
 * An order of the Admin API → how it stands. Pure. Throws `UntranslatableError` that names the field and what it
 * must be, never what it is: an order holds its buyer's data.
 */
export function stateOfNode(order: unknown): OrderState {
  const node = object(order, 'the order');
  const state: OrderState = {
    orderId: shortId(node.id, 'Order', 'id'),
    createdAt: instant(node.createdAt, 'createdAt'),
    updatedAt: instant(node.updatedAt, 'updatedAt'),
    isCancelled: node.cancelledAt !== null && node.cancelledAt !== undefined,
    isTest: node.test === true,
    lines: nodesIn(node.lineItems, 'lineItems').map(({ item, at }) => lineOf(item, at)),
    refundNotes: list(node.refunds, 'refunds').flatMap(({ note }) =>
      typeof note === 'string' ? [note] : [],
    ),
  };
  if (node.sourceName === 'pos' && node.retailLocation)
    state.retailLocation = shortId(
      object(node.retailLocation, 'retailLocation').id,
      'Location',
      'retailLocation.id',
    );
  const lines = new Map(state.lines.map((line) => [line.lineId, line]));
  addFulfilments(lines, node.fulfillments);
  addRefunds(lines, node.refunds);
  if (node.fulfillmentOrders !== undefined) addAssigned(lines, node.fulfillmentOrders);
  if (node.returns !== undefined) addPutBack(lines, node.returns);
  return state;
}

/** Whether the answer left out a part of the order, which has more lines than were asked for. */
export function isCutOff(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(isCutOff);
  return Object.entries(value).some(([name, field]) =>
    name === 'pageInfo' ? (field as { hasNextPage?: unknown } | null)?.hasNextPage === true : isCutOff(field),
  );
}

/** Whether units of it may have come back, which only the order by itself says. */
export function hasReturns({ returns }: Node): boolean {
  return nodesIn(returns ?? { nodes: [] }, 'returns').length > 0;
}

function lineOf(line: Node, at: string): LineState {
  const variant = line.variant as Node | null | undefined;
  return {
    lineId: shortId(line.id, 'LineItem', `${at}.id`),
    sku: text(line.sku, `${at}.sku`),
    barcode: text(variant?.barcode, `${at}.variant.barcode`),
    ...(variant ? { variantId: shortId(variant.id, 'ProductVariant', `${at}.variant.id`) } : {}),
    ordered: units(line.quantity, `${at}.quantity`),
    current: units(line.currentQuantity, `${at}.currentQuantity`),
    remaining: units(line.unfulfilledQuantity, `${at}.unfulfilledQuantity`),
    shipped: 0,
    inFulfilment: 0,
    refunded: { cancelled: 0, returned: 0, unsaid: 0 },
    putBack: 0,
    places: new Map(),
  };
}

function addFulfilments(lines: ReadonlyMap<string, LineState>, fulfilments: unknown): void {
  for (const [index, fulfilment] of list(fulfilments, 'fulfillments').entries()) {
    const at = `fulfillments[${index}]`;
    const status = fulfilment.status as string;
    if (FAILED_FULFILMENTS.includes(status)) continue;
    const location = fulfilment.location as Node | null | undefined;
    for (const { item, at: itemAt } of nodesIn(
      fulfilment.fulfillmentLineItems,
      `${at}.fulfillmentLineItems`,
    )) {
      const line = lineIn(lines, item, itemAt);
      const quantity = units(item.quantity ?? 0, `${itemAt}.quantity`);
      if (!line) continue;
      line.inFulfilment += quantity;
      if (status !== 'SUCCESS') continue;
      line.shipped += quantity;
      if (location)
        placeOf(line, shortId(location.id, 'Location', `${at}.location.id`)).shippedUnits += quantity;
    }
  }
}

function addRefunds(lines: ReadonlyMap<string, LineState>, refunds: unknown): void {
  for (const [index, refund] of list(refunds, 'refunds').entries()) {
    for (const { item, at } of nodesIn(refund.refundLineItems, `refunds[${index}].refundLineItems`)) {
      const line = lineIn(lines, item, at);
      const quantity = units(item.quantity, `${at}.quantity`);
      if (line) line.refunded[refundKind(item.restockType)] += quantity;
    }
  }
}

/** https://shopify.dev/docs/api/admin-graphql/latest/enums/RefundLineItemRestockType */
export function refundKind(restockType: unknown): keyof LineState['refunded'] {
  switch (String(restockType).toUpperCase()) {
    case 'CANCEL':
      return 'cancelled';
    case 'RETURN':
      return 'returned';
    default:
      return 'unsaid';
  }
}

/** Where what is still to be sent is to be sent from. */
function addAssigned(lines: ReadonlyMap<string, LineState>, fulfilmentOrders: unknown): void {
  for (const { item: order, at } of nodesIn(fulfilmentOrders, 'fulfillmentOrders')) {
    const location = (order.assignedLocation as { location?: Node | null } | null)?.location;
    if (!location || ENDED_ORDERS.includes(order.status as string)) continue;
    const locationId = shortId(location.id, 'Location', `${at}.assignedLocation.location.id`);
    for (const { item, at: itemAt } of nodesIn(order.lineItems, `${at}.lineItems`)) {
      const quantity = units(item.remainingQuantity, `${itemAt}.remainingQuantity`);
      const line = lineIn(lines, item, itemAt);
      if (line && quantity > 0) placeOf(line, locationId).openUnits += quantity;
    }
  }
}

function addPutBack(lines: ReadonlyMap<string, LineState>, returns: unknown): void {
  for (const { item: one, at } of nodesIn(returns, 'returns')) {
    for (const { item: order, at: orderAt } of nodesIn(
      one.reverseFulfillmentOrders,
      `${at}.reverseFulfillmentOrders`,
    )) {
      for (const { item, at: itemAt } of nodesIn(order.lineItems, `${orderAt}.lineItems`)) {
        const fulfilled = item.fulfillmentLineItem as Node | null;
        const line = fulfilled && lineIn(lines, fulfilled, `${itemAt}.fulfillmentLineItem`);
        if (!line) continue;
        for (const disposition of list(item.dispositions, `${itemAt}.dispositions`))
          if (disposition.type === 'RESTOCKED')
            line.putBack += units(disposition.quantity, `${itemAt}.quantity`);
      }
    }
  }
}

function placeOf(line: LineState, locationId: string): { openUnits: number; shippedUnits: number } {
  const known = line.places.get(locationId) ?? { openUnits: 0, shippedUnits: 0 };
  line.places.set(locationId, known);
  return known;
}

function lineIn(lines: ReadonlyMap<string, LineState>, item: Node, at: string): LineState | undefined {
  return lines.get(shortId(object(item.lineItem, `${at}.lineItem`).id, 'LineItem', `${at}.lineItem.id`));
}

function nodesIn(connection: unknown, at: string): { item: Node; at: string }[] {
  const { nodes } = object(connection, at);
  return list(nodes, `${at}.nodes`).map((item, index) => ({ item, at: `${at}.nodes[${index}]` }));
}

function object(value: unknown, name: string): Node {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Node;
  throw new UntranslatableError(`${name} must be an object`);
}
