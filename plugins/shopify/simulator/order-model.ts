import type { OrderDocument } from 'onhand/channel-api';
import type { StockItem } from './stock';

/** `RETURN` is of units that were shipped, `CANCEL` of units that were not; both put them back on sale. */
export type RestockType = 'CANCEL' | 'RETURN' | 'NO_RESTOCK';

/** Times are ms. Shopify tells them by the second, and so they are kept. */
export interface ShopOrder {
  readonly id: string;
  readonly number: number;
  readonly test: boolean;
  /** `web`, or `pos` for a till. */
  readonly sourceName: string;
  /** Where the till stands. */
  readonly retailLocationId: string | undefined;
  readonly createdAt: number;
  updatedAt: number;
  cancelledAt: number | undefined;
  cancelReason: string | undefined;
  /** For the staff, and whether the buyer was told. */
  cancellation: { staffNote: string | undefined; notified: boolean } | undefined;
  readonly lines: OrderLine[];
  readonly fulfillmentOrders: FulfillmentOrder[];
  readonly fulfillments: Fulfillment[];
  readonly refunds: Refund[];
  readonly returns: OrderReturn[];
}

export interface OrderLine {
  readonly id: string;
  readonly sku: string;
  /** Absent where the variant is gone, or never was. */
  readonly item: StockItem | undefined;
  /** Ever ordered: what an edit or a refund takes away stays in it. */
  quantity: number;
}

/** The part of an order that one location is to ship. */
export interface FulfillmentOrder {
  readonly id: string;
  readonly locationId: string;
  readonly lines: FulfillmentOrderLine[];
}

export interface FulfillmentOrderLine {
  readonly id: string;
  readonly line: OrderLine;
  total: number;
  /** Not shipped yet, and not taken away. */
  remaining: number;
}

export interface Fulfillment {
  readonly id: string;
  readonly locationId: string;
  readonly at: number;
  readonly lines: FulfillmentLine[];
}

export interface FulfillmentLine {
  readonly id: string;
  readonly line: OrderLine;
  readonly units: number;
}

export interface Refund {
  readonly id: string;
  readonly at: number;
  readonly note: string | undefined;
  readonly lines: RefundLine[];
}

export interface RefundLine {
  readonly id: string;
  readonly line: OrderLine;
  readonly units: number;
  /** Of these, units that had not been shipped. */
  readonly unshipped: number;
  readonly restockType: RestockType;
  readonly locationId: string | undefined;
}

/** Units on their way back. What became of them is known once they are there. */
export interface OrderReturn {
  readonly id: string;
  status: 'OPEN' | 'CLOSED';
  readonly lines: ReturnLine[];
}

export interface ReturnLine {
  readonly id: string;
  readonly shipped: FulfillmentLine;
  readonly units: number;
  disposition: 'RESTOCKED' | 'NOT_RESTOCKED' | undefined;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** Units of a line still to be shipped. */
export function remainingUnits(order: ShopOrder, line: OrderLine): number {
  const parts = order.fulfillmentOrders.flatMap(({ lines }) => lines.filter((part) => part.line === line));
  return sum(parts.map(({ remaining }) => remaining));
}

export function fulfilledUnits(order: ShopOrder, line: OrderLine): number {
  const parts = order.fulfillments.flatMap(({ lines }) => lines.filter((part) => part.line === line));
  return sum(parts.map(({ units }) => units));
}

export function refundedUnits(order: ShopOrder, line: OrderLine): number {
  return sum(refundLines(order, line).map(({ units }) => units));
}

/** Units that came back and were put on the shelf again, with a refund or by a return. */
export function returnedUnits(order: ShopOrder, line: OrderLine): number {
  const refunded = refundLines(order, line).filter(({ restockType }) => restockType === 'RETURN');
  const restocked = order.returns
    .flatMap(({ lines }) => lines)
    .filter(({ shipped, disposition }) => shipped.line === line && disposition === 'RESTOCKED');
  return sum([...refunded, ...restocked].map(({ units }) => units));
}

function refundLines(order: ShopOrder, line: OrderLine): RefundLine[] {
  return order.refunds.flatMap(({ lines }) => lines.filter((part) => part.line === line));
}

/** `UNFULFILLED`, `PARTIALLY_FULFILLED` or `FULFILLED`, by what is left to ship. */
export function fulfillmentStatus(order: ShopOrder): 'UNFULFILLED' | 'PARTIALLY_FULFILLED' | 'FULFILLED' {
  if (order.fulfillments.length === 0) return 'UNFULFILLED';
  return order.lines.some((line) => remainingUnits(order, line) > 0) ? 'PARTIALLY_FULFILLED' : 'FULFILLED';
}

/** The order in the host's words, as this simulator understands its own order; no plugin has a part in it. */
export function documentOf(order: ShopOrder): OrderDocument {
  return {
    kind: 'order',
    orderId: order.id,
    revision: order.updatedAt,
    placedAt: new Date(order.createdAt).toISOString(),
    updatedAt: new Date(order.updatedAt).toISOString(),
    lines: order.lines.map((line) => {
      const fulfilled = fulfilledUnits(order, line);
      return {
        lineId: line.id,
        channelSku: line.sku,
        ordered: line.quantity,
        cancelled: line.quantity - fulfilled - remainingUnits(order, line),
        fulfilled,
        returned: returnedUnits(order, line),
      };
    }),
  };
}
