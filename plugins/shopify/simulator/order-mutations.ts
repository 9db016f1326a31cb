import type { GraphQLResolveInfo } from 'graphql';
import type { CallContext } from './connection';
import type { Idempotency } from './idempotency';
import { gid, idOf, type IdSequence } from './ids';
import { errorsOf } from './inventory-mutations';
import type { RestockType } from './order-model';
import type { OrderNodes } from './order-nodes';
import type { Orders } from './orders';
import { refusal, ShopRefusal } from './refusal';

interface CancelArguments {
  orderId: string;
  reason: string;
  restock: boolean;
  refund?: boolean | null;
  refundMethod?: object | null;
  notifyCustomer?: boolean | null;
  staffNote?: string | null;
}

interface RefundInput {
  orderId: string;
  note?: string | null;
  refundLineItems?: {
    lineItemId: string;
    quantity: number;
    restockType?: RestockType | null;
    locationId?: string | null;
  }[];
  transactions?: { parentId?: string | null; kind: string }[];
}

const LONGEST_NOTE = 255;

/** Cancels orders, each by a job of its own, and refunds lines of them. */
export class OrderMutations {
  private readonly jobs = new Map<string, boolean>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly orders: Orders,
    private readonly nodes: OrderNodes,
    private readonly ids: IdSequence,
    private readonly idempotency: Idempotency,
    private readonly cancelAfterMs: number,
  ) {}

  /** Null where there is no such job. What a job did is seen only in what it worked on. */
  job = (globalId: string): { id: string; done: boolean } | null => {
    const done = this.jobs.get(globalId);
    return done === undefined ? null : { id: globalId, done };
  };

  cancel = (args: CancelArguments): object => {
    try {
      const orderId = this.cancellable(args);
      const id = gid('Job', this.ids.next());
      this.jobs.set(id, false);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.cancelNow(orderId, args);
        this.jobs.set(id, true);
      }, this.cancelAfterMs);
      this.timers.add(timer);
      return { job: { id, done: false }, orderCancelUserErrors: [] };
    } catch (error) {
      return { job: null, orderCancelUserErrors: errorsOf(error) };
    }
  };

  refund = async (
    { input }: { input: RefundInput },
    _context: CallContext,
    info: GraphQLResolveInfo,
  ): Promise<object> => {
    try {
      return await this.idempotency.once(info, input, () => this.refunded(input));
    } catch (error) {
      return { refund: null, userErrors: errorsOf(error) };
    }
  };

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  private cancellable({ orderId, refund, refundMethod, staffNote }: CancelArguments): string {
    if (staffNote != null && staffNote.length > LONGEST_NOTE)
      throw refusal(['staffNote'], 'Staff note is too long. Maximum length is 255 characters.', 'INVALID');
    if (refund != null && refundMethod != null)
      throw refusal(
        ['refund'],
        'Only one of the arguments `refund` or `refund_method` is allowed.',
        'INVALID',
      );
    const order = this.orders.find(idOf('Order', orderId));
    if (!order) throw refusal(['orderId'], 'Order does not exist', 'NOT_FOUND');
    this.orders.requireCancellable(order);
    return order.id;
  }

  /** What was shipped or cancelled meanwhile is left as it is, and the job is done all the same. */
  private cancelNow(orderId: string, { reason, restock, staffNote, notifyCustomer }: CancelArguments): void {
    try {
      const at = new Date().toISOString();
      const notified = notifyCustomer === true;
      this.orders.cancel(orderId, at, { reason, restock, notified, ...(staffNote ? { staffNote } : {}) });
    } catch (error) {
      if (!(error instanceof ShopRefusal)) throw error;
    }
  }

  private refunded({ orderId, note, refundLineItems = [], transactions = [] }: RefundInput): object {
    const order = this.orders.find(idOf('Order', orderId));
    if (!order) throw refusal(['orderId'], 'Order does not exist');
    for (const { kind, parentId } of transactions) {
      if (kind !== 'REFUND') throw refusal(null, `Kind ${kind.toLowerCase()} is not a valid transaction`);
      if (parentId !== this.nodes.saleOf(order))
        throw refusal(['transactions'], 'Transactions require a parent_id associated with the order');
    }
    const lines = refundLineItems.map(({ lineItemId, quantity, restockType, locationId }) => ({
      lineId: idOf('LineItem', lineItemId) ?? '',
      units: quantity,
      restockType: restockType ?? 'NO_RESTOCK',
      locationId: idOf('Location', locationId),
    }));
    const at = new Date().toISOString();
    const refund = this.orders.refund(order.id, { lines, note: note ?? undefined, at });
    return { refund: this.nodes.refund(order, refund), userErrors: [] };
  }
}
