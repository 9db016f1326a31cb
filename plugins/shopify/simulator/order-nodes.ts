import { byPlace, type CallContext, connect, type Connected, type ConnectionArguments } from './connection';
import { gid } from './ids';
import {
  fulfilledUnits,
  type Fulfillment,
  type FulfillmentLine,
  type FulfillmentOrder,
  type FulfillmentOrderLine,
  fulfillmentStatus,
  type OrderLine,
  type OrderReturn,
  refundedUnits,
  type Refund,
  remainingUnits,
  type ReturnLine,
  type ShopOrder,
} from './order-model';
import type { Orders } from './orders';
import { compareText, compareTime, type FieldTest, parseSearch } from './search-query';
import type { Stock } from './stock';
import { apiTime, type StockNodes } from './stock-nodes';

type Node = Record<string, unknown>;
type SuggestArguments = { refundLineItems?: { quantity: number }[] | null };
type OrderArguments = ConnectionArguments & { query?: string | null; sortKey?: string };

const PRICE = 10;
const SHOWN_TO_ALL_MS = 60 * 86_400_000;

export interface OrderRules {
  /** Orders with a time that the API does not document. */
  spoiled: ReadonlySet<string>;
  /** The app may read orders of more than 60 days ago. */
  showsAll: boolean;
}

/** Orders and their parts as the API gives them. */
export class OrderNodes {
  constructor(
    private readonly orders: Orders,
    private readonly stock: Stock,
    private readonly stockNodes: StockNodes,
    private readonly rules: OrderRules,
  ) {}

  /** Sorted by `UPDATED_AT` or `CREATED_AT` where asked, and by id otherwise. */
  connection = ({ query, sortKey, ...args }: OrderArguments, context: CallContext): Connected<Node> => {
    const matches = parseSearch(query);
    const valueOf = (order: ShopOrder) => {
      if (sortKey === 'UPDATED_AT') return order.updatedAt;
      return sortKey === 'CREATED_AT' || sortKey === 'PROCESSED_AT' ? order.createdAt : 0;
    };
    const found = this.orders.all
      .filter((order) => this.isShown(order) && matches(fieldsOf(order)))
      .sort((a, b) => valueOf(a) - valueOf(b) || a.number - b.number);
    return connect(found, args, context, (order) => [valueOf(order), order.number], this.order);
  };

  order = (order: ShopOrder): Node => {
    const created = this.rules.spoiled.has(order.id) ? 'the day before yesterday' : apiTime(order.createdAt);
    return {
      ...{ __typename: 'Order', id: gid('Order', order.id) },
      ...{ test: order.test, sourceName: order.sourceName, presentmentCurrencyCode: 'USD' },
      ...{ createdAt: created, updatedAt: apiTime(order.updatedAt) },
      cancelledAt: order.cancelledAt === undefined ? null : apiTime(order.cancelledAt),
      retailLocation: () => this.location(order.retailLocationId),
      suggestedRefund: (args: SuggestArguments) => this.suggestedRefund(order, args),
      ...this.partsOf(order),
    };
  };

  refund = (order: ShopOrder, refund: Refund): Node => ({
    ...{ __typename: 'Refund', id: gid('Refund', refund.id), note: refund.note ?? null },
    refundLineItems: (args: ConnectionArguments, context: CallContext) =>
      connect(refund.lines, args, context, byPlace, (each) => ({
        id: gid('RefundLineItem', each.id),
        quantity: each.units,
        restockType: each.restockType,
        lineItem: () => this.line(order, each.line),
      })),
  });

  /** The global id of the payment that refunds of the order go back to. */
  saleOf = (order: ShopOrder): string => gid('OrderTransaction', String(order.number));

  private isShown({ createdAt }: ShopOrder): boolean {
    return this.rules.showsAll || createdAt > Date.now() - SHOWN_TO_ALL_MS;
  }

  private partsOf(order: ShopOrder): Node {
    type Args = ConnectionArguments;
    return {
      lineItems: (args: Args, context: CallContext) =>
        connect(order.lines, args, context, byPlace, (line) => this.line(order, line)),
      fulfillmentOrders: (args: Args, context: CallContext) =>
        connect(order.fulfillmentOrders, args, context, byPlace, (each) =>
          this.fulfillmentOrder(order, each),
        ),
      fulfillments: ({ first }: Args) =>
        order.fulfillments.slice(0, first ?? undefined).map((each) => this.fulfillment(order, each)),
      refunds: ({ first }: Args) =>
        order.refunds.slice(0, first ?? undefined).map((each) => this.refund(order, each)),
      returns: (args: Args, context: CallContext) =>
        connect(order.returns, args, context, byPlace, (each) => this.return(order, each)),
    };
  }

  private line(order: ShopOrder, line: OrderLine): Node {
    const current = line.quantity - refundedUnits(order, line);
    return {
      ...{ __typename: 'LineItem', id: gid('LineItem', line.id), sku: line.sku, quantity: line.quantity },
      currentQuantity: current,
      unfulfilledQuantity: remainingUnits(order, line),
      variant: () => (line.item ? this.stockNodes.variant(line.item) : null),
    };
  }

  private fulfillmentOrder(order: ShopOrder, { id, locationId, lines }: FulfillmentOrder): Node {
    const node = (part: FulfillmentOrderLine) => ({
      ...{ __typename: 'FulfillmentOrderLineItem', id: gid('FulfillmentOrderLineItem', part.id) },
      ...{ totalQuantity: part.total, remainingQuantity: part.remaining },
      lineItem: () => this.line(order, part.line),
    });
    return {
      ...{ __typename: 'FulfillmentOrder', id: gid('FulfillmentOrder', id) },
      status: () => statusOf(order, lines),
      assignedLocation: () => ({ location: this.location(locationId) }),
      lineItems: (args: ConnectionArguments, context: CallContext) =>
        connect(lines, args, context, byPlace, node),
    };
  }

  private fulfillment(order: ShopOrder, { id, locationId, lines }: Fulfillment): Node {
    return {
      ...{ __typename: 'Fulfillment', id: gid('Fulfillment', id), status: 'SUCCESS' },
      location: () => this.location(locationId),
      fulfillmentLineItems: (args: ConnectionArguments, context: CallContext) =>
        connect(lines, args, context, byPlace, (part) => this.fulfillmentLine(order, part)),
    };
  }

  private fulfillmentLine(order: ShopOrder, { id, line, units }: FulfillmentLine): Node {
    return { id: gid('FulfillmentLineItem', id), quantity: units, lineItem: () => this.line(order, line) };
  }

  private return(order: ShopOrder, { id, lines }: OrderReturn): Node {
    const node = (line: ReturnLine) => ({
      id: gid('ReverseFulfillmentOrderLineItem', line.id),
      fulfillmentLineItem: () => this.fulfillmentLine(order, line.shipped),
      dispositions:
        line.disposition === undefined
          ? []
          : [
              {
                id: gid('ReverseFulfillmentOrderDisposition', line.id),
                ...{ type: line.disposition, quantity: line.units },
              },
            ],
    });
    const reverse = {
      id: gid('ReverseFulfillmentOrder', id),
      lineItems: (args: ConnectionArguments, context: CallContext) =>
        connect(lines, args, context, byPlace, node),
    };
    return {
      ...{ __typename: 'Return', id: gid('Return', id) },
      reverseFulfillmentOrders: (args: ConnectionArguments, context: CallContext) =>
        connect([reverse], args, context, byPlace, (each) => each),
    };
  }

  /** Every unit costs the same, and all of it was paid by one transaction. */
  private suggestedRefund(order: ShopOrder, { refundLineItems }: SuggestArguments): Node {
    const units = (refundLineItems ?? []).reduce((sum, { quantity }) => sum + quantity, 0);
    const presentmentMoney = { amount: (units * PRICE).toFixed(2) };
    return {
      suggestedTransactions: [
        {
          gateway: 'bogus',
          parentTransaction: { id: this.saleOf(order) },
          amountSet: { presentmentMoney },
        },
      ],
    };
  }

  private location(id: string | undefined): Node | null {
    const location = this.stock.location(id);
    return location ? this.stockNodes.location(location) : null;
  }
}

function statusOf(order: ShopOrder, lines: readonly FulfillmentOrderLine[]): string {
  const remaining = lines.reduce((sum, part) => sum + part.remaining, 0);
  if (remaining === 0)
    return lines.some(({ line }) => fulfilledUnits(order, line) > 0) ? 'CLOSED' : 'CANCELLED';
  return lines.some((part) => part.remaining < part.total) ? 'IN_PROGRESS' : 'OPEN';
}

function fieldsOf(order: ShopOrder): FieldTest {
  return (field, compare, value) => {
    switch (field) {
      case 'id':
        return compareText(order.id, compare, value);
      case 'name':
        return compareText(`#${order.number}`, compare, value);
      case 'updated_at':
        return compareTime(order.updatedAt, compare, value);
      case 'created_at':
      case 'processed_at':
        return compareTime(order.createdAt, compare, value);
      case 'status':
        return value === 'any' || (value === 'cancelled') === (order.cancelledAt !== undefined);
      case 'test':
        return compareText(String(order.test), compare, value);
      case 'source_name':
        return compareText(order.sourceName, compare, value);
      case 'fulfillment_status':
        return compareText(fulfillmentStatus(order), compare, value);
      default:
        return false;
    }
  };
}
