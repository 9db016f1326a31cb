import type { OrderDocument, SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { postOrderRefusal } from './refusal';
import { jsonOf, numberIn, textIn } from './request-json';
import type { EbayStock } from './stock';
import { amountOf, type CancelRequestView, isCancelled, MARKETPLACE, SELLER, totalOf } from './wire';

const PAGE = { standard: 10, least: 1, most: 500 };
const SELLER_REASONS = ['OUT_OF_STOCK_OR_CANNOT_FULFILL', 'BUYER_ASKED_CANCEL', 'ADDRESS_ISSUES'];

/** What the Post-Order API needs of orders. */
export interface CancellableOrders {
  find(orderId: string): OrderDocument | undefined;
  /** Cancels all of it, at once or later, as the simulator was told. */
  cancelWhole(order: OrderDocument): void;
}

interface Cancellation {
  cancelId: string;
  orderId: string;
  requestor: 'BUYER' | 'SELLER';
  reason: string;
  requestedAt: string;
}

interface Return {
  returnId: string;
  orderId: string;
  lineId: string;
  channelSku: string;
  quantityUnits: number;
  deliveredAt: string;
}

/**
 * The Post-Order API: cancellations of whole orders, and returns. eBay publishes no contract for it; fields and
 * words are those of its reference pages, and what those leave open is as little as can be.
 */
export class PostOrderApi {
  private readonly cancellations = new Map<string, Cancellation>();
  private readonly returns: Return[] = [];

  constructor(
    private readonly orders: CancellableOrders,
    private readonly stock: EbayStock,
  ) {}

  checkEligibility(request: SimulatedRequest): SimulatedReply {
    const orderId = textIn(jsonOf(request).legacyOrderId) ?? '';
    const order = this.orders.find(orderId);
    if (!order) throw postOrderRefusal(404, 1503, 'The order was not found.');
    return { status: 200, body: this.eligibility(order) };
  }

  /** Takes no key of the caller's: a second request for an order is refused. */
  cancel(request: SimulatedRequest): SimulatedReply {
    const body = jsonOf(request);
    const order = this.orders.find(textIn(body.legacyOrderId) ?? '');
    if (!order) throw postOrderRefusal(404, 1503, 'The order was not found.');
    const reason = textIn(body.cancelReason) ?? '';
    if (!SELLER_REASONS.includes(reason))
      throw postOrderRefusal(400, 1502, 'The cancel reason is not one of a seller.');
    if (this.failureOf(order) !== undefined)
      throw postOrderRefusal(409, 1512, 'The order is not eligible for cancellation.');
    const { cancelId } = this.remember(order, 'SELLER', reason, new Date().toISOString());
    this.orders.cancelWhole(order);
    return { status: 201, body: { cancelId } };
  }

  /** Newest first. `offset` is the number of entries to skip, as the page on it says. */
  search({ query }: SimulatedRequest): SimulatedReply {
    const found = [...this.cancellations.values()].reverse().filter((each) => {
      const isNamed =
        matches(query, 'cancel_id', each.cancelId) && matches(query, 'legacy_order_id', each.orderId);
      return isNamed && isWithin(query, each.requestedAt);
    });
    const { page, paginationOutput } = paged(found, query);
    const cancellations = page.map((each) => this.summary(each));
    return { status: 200, body: { cancellations, paginationOutput, total: found.length } };
  }

  one(cancelId: string): SimulatedReply {
    const found = [...this.cancellations.values()].find((each) => each.cancelId === cancelId);
    if (!found) throw postOrderRefusal(404, 1504, 'The cancellation was not found.');
    return { status: 200, body: { cancelDetail: this.summary(found) } };
  }

  searchReturns({ query }: SimulatedRequest): SimulatedReply {
    const found = [...this.returns].reverse().filter((each) => {
      const isNamed = matches(query, 'return_id', each.returnId) && matches(query, 'order_id', each.orderId);
      return isNamed && isWithin(query, each.deliveredAt);
    });
    const { page, paginationOutput } = paged(found, query);
    return { status: 200, body: { members: page.map((each) => this.returnSummary(each)), paginationOutput } };
  }

  /** Somebody cancelled outside of this API: the buyer, or the seller on eBay's pages. */
  cancelledElsewhere(order: OrderDocument, at: string): void {
    if (!this.cancellations.has(order.orderId)) this.remember(order, 'BUYER', 'BUYER_ASKED_CANCEL', at);
  }

  /** All that was shipped came back to the seller. */
  returned(order: OrderDocument, at: string): void {
    for (const { lineId, channelSku, fulfilled } of order.lines) {
      if (
        fulfilled === 0 ||
        this.returns.some((each) => each.orderId === order.orderId && each.lineId === lineId)
      )
        continue;
      const returnId = `6${String(this.returns.length + 1).padStart(9, '0')}`;
      const { orderId } = order;
      this.returns.push({ returnId, orderId, lineId, channelSku, quantityUnits: fulfilled, deliveredAt: at });
    }
  }

  /** As `getOrder` gives them. */
  requestsOf(order: OrderDocument): CancelRequestView[] {
    const found = this.cancellations.get(order.orderId);
    if (!found) return [];
    const isDone = isCancelled(order);
    return [
      {
        cancelRequestId: found.cancelId,
        cancelInitiator: found.requestor === 'BUYER' ? 'Buyer' : 'Seller',
        cancelReason: found.reason,
        cancelRequestState: isDone ? 'COMPLETED' : 'REQUESTED',
        cancelRequestedDate: found.requestedAt,
        ...(isDone && { cancelCompletedDate: order.updatedAt }),
      },
    ];
  }

  private remember(
    { orderId }: OrderDocument,
    requestor: Cancellation['requestor'],
    reason: string,
    requestedAt: string,
  ): Cancellation {
    const cancelId = `5${String(this.cancellations.size + 1).padStart(9, '0')}`;
    const cancellation = {
      cancelId,
      orderId,
      requestor,
      reason,
      requestedAt: new Date(requestedAt).toISOString(),
    };
    this.cancellations.set(orderId, cancellation);
    return cancellation;
  }

  private failureOf(order: OrderDocument): string | undefined {
    if (this.cancellations.has(order.orderId)) return 'CANCEL_REQUEST_ALREADY_EXISTS';
    return order.lines.some(({ fulfilled }) => fulfilled > 0) ? 'ORDER_ALREADY_SHIPPED' : undefined;
  }

  private eligibility(order: OrderDocument): object {
    const failure = this.failureOf(order);
    const eligible = failure === undefined;
    return {
      legacyOrderId: order.orderId,
      eligible,
      ...(eligible ? { eligibleCancelReason: SELLER_REASONS } : { failureReason: [failure] }),
      itemEligibilityResult: order.lines.map(({ lineId, channelSku }) => ({
        itemId: this.stock.idsOf(channelSku).listingId,
        transactionId: lineId,
        eligible,
        ...(!eligible && { failureReason: [failure] }),
      })),
    };
  }

  private summary({ cancelId, orderId, requestor, reason, requestedAt }: Cancellation): object {
    const order = this.orders.find(orderId)!;
    const isDone = isCancelled(order);
    return {
      cancelId,
      legacyOrderId: orderId,
      marketplaceId: MARKETPLACE,
      requestorType: requestor,
      buyerLoginName: 'simulated_buyer',
      sellerLoginName: SELLER.username,
      cancelReason: reason,
      cancelState: isDone ? 'CLOSED' : 'REFUND_PENDING',
      cancelStatus: isDone ? 'CANCEL_CLOSED_WITH_REFUND' : 'CANCEL_PENDING',
      ...(isDone && { cancelCloseReason: 'FULL_REFUNDED', cancelCloseDate: { value: order.updatedAt } }),
      cancelRequestDate: { value: requestedAt },
      requestRefundAmount: { ...amountOf(totalOf(order)), value: totalOf(order) },
      partialOrderType: 'FULL_ORDER',
    };
  }

  private returnSummary({ returnId, orderId, lineId, channelSku, ...rest }: Return): object {
    return {
      returnId,
      orderId,
      buyerLoginName: 'simulated_buyer',
      sellerLoginName: SELLER.username,
      currentType: 'MONEY_BACK',
      // "The return item has been received by the seller."
      state: 'ITEM_DELIVERED',
      status: 'ITEM_DELIVERED',
      creationInfo: {
        type: 'MONEY_BACK',
        reason: 'NO_LONGER_NEED_ITEM',
        creationDate: { value: rest.deliveredAt },
        item: {
          itemId: this.stock.idsOf(channelSku).listingId,
          transactionId: lineId,
          returnQuantity: rest.quantityUnits,
        },
      },
    };
  }
}

function matches(query: URLSearchParams, name: string, value: string): boolean {
  const asked = query.get(name);
  return asked === null || asked === value;
}

function isWithin(query: URLSearchParams, time: string): boolean {
  const at = Date.parse(time);
  const [from, to] = ['creation_date_range_from', 'creation_date_range_to'].map((name) => query.get(name));
  return (!from || at >= Date.parse(from)) && (!to || at <= Date.parse(to));
}

function paged<T>(found: readonly T[], query: URLSearchParams): { page: T[]; paginationOutput: object } {
  const wrong = () => postOrderRefusal(400, 1501, 'limit or offset is not valid.');
  const limit = numberIn(query, 'limit', PAGE, wrong);
  const offset = numberIn(query, 'offset', { standard: 0, least: 0, most: 1_000_000 }, wrong);
  const totalPages = Math.ceil(found.length / limit);
  return {
    page: found.slice(offset, offset + limit),
    paginationOutput: { limit, offset, totalEntries: found.length, totalPages },
  };
}
