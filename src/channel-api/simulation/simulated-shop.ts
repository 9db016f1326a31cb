import type { OrderDocument, OrderDocumentLine } from '../contract';
import type { SimulatedListing, SimulatedOrderLine, SimulatorOptions } from '../simulator';

/** What is shown of a SKU at one of the channel's locations; it has one, without a name, where it has none. */
export interface SimulatedItem {
  channelSku: string;
  channelLocation: string;
  quantityUnits: number;
  title: string;
  barcode?: string;
}

/** A pushed row as it came, before anything is checked. */
export interface PushedRow {
  channelSku: unknown;
  channelLocation?: unknown;
  quantityUnits: unknown;
  /** What the caller believes is shown. */
  expectedUnits?: unknown;
}

export interface PageOf<T> {
  items: T[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** What a channel answers instead of doing it. The status is REST's; a simulator words it as its channel does. */
export class SimulatorRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 409 | 422,
    readonly code: string,
    message: string,
    /** What is shown, where the refusal is about that. */
    readonly shownUnits?: number,
  ) {
    super(message);
    this.name = 'SimulatorRefusal';
  }
}

/**
 * What a simulated channel knows: items and orders. Changes of orders are kept as a list that only grows,
 * and a cursor is a place in it, so that an order changed during a read is seen again and none is missed.
 */
export class SimulatedShop {
  private readonly locations: readonly string[];
  /** In the order in which they were listed; found by SKU and location. */
  private readonly items: SimulatedItem[] = [];
  private readonly itemsByPlace = new Map<string, SimulatedItem>();
  private readonly orders = new Map<string, OrderDocument>();
  private readonly changes: string[] = [];
  private readonly lastChange = new Map<string, number>();
  private readonly cancellations = new Set<string>();

  constructor(
    private readonly options: Pick<
      SimulatorOptions,
      'locations' | 'compareAndSet' | 'restocksOnCancel' | 'cancelAfterMs'
    >,
    private readonly onChange: (order: OrderDocument) => void,
  ) {
    this.locations = options.locations ?? [''];
  }

  list(listings: SimulatedListing[]): void {
    for (const { channelSku, channelLocation, quantityUnits, title, barcode } of listings) {
      const place = placeOfStock(channelSku, channelLocation ?? this.locations[0]);
      const known = this.itemsByPlace.get(place);
      if (known) {
        known.quantityUnits = quantityUnits;
        known.title = title ?? channelSku;
        known.barcode = barcode;
        continue;
      }
      const item = {
        channelSku,
        channelLocation: channelLocation ?? (this.locations[0] as string),
        quantityUnits,
        title: title ?? channelSku,
        barcode,
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

  /** What is shown of one SKU, at its first location unless told; undefined where it is not listed. */
  item(channelSku: string, channelLocation = this.locations[0]): Readonly<SimulatedItem> | undefined {
    return this.itemsByPlace.get(placeOfStock(channelSku, channelLocation));
  }

  /**
   * Answers the item as it is then; pretending changes nothing. Throws `SimulatorRefusal` on an unknown SKU or
   * location (404), a quantity that is no whole number from 0 (422), or another one than was expected (409).
   */
  setQuantity(
    { channelSku, channelLocation, quantityUnits, expectedUnits }: PushedRow,
    pretend: boolean,
  ): SimulatedItem {
    const where = this.options.locations ? channelLocation : this.locations[0];
    const item =
      typeof channelSku === 'string' && typeof where === 'string'
        ? this.itemsByPlace.get(placeOfStock(channelSku, where))
        : undefined;
    if (!item) throw new SimulatorRefusal(404, 'unknown-sku', 'There is no such SKU there.');
    if (typeof quantityUnits !== 'number' || !Number.isSafeInteger(quantityUnits) || quantityUnits < 0) {
      throw new SimulatorRefusal(422, 'invalid-quantity', 'The quantity must be a whole number, 0 or more.');
    }
    const isCompared = this.options.compareAndSet === true && typeof expectedUnits === 'number';
    if (isCompared && expectedUnits !== item.quantityUnits) {
      throw new SimulatorRefusal(409, 'stale', 'Another quantity is shown.', item.quantityUnits);
    }
    if (pretend) return { ...item, quantityUnits };
    item.quantityUnits = quantityUnits;
    return item;
  }

  inventoryPage(cursor: string | null, limit: number): PageOf<SimulatedItem> {
    const start = placeOf(cursor);
    const items = this.items.slice(start, start + limit);
    return { items, nextCursor: start + limit < this.items.length ? String(start + limit) : null };
  }

  /** Orders changed at or after `since` (ISO 8601), each once as it stands, oldest change first. */
  ordersPage(since: string | null, cursor: string | null, limit: number): PageOf<OrderDocument> {
    const sinceMs = since === null ? -Infinity : Date.parse(since);
    if (Number.isNaN(sinceMs)) throw new SimulatorRefusal(422, 'invalid-since', 'The time must be ISO 8601.');
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
    if (this.orders.has(orderId))
      throw new SimulatorRefusal(409, 'duplicate-order', 'The order id is taken.');
    for (const line of lines) this.moveShown(line, -line.quantityUnits);
    const order: OrderDocument = { kind: 'order', orderId, revision: 0, placedAt, lines: lines.map(newLine) };
    return this.change(order, placedAt, (line) => line);
  }

  /** Ships so many units of each line; all that is not cancelled unless told. */
  fulfil(orderId: string, at: string, units?: ReadonlyMap<string, number>): OrderDocument {
    return this.change(this.order(orderId), at, (line) => {
      const left = line.ordered - line.cancelled - line.fulfilled;
      return {
        ...line,
        fulfilled: line.fulfilled + Math.min(left, units ? (units.get(line.lineId) ?? 0) : left),
      };
    });
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
   * A caller asks to cancel units of lines, at once or after `cancelAfterMs`. The same key again answers the
   * same and cancels nothing more. Throws `SimulatorRefusal` on an unknown order or line (404) or when fewer
   * units are left to cancel (409).
   */
  requestCancel(
    orderId: string,
    units: ReadonlyMap<string, number>,
    key: string | undefined,
  ): 'cancelled' | 'pending' {
    const { cancelAfterMs } = this.options;
    const answer = cancelAfterMs === undefined ? 'cancelled' : 'pending';
    if (key !== undefined && this.cancellations.has(key)) return answer;
    this.requireCancellable(orderId, units);
    if (key !== undefined) this.cancellations.add(key);
    if (cancelAfterMs === undefined) this.cancelNow(this.order(orderId), units, new Date().toISOString());
    else this.cancelLater(orderId, units, cancelAfterMs);
    return answer;
  }

  /** Throws `SimulatorRefusal` (404) when there is none. */
  order(orderId: string): OrderDocument {
    const order = this.orders.get(orderId);
    if (!order) throw new SimulatorRefusal(404, 'unknown-order', 'There is no such order.');
    return order;
  }

  private requireCancellable(orderId: string, units: ReadonlyMap<string, number>): void {
    const order = this.order(orderId);
    for (const [lineId, quantity] of units) {
      const line = order.lines.find((candidate) => candidate.lineId === lineId);
      if (!line) throw new SimulatorRefusal(404, 'unknown-line', 'The order has no such line.');
      if (quantity > line.ordered - line.cancelled - line.fulfilled) {
        throw new SimulatorRefusal(409, 'already-done', 'The units are already shipped or cancelled.');
      }
    }
  }

  /** What was shipped meanwhile is not cancelled any more: that is what `pending` warns of. */
  private cancelLater(orderId: string, units: ReadonlyMap<string, number>, delayMs: number): void {
    setTimeout(() => {
      try {
        this.requireCancellable(orderId, units);
        this.cancelNow(this.order(orderId), units, new Date().toISOString());
      } catch (error) {
        if (!(error instanceof SimulatorRefusal)) throw error;
      }
    }, delayMs).unref();
  }

  private cancelNow(order: OrderDocument, units: ReadonlyMap<string, number>, at: string): OrderDocument {
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
    throw new SimulatorRefusal(422, 'invalid-cursor', 'The cursor is not one of ours.');
  return Number(cursor);
}
