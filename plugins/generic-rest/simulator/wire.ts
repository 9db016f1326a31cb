import type { OrderDocument } from 'onhand/channel-api';
import { ShopRefusal, type Shop, type ShopItem } from './shop';

/** One API call, as far as the routes look at it. */
export interface ShopCall {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  idempotencyKey?: string;
}

export interface ShopAnswer {
  status: number;
  body: unknown;
}

/** What the shop answers to a call. Pure but for the shop itself; refusals become error bodies. */
export function answer(shop: Shop, call: ShopCall): ShopAnswer {
  try {
    return route(shop, call);
  } catch (error) {
    if (!(error instanceof ShopRefusal)) throw error;
    return { status: error.status, body: { error: errorBody(error) } };
  }
}

function route(shop: Shop, call: ShopCall): ShopAnswer {
  const [api, collection, id, action, ...rest] = call.path.split('/').slice(1).map(decoded);
  if (api === 'api' && rest.length === 0) {
    const name = [call.method, collection, id === undefined ? '' : 'one', action ?? ''].join(' ').trim();
    if (name === 'GET inventory') return ok(inventoryPage(shop, call.query));
    if (name === 'POST inventory one' && id === 'batch') return pushBatch(shop, call.body);
    if (name === 'PUT inventory one') return ok(itemBody(shop.setQuantity(id, quantityIn(call.body))));
    if (name === 'GET orders') return ok(ordersPage(shop, call.query));
    if (name === 'GET orders one') return ok(orderBody(shop.order(id as string)));
    if (name === 'POST orders one cancel') return cancel(shop, id as string, call);
  }
  throw new ShopRefusal(404, 'unknown-route', 'There is nothing at this address.');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ShopRefusal(404, 'unknown-route', 'The address is not encoded as UTF-8.');
  }
}

function inventoryPage(shop: Shop, query: URLSearchParams): unknown {
  const page = shop.inventoryPage(query.get('cursor'), limitIn(query));
  return { items: page.items.map(itemBody), next_cursor: page.nextCursor };
}

function ordersPage(shop: Shop, query: URLSearchParams): unknown {
  const page = shop.ordersPage(query.get('updated_since'), query.get('cursor'), limitIn(query));
  return { items: page.items.map(orderBody), next_cursor: page.nextCursor };
}

/** 207 as soon as one row is refused; every row has its own result. */
function pushBatch(shop: Shop, body: unknown): ShopAnswer {
  if (!Array.isArray(body) || body.length > 1000) {
    throw new ShopRefusal(422, 'invalid-batch', 'The body must be a list of at most 1000 rows.');
  }
  const results = body.map((row: unknown) => {
    const { sku, quantity } = (row ?? {}) as { sku?: unknown; quantity?: unknown };
    try {
      return itemBody(shop.setQuantity(sku, quantity));
    } catch (error) {
      if (!(error instanceof ShopRefusal)) throw error;
      return { sku, error: { ...errorBody(error), retryable: false } };
    }
  });
  return { status: results.some((result) => 'error' in result) ? 207 : 200, body: { results } };
}

function cancel(shop: Shop, orderId: string, call: ShopCall): ShopAnswer {
  const { lines } = (call.body ?? {}) as { lines?: unknown };
  const units = new Map<string, number>();
  for (const line of Array.isArray(lines) ? (lines as unknown[]) : []) {
    const { id, quantity } = (line ?? {}) as { id?: unknown; quantity?: unknown };
    if (
      typeof id !== 'string' ||
      typeof quantity !== 'number' ||
      !Number.isSafeInteger(quantity) ||
      quantity < 1
    ) {
      throw new ShopRefusal(422, 'invalid-lines', 'Each line needs an id and a whole quantity, 1 or more.');
    }
    units.set(id, (units.get(id) ?? 0) + quantity);
  }
  if (units.size === 0) throw new ShopRefusal(422, 'invalid-lines', 'Say which lines to cancel.');
  const at = new Date().toISOString();
  return ok(orderBody(shop.cancelUnits(orderId, units, at, call.idempotencyKey)));
}

/** An order as the API and the webhooks give it. */
export function orderBody(order: OrderDocument): object {
  return {
    id: order.orderId,
    revision: order.revision,
    placed_at: order.placedAt,
    updated_at: order.updatedAt,
    lines: order.lines.map(({ lineId, channelSku, ordered, cancelled, fulfilled, returned }) => ({
      id: lineId,
      sku: channelSku,
      ordered,
      cancelled,
      fulfilled,
      returned,
    })),
  };
}

function itemBody({ channelSku, quantityUnits, title, barcode }: ShopItem): object {
  return { sku: channelSku, quantity: quantityUnits, title, barcode };
}

function errorBody({ code, message }: ShopRefusal): { code: string; message: string } {
  return { code, message };
}

function quantityIn(body: unknown): unknown {
  return ((body ?? {}) as { quantity?: unknown }).quantity;
}

function limitIn(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 100);
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), 250) : 100;
}

function ok(body: unknown): ShopAnswer {
  return { status: 200, body };
}
