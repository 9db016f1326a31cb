import type { OrderDocument, SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { fulfillmentRefusal } from './refusal';
import { asObject, jsonOf, numberIn, textIn } from './request-json';
import type { ScaledTime } from './scaled-time';
import { amountOf, type OrderExtras, type RefundView, totalOf, type Wire } from './wire';

const PAGE = { standard: 50, least: 1, most: 200 };
const MOST_IDS = 50;
/** "By default, when no filters are used this call returns all orders created within the last 90 days." */
const STANDARD_DAYS = 90;

/** What the Fulfillment API needs to know of orders. */
export interface OrderBook {
  /** In the order in which they were placed. */
  all(): OrderDocument[];
  /** Undefined where there is none. */
  find(orderId: string): OrderDocument | undefined;
  cancelRequestsOf(order: OrderDocument): OrderExtras['cancelRequests'];
}

interface Refund {
  refundId: string;
  requestedAt: number;
  amount: number;
}

/** The Fulfillment API: orders and refunds. */
export class OrdersApi {
  private readonly refunds = new Map<string, Refund>();

  constructor(
    private readonly book: OrderBook,
    private readonly wire: Wire,
    private readonly time: ScaledTime,
    /** How long a refund is pending, in seconds of eBay's. */
    private readonly refundSeconds: number,
  ) {}

  /**
   * `offset` counts records. The order of orders is documented nowhere; here the newest come first, so that a
   * caller who pages by the time of change does not get away with it.
   */
  list({ path, query }: SimulatedRequest): SimulatedReply {
    const limit = numberIn(query, 'limit', PAGE, () => fulfillmentRefusal(400, 31100, 'Invalid limit'));
    const offset = numberIn(query, 'offset', { standard: 0, least: 0, most: 1_000_000 }, () =>
      fulfillmentRefusal(400, 31000, 'Invalid offset'),
    );
    const ids = query.get('orderIds');
    const found = ids === null ? this.filtered(query.get('filter')) : this.named(ids.split(','));
    const orders = ids === null ? found.slice(offset, offset + limit) : found;
    const href = (from: number) => {
      const filter = query.get('filter');
      const narrowed = filter === null ? '' : `&filter=${encodeURIComponent(filter)}`;
      return `${path}?limit=${limit}&offset=${from}${narrowed}`;
    };
    return {
      status: 200,
      body: {
        href: href(offset),
        total: found.length,
        limit,
        offset,
        ...(offset > 0 && { prev: href(Math.max(0, offset - limit)) }),
        ...(offset + limit < found.length && { next: href(offset + limit) }),
        orders: orders.map((order) => this.wire.order(order, this.extrasOf(order), { isAlone: false })),
      },
    };
  }

  one(orderId: string): SimulatedReply {
    const order = this.book.find(orderId);
    if (!order) throw fulfillmentRefusal(404, 32100, 'Invalid order ID');
    return { status: 200, body: this.wire.order(order, this.extrasOf(order), { isAlone: true }) };
  }

  /** What is shipped of an order, as one shipment. */
  shipments(orderId: string): SimulatedReply {
    const order = this.book.find(orderId);
    if (!order) throw fulfillmentRefusal(404, 32100, 'Invalid order ID');
    const lineItems = order.lines
      .filter(({ fulfilled }) => fulfilled > 0)
      .map(({ lineId, fulfilled }) => ({ lineItemId: lineId, quantity: fulfilled }));
    const shippedDate = order.updatedAt;
    const shipment = { fulfillmentId: '9405509699937003457459', shippedDate, lineItems };
    const fulfillments = lineItems.length === 0 ? [] : [shipment];
    return { status: 200, body: { total: fulfillments.length, fulfillments } };
  }

  /** "Processed asynchronously": pending at first; what became of it stands in the order. */
  refund(orderId: string, request: SimulatedRequest): SimulatedReply {
    const body = jsonOf(request);
    const order = this.book.find(orderId);
    if (!order) throw fulfillmentRefusal(404, 34913, 'Can not find the order.');
    if (textIn(body.reasonForRefund) === undefined)
      throw fulfillmentRefusal(400, 34903, 'The refund reason must be specified.');
    if (body.orderLevelRefundAmount === undefined && body.refundItems === undefined)
      throw fulfillmentRefusal(400, 34905, 'Either orderLevelRefundAmount or refundItems must be specified.');
    const total = totalOf(order);
    const amount =
      body.orderLevelRefundAmount === undefined ? total : Number(asObject(body.orderLevelRefundAmount).value);
    if (!(amount > 0)) throw fulfillmentRefusal(400, 34907, 'The amount value must be positive.');
    if (amount > total) throw fulfillmentRefusal(400, 34915, 'The refund amount exceeds order amount.');
    if (this.refunds.has(orderId)) throw fulfillmentRefusal(400, 34917, 'This order was already refunded.');
    return { status: 200, body: this.startRefund(orderId, amount) };
  }

  /** As eBay itself does where a paid order is cancelled. Nothing where it was refunded already. */
  startRefund(orderId: string, amount: number): { refundId: string; refundStatus: 'PENDING' } {
    const refundId = `5${String(this.refunds.size + 1).padStart(9, '0')}`;
    if (!this.refunds.has(orderId)) this.refunds.set(orderId, { refundId, requestedAt: Date.now(), amount });
    return { refundId, refundStatus: 'PENDING' };
  }

  /** As they stand now. */
  refundsOf(orderId: string): RefundView[] {
    const refund = this.refunds.get(orderId);
    return refund ? [this.refundView(refund)] : [];
  }

  private extrasOf(order: OrderDocument): OrderExtras {
    return {
      cancelRequests: this.book.cancelRequestsOf(order),
      refunds: this.refundsOf(order.orderId),
    };
  }

  private refundView({ refundId, requestedAt, amount }: Refund): RefundView {
    const isDone = Date.now() >= requestedAt + this.time.msOf(this.refundSeconds);
    return {
      refundId,
      refundStatus: isDone ? 'REFUNDED' : 'PENDING',
      refundDate: new Date(requestedAt).toISOString(),
      amount: amountOf(amount),
    };
  }

  private named(orderIds: string[]): OrderDocument[] {
    if (orderIds.length > MOST_IDS)
      throw fulfillmentRefusal(
        400,
        30900,
        `Exceeded maximum number of order IDs (the current limit is ${MOST_IDS})`,
      );
    return orderIds.flatMap((orderId) => this.book.find(orderId) ?? []);
  }

  private filtered(filter: string | null): OrderDocument[] {
    const orders = this.book.all().reverse();
    const ranges = rangesIn(filter);
    // "If creationdate and lastmodifieddate are both included, only creationdate is used."
    const range = ranges.get('creationdate') ?? ranges.get('lastmodifieddate');
    if (!range) {
      const since = Date.now() - this.time.msOf(STANDARD_DAYS * 86_400);
      return orders.filter(({ placedAt }) => Date.parse(placedAt) >= since);
    }
    const isCreation = ranges.has('creationdate');
    return orders.filter(({ placedAt, updatedAt }) => {
      const at = Date.parse(isCreation ? placedAt : (updatedAt ?? placedAt));
      return at >= range.from && at <= range.to;
    });
  }
}

/** `name:[from..to]`, separated by commas; an end that is left open is now. */
function rangesIn(filter: string | null): Map<string, { from: number; to: number }> {
  const ranges = new Map<string, { from: number; to: number }>();
  for (const part of filter === null ? [] : filter.split(/,(?![^[]*\])/)) {
    const [, name = '', from = '', to = ''] = /^(\w+):\[([^\]]*?)\.\.([^\]]*)\]$/.exec(part.trim()) ?? [];
    if (!['creationdate', 'lastmodifieddate'].includes(name)) {
      if (part.trim().startsWith('orderfulfillmentstatus:')) continue;
      throw fulfillmentRefusal(400, 30700, `Invalid filter name: ${part.split(':')[0]}`);
    }
    ranges.set(name, { from: timeIn(from), to: to === '' ? Infinity : timeIn(to) });
  }
  return ranges;
}

function timeIn(text: string): number {
  if (text === '') throw fulfillmentRefusal(400, 30820, 'Start date is missing');
  const at = Date.parse(text);
  if (Number.isNaN(at) || !text.endsWith('Z')) throw fulfillmentRefusal(400, 30810, 'Invalid date format');
  // A clock that runs a little ahead is borne with.
  if (at > Date.now() + 60_000)
    throw fulfillmentRefusal(400, 30850, "Start and end dates can't be in the future");
  return at;
}
