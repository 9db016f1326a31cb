import {
  isChannelError,
  type OrderDocument,
  type Page,
  type UnreadableItem,
  UntranslatableError,
} from 'onhand/channel-api';
import type { ShopifyClient } from './shopify.client';
import { globalId } from './shopify.ids';
import { eachPage } from './shopify.inventory';
import { ORDER_LINES, PAGE_SIZES, type Variables } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';
import { hasReturns, isCutOff, stateOfNode } from './shopify.order-node';
import { documentOf, type OrderState, withoutLines } from './shopify.translate';

type OrderNode = Record<string, unknown>;

/** Reads orders as they stand: those that changed, or one. */
export class OrderReader {
  constructor(
    private readonly client: ShopifyClient,
    private readonly options: ShopifyOptions,
  ) {}

  /**
   * Oldest change first. Shopify keeps a connection at 25,000 orders and, without the scope read_all_orders, at
   * those of the last 60 days.
   */
  async *read({ cursor, since }: { cursor?: string; since?: string }): AsyncGenerator<Page<OrderDocument>> {
    // Shopify's times are whole seconds: what changed within the second that `since` is in was not seen for sure.
    const query = since === undefined ? null : `updated_at:>='${wholeSecond(since)}'`;
    const pages = eachPage<OrderNode>(this.client, 'Orders', 'orders', PAGE_SIZES.orders, {
      variables: { query, lines: ORDER_LINES.inPage, ...this.parts() },
      after: cursor ?? null,
    });
    for await (const { nodes, endCursor } of pages) {
      const page = await this.pageOf(nodes);
      yield endCursor === undefined ? page : { ...page, cursor: endCursor };
    }
  }

  /** Undefined where the shop has no such order. Throws what `ShopifyClient.run` throws, and `UntranslatableError`. */
  async one(orderId: string): Promise<OrderDocument | undefined> {
    const state = await this.stateOf(orderId);
    if (!state) return undefined;
    return this.isIgnored(state) ? withoutLines(state, this.options) : documentOf(state, this.options);
  }

  async stateOf(orderId: string): Promise<OrderState | undefined> {
    const node = await this.nodeOf(globalId('Order', orderId), ORDER_LINES.inPage);
    return node === null ? undefined : stateOfNode(await this.whole(node));
  }

  isIgnored({ isTest }: OrderState): boolean {
    return isTest && !this.options.testOrders;
  }

  private async pageOf(nodes: readonly OrderNode[]): Promise<Page<OrderDocument>> {
    const items: OrderDocument[] = [];
    const unreadable: UnreadableItem[] = [];
    for (const node of nodes) {
      try {
        const state = await this.stateInPage(node);
        if (!this.isIgnored(state)) items.push(documentOf(state, this.options));
      } catch (error) {
        if (!isChannelError(error) || error.code !== 'untranslatable') throw error;
        const id = typeof node?.id === 'string' ? node.id.split('/').at(-1) : undefined;
        const body = JSON.stringify(node).slice(0, 100_000);
        unreadable.push({ ...(id ? { id } : {}), reason: error.message, body });
      }
    }
    return unreadable.length === 0 ? { items } : { items, unreadable };
  }

  /** An order with returns is read again by itself: it may be gone by then. */
  private async stateInPage(node: OrderNode): Promise<OrderState> {
    const isAlone = node !== null && typeof node === 'object' && hasReturns(node);
    const alone = isAlone ? await this.nodeOf(node.id as string, ORDER_LINES.inPage) : null;
    return stateOfNode(await this.whole(alone ?? { ...node, returns: undefined }));
  }

  /** An order with more lines than a page asks for is read again with as many as there can be. */
  private async whole(node: OrderNode): Promise<OrderNode> {
    if (!isCutOff(node)) return node;
    const whole = await this.nodeOf(node.id as string, ORDER_LINES.alone);
    if (whole === null || isCutOff(whole))
      throw new UntranslatableError(
        `the order has more than ${ORDER_LINES.alone} lines, which Shopify does not give at once`,
      );
    return whole;
  }

  private async nodeOf(id: string, lines: number): Promise<OrderNode | null> {
    const { order } = await this.client.run<{ order: OrderNode | null }>('Order', {
      id,
      lines,
      ...this.parts(),
    });
    return order;
  }

  private parts(): Variables {
    const { orderLocations, returns } = this.options;
    return { assigned: orderLocations === 'assigned', returns };
  }
}

function wholeSecond(time: string): string {
  return new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
