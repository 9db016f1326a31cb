import type {
  OrderDocument,
  OrderDocumentLine,
  SimulatedListing,
  SimulatedOrderLine,
  SimulatorOptions,
} from 'onhand/channel-api';

/** What the shop shows of a SKU at one of its locations; it has one, without a name, where it has none. */
export interface ShopItem {
  channelSku: string;
  channelLocation: string;
  quantityUnits: number;
  title: string;
}

/** A pushed row, as it came. */
export interface Push {
  sku?: unknown;
  location?: unknown;
  quantity?: unknown;
  /** What the caller believes is shown. */
  expected?: unknown;
}

export interface PageOf<T> {
  items: T[];
  nextCursor: string | null;
}

/** A refusal as the shop words it, with the status it answers; `shown` where that is what it is about. */
export class ShopRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 409 | 422,
    readonly code: string,
    message: string,
    readonly shown?: number,
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
  onChange: (order: OrderDocument) => void = () => {};
  private readonly locations: readonly string[];
  /** In the order in which they were listed; found by SKU and location. */
  private readonly items: ShopItem[] = [];
  private readonly itemsByPlace = new Map<string, ShopItem>();
  private readonly orders = new Map<string, OrderDocument>();
  private readonly changes: string[] = [];
  private readonly lastChange = new Map<string, number>();
  private readonly cancellations = new Map<string, OrderDocument>();

  constructor(
    private readonly options: Pick<SimulatorOptions, 'locations' | 'compareAndSet' | 'restocksOnCancel'>,
  ) {
    this.locations = options.locations ?? [''];
  }

  list(listings: SimulatedListing[]): void {
    for (const { channelSku, channelLocation, quantityUnits, title } of listings) {
      const place = placeOfStock(channelSku, channelLocation ?? this.locations[0]);
      const known = this.itemsByPlace.get(place);
      if (known) {
        known.quantityUnits = quantityUnits;
        known.title = title ?? channelSku;
        continue;
      }
      const item = {
        channelSku,
        channelLocation: channelLocation ?? (this.locations[0] as string),
        quantityUnits,
        title: title ?? channelSku,
      };
      this.itemsByPlace.set(place, item);
      this.items.push(item);
    }
  }

  shown(channelLocation?: string): Map<string, number> {
    const shown = new Map<string, number>();
    for (const item of this.items) {
      if (channelLocation !== undefined && item.channelLocation !== channelLocation) continue;
      shown.set(item.channelSku, (shown.get(item.channelSku) ?? 0) + item.quantityUnits);
    }
    return shown;
  }

  /**
   * Answers the item as it is then; pretending changes nothing. Throws `ShopRefusal` on an unknown SKU or
   * location (404), a quantity that is no whole number from 0 (422), or another one than was expected (409).
   */
  setQuantity({ sku, location, quantity, expected }: Push, pretend: boolean): ShopItem {
    const where = this.options.locations ? location : this.locations[0];
    const item =
      typeof sku === 'string' && typeof where === 'string'
        ? this.itemsByPlace.get(placeOfStock(sku, where))
        : undefined;
    if (!item) throw new ShopRefusal(404, 'unknown-sku', 'The shop has no such SKU there.');
    if (typeof quantity !== 'number' || !Number.isSafeInteger(quantity) || quantity < 0) {
      throw new ShopRefusal(422, 'invalid-quantity', 'The quantity must be a whole number, 0 or more.');
    }
    const isChecked = this.options.compareAndSet === true && expected !== undefined && expected !== null;
    if (isChecked && expected !== item.quantityUnits) {
      throw new ShopRefusal(409, 'stale', 'The shop shows another quantity.', item.quantityUnits);
    }
    if (pretend) return { ...item, quantityUnits: quantity };
    item.quantityUnits = quantity;
    return item;
  }

  inventoryPage(cursor: string | null, limit: number): PageOf<ShopItem> {
    const start = placeOf(cursor);
    const items = this.items.slice(start, start + limit);
    return { items, nextCursor: start + limit < this.items.length ? String(start + limit) : null };
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
    for (const line of lines) this.moveShown(line, -line.quantityUnits);
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
    const order = this.order(orderId);
    const units = new Map(
      order.lines.map((line) => [line.lineId, line.ordered - line.fulfilled - line.cancelled]),
    );
    return this.cancelNow(order, units, at);
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
    this.requireCancellable(orderId, units, key);
    const changed = this.cancelNow(this.order(orderId), units, at);
    if (key !== undefined) this.cancellations.set(key, changed);
    return changed;
  }

  /** Throws as `cancelUnits` does, and changes nothing. */
  requireCancellable(orderId: string, units: Map<string, number>, key: string | undefined): void {
    if (key !== undefined && this.cancellations.has(key)) return;
    const order = this.order(orderId);
    for (const [lineId, quantity] of units) {
      const line = order.lines.find((candidate) => candidate.lineId === lineId);
      if (!line) throw new ShopRefusal(404, 'unknown-line', 'The order has no such line.');
      if (quantity > line.ordered - line.cancelled - line.fulfilled) {
        throw new ShopRefusal(409, 'already-done', 'The units are already shipped or cancelled.');
      }
    }
  }

  /** Throws `ShopRefusal` (404) when there is none. */
  order(orderId: string): OrderDocument {
    const order = this.orders.get(orderId);
    if (!order) throw new ShopRefusal(404, 'unknown-order', 'The shop has no such order.');
    return order;
  }

  private cancelNow(order: OrderDocument, units: Map<string, number>, at: string): OrderDocument {
    if (this.options.restocksOnCancel) {
      for (const line of order.lines) this.moveShown(line, units.get(line.lineId) ?? 0);
    }
    return this.change(order, at, (line) => ({
      ...line,
      cancelled: line.cancelled + (units.get(line.lineId) ?? 0),
    }));
  }

  private moveShown(line: { channelSku: string; channelLocation?: string }, units: number): void {
    const item = this.itemsByPlace.get(
      placeOfStock(line.channelSku, line.channelLocation ?? this.locations[0]),
    );
    if (item) item.quantityUnits = Math.max(item.quantityUnits + units, 0);
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
    this.onChange(changed);
    return changed;
  }
}

function newLine({ quantityUnits, ...line }: SimulatedOrderLine): OrderDocumentLine {
  return { ...line, ordered: quantityUnits, cancelled: 0, fulfilled: 0, returned: 0 };
}

/** No SKU or location holds a line break. */
function placeOfStock(channelSku: string, channelLocation = ''): string {
  return `${channelSku}\n${channelLocation}`;
}

function placeOf(cursor: string | null): number {
  if (cursor === null || cursor === '') return 0;
  if (!/^\d{1,9}$/.test(cursor))
    throw new ShopRefusal(422, 'invalid-cursor', 'The cursor is not one of ours.');
  return Number(cursor);
}
