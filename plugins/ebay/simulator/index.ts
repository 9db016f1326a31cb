import { createHash, randomBytes } from 'node:crypto';
import {
  type ChannelSimulator,
  FaultDice,
  type OrderDocument,
  SimulatorFrame,
  type SimulatedListing,
  type SimulatedOrderLine,
  type SimulatedReply,
  type SimulatedRequest,
  type SimulatorOptions,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { CallQuotas, type DailyQuotas } from './daily-quotas';
import { type EntryFaults, InventoryApi } from './inventory';
import { NotificationApi } from './notifications';
import { OrdersApi } from './orders';
import { PostOrderApi } from './post-order';
import { type Revision, RevisionBook } from './revision-book';
import { EbayRoutes } from './routes';
import { ScaledTime } from './scaled-time';
import { type SigningKeyView, SigningKeys } from './signing-keys';
import { EbayStock } from './stock';
import { TokenDesk, type TokenQuotas } from './token-desk';
import { WebhookSigner } from './webhook-signer';
import { MARKETPLACE, type RefundView, totalOf, Wire } from './wire';

/** What is eBay's own, beside what every simulator takes. */
export interface EbaySimulatorOptions extends SimulatorOptions {
  /** How much faster eBay's time runs than ours: its days and refunds. 1 when absent. */
  timeScale?: number;
  /** Changes that a listing takes in one of eBay's calendar days. 250 when absent, as at eBay. */
  revisionsPerDay?: number;
  /** SKUs that one `bulk_update_price_quantity` takes: 25 when absent, or 1, for the contract says both. */
  skusPerUpdate?: number;
  /** How long an item is being changed, in ms; whoever changes it meanwhile meets error 25025. */
  updateTakesMs?: number;
  /** Calls a day, by eBay's names of its resources; others are as eBay gives them. */
  quotas?: DailyQuotas;
  tokenQuotas?: Partial<TokenQuotas>;
  /** How long an access token lives, in seconds of ours. Two hours when absent. */
  tokenSeconds?: number;
  /** Scopes that the seller consented to; those of the plugin when absent. */
  scopes?: readonly string[];
  /** Refuses refunds and cancellations that are not signed, as for sellers in the EU and the UK. */
  asksForSignatures?: boolean;
  /** How long a refund is pending, in seconds of eBay's time; none when absent. */
  refundSeconds?: number;
  /** Refunds what is cancelled by itself, as eBay does where it handled the payment. True when absent. */
  refundsOnCancel?: boolean;
  /** How often, 0 to 1, a checkout's notification comes a second time, as after a payment that failed at first. */
  repeatedConfirmations?: number;
  /** The public address that eBay is to know for notifications. */
  endpoint?: string;
}

const SCOPE = 'https://api.ebay.com/oauth/api_scope';
const CONSENTED = [
  `${SCOPE}/sell.inventory`,
  `${SCOPE}/sell.fulfillment`,
  `${SCOPE}/sell.finances`,
  `${SCOPE}/commerce.notification.subscription`,
];

/** Starts an eBay with one seller's account. Rejects when the port is taken. */
export async function startSimulator(options: EbaySimulatorOptions): Promise<EbaySimulator> {
  const simulator = new EbaySimulator(options);
  await simulator.listen();
  return simulator;
}

/** eBay as its documentation describes it, and as hostile where that is silent. */
export class EbaySimulator extends SimulatorFrame implements ChannelSimulator {
  override readonly signatureHeader = 'x-ebay-signature';
  readonly wrongCredentials = { refreshToken: 'a-refresh-token-that-ebay-does-not-know' };
  /** A key for signed calls, with its private part. */
  readonly signingKey: SigningKeyView;
  private readonly time: ScaledTime;
  private readonly stock: EbayStock;
  private readonly revisions: RevisionBook;
  private readonly tokens: TokenDesk;
  private readonly inventory: InventoryApi;
  private readonly orderApi: OrdersApi;
  private readonly postOrder: PostOrderApi;
  private readonly notifications: NotificationApi;
  private readonly routes: EbayRoutes;
  private readonly dice: FaultDice;
  private readonly placed = new Set<string>();
  private readonly shipped = new Set<string>();
  private readonly clientId = `simulated-app-${randomBytes(4).toString('hex')}`;
  private readonly clientSecret = `SIM-${randomBytes(16).toString('hex')}`;
  private readonly refreshToken: string;

  constructor(protected override readonly options: EbaySimulatorOptions) {
    super(options);
    const { timeScale = 1, seed = 1, token, scopes = CONSENTED } = options;
    this.refreshToken = token ?? `v^1.1#i^1#r^1#${randomBytes(32).toString('base64url')}`;
    this.dice = new FaultDice(seed + 1);
    this.time = new ScaledTime(timeScale);
    this.stock = new EbayStock(this.shop);
    this.revisions = new RevisionBook(options.revisionsPerDay ?? 250, this.time);
    const { clientId, clientSecret, refreshToken } = this;
    const credentials = { clientId, clientSecret, refreshToken, scopes };
    this.tokens = new TokenDesk(credentials, this.time, options.tokenQuotas, options.tokenSeconds);
    const wire = new Wire(this.stock, this.spoiled);
    this.inventory = new InventoryApi(this.stock, this.revisions, this.dice, traitsOf(options), wire);
    this.postOrder = new PostOrderApi(this.cancellable(), this.stock);
    this.orderApi = new OrdersApi(this.orderBook(), wire, this.time, options.refundSeconds ?? 0);
    this.notifications = new NotificationApi(new WebhookSigner(), this.stock, this.spoiled, {
      sendTo: (endpoint) => this.deliverTo(endpoint),
      send: (webhook) => this.sendWebhook(webhook),
    });
    const keys = new SigningKeys();
    this.signingKey = keys.create('ED25519');
    const { tokens, inventory, orderApi: orders, postOrder, notifications } = this;
    const quotas = new CallQuotas(this.time, options.quotas);
    const apis = { tokens, quotas, inventory, orders, postOrder, notifications, keys };
    this.routes = new EbayRoutes(apis, options.asksForSignatures === true);
  }

  /** As in `onhand.yaml`. What is a day at this eBay is one for the plugin. */
  get pluginOptions(): Record<string, unknown> {
    const { limit, endpoint = 'https://stock.example/webhooks/ebay', asksForSignatures } = this.options;
    const { revisionsPerDay = 250, skusPerUpdate } = this.options;
    const { privateKey, jwe, signingKeyId } = this.signingKey;
    return {
      marketplaceId: MARKETPLACE,
      clientId: this.clientId,
      clientSecret: this.clientSecret,
      refreshToken: this.refreshToken,
      endpoints: { api: this.url, apiz: this.url, auth: this.url },
      webhook: { verificationToken: this.verificationToken, endpoint },
      cancel: { enabled: true },
      ...(asksForSignatures && { digitalSignature: { enabled: true, privateKey, jwe, signingKeyId } }),
      ...(limit && { limit: { perSecond: limit.perSecond, burst: limit.burst } }),
      ...(skusPerUpdate !== undefined && { batchSize: skusPerUpdate }),
      ...(this.options.revisionsPerDay !== undefined && { revisionsPerListingPerDay: revisionsPerDay }),
      ...(this.options.timeScale !== undefined && {
        revisionWindowSeconds: Math.ceil(this.time.dayMs / 1000) + 1,
      }),
    };
  }

  /** Known to the endpoint and to eBay; of the form that eBay asks for, whatever the secret is. */
  get verificationToken(): string {
    return createHash('sha256').update(this.options.webhookSecret).digest('hex');
  }

  /** Each attempt to change a listing, the refused ones included. */
  get revisionLog(): readonly Revision[] {
    return this.revisions.log;
  }

  /** Attempts beyond what a listing takes in a day. */
  get revisionBreaches(): Revision[] {
    return this.revisions.breaches;
  }

  /** Tokens given out, by how they were asked for. */
  get tokensIssued(): readonly { at: number; grant: string }[] {
    return this.tokens.issued;
  }

  /** What the buyer of an order was given back. */
  refundsOf(orderId: string): readonly RefundView[] {
    return this.orderApi.refundsOf(orderId);
  }

  /** What the seller's browser ends at after they agreed; codes from then on are good for so many seconds. */
  consent(address: string, codeSeconds = 299): string {
    this.tokens.codeSeconds = codeSeconds;
    return this.tokens.consent(address);
  }

  /** Codes that were sent although they had been exchanged: what they gave has ended. */
  get codesSentAgain(): number {
    return this.tokens.codesSentAgain;
  }

  /** All access tokens end now. */
  revokeTokens(): void {
    this.tokens.revoke();
  }

  /** From now on refuses, now and then, one entry of an update while it takes the others. */
  entryFaults(faults: Partial<EntryFaults>): void {
    this.inventory.entryFaults = { ...this.inventory.entryFaults, ...faults };
  }

  override list(items: SimulatedListing[]): void {
    this.stock.list(items);
    super.list(items);
  }

  /** Listings made by the Trading API, named by their ids: the Inventory API refuses them, buyers order them. */
  listLegacy(listings: { listingId: string; quantityUnits: number }[]): void {
    this.stock.listLegacy(listings.map(({ listingId }) => listingId));
    super.list(listings.map(({ listingId, quantityUnits }) => ({ channelSku: listingId, quantityUnits })));
  }

  /** The id of a SKU's listing, as buyers and notifications know it. */
  listingIdOf(channelSku: string): string {
    return this.stock.idsOf(channelSku).listingId;
  }

  override placeOrder(order: {
    orderId: string;
    placedAt: string;
    lines: SimulatedOrderLine[];
  }): OrderDocument {
    super.placeOrder(order);
    this.placed.add(order.orderId);
    return this.order(order.orderId);
  }

  override fulfilOrder(orderId: string, at: string): OrderDocument {
    super.fulfilOrder(orderId, this.laterThanBefore(orderId, at));
    return this.order(orderId);
  }

  /** Some units of one line are shipped. */
  shipPart(orderId: string, lineId: string, quantityUnits: number, at: string): OrderDocument {
    this.shop.fulfil(orderId, this.laterThanBefore(orderId, at), new Map([[lineId, quantityUnits]]));
    return this.order(orderId);
  }

  override cancelOrder(orderId: string, at: string): OrderDocument {
    const time = this.laterThanBefore(orderId, at);
    const order = super.cancelOrder(orderId, time);
    if (order.lines.some(({ cancelled }) => cancelled > 0)) this.postOrder.cancelledElsewhere(order, time);
    return this.order(orderId);
  }

  override returnOrder(orderId: string, at: string): OrderDocument {
    const time = this.laterThanBefore(orderId, at);
    this.postOrder.returned(super.returnOrder(orderId, time), time);
    return this.order(orderId);
  }

  /** eBay counts no revisions of an order: the time of its last change is what tells two states apart. */
  override order(orderId: string): OrderDocument {
    return byTime(super.order(orderId));
  }

  webhookFor(orderId: string): WebhookDelivery {
    const order = this.order(orderId);
    const isShipped = order.lines.some(({ fulfilled }) => fulfilled > 0);
    return this.notifications.ofLine(isShipped ? 'ITEM_MARKED_SHIPPED' : 'ORDER_CONFIRMATION', order, 0);
  }

  /** The checkout of an order is told of once more, line by line, as after a payment that failed at first. */
  confirmAgain(orderId: string): void {
    for (const webhook of this.notifications.ofOrder('ORDER_CONFIRMATION', this.order(orderId)))
      this.sendWebhook(webhook);
  }

  /** A buyer closes the account. Also answers what is sent. */
  deleteAccount(user: { userId: string; username: string }): WebhookDelivery {
    const webhook = this.notifications.accountDeletion(user);
    this.sendWebhook(webhook);
    return webhook;
  }

  /** Of a checkout one for each line, of a shipment likewise; of cancellations and returns none: they are polled. */
  protected override webhooksOf(changed: OrderDocument): WebhookDelivery[] {
    const order = byTime(changed);
    const { orderId } = order;
    if (changed.revision === 1) {
      const webhooks = this.notifications.ofOrder('ORDER_CONFIRMATION', order);
      const isRepeated = this.dice.draw(this.options.repeatedConfirmations ?? 0);
      return isRepeated
        ? [...webhooks, ...this.notifications.ofOrder('ORDER_CONFIRMATION', order)]
        : webhooks;
    }
    const isShipped = order.lines.some(({ fulfilled }) => fulfilled > 0);
    if (!isShipped || this.shipped.has(orderId)) return [];
    this.shipped.add(orderId);
    return this.notifications.ofOrder('ITEM_MARKED_SHIPPED', order);
  }

  protected answer(request: SimulatedRequest): Promise<SimulatedReply> {
    return this.routes.answer(request);
  }

  protected override throttled(retryAfter: string | null): SimulatedReply {
    const message = 'Too many requests. The request limit has been reached.';
    const error = { errorId: 2001, domain: 'ACCESS', category: 'REQUEST', message, longMessage: message };
    return { ...super.throttled(retryAfter), body: { errors: [error] } };
  }

  protected override unavailable(): SimulatedReply {
    const message = 'There was a problem with an eBay internal system or process.';
    const error = { errorId: 25001, domain: 'API', category: 'APPLICATION', message, longMessage: message };
    return { status: 503, body: { errors: [error] } };
  }

  private orderBook() {
    return {
      all: () => [...this.placed].map((orderId) => this.order(orderId)),
      find: (orderId: string) => (this.placed.has(orderId) ? this.order(orderId) : undefined),
      cancelRequestsOf: (order: OrderDocument) => this.postOrder.requestsOf(order),
    };
  }

  private cancellable() {
    return {
      find: (orderId: string) => (this.placed.has(orderId) ? this.order(orderId) : undefined),
      cancelWhole: (order: OrderDocument) => {
        const units = new Map(order.lines.map((line) => [line.lineId, line.ordered - line.cancelled]));
        this.shop.requestCancel(order.orderId, units, undefined);
        if (this.options.refundsOnCancel !== false) this.orderApi.startRefund(order.orderId, totalOf(order));
      },
    };
  }

  /** Two changes of an order never have the same time. */
  private laterThanBefore(orderId: string, at: string): string {
    const { updatedAt, placedAt } = super.order(orderId);
    return new Date(Math.max(Date.parse(at), Date.parse(updatedAt ?? placedAt) + 1)).toISOString();
  }
}

function byTime(order: OrderDocument): OrderDocument {
  return { ...order, revision: Date.parse(order.updatedAt ?? order.placedAt) };
}

function traitsOf({ skusPerUpdate = 25, updateTakesMs = 0 }: EbaySimulatorOptions) {
  return { skusPerUpdate, updateTakesMs };
}
