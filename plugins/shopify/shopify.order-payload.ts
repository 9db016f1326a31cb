import { UntranslatableError } from 'onhand/channel-api';
import { plainId, shortId } from './shopify.ids';
import { refundKind } from './shopify.order-node';
import { instant, type LineState, list, type OrderState, text, units } from './shopify.translate';

type Payload = Record<string, unknown>;

const FAILED_FULFILMENTS = ['cancelled', 'error', 'failure'];

/**
 * An order as webhooks carry it, whole → how it stands. Pure. Its numbers may be rounded by whoever parsed them,
 * its global ids are not. Throws `UntranslatableError` as `stateOfNode` does.
 * @see https://shopify.dev/docs/api/webhooks
 */
export function stateOfPayload(payload: Payload): OrderState {
  const lines = list(payload.line_items, 'line_items').map(lineOf);
  const state: OrderState = {
    orderId: shortId(payload.admin_graphql_api_id, 'Order', 'admin_graphql_api_id'),
    createdAt: instant(payload.created_at, 'created_at'),
    updatedAt: instant(payload.updated_at, 'updated_at'),
    isCancelled: payload.cancelled_at !== null && payload.cancelled_at !== undefined,
    isTest: payload.test === true,
    lines: lines.map(({ line }) => line),
    refundNotes: [],
  };
  if (payload.source_name === 'pos' && payload.location_id !== null && payload.location_id !== undefined)
    state.retailLocation = plainId(payload.location_id, 'location_id');
  const byNumber = new Map(lines.map(({ number, line }) => [number, line]));
  addFulfilments(byNumber, payload.fulfillments);
  addRefunds(byNumber, payload.refunds);
  return state;
}

/** A return puts units back without a refund that says so; the payload names it, and does not say what became of it. */
export function hasReturns({ returns }: Payload): boolean {
  return Array.isArray(returns) && returns.length > 0;
}

function lineOf(item: Payload, index: number): { number: string; line: LineState } {
  const at = `line_items[${index}]`;
  const { variant_id: variant } = item;
  return {
    number: plainId(item.id, `${at}.id`),
    line: {
      lineId: shortId(item.admin_graphql_api_id, 'LineItem', `${at}.admin_graphql_api_id`),
      sku: text(item.sku, `${at}.sku`),
      ...(variant === null || variant === undefined
        ? {}
        : { variantId: plainId(variant, `${at}.variant_id`) }),
      ordered: units(item.quantity, `${at}.quantity`),
      current: units(item.current_quantity ?? item.quantity, `${at}.current_quantity`),
      remaining: units(item.fulfillable_quantity ?? 0, `${at}.fulfillable_quantity`),
      shipped: 0,
      inFulfilment: 0,
      refunded: { cancelled: 0, returned: 0, unsaid: 0 },
      putBack: 0,
      places: new Map(),
    },
  };
}

function addFulfilments(lines: ReadonlyMap<string, LineState>, fulfilments: unknown): void {
  for (const [index, { status, line_items }] of list(fulfilments ?? [], 'fulfillments').entries()) {
    if (FAILED_FULFILMENTS.includes(status as string)) continue;
    for (const { line, quantity } of unitsIn(lines, line_items, `fulfillments[${index}].line_items`, 'id')) {
      line.inFulfilment += quantity;
      if (status === 'success') line.shipped += quantity;
    }
  }
}

function addRefunds(lines: ReadonlyMap<string, LineState>, refunds: unknown): void {
  for (const [index, { refund_line_items }] of list(refunds ?? [], 'refunds').entries()) {
    const at = `refunds[${index}].refund_line_items`;
    for (const { line, quantity, item } of unitsIn(lines, refund_line_items, at, 'line_item_id'))
      line.refunded[refundKind(item.restock_type)] += quantity;
  }
}

function unitsIn(
  lines: ReadonlyMap<string, LineState>,
  items: unknown,
  at: string,
  idField: string,
): { line: LineState; quantity: number; item: Payload }[] {
  return list(items ?? [], at).flatMap((item, index) => {
    const line = lines.get(plainId(item[idField], `${at}[${index}].${idField}`));
    const quantity = units(item.quantity, `${at}[${index}].quantity`);
    return line ? [{ line, quantity, item }] : [];
  });
}

/** The order that a payload of any topic is about; undefined where it names none. */
export function orderOfPayload(payload: Payload): string | undefined {
  const within = (payload.order ?? payload.order_edit) as Payload | null | undefined;
  const id = payload.order_id ?? within?.order_id ?? within?.admin_graphql_api_id ?? within?.id;
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' && id.startsWith('gid:'))
    return shortId(id, 'Order', 'order.admin_graphql_api_id');
  return plainId(id, 'order_id');
}

export function asPayload(value: unknown): Payload {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Payload;
  throw new UntranslatableError('the webhook body must be a JSON object');
}
