import type { SimulatedOrderLine } from 'onhand/channel-api';
import type { IdSequence } from './ids';
import {
  type FulfillmentOrder,
  type FulfillmentOrderLine,
  fulfilledUnits,
  fulfillmentStatus,
  type OrderLine,
  refundedUnits,
  type Refund,
  type RefundLine,
  remainingUnits,
  type RestockType,
  type ShopOrder,
} from './order-model';
import { refusal } from './refusal';
import type { Stock, StockLevel } from './stock';

export interface NewOrder {
  orderId: string;
  placedAt: string;
  lines: readonly SimulatedOrderLine[];
  /** Flagged as a test, as development stores and the bogus gateway flag theirs. */
  test?: boolean;
  /** Sold at the till of this location: shipped at once, also where nothing is available any more. */
  posLocation?: string;
}

export interface RefundRequest {
  lines: readonly { lineId: string; units: number; restockType: RestockType; locationId?: string }[];
  note?: string;
  at: string;
}

export interface Cancellation {
  reason?: string;
  restock?: boolean;
  /** For the staff. */
  staffNote?: string;
  /** The buyer is told. */
  notified?: boolean;
}

/** A topic and what its webhook is about: the order, or a part of it. */
export interface OrderNews {
  topic: string;
  order: ShopOrder;
  refund?: Refund;
  returnId?: string;
  edit?: { additions: EditedLine[]; removals: EditedLine[] };
}

export interface EditedLine {
  lineId: string;
  delta: number;
}

/**
 * The shop's orders, in Shopify's terms: lines keep what was ever ordered, fulfilment orders say which
 * location ships what, and refunds say what was taken away and whether it went back on the shelf.
 */
export class Orders {
  private readonly orders = new Map<string, ShopOrder>();

  constructor(
    private readonly stock: Stock,
    private readonly ids: IdSequence,
    private readonly onChange: (news: OrderNews[]) => void,
  ) {}

  get all(): readonly ShopOrder[] {
    return [...this.orders.values()];
  }

  find(orderId: string | undefined): ShopOrder | undefined {
    return orderId === undefined ? undefined : this.orders.get(orderId);
  }

  /** Throws `RangeError` when there is none. */
  get(orderId: string): ShopOrder {
    const order = this.orders.get(orderId);
    if (!order) throw new RangeError(`the simulated shop has no order ${orderId}`);
    return order;
  }

  place({ orderId, placedAt, lines, test = false, posLocation }: NewOrder): ShopOrder {
    if (this.orders.has(orderId)) throw new RangeError(`the order id ${orderId} is taken`);
    const at = secondsOf(placedAt);
    const order: ShopOrder = {
      ...{ id: orderId, number: 1001 + this.orders.size, test, createdAt: at, updatedAt: at },
      ...{ sourceName: posLocation === undefined ? 'web' : 'pos', retailLocationId: posLocation },
      ...{ cancelledAt: undefined, cancelReason: undefined, cancellation: undefined },
      ...{ lines: [], fulfillmentOrders: [], fulfillments: [], refunds: [], returns: [] },
    };
    this.orders.set(orderId, order);
    for (const line of lines)
      this.addLine(order, { ...line, channelLocation: posLocation ?? line.channelLocation });
    if (posLocation !== undefined) this.ship(order, at);
    return this.changed(order, at, [{ topic: 'orders/create', order }]);
  }

  /** An edit sets how many of a line are wanted; a line that is not there is added. */
  edit(orderId: string, wanted: readonly SimulatedOrderLine[], at: string, restock = true): ShopOrder {
    const order = this.get(orderId);
    const edit = { additions: [] as EditedLine[], removals: [] as EditedLine[] };
    for (const change of wanted) {
      const line = order.lines.find(({ id }) => id === change.lineId);
      const delta = change.quantityUnits - (line ? line.quantity - refundedUnits(order, line) : 0);
      if (!line) this.addLine(order, change);
      else if (delta > 0) this.grow(order, line, delta);
      else if (delta < 0) this.shrink(order, line, -delta, restock, at);
      const edited = { lineId: change.lineId, delta: Math.abs(delta) };
      if (delta !== 0) (delta > 0 ? edit.additions : edit.removals).push(edited);
    }
    return this.changed(order, secondsOf(at), [{ topic: 'orders/edited', order, edit }]);
  }

  /** Ships what is left of all lines, or so many units of the named ones. */
  fulfil(orderId: string, at: string, units?: ReadonlyMap<string, number>): ShopOrder {
    const order = this.get(orderId);
    this.ship(order, secondsOf(at), units);
    const topic =
      fulfillmentStatus(order) === 'FULFILLED' ? 'orders/fulfilled' : 'orders/partially_fulfilled';
    return this.changed(order, secondsOf(at), [{ topic, order }]);
  }

  /** Gives a part of a fulfilment order to another location, as a merchant does who ships from two. */
  move(orderId: string, lineId: string, from: string, to: string, units: number): ShopOrder {
    const order = this.get(orderId);
    const part = order.fulfillmentOrders
      .filter(({ locationId }) => locationId === from)
      .flatMap(({ lines }) => lines)
      .find(({ line, remaining }) => line.id === lineId && remaining >= units);
    if (!part) throw new RangeError(`${from} does not ship ${units} units of the line ${lineId}`);
    part.remaining -= units;
    part.total -= units;
    this.stock.release(this.level(part.line, from), units, true);
    this.assign(order, part.line, to, units);
    return this.changed(order, secondsOf(new Date().toISOString()), []);
  }

  /**
   * Cancels what was not shipped. Throws `ShopRefusal` on an order that is cancelled, has been shipped from, or
   * has an open return (shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel).
   */
  cancel(
    orderId: string,
    at: string,
    { reason = 'OTHER', restock = false, staffNote, notified = false }: Cancellation = {},
  ): ShopOrder {
    const order = this.get(orderId);
    this.requireCancellable(order);
    const lines = order.lines
      .map((line) => ({ lineId: line.id, units: remainingUnits(order, line) }))
      .filter(({ units }) => units > 0);
    const restockType: RestockType = restock ? 'CANCEL' : 'NO_RESTOCK';
    const refund = this.takeAway(order, {
      lines: lines.map((line) => ({ ...line, restockType })),
      at,
    });
    order.cancelledAt = secondsOf(at);
    order.cancelReason = reason;
    order.cancellation = { staffNote, notified };
    return this.changed(order, secondsOf(at), [
      { topic: 'orders/cancelled', order },
      { topic: 'refunds/create', order, refund },
    ]);
  }

  requireCancellable(order: ShopOrder): void {
    if (order.cancelledAt !== undefined)
      throw refusal(['orderId'], 'Cannot cancel an order that has already been canceled', 'INVALID');
    if (order.fulfillments.length > 0)
      throw refusal(['orderId'], 'Cannot cancel an order that has fulfillments', 'INVALID');
    if (order.returns.some(({ status }) => status === 'OPEN'))
      throw refusal(['orderId'], 'Cannot cancel an order that has active returns', 'INVALID');
  }

  /** Throws `ShopRefusal` on a line that is not there, or more units than are left to refund. */
  refund(orderId: string, request: RefundRequest): Refund {
    const order = this.get(orderId);
    const refund = this.takeAway(order, request);
    this.changed(order, secondsOf(request.at), [{ topic: 'refunds/create', order, refund }]);
    return refund;
  }

  /** A buyer is to send units back; nothing has come back yet. Answers the return's id. */
  openReturn(orderId: string, units: ReadonlyMap<string, number>, at: string): string {
    const order = this.get(orderId);
    const lines = [...units].map(([lineId, count]) => {
      const shipped = order.fulfillments.flatMap((each) => each.lines).find(({ line }) => line.id === lineId);
      if (!shipped) throw new RangeError(`nothing of the line ${lineId} was shipped`);
      return { id: this.ids.next(), shipped, units: count, disposition: undefined };
    });
    const returnId = this.ids.next();
    order.returns.push({ id: returnId, status: 'OPEN', lines });
    this.changed(order, secondsOf(at), [{ topic: 'returns/approve', order, returnId }]);
    return returnId;
  }

  /** What a return sent back is there, and goes on the shelf or not. */
  receiveReturn(orderId: string, returnId: string, at: string, restock = true): ShopOrder {
    const order = this.get(orderId);
    const found = order.returns.find(({ id }) => id === returnId);
    if (!found) throw new RangeError(`the order ${orderId} has no return ${returnId}`);
    found.status = 'CLOSED';
    for (const line of found.lines) {
      line.disposition = restock ? 'RESTOCKED' : 'NOT_RESTOCKED';
      const from = this.shippedFrom(order, line.shipped.line);
      if (restock) this.stock.restock(this.level(line.shipped.line, from), line.units);
    }
    return this.changed(order, secondsOf(at), [
      { topic: 'returns/process', order, returnId },
      { topic: 'returns/close', order, returnId },
    ]);
  }

  /** All that was shipped and not refunded comes back, is refunded and goes on the shelf. */
  returnAll(orderId: string, at: string): ShopOrder {
    const order = this.get(orderId);
    const lines = order.lines.map((line) => ({
      lineId: line.id,
      units: fulfilledUnits(order, line) - this.refundedOfShipped(order, line),
      restockType: 'RETURN' as const,
    }));
    this.refund(orderId, { lines: lines.filter(({ units }) => units > 0), at });
    return order;
  }

  private addLine(
    order: ShopOrder,
    { lineId, channelSku, channelLocation, quantityUnits }: SimulatedOrderLine,
  ): void {
    const item = this.stock.ofSku(channelSku)[0];
    const line: OrderLine = { id: lineId, sku: channelSku, item, quantity: quantityUnits };
    order.lines.push(line);
    const stocked = [...(item?.levels.values() ?? [])].find(({ available }) => available >= quantityUnits);
    const locationId = channelLocation ?? stocked?.location.id ?? this.stock.locations[0]?.id;
    this.assign(order, line, locationId as string, quantityUnits);
  }

  private assign(order: ShopOrder, line: OrderLine, locationId: string, units: number): void {
    let part = order.fulfillmentOrders.find((each) => each.locationId === locationId);
    if (!part) {
      part = { id: this.ids.next(), locationId, lines: [] } satisfies FulfillmentOrder;
      order.fulfillmentOrders.push(part);
    }
    const known = part.lines.find((each) => each.line === line);
    if (known) {
      known.total += units;
      known.remaining += units;
    } else part.lines.push({ id: this.ids.next(), line, total: units, remaining: units });
    this.stock.commit(this.level(line, locationId), units);
  }

  private grow(order: ShopOrder, line: OrderLine, units: number): void {
    line.quantity += units;
    const first = order.fulfillmentOrders.find(({ lines }) => lines.some((each) => each.line === line));
    this.assign(order, line, (first as FulfillmentOrder).locationId, units);
  }

  /** Shopify records what an edit removes as a refund without money. */
  private shrink(order: ShopOrder, line: OrderLine, units: number, restock: boolean, at: string): void {
    const restockType: RestockType = restock ? 'CANCEL' : 'NO_RESTOCK';
    this.takeAway(order, { lines: [{ lineId: line.id, units, restockType }], at });
  }

  private ship(order: ShopOrder, at: number, units?: ReadonlyMap<string, number>): void {
    const left = new Map(units ?? order.lines.map((line) => [line.id, remainingUnits(order, line)]));
    for (const { locationId, lines } of order.fulfillmentOrders) {
      const shipped = lines.flatMap((part) => {
        const count = Math.min(part.remaining, left.get(part.line.id) ?? 0);
        if (count === 0) return [];
        part.remaining -= count;
        left.set(part.line.id, (left.get(part.line.id) as number) - count);
        this.stock.release(this.level(part.line, locationId), count, false);
        return [{ id: this.ids.next(), line: part.line, units: count }];
      });
      if (shipped.length > 0)
        order.fulfillments.push({ id: this.ids.next(), locationId, at, lines: shipped });
    }
  }

  private takeAway(order: ShopOrder, { lines, note, at }: RefundRequest): Refund {
    const checked = lines.map((wanted, index) => ({
      ...wanted,
      line: this.refundable(order, wanted, index),
    }));
    const refund: Refund = {
      ...{ id: this.ids.next(), at: secondsOf(at), note },
      lines: checked.map(({ line, units, restockType, locationId }) => {
        const unshipped = restockType === 'RETURN' ? 0 : Math.min(units, remainingUnits(order, line));
        const from = this.unassign(order, line, unshipped, restockType === 'CANCEL');
        const to = locationId ?? (restockType === 'RETURN' ? this.shippedFrom(order, line) : from);
        if (restockType === 'RETURN') this.stock.restock(this.level(line, to), units);
        const where = restockType === 'NO_RESTOCK' ? undefined : to;
        return {
          id: this.ids.next(),
          line,
          units,
          unshipped,
          restockType,
          locationId: where,
        } satisfies RefundLine;
      }),
    };
    order.refunds.push(refund);
    return refund;
  }

  private refundable(
    order: ShopOrder,
    { lineId, units, restockType }: RefundRequest['lines'][number],
    index: number,
  ): OrderLine {
    const line = order.lines.find(({ id }) => id === lineId);
    const field = ['input', 'refundLineItems', String(index)];
    if (!line) throw refusal([...field, 'lineItemId'], 'Line item does not belong to the order');
    const most = {
      CANCEL: remainingUnits(order, line),
      RETURN: fulfilledUnits(order, line) - this.refundedOfShipped(order, line),
      NO_RESTOCK: line.quantity - refundedUnits(order, line),
    }[restockType];
    if (units < 1 || units > most)
      throw refusal([...field, 'quantity'], 'Quantity cannot refund more items than were purchased');
    return line;
  }

  /** Takes units out of what is to be shipped; answers the location that would have. */
  private unassign(order: ShopOrder, line: OrderLine, units: number, restock: boolean): string | undefined {
    let left = units;
    let from: string | undefined;
    for (const { locationId, lines } of order.fulfillmentOrders) {
      for (const part of lines.filter((each): each is FulfillmentOrderLine => each.line === line)) {
        const count = Math.min(part.remaining, left);
        if (count === 0) continue;
        part.remaining -= count;
        left -= count;
        from ??= locationId;
        this.stock.release(this.level(line, locationId), count, restock);
      }
    }
    return from;
  }

  private refundedOfShipped(order: ShopOrder, line: OrderLine): number {
    const lines = order.refunds.flatMap((refund) => refund.lines).filter((each) => each.line === line);
    return lines.reduce((total, each) => total + each.units - each.unshipped, 0);
  }

  private shippedFrom(order: ShopOrder, line: OrderLine): string | undefined {
    return order.fulfillments.find(({ lines }) => lines.some((each) => each.line === line))?.locationId;
  }

  private level(line: OrderLine, locationId: string | undefined): StockLevel | undefined {
    return locationId === undefined ? undefined : line.item?.levels.get(locationId);
  }

  private changed(order: ShopOrder, at: number, news: OrderNews[]): ShopOrder {
    order.updatedAt = Math.max(order.updatedAt, at);
    const isNew = news.some(({ topic }) => topic === 'orders/create');
    this.onChange(isNew ? news : [...news, { topic: 'orders/updated', order }]);
    return order;
  }
}

/** Shopify tells the times of orders by the second. */
export function secondsOf(iso: string): number {
  return Math.floor(Date.parse(iso) / 1000) * 1000;
}
