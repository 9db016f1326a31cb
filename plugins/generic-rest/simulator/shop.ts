import type { OrderDocument, OrderDocumentLine, SimulatedOrderLine } from 'onhand/channel-api';

export interface ShopItem {
  channelSku: string;
  quantityUnits: number;
  title: string;
  barcode?: string;
}

export interface PageOf<T> {
  items: T[];
  nextCursor: string | null;
}

/** A refusal as the shop words it, with the status it answers. */
export class ShopRefusal extends Error {
  constructor(
    readonly status: 404 | 409 | 422,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'ShopRefusal';
  }
}

/**
 * What the simulated shop knows: items and orders. Changes of orders are kept as a list that only grows,
 * and a cursor is a place in it, so that an order changed during a read is seen again and none is missed.
 */
export class Shop {
  private readonly items = new Map<string, ShopItem>();
  private readonly skus: string[] = [];
  private readonly orders = new Map<string, OrderDocument>();
  private readonly changes: string[] = [];
  private readonly lastChange = new Map<string, number>();
  private readonly cancellations = new Map<string, OrderDocument>();

  list(items: { channelSku: string; quantityUnits: number; title?: string; barcode?: string }[]): void {
    for (const { channelSku, quantityUnits, title, barcode } of items) {
      if (!this.items.has(channelSku)) this.skus.push(channelSku);
      this.items.set(channelSku, { channelSku, quantityUnits, title: title ?? channelSku, barcode });
    }
  }

  shown(): Map<string, number> {
    return new Map([...this.items.values()].map((item) => [item.channelSku, item.quantityUnits]));
  }

  /** Throws `ShopRefusal` on an unknown SKU (404) or a quantity that is no whole number from 0 (422). */
  setQuantity(channelSku: unknown, quantity: unknown): ShopItem {
    const item = typeof channelSku === 'string' ? this.items.get(channelSku) : undefined;
    if (!item) throw new ShopRefusal(404, 'unknown-sku', 'The shop has no such SKU.');
    if (typeof quantity !== 'number' || !Number.isSafeInteger(quantity) || quantity < 0) {
      throw new ShopRefusal(422, 'invalid-quantity', 'The quantity must be a whole number, 0 or more.');
    }
    item.quantityUnits = quantity;
    return item;
  }

  inventoryPage(cursor: string | null, limit: number): PageOf<ShopItem> {
    const start = placeOf(cursor);
    const items = this.skus.slice(start, start + limit).map((sku) => this.items.get(sku) as ShopItem);
    return { items, nextCursor: start + limit < this.skus.length ? String(start + limit) : null };
  }

  /** Orders changed at or after `since` (ISO 8601), each once as it stands, oldest change first. */
  ordersPage(since: string | null, cursor: string | null, limit: number): PageOf<OrderDocument> {
    const sinceMs = since === null ? -Infinity : Date.parse(since);
    if (Number.isNaN(sinceMs)) throw new ShopRefusal(422, 'invalid-since', 'updated_since must be ISO 8601.');
    const items: OrderDocument[] = [];
    let at = placeOf(cursor);
    for (; at < this.changes.length && items.length < limit; at += 1) {
      const order = this.order(this.changes[at] as string);
      const isCurrent = this.lastChange.get(order.orderId) === at;
      if (isCurrent && Date.parse(order.updatedAt ?? order.placedAt) >= sinceMs) items.push(order);
    }
    return { items, nextCursor: at < this.changes.length ? String(at) : null };
  }

  place(orderId: string, placedAt: string, lines: SimulatedOrderLine[]): OrderDocument {
    if (this.orders.has(orderId)) throw new ShopRefusal(409, 'duplicate-order', 'The order id is taken.');
    for (const { channelSku, quantityUnits } of lines) {
      const item = this.items.get(channelSku);
      if (item) item.quantityUnits = Math.max(item.quantityUnits - quantityUnits, 0);
    }
    const order: OrderDocument = { kind: 'order', orderId, revision: 0, placedAt, lines: lines.map(newLine) };
    return this.change(order, placedAt, (line) => line);
  }

  fulfil(orderId: string, at: string): OrderDocument {
    return this.change(this.order(orderId), at, (line) => ({
      ...line,
      fulfilled: line.ordered - line.cancelled,
    }));
  }

  cancel(orderId: string, at: string): OrderDocument {
    return this.change(this.order(orderId), at, (line) => ({
      ...line,
      cancelled: line.ordered - line.fulfilled,
    }));
  }

  return(orderId: string, at: string): OrderDocument {
    return this.change(this.order(orderId), at, (line) => ({ ...line, returned: line.fulfilled }));
  }

  /**
   * Cancels units of lines; the same key again answers the same and cancels nothing more. Throws
   * `ShopRefusal` on an unknown order or line (404) or when fewer units are left to cancel (409).
   */
  cancelUnits(
    orderId: string,
    units: Map<string, number>,
    at: string,
    key: string | undefined,
  ): OrderDocument {
    const repeated = key === undefined ? undefined : this.cancellations.get(key);
    if (repeated) return repeated;
    const order = this.order(orderId);
    for (const [lineId, quantity] of units) {
      const line = order.lines.find((candidate) => candidate.lineId === lineId);
      if (!line) throw new ShopRefusal(404, 'unknown-line', 'The order has no such line.');
      if (quantity > line.ordered - line.cancelled - line.fulfilled) {
        throw new ShopRefusal(409, 'already-done', 'The units are already shipped or cancelled.');
      }
    }
    const changed = this.change(order, at, (line) => ({
      ...line,
      cancelled: line.cancelled + (units.get(line.lineId) ?? 0),
    }));
    if (key !== undefined) this.cancellations.set(key, changed);
    return changed;
  }

  /** Throws `ShopRefusal` (404) when there is none. */
  order(orderId: string): OrderDocument {
    const order = this.orders.get(orderId);
    if (!order) throw new ShopRefusal(404, 'unknown-order', 'The shop has no such order.');
    return order;
  }

  private change(
    order: OrderDocument,
    at: string,
    changeLine: (line: OrderDocumentLine) => OrderDocumentLine,
  ): OrderDocument {
    const changed = {
      ...order,
      revision: order.revision + 1,
      // As the API writes times, whatever form the caller chose.
      placedAt: new Date(order.placedAt).toISOString(),
      updatedAt: new Date(at).toISOString(),
      lines: order.lines.map(changeLine),
    };
    this.orders.set(order.orderId, changed);
    this.lastChange.set(order.orderId, this.changes.length);
    this.changes.push(order.orderId);
    return changed;
  }
}

function newLine({ lineId, channelSku, quantityUnits }: SimulatedOrderLine): OrderDocumentLine {
  return { lineId, channelSku, ordered: quantityUnits, cancelled: 0, fulfilled: 0, returned: 0 };
}

function placeOf(cursor: string | null): number {
  if (cursor === null || cursor === '') return 0;
  if (!/^\d{1,9}$/.test(cursor))
    throw new ShopRefusal(422, 'invalid-cursor', 'The cursor is not one of ours.');
  return Number(cursor);
}
