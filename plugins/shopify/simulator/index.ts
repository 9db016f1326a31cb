import { createHmac, randomUUID } from 'node:crypto';
import {
  jsonWithBareIds,
  type OrderDocument,
  SimulatorFrame,
  type SimulatedListing,
  type SimulatedReply,
  type SimulatedRequest,
  type SimulatorOptions,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { Access } from './access';
import { ALL_ORDERS } from './access-scopes';
import { AdminApi } from './admin-api';
import { adminSchema } from './admin-schema';
import { BulkOperations } from './bulk-operations';
import { CostBucket } from './cost-bucket';
import { Idempotency } from './idempotency';
import { IdSequence } from './ids';
import { InventoryMutations } from './inventory-mutations';
import { documentOf } from './order-model';
import { OrderMutations } from './order-mutations';
import { OrderNodes } from './order-nodes';
import { type NewOrder, type OrderNews, Orders } from './orders';
import { levelPayload, orderPayload, payloadOf } from './payloads';
import { rootOf } from './root';
import { resolveSettings, type Settings, type ShopifySimulatorOptions } from './settings';
import { Stock } from './stock';
import { StockNodes } from './stock-nodes';
import { Subscriptions } from './subscriptions';

export type { ShopifySimulatorOptions } from './settings';

/** Starts a shop with Shopify's Admin API and webhooks. Rejects when the port is taken. */
export async function startSimulator(
  options: SimulatorOptions & ShopifySimulatorOptions,
): Promise<ShopifySimulator> {
  const simulator = new ShopifySimulator(resolveSettings(options));
  await simulator.listen();
  return simulator;
}

/** A Shopify shop on a local port. `stock`, `orders` and the others are for whoever plays its merchant and buyers. */
export class ShopifySimulator extends SimulatorFrame {
  override readonly signatureHeader = 'x-shopify-hmac-sha256';
  override readonly locations: readonly string[];
  readonly wrongCredentials = { auth: { kind: 'token', token: 'shpat_of_another_shop' } };
  readonly stock: Stock;
  readonly orders: Orders;
  readonly inventory: InventoryMutations;
  readonly access: Access;
  readonly bucket: CostBucket;
  readonly bulk: BulkOperations;
  private readonly subscriptions: Subscriptions;
  private readonly orderMutations: OrderMutations;
  private readonly api: AdminApi;
  private deliversTo: string | null = null;

  constructor(private readonly settings: Settings) {
    super(settings.frame);
    const { apiVersion, contracts, scopes } = settings;
    const ids = new IdSequence();
    const idempotency = new Idempotency();
    const schemaOf = (version: string) => adminSchema(version, contracts);
    this.locations = settings.locations;
    this.stock = new Stock(settings.locations, ids, (level) =>
      this.tell('inventory_levels/update', () => levelPayload(level)),
    );
    this.orders = new Orders(this.stock, ids, (news) => this.tellAll(news));
    const stockNodes = new StockNodes(this.stock, this.spoiled);
    const orderNodes = new OrderNodes(this.orders, this.stock, stockNodes, {
      ...{ spoiled: this.spoiled, showsAll: scopes.includes(ALL_ORDERS) },
    });
    this.inventory = new InventoryMutations(this.stock, stockNodes, ids, idempotency, settings.processingMs);
    this.orderMutations = new OrderMutations(
      this.orders,
      orderNodes,
      ids,
      idempotency,
      settings.cancelAfterMs,
    );
    this.subscriptions = new Subscriptions(ids);
    this.access = new Access(settings.access);
    this.bucket = new CostBucket(settings.bucket, settings.enforcesLimit);
    this.bulk = new BulkOperations(
      ids,
      (document) => this.api.runInBulk(apiVersion, document),
      () => this.url,
      settings.bulkLastsMs,
    );
    const root = rootOf({
      ...{ shop: { name: 'Simulated', myshopifyDomain: settings.shop }, scopes, stockNodes, orderNodes },
      ...{ stock: this.stock, orders: this.orders, inventory: this.inventory, bulk: this.bulk },
      ...{ orderMutations: this.orderMutations, subscriptions: this.subscriptions },
    });
    this.api = new AdminApi({
      ...{ access: this.access, bucket: this.bucket, scopes, bulk: this.bulk, root, schemaOf },
    });
  }

  get pluginOptions(): Record<string, unknown> {
    const { shop, apiVersion, auth, webhookSecrets } = this.settings;
    return { shop, apiVersion, auth, webhookSecrets, endpoint: this.url };
  }

  override list(items: SimulatedListing[]): void {
    this.stock.list(items);
  }

  override shown(channelLocation?: string): Map<string, number> {
    return this.stock.shown(channelLocation);
  }

  override placeOrder(order: NewOrder): OrderDocument {
    return documentOf(this.orders.place(order));
  }

  override fulfilOrder(orderId: string, at: string): OrderDocument {
    return documentOf(this.orders.fulfil(orderId, at));
  }

  override cancelOrder(orderId: string, at: string): OrderDocument {
    return documentOf(this.orders.cancel(orderId, at, { restock: this.settings.restocksOnCancel }));
  }

  override returnOrder(orderId: string, at: string): OrderDocument {
    return documentOf(this.orders.returnAll(orderId, at));
  }

  override order(orderId: string): OrderDocument {
    return documentOf(this.orders.get(orderId));
  }

  webhookFor(orderId: string): WebhookDelivery {
    const order = this.orders.get(orderId);
    const isNew = order.fulfillments.length === 0 && order.refunds.length === 0 && !order.cancelledAt;
    return this.signed(
      isNew ? 'orders/create' : 'orders/updated',
      orderPayload(order, this.spoiled),
      randomUUID(),
    );
  }

  override deliverTo(url: string | null): void {
    this.deliversTo = url;
    super.deliverTo(url);
  }

  /** The merchant removes the app: its webhooks end with the news of it, and its tokens with them. */
  uninstall(): void {
    this.tell('app/uninstalled', () => ({ myshopify_domain: this.settings.shop, name: 'Simulated' }));
    this.subscriptions.clear();
    this.access.revoke();
  }

  override async close(): Promise<void> {
    this.orderMutations.close();
    this.bulk.close();
    await super.close();
  }

  protected answer(request: SimulatedRequest): SimulatedReply | Promise<SimulatedReply> {
    return this.api.answer(request);
  }

  protected override throttled(retryAfter: string | null): SimulatedReply {
    return { ...super.throttled(retryAfter), body: { errors: 'Too many requests.' } };
  }

  protected override unavailable(): SimulatedReply {
    return { status: 503, body: { errors: 'Service Unavailable' } };
  }

  private tellAll(news: readonly OrderNews[]): void {
    const [first] = news;
    if (!first) return;
    // Shopify promises no order of topics: what happens at once may be told the other way round.
    if (first.topic === 'orders/create' && this.settings.updatedBeforeCreate)
      this.tell('orders/updated', () => payloadOf({ ...first, topic: 'orders/updated' }, this.spoiled));
    const eventId = randomUUID();
    for (const each of news) this.tell(each.topic, () => payloadOf(each, this.spoiled), eventId);
  }

  private tell(topic: string, body: () => object, eventId: string = randomUUID()): void {
    const subscribed = this.subscriptions.addressesOf(topic).filter((url) => url !== this.deliversTo);
    const addresses = [...(this.deliversTo === null ? [] : [this.deliversTo]), ...subscribed];
    for (const url of addresses) this.sendWebhook(this.signed(topic, body(), eventId), url);
  }

  private signed(topic: string, payload: object, eventId: string): WebhookDelivery {
    const body = Buffer.from(jsonWithBareIds(payload));
    const { frame, shop, apiVersion } = this.settings;
    return {
      headers: {
        'content-type': 'application/json',
        'x-shopify-topic': topic,
        'x-shopify-hmac-sha256': createHmac('sha256', frame.webhookSecret).update(body).digest('base64'),
        'x-shopify-shop-domain': shop,
        'x-shopify-api-version': apiVersion,
        'x-shopify-webhook-id': randomUUID(),
        'x-shopify-event-id': eventId,
        'x-shopify-triggered-at': new Date().toISOString(),
      },
      body,
    };
  }
}
