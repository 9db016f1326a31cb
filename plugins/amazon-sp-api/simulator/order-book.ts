import type { OrderDocument, OrderDocumentLine, SimulatedOrderLine, SimulatedShop } from 'onhand/channel-api';
import { SimulatorRefusal } from 'onhand/channel-api';
import type { OrderFailure } from './acknowledgement-feed';

/** What Amazon knows of an order beside its lines. */
export interface AmazonOrder {
  orderId: string;
  marketplaceId: string;
  fulfilledBy: 'MERCHANT' | 'AMAZON';
  /** Placed, and not yet paid for: it may still go away, and cannot be shipped. */
  isPending: boolean;
  /** The buyer asked to cancel, which is for the seller to decide. */
  buyerAsksToCancel: boolean;
  cancelledBy?: 'BUYER' | 'MERCHANT';
  document: OrderDocument;
}

export interface NewOrder {
  orderId: string;
  placedAt: string;
  lines: SimulatedOrderLine[];
  marketplaceId?: string;
  fulfilledBy?: AmazonOrder['fulfilledBy'];
  isPending?: boolean;
}

/** A return as the report of returns has it. */
export interface ReturnedLine {
  order: AmazonOrder;
  line: OrderDocumentLine;
  units: number;
  returnedAt: string;
}

export type OrderChange = 'OrderStatusChange' | 'BuyerRequestedChange';

/** Buyers' orders with what is particular to Amazon; counts and stock are the shop's. */
export class OrderBook {
  readonly returns: ReturnedLine[] = [];
  private readonly orders = new Map<string, AmazonOrder>();

  constructor(
    private readonly shop: SimulatedShop,
    private readonly homeMarketplaceId: string,
    private readonly onChange: (order: AmazonOrder, change: OrderChange) => void,
  ) {}

  place({ orderId, placedAt, lines, ...others }: NewOrder): OrderDocument {
    const { marketplaceId = this.homeMarketplaceId, fulfilledBy = 'MERCHANT', isPending = false } = others;
    const document = asAmazonTells(this.shop.place(orderId, placedAt, lines));
    const order = { orderId, marketplaceId, fulfilledBy, isPending, buyerAsksToCancel: false, document };
    this.orders.set(orderId, order);
    this.onChange(order, 'OrderStatusChange');
    return document;
  }

  /** The payment is through: what was pending can be shipped. */
  pay(orderId: string, at: string): OrderDocument {
    const order = this.get(orderId);
    order.isPending = false;
    return this.changed(order, () => this.shop.fulfil(orderId, this.later(order, at), new Map()));
  }

  /** All that is left, or so many units of each line. */
  ship(orderId: string, at: string, units?: ReadonlyMap<string, number>): OrderDocument {
    const order = this.get(orderId);
    return this.changed(order, () => this.shop.fulfil(orderId, this.later(order, at), units));
  }

  cancel(orderId: string, at: string): OrderDocument {
    const order = this.get(orderId);
    order.cancelledBy = 'BUYER';
    return this.changed(order, () => this.shop.cancel(orderId, this.later(order, at)));
  }

  /** Nothing is cancelled by it, and nothing may be taken for cancelled. */
  askToCancel(orderId: string, at: string): OrderDocument {
    const order = this.get(orderId);
    order.buyerAsksToCancel = true;
    const ask = () => this.shop.fulfil(orderId, this.later(order, at), new Map());
    return this.changed(order, ask, 'BuyerRequestedChange');
  }

  /** Goes into the report of returns, and changes nothing that the orders API or a notification says. */
  return(orderId: string, at: string): OrderDocument {
    const order = this.get(orderId);
    const before = order.document.lines;
    const document = asAmazonTells(this.shop.return(orderId, this.later(order, at)));
    for (const [index, line] of document.lines.entries()) {
      const units = line.returned - (before[index]?.returned ?? 0);
      if (units > 0) this.returns.push({ order, line, units, returnedAt: at });
    }
    const { revision, updatedAt } = order.document;
    return (order.document = { ...document, revision, updatedAt });
  }

  /** What the seller's feed says. Throws `SimulatorRefusal`. */
  failFor({ orderId, items }: OrderFailure): void {
    const order = this.get(orderId);
    const wanted =
      items.length > 0 ? items : order.document.lines.map(({ lineId }) => ({ orderItemId: lineId }));
    if (order.document.lines.some(({ fulfilled }) => fulfilled > 0)) {
      throw new SimulatorRefusal(
        409,
        'shipped',
        'The order cannot be cancelled: it was shipped, or a part of it.',
      );
    }
    const units = new Map<string, number>();
    for (const { orderItemId, quantityUnits } of wanted as OrderFailure['items']) {
      const line = order.document.lines.find(({ lineId }) => lineId === orderItemId);
      if (!line) throw new SimulatorRefusal(404, 'unknown-item', 'The order has no such item.');
      units.set(orderItemId, quantityUnits ?? line.ordered - line.cancelled);
    }
    order.cancelledBy = 'MERCHANT';
    this.shop.requestCancel(orderId, units, undefined);
    this.changed(order, () => this.shop.order(orderId));
  }

  /** Throws `SimulatorRefusal` (404) when there is none. */
  get(orderId: string): AmazonOrder {
    const order = this.orders.get(orderId);
    if (!order) throw new SimulatorRefusal(404, 'unknown-order', 'The order is not known.');
    return order;
  }

  all(): AmazonOrder[] {
    return [...this.orders.values()];
  }

  private changed(
    order: AmazonOrder,
    change: () => OrderDocument,
    kind: OrderChange = 'OrderStatusChange',
  ): OrderDocument {
    order.document = asAmazonTells(change());
    this.onChange(order, kind);
    return order.document;
  }

  /** Each change of an order has a time of its own: it is all there is to tell which came last. */
  private later({ document }: AmazonOrder, at: string): string {
    const earliestMs = Date.parse(document.updatedAt ?? document.placedAt) + 1;
    return new Date(Math.max(Date.parse(at), earliestMs)).toISOString();
  }
}

/** Amazon numbers no revisions: the time of the last change tells them apart. */
function asAmazonTells(document: OrderDocument): OrderDocument {
  return { ...document, revision: Date.parse(document.updatedAt ?? document.placedAt) };
}
