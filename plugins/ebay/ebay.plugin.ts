import {
  type CancelRequest,
  type CancelResult,
  type Channel,
  type ChannelAuthorization,
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
import { EbayCancellations } from './ebay.cancel';
import { check } from './ebay.check';
import { EbayClient } from './ebay.client';
import { InventoryCheck } from './ebay.inventory-check';
import { limits } from './ebay.limits';
import { EbayOffers } from './ebay.offers';
import { EbayOptions, secretsOf } from './ebay.options';
import { EbayOrders } from './ebay.orders';
import { EbayPostOrder } from './ebay.post-order';
import { EbayPush } from './ebay.push';
import { EbayQuotas } from './ebay.quotas';
import { EbayInventory } from './ebay.read';
import { EbaySubscriptions } from './ebay.subscribe';
import { EbayWebhooks, translateWebhook } from './ebay.webhook';

/** One eBay account: the Sell, Notification, Post-Order and Key Management APIs. */
export default defineChannelPlugin<EbayOptions>({
  name: 'ebay',
  version: '0.1.0',
  channelApi: '^1.0.0',
  options: EbayOptions,
  secrets: secretsOf,
  limits,
  capabilities: ({ batchSize, cancel, webhook }) => ({
    pushBatchSize: batchSize,
    pushAnswers: 'applied',
    compareAndSet: false,
    stockByLocation: false,
    readsOrders: true,
    cancelsOrders: cancel.enabled,
    subscribesWebhooks: webhook !== undefined,
    inventoryReads: { rowsPerCall: 200, limit: 'calls' },
  }),
  connect: (options, host) => new EbayChannel(options, host),
});

class EbayChannel implements Channel {
  /** There only where the options allow it. */
  readonly cancelOrder?: (request: CancelRequest) => Promise<CancelResult>;
  readonly subscribe?: (url: string) => Promise<void>;
  readonly answerStockInquiry?: Channel['answerStockInquiry'];
  readonly authorization?: ChannelAuthorization;
  private readonly client: EbayClient;
  private readonly quotas: EbayQuotas;
  private readonly pushes: EbayPush;
  private readonly inventory: EbayInventory;
  private readonly orders: EbayOrders;
  private readonly webhooks: EbayWebhooks;

  constructor(
    private readonly options: EbayOptions,
    private readonly host: ChannelHost,
  ) {
    const { cancel, webhook, inventoryCheck, environment } = options;
    this.client = new EbayClient(options, host);
    if (this.client.consent) this.authorization = this.client.consent;
    this.quotas = new EbayQuotas(this.client, host);
    const offers = new EbayOffers(this.client, host.clock);
    this.pushes = new EbayPush(this.client, offers, options, host);
    this.inventory = new EbayInventory(this.client, offers, options);
    const postOrder = new EbayPostOrder(this.client, host, environment === 'production');
    this.orders = new EbayOrders(this.client, postOrder, host);
    this.webhooks = new EbayWebhooks(this.client, webhook, host.clock);
    if (cancel.enabled) {
      const cancellations = new EbayCancellations(this.client, this.orders, cancel);
      this.cancelOrder = (request) => cancellations.cancel(request);
    }
    if (webhook) {
      const subscriptions = new EbaySubscriptions(this.client, webhook, host.log);
      this.subscribe = (url) => this.subscribeAt(url, webhook.endpoint, subscriptions);
    }
    if (inventoryCheck) {
      const checkout = new InventoryCheck(inventoryCheck, host.clock);
      this.answerStockInquiry = (request, unitsOf) => checkout.answer(request, unitsOf);
    }
  }

  pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    return this.pushes.push(updates);
  }

  readInventory(query: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    return this.inventory.read(query);
  }

  /** A poll that runs anyway, every few minutes: a good moment to hear of the day's quotas too. */
  async *readOrders(query: { cursor?: string; since?: string }): AsyncGenerator<Page<OrderDocument>> {
    yield* this.orders.read(query);
    await this.quotas.learnNowAndThen();
  }

  readOrder(orderId: string): Promise<OrderDocument | undefined> {
    return this.orders.readOne(orderId);
  }

  verifyWebhook(request: WebhookRequest): Promise<WebhookVerdict> {
    return this.webhooks.verify(request);
  }

  translateWebhook(request: WebhookRequest): ChannelDocument[] {
    return translateWebhook(request);
  }

  check(): Promise<CheckResult> {
    const { client, quotas } = this;
    const { clock, channel } = this.host;
    return check(this.options, { client, quotas, clock, channel });
  }

  private async subscribeAt(url: string, endpoint: string, subscriptions: EbaySubscriptions): Promise<void> {
    if (url !== endpoint)
      this.host.log.warn(
        'webhook.endpoint is not where this host is reached by server.publicUrl; another process would answer eBay’s challenge wrongly: make them the same',
      );
    this.webhooks.endpoint = url;
    await subscriptions.subscribe(url);
  }
}
