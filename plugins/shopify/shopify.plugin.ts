import {
  type CancelRequest,
  type CancelResult,
  type Channel,
  type ChannelDocument,
  type ChannelHost,
  type CheckResult,
  defineChannelPlugin,
  type InventoryQuery,
  type InventoryUpdate,
  type OrderDocument,
  type Page,
  type PushResult,
  type ShownInventory,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import { Canceller } from './shopify.cancel';
import { Catalogue } from './shopify.catalogue';
import { check } from './shopify.check';
import { ShopifyClient } from './shopify.client';
import { Echoes } from './shopify.echoes';
import { InventoryReader } from './shopify.inventory';
import { limits, MAX_ROWS } from './shopify.limits';
import { secretsOf, ShopifyOptions } from './shopify.options';
import { OrderReader } from './shopify.orders';
import { Pusher } from './shopify.push';
import { subscribe } from './shopify.subscriptions';
import { WebhookTranslator, WebhookVerifier } from './shopify.webhook';

/** A Shopify shop, on its Admin GraphQL API and its webhooks. */
export default defineChannelPlugin<ShopifyOptions>({
  name: 'shopify',
  version: '0.1.0',
  channelApi: '^1.0.0',
  options: ShopifyOptions,
  secrets: secretsOf,
  limits,
  capabilities: () => ({
    pushBatchSize: MAX_ROWS,
    pushAnswers: 'applied',
    compareAndSet: true,
    stockByLocation: true,
    readsOrders: true,
    cancelsOrders: true,
    subscribesWebhooks: true,
  }),
  connect: (options, host) => new ShopifyChannel(options, host),
});

class ShopifyChannel implements Channel {
  private readonly client: ShopifyClient;
  private readonly pusher: Pusher;
  private readonly inventory: InventoryReader;
  private readonly orders: OrderReader;
  private readonly verifier: WebhookVerifier;
  private readonly translator: WebhookTranslator;
  private readonly canceller: Canceller;

  constructor(
    private readonly options: ShopifyOptions,
    host: ChannelHost,
  ) {
    const { clock, log } = host;
    const echoes = new Echoes(clock);
    this.client = new ShopifyClient(options, host);
    const catalogue = new Catalogue(this.client, options.mapBy, clock);
    this.pusher = new Pusher(this.client, catalogue, echoes, options, clock);
    this.inventory = new InventoryReader(this.client, catalogue, options, host);
    this.orders = new OrderReader(this.client, options);
    this.verifier = new WebhookVerifier(options);
    this.translator = new WebhookTranslator(options, catalogue, echoes, log);
    this.canceller = new Canceller(this.client, this.orders, options, clock);
  }

  pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    return this.pusher.push(updates);
  }

  readInventory(query: InventoryQuery): AsyncIterable<Page<ShownInventory>> {
    return this.inventory.read(query);
  }

  readOrders(query: { cursor?: string; since?: string }): AsyncIterable<Page<OrderDocument>> {
    return this.orders.read(query);
  }

  readOrder(orderId: string): Promise<OrderDocument | undefined> {
    return this.orders.one(orderId);
  }

  verifyWebhook(request: WebhookRequest): Promise<WebhookVerdict> {
    return this.verifier.verify(request);
  }

  translateWebhook(request: WebhookRequest): ChannelDocument[] {
    return this.translator.translate(request);
  }

  cancelOrder(request: CancelRequest): Promise<CancelResult> {
    return this.canceller.cancel(request);
  }

  subscribe(url: string): Promise<void> {
    return subscribe(this.client, this.options, url);
  }

  check(): Promise<CheckResult> {
    return check(this.client, this.inventory, this.options);
  }
}
