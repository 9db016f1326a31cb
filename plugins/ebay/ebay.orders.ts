import {
  type ChannelHost,
  ChannelProtocolError,
  ChannelRequestError,
  type OrderDocument,
  type Page,
  UntranslatableError,
} from 'onhand/channel-api';
import { type EbayClient, segmentOf } from './ebay.client';
import { wordsOf } from './ebay.errors';
import { idIn, type Json, objectIn, partOf, partsOf, rowsIn, textIn } from './ebay.fields';
import type { EbayPostOrder } from './ebay.post-order';
import {
  isShipped,
  isShippedInPart,
  translateOrder,
  translateShipments,
  unreadableItem,
} from './ebay.translate';

const ORDER = '/sell/fulfillment/v1/order';
const PAGE_SIZE = 200;
/** Orders that `getOrders` takes by their ids. */
const ORDERS_BY_ID = 50;
const MAX_RECORDS = 10_000_000;
/** "getOrders can return orders up to two years old." */
const OLDEST_DAYS = 729;
/** eBay's own advice for polls: what changed in the last two minutes may not be listed yet (KB 1788). */
const OVERLAP_MS = 120_000;
const DAY_MS = 86_400_000;

type Query = { cursor?: string; since?: string };

/** Orders of the Fulfillment API, with what the Post-Order API knows of them. */
export class EbayOrders {
  /** Readers of one order at the same time read it once: eBay tells of an order line by line. */
  private readonly reading = new Map<string, Promise<OrderDocument | undefined>>();
  private readonly failedRefunds = new Set<string>();

  constructor(
    private readonly client: EbayClient,
    private readonly postOrder: EbayPostOrder,
    private readonly host: Pick<ChannelHost, 'clock' | 'log'>,
  ) {}

  /**
   * By when they changed, with no end: an order that changes during the read would leave a range that has one, and
   * all after it would move up a place. Then those that were cancelled or came back without having changed.
   */
  async *read({ cursor, since }: Query): AsyncGenerator<Page<OrderDocument>> {
    const { orderIds, done } = await this.postOrder.changedOrders();
    const given = new Set<string>();
    for (let offset = offsetIn(cursor); offset !== undefined;) {
      const page: Page<OrderDocument> & { next?: number } = await this.page(since, offset);
      const { next, ...rest } = page;
      for (const { orderId } of page.items) given.add(orderId);
      const after = next ?? (orderIds.some((id) => !given.has(id)) ? 'others' : undefined);
      yield { ...rest, ...(after !== undefined && { cursor: String(after) }) };
      offset = next;
    }
    const others = orderIds.filter((id) => !given.has(id));
    for (let at = 0; at < others.length; at += ORDERS_BY_ID) {
      const isLast = at + ORDERS_BY_ID >= others.length;
      const page = await this.named(others.slice(at, at + ORDERS_BY_ID));
      yield { ...page, ...(!isLast && { cursor: 'others' }) };
    }
    done();
  }

  /** One order as it stands, its requests for cancellation included. Undefined where there is none. */
  readOne(orderId: string): Promise<OrderDocument | undefined> {
    const reading = this.reading.get(orderId);
    if (reading) return reading;
    const asked = this.find(orderId)
      .then((order) => order && this.documentOf(order, true))
      .finally(() => this.reading.delete(orderId));
    this.reading.set(orderId, asked);
    return asked;
  }

  /** As eBay gives it. */
  async find(orderId: string): Promise<Json | undefined> {
    const segment = segmentOf(orderId);
    if (segment === undefined) return undefined;
    const response = await this.client.send({ method: 'GET', path: `${ORDER}/${segment}` });
    // 400: what eBay takes for no order id (error 32100).
    if (response.status === 404 || response.status === 400) return undefined;
    if (response.status !== 200)
      throw new ChannelProtocolError(`getOrder was not answered 200, but ${wordsOf(response)}`);
    return objectIn(response.json(), 'the order');
  }

  /** Here, and not in `getInventoryItems`, `offset` counts records. */
  private async page(
    since: string | undefined,
    offset: number,
  ): Promise<Page<OrderDocument> & { next?: number }> {
    const oldest = this.host.clock.now().getTime() - OLDEST_DAYS * DAY_MS;
    const from = Math.max(since === undefined ? 0 : Date.parse(since) - OVERLAP_MS, oldest);
    const filter = `lastmodifieddate:[${new Date(from).toISOString()}..]`;
    const body = await this.client.read({
      method: 'GET',
      path: ORDER,
      query: { filter, limit: String(PAGE_SIZE), offset: String(offset) },
    });
    const rows = rowsIn(body.orders ?? [], 'orders');
    const next = offset + rows.length;
    const isLast = rows.length === 0 || textIn(body.next) === undefined;
    if (next > MAX_RECORDS)
      throw new ChannelProtocolError(`the list of orders goes on after ${next} records`);
    return { ...(await this.translate(rows)), ...(!isLast && { next }) };
  }

  private async named(orderIds: readonly string[]): Promise<Page<OrderDocument>> {
    const query = { orderIds: orderIds.join(',') };
    const response = await this.client.send({ method: 'GET', path: ORDER, query });
    if (response.status === 200)
      return this.translate(rowsIn(partOf(response.json()).orders ?? [], 'orders'));
    // One of them is none of eBay's any more: an unpaid order has another id once it is paid.
    const found: Json[] = [];
    for (const orderId of orderIds) found.push(...[(await this.find(orderId)) ?? []].flat());
    return this.translate(found);
  }

  /** Translates each order by itself: what cannot be understood is set aside and costs no other. */
  private async translate(rows: readonly unknown[]): Promise<Page<OrderDocument>> {
    const items: OrderDocument[] = [];
    const unreadable: NonNullable<Page<OrderDocument>['unreadable']> = [];
    for (const row of rows) {
      try {
        items.push(await this.documentOf(await this.whole(objectIn(row, 'the order'))));
      } catch (error) {
        if (!(error instanceof UntranslatableError)) throw error;
        unreadable.push(unreadableItem(row, 'orderId', error));
      }
    }
    return { items, ...(unreadable.length > 0 && { unreadable }) };
  }

  /** In a list the requests for cancellation are always empty: an order that is being cancelled is read alone. */
  private async whole(order: Json): Promise<Json> {
    if (partOf(order.cancelStatus).cancelState !== 'IN_PROGRESS') return order;
    return (await this.find(idIn(order.orderId, 'orderId'))) ?? order;
  }

  private async documentOf(order: Json, isAlone = false): Promise<OrderDocument> {
    this.noteRefunds(order);
    if (!isShipped(order)) return translateOrder(order);
    const orderId = idIn(order.orderId, 'orderId');
    const isAsked = isAlone || hasRefund(order);
    const known = this.postOrder.returnedOf(orderId);
    const returned = known ?? (isAsked ? await this.postOrder.readReturned(orderId) : undefined);
    return translateOrder(order, {
      ...(returned && { returned }),
      ...(isShippedInPart(order) && { shipped: await this.readShipped(orderId) }),
    });
  }

  /** Throws `UntranslatableError` where eBay does not tell: one order must not keep the others from being read. */
  private async readShipped(orderId: string): Promise<ReadonlyMap<string, number>> {
    const path = `${ORDER}/${segmentOf(orderId)}/shipping_fulfillment`;
    const response = await this.client.send({ method: 'GET', path });
    if (response.status === 200) return translateShipments(partOf(response.json()));
    throw new UntranslatableError(`its shipments cannot be read: ${wordsOf(response)}`);
  }

  /** A refund is processed after it was asked for, and may fail then: a buyer without goods and money. */
  private noteRefunds(order: Json): void {
    for (const { refundId, refundStatus } of partsOf(partOf(order.paymentSummary).refunds)) {
      const name = `${String(order.orderId)} ${String(refundId)}`;
      if (refundStatus !== 'FAILED' || this.failedRefunds.has(name)) continue;
      this.failedRefunds.add(name);
      this.host.log.error(`a refund of order ${String(order.orderId)} failed; issue it on eBay’s pages`);
    }
  }
}

function hasRefund(order: Json): boolean {
  return partsOf(partOf(order.paymentSummary).refunds).length > 0;
}

/** Undefined where the list of orders was read to its end, and only the others are left. */
function offsetIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return 0;
  if (cursor === 'others') return undefined;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new ChannelRequestError('the cursor is not a number of records; read from the start');
}
