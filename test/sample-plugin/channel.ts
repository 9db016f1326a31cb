import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  isChannelError,
  type Channel,
  type ChannelHost,
  type CheckResult,
  type InventoryQuery,
  type InventoryUpdate,
  type OrderDocument,
  type Page,
  type PushResult,
  type ShownInventory,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import type { JsonShopOptions } from './options';
import { parseOrder, translateOrder } from './orders';

interface StockPage {
  items: { sku: string; quantity: number; title?: string }[];
  next?: string;
}

interface OrderPage {
  orders: unknown[];
  next?: string;
}

export class JsonShopChannel implements Channel {
  constructor(
    private readonly options: JsonShopOptions,
    private readonly host: ChannelHost,
  ) {}

  async pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    if (updates.length === 0) return [];
    const items = updates.map(({ channelSku, quantityUnits }) => ({
      sku: channelSku,
      quantity: quantityUnits,
    }));
    const answer = await this.call<{ unknown: string[] }>('PUT', '/stock', { items });
    const unknown = new Set(answer.unknown);
    return updates.map(({ pushId, channelSku }) =>
      unknown.has(channelSku)
        ? {
            pushId,
            outcome: 'rejected',
            code: 'unknown-sku',
            reason: 'the shop does not sell it',
            retryable: false,
          }
        : { pushId, outcome: 'applied' },
    );
  }

  async *readInventory({ cursor, channelSkus }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    const wanted = channelSkus && new Set(channelSkus);
    let next = cursor;
    do {
      const page: StockPage = await this.call('GET', `/stock${query({ after: next })}`);
      next = page.next;
      const items = page.items
        .filter(({ sku }) => !wanted || wanted.has(sku))
        .map(({ sku, quantity, title }) => ({ channelSku: sku, quantityUnits: quantity, title }));
      yield next === undefined ? { items } : { items, cursor: next };
    } while (next !== undefined);
  }

  async *readOrders({
    cursor,
    since,
  }: {
    cursor?: string;
    since?: string;
  }): AsyncGenerator<Page<OrderDocument>> {
    let next = cursor;
    do {
      const page: OrderPage = await this.call(
        'GET',
        `/orders${query({ after: next, changed_since: since })}`,
      );
      next = page.next;
      const items = page.orders.map(translateOrder);
      yield next === undefined ? { items } : { items, cursor: next };
    } while (next !== undefined);
  }

  verifyWebhook({ headers, body }: WebhookRequest): WebhookVerdict {
    const expected = createHmac('sha256', this.options.webhook.secret).update(body).digest();
    const given = Buffer.from(headers['x-json-shop-signature'] ?? '', 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected))
      return { verdict: 'accepted', topic: 'order' };
    return { verdict: 'refused', status: 401, reason: 'the signature does not match' };
  }

  translateWebhook({ body }: WebhookRequest): OrderDocument[] {
    return [parseOrder(body)];
  }

  async check(): Promise<CheckResult> {
    try {
      await this.call('GET', '/stock');
      return { ok: true, findings: [{ ok: true, message: 'the shop answers, and takes the token' }] };
    } catch (error) {
      if (!isChannelError(error)) throw error;
      return { ok: false, findings: [{ ok: false, message: error.message }] };
    }
  }

  private async call<T>(method: 'GET' | 'PUT', path: string, json?: unknown): Promise<T> {
    const response = await this.host.http.request({
      method,
      url: `${this.options.url}${path}`,
      headers: { authorization: `Bearer ${this.options.token}` },
      ...(json === undefined ? {} : { json }),
    });
    if (response.status === 401) throw new ChannelUnauthorizedError('the shop does not take the token');
    if (response.status !== 200) throw new ChannelProtocolError(`the shop answered ${response.status}`);
    return response.json<T>();
  }
}

function query(parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
