import { randomBytes } from 'node:crypto';
import {
  FaultDice,
  NO_FAULTS,
  type OrderDocument,
  type SimulatedListing,
  type SimulatedOrderLine,
  type SimulatedReply,
  type SimulatedRequest,
  type SimulatorFaults,
  SimulatorFrame,
  SimulatorServer,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { processFlatFileAcknowledgements, processXmlAcknowledgements } from './acknowledgement-feed';
import { ApiRefusal, errorList } from './api-call';
import { type AcceptedChange, Catalogue } from './catalogue';
import { DocumentStore } from './documents';
import { FbaInventory, type FbaStock } from './fba-inventory';
import { type FeedProcessor, Feeds } from './feeds';
import { processListingsFeed } from './listings-feed';
import { ListingsItems } from './listings-items';
import { MessageQueue } from './message-queue';
import { fbaChange, feedFinished, orderChange, quantityChange } from './notification-payloads';
import { type NotificationType, Notifications } from './notifications';
import { type NewOrder, OrderBook } from './order-book';
import { Orders } from './orders';
import { listingRows, returnRows } from './report-rows';
import { Reports, type ReportWriter } from './reports';
import { ScaledTime } from './scaled-time';
import { SellingPartnerApi } from './selling-partner-api';
import { Sellers } from './sellers';
import type { AmazonSimulatorOptions } from './simulator-options';
import { queueArn, SqsEndpoint } from './sqs';
import { TokenDesk } from './tokens';
import { type PlanBreach, UsagePlans } from './usage-plans';

const SELLER_ID = 'A3SIMULATEDONE';
const CLIENT_ID = 'amzn1.application-oa2-client.simulated';
const MARKETPLACE = 'ATVPDKIKX0DER';
const QUEUE_PATH = '/123456789012/onhand-amazon';
const NOTIFICATIONS: readonly NotificationType[] = [
  'ORDER_CHANGE',
  'FEED_PROCESSING_FINISHED',
  'FBA_INVENTORY_AVAILABILITY_CHANGES',
  'LISTINGS_ITEM_MFN_QUANTITY_CHANGE',
];

/**
 * A seller's account at Amazon: the Selling Partner API on one port, with faults, outages and the log of calls,
 * and on another what Amazon runs beside it, each under an address of its own: Login with Amazon, the storage
 * of documents, and a queue.
 */
export class AmazonSimulator extends SimulatorFrame {
  readonly feeds: Feeds;
  readonly reports: Reports;
  readonly queue: MessageQueue;
  readonly notifications: Notifications;
  readonly tokens: TokenDesk;
  readonly fba: FbaInventory;
  private readonly secrets: { refreshToken: string; accessKeyId: string; secretAccessKey: string };
  private readonly time: ScaledTime;
  private readonly plans: UsagePlans;
  private readonly catalogue: Catalogue;
  private readonly book: OrderBook;
  private readonly documents: DocumentStore;
  private readonly api: SellingPartnerApi;
  private readonly cloud: SimulatorServer;
  private readonly lies: FaultDice;
  private cloudUrl = '';
  private notified: SimulatorFaults = { ...NO_FAULTS };
  private shownNow: Map<string, number> | undefined;

  constructor(private readonly amazon: AmazonSimulatorOptions) {
    // Limits are by operation, there are no locations, and a cancellation takes as long as its feed.
    super({ ...amazon, limit: undefined, locations: undefined, cancelAfterMs: undefined });
    const { seed = 1, timeScale = 1, marketplaceIds = [MARKETPLACE], appliesAfterSeconds = 5 } = amazon;
    this.secrets = {
      refreshToken: amazon.token ?? `Atzr|${randomBytes(16).toString('hex')}`,
      accessKeyId: 'AKIASIMULATED',
      secretAccessKey: randomBytes(20).toString('hex'),
    };
    this.lies = new FaultDice(seed + 1);
    this.time = new ScaledTime(timeScale);
    this.plans = new UsagePlans(timeScale, amazon.toleranceMs ?? 0, amazon.plans);
    const credentials = {
      clientId: CLIENT_ID,
      clientSecret: amazon.webhookSecret,
      refreshToken: this.secrets.refreshToken,
    };
    this.tokens = new TokenDesk(this.time, credentials);
    this.queue = new MessageQueue(new FaultDice(seed + 2), () => this.notified);
    this.notifications = new Notifications(this.queue, queueArn(QUEUE_PATH));
    this.catalogue = new Catalogue(this.shop, this.time, appliesAfterSeconds, (sku, units) =>
      this.quantityChanged(sku, units),
    );
    this.book = new OrderBook(this.shop, marketplaceIds[0] as string, (order, change) => {
      this.shownNow = undefined;
      this.notifications.send('ORDER_CHANGE', orderChange(SELLER_ID, order, change));
    });
    this.fba = new FbaInventory(marketplaceIds, this.time, (item) => {
      const type = 'FBA_INVENTORY_AVAILABILITY_CHANGES';
      this.notifications.send(type, fbaChange(SELLER_ID, marketplaceIds, item));
    });
    this.documents = new DocumentStore(this.time, () => this.cloudUrl);
    this.feeds = this.newFeeds();
    this.reports = new Reports(this.documents, this.reportWriters(), this.time, this.feedDurations);
    this.api = this.newApi(marketplaceIds);
    this.cloud = this.newCloud();
    if (amazon.subscribed ?? true) this.notifications.subscribe(NOTIFICATIONS);
  }

  get pluginOptions(): Record<string, unknown> {
    const { timeScale = 1, marketplaceIds = [MARKETPLACE], fba, returns } = this.amazon;
    const { refreshToken, ...sqs } = this.secrets;
    return {
      region: 'na',
      marketplaceIds: [...marketplaceIds],
      sellerId: SELLER_ID,
      clientId: CLIENT_ID,
      clientSecret: this.amazon.webhookSecret,
      refreshToken,
      endpoint: this.url,
      lwaEndpoint: `${this.cloudUrl}/auth/o2/token`,
      sqs: {
        queueUrl: `${this.cloudUrl}${QUEUE_PATH}`,
        region: 'us-east-1',
        endpoint: this.cloudUrl,
        waitSeconds: 1,
        ...sqs,
      },
      timeScale,
      ...(fba ? { fba: { location: 'FBA' } } : {}),
      ...(returns ? { returns: {} } : {}),
    };
  }

  get wrongCredentials(): Record<string, unknown> {
    return { refreshToken: 'Atzr|of-nobody' };
  }

  /** Amazon sends no webhooks: whoever wants to hear of changes reads the queue. */
  override deliverTo(): void {}

  /** The notification as it would come through the queue. */
  webhookFor(orderId: string): WebhookDelivery {
    const body = JSON.stringify(orderChange(SELLER_ID, this.book.get(orderId), 'OrderStatusChange'));
    return { headers: {}, body: Buffer.from(body) };
  }

  /** Changes of quantities that were accepted, in the order in which they were processed. */
  get accepted(): readonly AcceptedChange[] {
    return this.catalogue.accepted;
  }

  /** Calls that came earlier than their operation's plan allows, by more than what was told to be let pass. */
  planBreaches(): PlanBreach[] {
    return this.plans.breaches(this.calls);
  }

  override async listen(): Promise<void> {
    await super.listen();
    this.cloudUrl = await this.cloud.listen(0);
  }

  override list(items: SimulatedListing[]): void {
    super.list(items);
    this.catalogue.list(items);
    this.shownNow = undefined;
  }

  /** Stock at Amazon's warehouses, which the seller lists and cannot set. */
  stockFba(items: readonly FbaStock[]): void {
    this.fba.stock(items);
    this.catalogue.listFba(items.map(({ sku }) => sku));
  }

  /** Not changed once it was given. */
  override shown(): Map<string, number> {
    return (this.shownNow ??= super.shown());
  }

  override placeOrder(order: NewOrder & { lines: SimulatedOrderLine[] }): OrderDocument {
    if (order.fulfilledBy === 'AMAZON') {
      for (const { channelSku, quantityUnits } of order.lines) this.fba.sell(channelSku, quantityUnits);
    }
    const placed = this.book.place(order);
    for (const sku of new Set(order.lines.map(({ channelSku }) => channelSku))) {
      const item = this.shop.item(sku);
      if (item) this.quantityChanged(sku, item.quantityUnits);
    }
    return placed;
  }

  /** The payment of a pending order is through. */
  payOrder(orderId: string, at: string): OrderDocument {
    return this.book.pay(orderId, at);
  }

  /** All that is left, or so many units of each line. */
  override fulfilOrder(orderId: string, at: string, units?: ReadonlyMap<string, number>): OrderDocument {
    return this.book.ship(orderId, at, units);
  }

  override cancelOrder(orderId: string, at: string): OrderDocument {
    return this.book.cancel(orderId, at);
  }

  /** Asks, and cancels nothing. */
  askToCancel(orderId: string, at: string): OrderDocument {
    return this.book.askToCancel(orderId, at);
  }

  override returnOrder(orderId: string, at: string): OrderDocument {
    return this.book.return(orderId, at);
  }

  override order(orderId: string): OrderDocument {
    return this.book.get(orderId).document;
  }

  override faults(change: Partial<SimulatorFaults>): void {
    super.faults(change);
    this.notified = { ...this.notified, ...change };
  }

  override async close(): Promise<void> {
    this.time.stop();
    this.queue.close();
    await Promise.all([super.close(), this.cloud.close()]);
  }

  protected answer(request: SimulatedRequest): SimulatedReply {
    return this.api.answer(request);
  }

  protected override throttled(retryAfter: string | null): SimulatedReply {
    const refusal = new ApiRefusal(
      429,
      'QuotaExceeded',
      'You exceeded your quota for the requested resource.',
    );
    return { ...super.throttled(retryAfter), body: errorList(refusal) };
  }

  protected override unavailable(): SimulatedReply {
    const error = { code: 'ServiceUnavailable', message: 'Service is temporarily unavailable.', details: '' };
    return { status: 503, body: { errors: [error] } };
  }

  private get feedDurations(): { queuedSeconds: number; processingSeconds: number } {
    const { feedQueuedSeconds = 30, feedProcessingSeconds = 60 } = this.amazon;
    return { queuedSeconds: feedQueuedSeconds, processingSeconds: feedProcessingSeconds };
  }

  private quantityChanged(sku: string, quantityUnits: number): void {
    this.shownNow = undefined;
    const type = 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE';
    if (!this.notifications.isSubscribed(type)) return;
    this.notifications.send(type, quantityChange(SELLER_ID, sku, quantityUnits));
  }

  private newFeeds(): Feeds {
    const cancel = this.book.failFor.bind(this.book);
    const processors: Record<string, FeedProcessor> = {
      JSON_LISTINGS_FEED: (document, feedId, share) =>
        processListingsFeed(document, this.catalogue, {
          sellerId: SELLER_ID,
          feedId,
          share,
          isLie: () => this.lies.draw(this.notified.lie),
        }),
      POST_ORDER_ACKNOWLEDGEMENT_DATA: (document, feedId) =>
        processXmlAcknowledgements(document, feedId, cancel),
      POST_FLAT_FILE_ORDER_ACKNOWLEDGEMENT_DATA: (document) =>
        processFlatFileAcknowledgements(document, cancel),
    };
    return new Feeds(this.documents, processors, this.time, this.feedDurations, (feed) =>
      this.notifications.send('FEED_PROCESSING_FINISHED', feedFinished(SELLER_ID, feed)),
    );
  }

  private reportWriters(): Record<string, ReportWriter> {
    return {
      GET_MERCHANT_LISTINGS_ALL_DATA: () => listingRows(this.catalogue, this.shop, this.spoiled),
      GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE: (period) => returnRows(this.book.returns, period),
    };
  }

  private newApi(marketplaceIds: readonly string[]): SellingPartnerApi {
    const seller = { sellerId: SELLER_ID, marketplaceIds };
    const areas = [
      new ListingsItems(this.catalogue, this.shop, seller, this.spoiled),
      new Orders(this.book, this.time, this.spoiled),
      new Sellers(marketplaceIds),
      ...[this.feeds, this.reports, this.fba, this.notifications],
    ];
    return new SellingPartnerApi(areas, this.tokens, this.plans, this.amazon.unlimited !== true);
  }

  private newCloud(): SimulatorServer {
    const sqs = new SqsEndpoint(this.queue, this.secrets, QUEUE_PATH);
    const answer = (request: SimulatedRequest) => {
      if (request.path === '/auth/o2/token') return this.tokens.answer(request.body);
      if (request.path.startsWith('/documents/')) return this.documents.answer(request);
      return sqs.answer(request);
    };
    const api = {
      answer,
      throttled: (retryAfter: string | null) => this.throttled(retryAfter),
      unavailable: () => this.unavailable(),
    };
    return new SimulatorServer(api, new FaultDice(1), () => NO_FAULTS);
  }
}
