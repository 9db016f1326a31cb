import {
  type CancelRequest,
  type CancelResult,
  ChannelProtocolError,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import { type EbayClient, segmentOf } from './ebay.client';
import { wordsOf } from './ebay.errors';
import { type Json, partOf, partsOf, textIn } from './ebay.fields';
import type { CancelOptions } from './ebay.options';
import type { EbayOrders } from './ebay.orders';
import { isShipped } from './ebay.translate';

const CANCELLATION = '/post-order/v2/cancellation';
const LONGEST_COMMENT = 100;

/**
 * Cancels whole orders by the Post-Order API: it knows no other, and no idempotency key, so each call begins with
 * a look at the order (https://developer.ebay.com/Devzone/post-order/post-order_v2_cancellation__post.html).
 */
export class EbayCancellations {
  constructor(
    private readonly client: EbayClient,
    private readonly orders: EbayOrders,
    private readonly options: CancelOptions,
  ) {}

  async cancel(request: CancelRequest): Promise<CancelResult> {
    const order = await this.orders.find(request.orderId);
    if (!order) return impossible('eBay has no such order');
    const { cancelState, cancelRequests } = partOf(order.cancelStatus);
    if (cancelState === 'CANCELED') return this.refunded(request, order, 'cancelled');
    if (isShipped(order)) return impossible('some of the order is shipped');
    if (!isWhole(request, order))
      return impossible('eBay cancels whole orders only, and some of this one can be sent');
    const open = partsOf(cancelRequests).find((each) => each.cancelRequestState !== 'REJECTED');
    const openId = textIn(open?.cancelRequestId);
    if (openId !== undefined && open?.cancelInitiator === 'Buyer') return this.approve(request, openId);
    if (openId !== undefined) return { outcome: 'pending', receipt: openId };
    const refusal = await this.refusal(order);
    return refusal === undefined ? this.ask(request, order) : impossible(refusal);
  }

  /** Asked first, for a cancellation that eBay refuses may count all the same. */
  private async refusal(order: Json): Promise<string | undefined> {
    const json = { legacyOrderId: order.orderId };
    const response = await this.post(`${CANCELLATION}/check_eligibility`, json, false);
    if (response.status !== 200) return `eBay does not say whether it can be cancelled: ${wordsOf(response)}`;
    const { eligible, failureReason } = partOf(response.json());
    if (eligible === true) return undefined;
    const reasons = [failureReason].flat().flatMap((each) => textIn(each) ?? []);
    return `eBay does not let it be cancelled: ${reasons.join(', ') || 'no reason is given'}`;
  }

  private async ask(request: CancelRequest, order: Json): Promise<CancelResult> {
    const [payment] = partsOf(partOf(order.paymentSummary).payments);
    const paidDate = textIn(payment?.paymentDate);
    const buyerPaid = order.orderPaymentStatus === 'PAID';
    const response = await this.post(
      CANCELLATION,
      {
        legacyOrderId: order.orderId,
        cancelReason: this.options.reason,
        buyerPaid,
        ...(buyerPaid && paidDate !== undefined && { buyerPaidDate: { value: paidDate } }),
      },
      true,
    );
    if (response.status === 400 || response.status === 409)
      return impossible(`eBay refuses the cancellation: ${wordsOf(response)}`);
    const receipt = textIn(partOf(this.successful(response)).cancelId);
    if (receipt === undefined)
      throw new ChannelProtocolError('the cancellation was answered without a cancelId');
    return this.settled(request, receipt);
  }

  /** The buyer asked for the same before: that request is to be granted, and another one would be refused. */
  private async approve(request: CancelRequest, cancelId: string): Promise<CancelResult> {
    const response = await this.post(`${CANCELLATION}/${segmentOf(cancelId)}/approve`, {}, true);
    if (response.status === 400 || response.status === 409)
      return impossible(`eBay refuses to grant the buyer’s request: ${wordsOf(response)}`);
    if (response.text.trim() !== '') this.successful(response);
    return this.settled(request, cancelId);
  }

  /** Taken; whether it is done already the order says. */
  private async settled(request: CancelRequest, receipt: string): Promise<CancelResult> {
    const order = await this.orders.find(request.orderId);
    const isDone = order && partOf(order.cancelStatus).cancelState === 'CANCELED';
    const result: CancelResult = isDone ? { outcome: 'cancelled' } : { outcome: 'pending', receipt };
    return order ? this.refunded(request, order, result) : result;
  }

  /** A refund is processed later; the order says what became of it, and reads of it tell of one that failed. */
  private async refunded(
    request: CancelRequest,
    order: Json,
    done: CancelResult | 'cancelled',
  ): Promise<CancelResult> {
    const result: CancelResult = done === 'cancelled' ? { outcome: 'cancelled' } : done;
    const isOwed =
      order.orderPaymentStatus === 'PAID' && partsOf(partOf(order.paymentSummary).refunds).length === 0;
    if (this.options.refund !== 'plugin' || !isOwed) return result;
    const path = `/sell/fulfillment/v1/order/${segmentOf(request.orderId)}/issue_refund`;
    const response = await this.post(
      path,
      {
        reasonForRefund: 'SELLER_CANCEL',
        comment: request.message.slice(0, LONGEST_COMMENT),
        orderLevelRefundAmount: partOf(order.pricingSummary).total,
      },
      true,
    );
    this.successful(response);
    return result;
  }

  private post(path: string, json: object, isSigned: boolean): Promise<ChannelHttpResponse> {
    return this.client.send({ method: 'POST', path, json, isSigned });
  }

  private successful(response: ChannelHttpResponse): unknown {
    if (response.status >= 200 && response.status < 300) return response.json();
    throw new ChannelProtocolError(`eBay answered the cancellation with ${wordsOf(response)}`);
  }
}

function impossible(reason: string): CancelResult {
  return { outcome: 'impossible', reason };
}

function isWhole({ lines }: CancelRequest, order: Json): boolean {
  const units = new Map(lines.map(({ lineId, quantityUnits }) => [lineId, quantityUnits]));
  return partsOf(order.lineItems).every(
    ({ lineItemId, quantity }) => (units.get(String(lineItemId)) ?? 0) >= Number(quantity),
  );
}
