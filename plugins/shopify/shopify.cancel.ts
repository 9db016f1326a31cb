import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  ChannelUnavailableError,
  type CancelRequest,
  type CancelResult,
  type ChannelClock,
} from 'onhand/channel-api';
import { readable, type ShopifyClient, type UserError } from './shopify.client';
import { globalId } from './shopify.ids';
import { idempotencyKey } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';
import type { OrderReader } from './shopify.orders';
import { documentOf, type OrderState, shopLineOf } from './shopify.translate';

/** Shopify takes no longer note of the staff. */
const LONGEST_NOTE = 255;
/** How long a cancellation is followed before it is left to the order itself; the host waits no longer than 90 s. */
const FOLLOWED_MS = 30_000;
const LONGEST_PAUSE_MS = 3_000;

/** Units of a line of the shop's order, by its id. */
type Units = Map<string, number>;

interface SuggestedRefund {
  presentmentCurrencyCode: string;
  suggestedRefund: {
    suggestedTransactions: {
      gateway: string | null;
      parentTransaction: { id: string } | null;
      amountSet: { presentmentMoney: { amount: string } };
    }[];
  } | null;
}

/**
 * Cancels what cannot be sent: the whole order where that is all of it, otherwise the units by a refund. Nothing
 * is put back on sale, for the units that are cancelled were never there.
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/refundCreate
 */
export class Canceller {
  constructor(
    private readonly client: ShopifyClient,
    private readonly orders: OrderReader,
    private readonly options: ShopifyOptions,
    private readonly clock: ChannelClock,
  ) {}

  /** Throws what `ShopifyClient.run` throws; the host then asks again with the same id. */
  async cancel(request: CancelRequest): Promise<CancelResult> {
    const state = await this.orders.stateOf(request.orderId);
    if (!state) return impossible('the shop has no such order');
    const isDone = state.refundNotes.some((note) => note.includes(request.cancelId));
    if (state.isCancelled || isDone) return { outcome: 'cancelled' };
    const wanted = unitsOf(request);
    const unsent = this.unsentUnits(state);
    const isAll = [...unsent].every(([lineId, units]) => (wanted.get(lineId) ?? 0) >= units);
    if (isAll && unsent.size > 0 && state.lines.every((line) => line.inFulfilment === 0))
      return this.cancelOrder(request);
    return this.refund(request, wanted, unsent);
  }

  /** What of the order is neither sent nor cancelled, of lines with stock and of those without. */
  private unsentUnits(state: OrderState): Units {
    const rules = { mapBy: this.options.mapBy, orderLocations: 'none' };
    const known = documentOf(state, rules).lines.map(
      ({ lineId, ordered, cancelled, fulfilled }): [string, number] => [
        lineId,
        ordered - cancelled - fulfilled,
      ],
    );
    const others = state.lines
      .filter(({ lineId }) => !known.some(([each]) => each === lineId))
      .map(({ lineId, current, shipped }): [string, number] => [lineId, Math.max(0, current - shipped)]);
    return new Map([...known, ...others].filter(([, units]) => units > 0));
  }

  private async cancelOrder(request: CancelRequest): Promise<CancelResult> {
    const { orderCancel } = await this.client.run<{
      orderCancel: { job: { id: string; done: boolean } | null; orderCancelUserErrors: UserError[] };
    }>('CancelOrder', {
      id: globalId('Order', request.orderId),
      staffNote: noteOf(request),
      notify: this.options.notifyCustomer,
    });
    const [error] = orderCancel.orderCancelUserErrors;
    if (error) return this.refusal(error, request.orderId);
    if (!orderCancel.job)
      throw new ChannelProtocolError('CancelOrder: the answer has neither a job nor an error');
    return this.follow(request.orderId, orderCancel.job.id);
  }

  /** The job says only that it has ended; what became of it, the order says. */
  private async follow(orderId: string, jobId: string): Promise<CancelResult> {
    const until = this.clock.now().getTime() + FOLLOWED_MS;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const { job } = await this.client.run<{ job: { done: boolean } | null }>('Job', { id: jobId });
      // A job that is not known any more has ended long ago.
      if (job?.done !== false) {
        const state = await this.orders.stateOf(orderId);
        return state?.isCancelled
          ? { outcome: 'cancelled' }
          : impossible(
              'Shopify ended the cancellation without cancelling the order; look it up in the admin',
            );
      }
      if (this.clock.now().getTime() + pauseMs > until) return { outcome: 'pending', receipt: jobId };
      await this.clock.sleep(pauseMs);
    }
  }

  private async refusal({ code, message }: UserError, orderId: string): Promise<CancelResult> {
    const text = readable(message);
    if (code === 'NO_REFUND_PERMISSION')
      throw new ChannelUnauthorizedError(`the app may not refund: ${text}; give it the scope write_orders`);
    if (code === 'INTERNAL_ERROR')
      throw new ChannelUnavailableError(`the cancellation failed at Shopify: ${text}`);
    // It may be that this very cancellation was asked for before, and its answer was lost.
    const state = await this.orders.stateOf(orderId);
    return state?.isCancelled ? { outcome: 'cancelled' } : impossible(`Shopify refuses: ${text}`);
  }

  /** The refund's note carries the cancellation's id: Shopify does not say for how long it keeps idempotency keys. */
  private async refund(request: CancelRequest, wanted: Units, unsent: Units): Promise<CancelResult> {
    const missing = [...wanted].find(([lineId, quantity]) => quantity > (unsent.get(lineId) ?? 0));
    if (missing) return impossible('units of it are already sent, cancelled or not in the order');
    const orderId = globalId('Order', request.orderId);
    const refundLineItems = [...wanted].map(([lineId, quantity]) => ({
      lineItemId: globalId('LineItem', lineId),
      quantity,
      restockType: 'NO_RESTOCK',
    }));
    const { order } = await this.client.run<{ order: SuggestedRefund | null }>('SuggestedRefund', {
      id: orderId,
      refundLines: refundLineItems,
    });
    if (!order) return impossible('the shop has no such order');
    const { refundCreate } = await this.client.run<{
      refundCreate: { refund: { id: string } | null; userErrors: UserError[] };
    }>('CreateRefund', {
      input: {
        orderId,
        currency: order.presentmentCurrencyCode,
        note: noteOf(request, request.cancelId),
        notify: this.options.notifyCustomer,
        refundLineItems,
        transactions: transactionsOf(order, orderId),
      },
      key: idempotencyKey('refund', request.cancelId),
    });
    const [error] = refundCreate.userErrors;
    return error
      ? impossible(`Shopify refuses the refund: ${readable(error.message)}`)
      : { outcome: 'cancelled' };
  }
}

function transactionsOf({ suggestedRefund }: SuggestedRefund, orderId: string): object[] {
  return (suggestedRefund?.suggestedTransactions ?? []).flatMap(
    ({ gateway, parentTransaction, amountSet }) => {
      const { amount } = amountSet.presentmentMoney;
      if (!parentTransaction || !(Number(amount) > 0)) return [];
      return [{ orderId, parentId: parentTransaction.id, gateway, kind: 'REFUND', amount }];
    },
  );
}

function unitsOf({ lines }: CancelRequest): Units {
  const wanted: Units = new Map();
  for (const { lineId, quantityUnits } of lines) {
    const id = shopLineOf(lineId);
    wanted.set(id, (wanted.get(id) ?? 0) + quantityUnits);
  }
  return wanted;
}

/** The reason, the message as the customer is to have it, and what tells the note apart, cut to what Shopify takes. */
function noteOf({ reason, message }: CancelRequest, mark = ''): string {
  const end = mark === '' ? '' : ` [${mark}]`;
  return `${`${reason}: ${message}`.slice(0, LONGEST_NOTE - end.length)}${end}`;
}

function impossible(reason: string): CancelResult {
  return { outcome: 'impossible', reason };
}
