import { ChannelProtocolError, type ChannelClock, type OrderDocument, type Page } from 'onhand/channel-api';
import { AmazonRefusal, segment, type SpApiClient } from './amazon-sp-api.client';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import type { Returns } from './amazon-sp-api.returns';
import { translateOrder, translateRows } from './amazon-sp-api.translate';
import type { WireOrder, WireOrderPage } from './amazon-sp-api.wire';

/** Items come with their orders; what buyers' addresses would need is not asked for. */
const INCLUDED = ['FULFILLMENT', 'CANCELLATION'];
/** Amazon keeps orders for two years. */
const KEPT_MS = 2 * 365 * 86_400_000;

/** Orders v2026-01-01: v0 ends on 2027-03-27 (developer-docs.amazon.com/sp-api/changelog/new-introducing-the-orders-api-v2026-01-01). */
export class Orders {
  constructor(
    private readonly client: SpApiClient,
    private readonly clock: ChannelClock,
    private readonly options: AmazonSpApiOptions,
    private readonly returns: Returns | undefined,
  ) {}

  /**
   * What the seller ships and Amazon lists as changed since then. Amazon's plan is one such call in three minutes,
   * twenty at once, hence a hundred orders a page; and it lists nothing of the last two minutes, which the host's
   * overlap of polls makes up for.
   */
  async *read(query: { cursor?: string; since?: string }): AsyncGenerator<Page<OrderDocument>> {
    const place = placeOf(query, this.clock.now());
    const { since } = place;
    for (let token = place.token; ;) {
      const { orders, pagination } = await this.search(since, token);
      const { items, unreadable } = translateRows(orders, 'orderId', translateOrder);
      token = pagination?.nextToken || undefined;
      const known = items.map((order) => this.returns?.added(order) ?? order);
      if (token === undefined) {
        const late = (await this.returns?.news((orderId) => this.readOne(orderId))) ?? [];
        yield { items: [...known, ...late.filter((order) => !isAmong(known, order))], unreadable };
        return;
      }
      yield { items: known, unreadable, cursor: `${since} ${token}` };
    }
  }

  /**
   * Undefined for one that Amazon does not know (yet: news of an order may be faster than its index). Throws
   * `UntranslatableError`.
   */
  async readOne(orderId: string): Promise<OrderDocument | undefined> {
    const order = await this.find(orderId);
    if (order === undefined) return undefined;
    const document = translateOrder(order) ?? shippedByAmazon(order, orderId);
    return this.returns?.added(document) ?? document;
  }

  /** As Amazon has it. */
  async find(orderId: string): Promise<unknown> {
    const id = segment(orderId);
    if (id === undefined) return undefined;
    try {
      const { order } = await this.client.call<{ order?: unknown }>({
        operation: 'getOrder',
        method: 'GET',
        path: `/orders/2026-01-01/orders/${id}`,
        query: { includedData: INCLUDED },
      });
      if (order === undefined) throw new ChannelProtocolError('getOrder answered without an order');
      return order;
    } catch (error) {
      // An id that is none of Amazon's form is an invalid input, which says as much as that there is none.
      if (error instanceof AmazonRefusal && (error.status === 404 || error.status === 400)) return undefined;
      throw error;
    }
  }

  private async search(since: string, paginationToken: string | undefined): Promise<WireOrderPage> {
    const { marketplaceIds } = this.options;
    const page = await this.client.call<WireOrderPage>({
      operation: 'searchOrders',
      method: 'GET',
      path: '/orders/2026-01-01/orders',
      query: {
        lastUpdatedAfter: since,
        marketplaceIds,
        fulfilledBy: ['MERCHANT'],
        maxResultsPerPage: 100,
        includedData: INCLUDED,
        paginationToken,
      },
    });
    if (Array.isArray(page.orders)) return page;
    throw new ChannelProtocolError('searchOrders answered without a list of orders');
  }
}

/** It is known, and no line of it is of our stock. */
function shippedByAmazon(order: unknown, orderId: string): OrderDocument {
  const { createdTime, lastUpdatedTime } = order as WireOrder;
  const revision = Date.parse(lastUpdatedTime);
  return { kind: 'order', orderId, revision, placedAt: createdTime, updatedAt: lastUpdatedTime, lines: [] };
}

/** A token belongs to the search that it came from, with all that was asked in it. */
function placeOf(query: { cursor?: string; since?: string }, now: Date): { since: string; token?: string } {
  const [, since, token] = /^(\S+) (.+)$/s.exec(query.cursor ?? '') ?? [];
  if (since !== undefined && token !== undefined) return { since, token };
  return { since: query.since ?? new Date(now.getTime() - KEPT_MS).toISOString() };
}

function isAmong(orders: readonly OrderDocument[], { orderId }: OrderDocument): boolean {
  return orders.some((order) => order.orderId === orderId);
}
