import {
  defineChannelPlugin,
  type CancelRequest,
  type CancelResult,
  type Channel,
  type ChannelDocument,
  type ChannelHost,
  type CheckResult,
  type CountedStock,
  type FollowedPush,
  type InventoryQuery,
  type InventoryUpdate,
  type OrderDocument,
  type Page,
  type PulledNotification,
  type PushResult,
  type ShownInventory,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import { Cancellations } from './amazon-sp-api.cancel';
import { Catalogue } from './amazon-sp-api.catalogue';
import { checkAccount, secretFinding } from './amazon-sp-api.check';
import { SpApiClient } from './amazon-sp-api.client';
import { Documents } from './amazon-sp-api.documents';
import { FbaStock } from './amazon-sp-api.fba';
import { Feeds } from './amazon-sp-api.feeds';
import { limits } from './amazon-sp-api.limits';
import { translateNotification } from './amazon-sp-api.notifications';
import { AmazonSpApiOptions, secretsOf } from './amazon-sp-api.options';
import { Orders } from './amazon-sp-api.orders';
import { Patches } from './amazon-sp-api.patches';
import { Pushing } from './amazon-sp-api.push';
import { NotificationQueue } from './amazon-sp-api.queue';
import { InventoryReader } from './amazon-sp-api.read';
import { Reports } from './amazon-sp-api.reports';
import { Returns } from './amazon-sp-api.returns';
import { Subscriptions } from './amazon-sp-api.subscriptions';

/** One seller account in one Amazon region, by the Selling Partner API. */
export default defineChannelPlugin<AmazonSpApiOptions>({
  name: 'amazon-sp-api',
  version: '0.1.0',
  channelApi: '^1.0.0',
  options: AmazonSpApiOptions,
  secrets: secretsOf,
  limits,
  capabilities: ({ feeds, sqs, fba }) => ({
    pushBatchSize: feeds.maxMessages,
    // ACCEPTED is a place in a queue.
    pushAnswers: 'accepted',
    compareAndSet: false,
    stockByLocation: false,
    ...(fba ? { countsAt: [fba.location] } : {}),
    readsOrders: true,
    cancelsOrders: true,
    subscribesWebhooks: sqs !== undefined,
    // Large catalogues are read by report, which takes fewer calls.
    inventoryReads: { rowsPerCall: 20, limit: 'searchListingsItems', snapshot: true },
  }),
  connect: (options, host) => new AmazonChannel(options, host),
});

class AmazonChannel implements Channel {
  /** There only where the options name a queue. */
  readonly subscribe?: () => Promise<void>;
  readonly pullNotifications?: () => Promise<PulledNotification[]>;
  readonly confirmNotifications?: (receipts: readonly string[]) => Promise<void>;
  /** There only where the options name Amazon's warehouses. */
  readonly readCounts?: () => AsyncIterable<Page<CountedStock>>;
  private readonly client: SpApiClient;
  private readonly feeds: Feeds;
  private readonly reader: InventoryReader;
  private readonly pushing: Pushing;
  private readonly orders: Orders;
  private readonly cancellations: Cancellations;
  private readonly queue: NotificationQueue | undefined;

  constructor(
    private readonly options: AmazonSpApiOptions,
    private readonly host: ChannelHost,
  ) {
    const { http, clock, log } = host;
    const { sqs, fba, returns } = options;
    const client = new SpApiClient(options, http, clock);
    const documents = new Documents(http);
    const reports = new Reports(client, documents, clock, options);
    const catalogue = new Catalogue(options.marketplaceIds);
    const reader = new InventoryReader(client, reports, catalogue, options);
    const feeds = new Feeds(client, documents, clock, options);
    const patches = new Patches(client, clock, options);
    const back = returns && new Returns(reports, clock, log, { ...options, returns });
    this.client = client;
    this.feeds = feeds;
    this.reader = reader;
    this.pushing = new Pushing({ patches, feeds, reader, catalogue, clock, log }, options);
    this.orders = new Orders(client, clock, options, back);
    this.cancellations = new Cancellations(feeds, documents, this.orders, options);
    if (sqs) {
      const queue = new NotificationQueue(sqs, http);
      const subscriptions = new Subscriptions(client, log, { ...options, sqs });
      this.queue = queue;
      this.subscribe = () => subscriptions.make();
      this.pullNotifications = () => queue.pull();
      this.confirmNotifications = (receipts) => queue.confirm(receipts);
    }
    if (fba) {
      const stock = new FbaStock(client, { ...options, fba });
      this.readCounts = () => stock.read();
    }
    this.warnOfSecret();
  }

  pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    return this.pushing.push(updates);
  }

  followPushes(pushes: readonly FollowedPush[]): Promise<PushResult[]> {
    return this.feeds.follow(pushes, (reason) => this.pushing.avoidFeeds(reason));
  }

  readInventory(query: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    return this.reader.read(query);
  }

  readOrders(query: { cursor?: string; since?: string }): AsyncGenerator<Page<OrderDocument>> {
    return this.orders.read(query);
  }

  readOrder(orderId: string): Promise<OrderDocument | undefined> {
    return this.orders.readOne(orderId);
  }

  /** Amazon sends no webhooks, and signs nothing: what comes over the web is somebody else's. */
  verifyWebhook(): WebhookVerdict {
    return {
      verdict: 'refused',
      status: 401,
      reason: 'Amazon sends no webhooks; its notifications are pulled from options.sqs',
    };
  }

  translateWebhook(request: WebhookRequest): ChannelDocument[] {
    return translateNotification(request, this.options);
  }

  cancelOrder(request: CancelRequest): Promise<CancelResult> {
    return this.cancellations.cancel(request);
  }

  followCancellation(receipt: string): Promise<CancelResult> {
    return this.cancellations.follow(receipt);
  }

  check(): Promise<CheckResult> {
    const { client, queue } = this;
    return checkAccount({ client, queue, clock: this.host.clock }, this.options);
  }

  async close(): Promise<void> {
    this.queue?.close();
  }

  private warnOfSecret(): void {
    const finding = secretFinding(this.options, this.host.clock.now());
    if (finding && !finding.ok) this.host.log.warn(finding.message);
  }
}
