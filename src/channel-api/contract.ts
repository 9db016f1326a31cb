import type { ChannelAuthorization } from './channel-authorization';
import type { ChannelSecrets } from './channel-secrets';
import type { ChannelHttp } from './http-client';

/** Version of this contract. A plugin names the range it was written for; the host refuses others. */
export const CHANNEL_API_VERSION = '1.0.0';

/** What a plugin may use of the host. Nothing else of it is reachable. */
export interface ChannelHost {
  /** The channel's name in `onhand.yaml`, such as `shopify-uk`. */
  readonly channel: string;
  /** Outbound HTTP with timeout, retry, rate limits, size bound and redaction. */
  readonly http: ChannelHttp;
  readonly log: ChannelLogger;
  readonly clock: ChannelClock;
  readonly secrets: ChannelSecrets;
}

export interface ChannelLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface ChannelClock {
  now(): Date;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** One listing's absolute quantity to be shown by the channel. */
export interface InventoryUpdate {
  /** The host's id of this push; unique per attempt, fit for a channel's idempotency key. */
  pushId: string;
  channelSku: string;
  /** The channel's own location id, where the channel keeps stock by location. */
  channelLocation?: string;
  /** Units of the listing (packs or bundles), 0 or more. */
  quantityUnits: number;
  /** What we believe the channel shows; absent when unknown. For channels with compare-and-set. */
  believedUnits?: number;
}

/**
 * What became of one update. `accepted` is not `applied`: the channel took it but has not yet said it shows it.
 * `skipped`: the channel keeps the listing's stock itself, so that nothing was sent and nothing is left to do.
 */
export type PushResult =
  | { pushId: string; outcome: 'applied' }
  | { pushId: string; outcome: 'accepted'; receipt?: string }
  | { pushId: string; outcome: 'rejected'; code: string; reason: string; retryable: boolean }
  | { pushId: string; outcome: 'stale'; shownUnits: number }
  /**
   * Not sent, by a budget of changes that the channel gives this listing alone: it has one again in `waitMs`.
   * Until then the host asks again only where the listing comes to show 0.
   */
  | { pushId: string; outcome: 'waiting'; reason: string; waitMs: number }
  | { pushId: string; outcome: 'skipped'; reason: string };

/** A push that the channel accepted with a receipt, and of which nothing more is known. */
export interface FollowedPush {
  pushId: string;
  channelSku: string;
  channelLocation?: string;
  quantityUnits: number;
  receipt: string;
  /** When it was accepted. */
  acceptedAt: Date;
}

/** What a channel shows for one of its SKUs. */
export interface ShownInventory {
  channelSku: string;
  channelLocation?: string;
  quantityUnits: number;
  /** Title and barcode as the channel has them, for mapping suggestions. */
  title?: string;
  barcode?: string;
}

/** `cursor` resumes after the page it came with; `channelSkus` narrows the read. */
export interface InventoryQuery {
  cursor?: string;
  channelSkus?: readonly string[];
}

export interface Page<T> {
  items: T[];
  /** Pass it back to go on after this page; absent on the last one. The last page may be empty. */
  cursor?: string;
  /** Items the plugin could not understand. They are parked for a person; the others go on. */
  unreadable?: UnreadableItem[];
}

/** One item of a page that is not what the channel documents. */
export interface UnreadableItem {
  /** The channel's own id of it, where even that could be read. */
  id?: string;
  /** Names the field and what it must be. */
  reason: string;
  /** The item as JSON text, for the person who looks into it. */
  body: string;
}

/**
 * A channel's order, as it stands: every line says how much was ordered, cancelled, fulfilled and
 * returned *so far*. The host keeps the newest revision and posts only what the ledger lacks, so a
 * document may be sent twice, late or out of order.
 */
export interface OrderDocument {
  kind: 'order';
  orderId: string;
  /** Grows with every change of the order: the channel's version or its update time in ms. Safe integer. */
  revision: number;
  /** When the order was placed, ISO 8601. */
  placedAt: string;
  /** When this state came to be, ISO 8601; `placedAt` when the channel does not say. */
  updatedAt?: string;
  lines: OrderDocumentLine[];
}

/** Units of the channel's SKU, each a count so far, 0 or more. */
export interface OrderDocumentLine {
  lineId: string;
  channelSku: string;
  channelLocation?: string;
  ordered: number;
  cancelled: number;
  fulfilled: number;
  returned: number;
}

/** The channel says what it shows now, unasked (a stock webhook, an applied notification). */
export interface ShownInventoryDocument {
  kind: 'shown-inventory';
  items: ShownInventory[];
}

/** The channel says that an order changed, but not how it stands: the host asks `readOrder`. */
export interface OrderChangedDocument {
  kind: 'order-changed';
  orderId: string;
}

/** Units of the channel's SKU that the channel itself holds for us at one of its locations. */
export interface CountedStock {
  channelSku: string;
  channelLocation: string;
  /** Fit for sale, 0 or more. */
  quantityUnits: number;
}

export interface CountedStockDocument {
  kind: 'counted-stock';
  items: CountedStock[];
}

export type ChannelDocument =
  OrderDocument | ShownInventoryDocument | OrderChangedDocument | CountedStockDocument;

/** One message of a queue in which a channel leaves its notifications. */
export interface PulledNotification {
  /** What the queue wants to hear to take the message away. */
  receipt: string;
  topic: string;
  /** The sender's own id of the news: the same one may come in several messages. */
  notificationId: string;
  body: Buffer;
}

/** A webhook as it arrived: header names in lower case, body as raw bytes. */
export interface WebhookRequest {
  method: string;
  /** Path after `/webhooks/{channel}`, with the query string. */
  path: string;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

/** `challenge` is answered as it stands and nothing is stored. */
export type WebhookVerdict =
  | { verdict: 'accepted'; topic: string }
  | { verdict: 'challenge'; status: number; contentType: string; body: string }
  | { verdict: 'refused'; status: 401 | 412; reason: string };

/**
 * Units of a listing that the channel should show at this moment, over all of its locations or at one of them.
 * Undefined where the channel has no such listing, or its `locations` do not map that one.
 */
export type PublishedUnits = (channelSku: string, channelLocation?: string) => number | undefined;

/** What a channel that asked for stock is answered, as it stands. */
export interface InquiryAnswer {
  status: number;
  contentType: string;
  headers?: Record<string, string>;
  body: string;
}

export interface CancelRequest {
  /** The host's id of this cancellation, the same on every retry; fit for a channel's idempotency key. */
  cancelId: string;
  orderId: string;
  lines: { lineId: string; quantityUnits: number }[];
  /** For the seller's records. */
  reason: string;
  /** For the customer, already rendered from the template. */
  message: string;
}

export type CancelResult =
  | { outcome: 'cancelled' }
  | { outcome: 'pending'; receipt: string }
  | { outcome: 'impossible'; reason: string };

export interface CheckResult {
  ok: boolean;
  /** One line per thing proven or missing, for `onhand doctor`. */
  findings: { ok: boolean; message: string }[];
}

/** One connected shop or account. Every member that a capability names must be there. */
export interface Channel {
  /** Sends a batch of at most `capabilities.pushBatchSize`; answers one result per update, in any order. */
  pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]>;
  readInventory(query: InventoryQuery): AsyncIterable<Page<ShownInventory>>;
  /**
   * Orders changed at or after `since` (ISO 8601; all that the channel keeps when absent), oldest change
   * first where the channel can. `cursor` goes on with a read that broke off, and is passed with the same
   * `since`. A later poll starts anew, from the time the earlier one began less an overlap.
   */
  readOrders(query: { cursor?: string; since?: string }): AsyncIterable<Page<OrderDocument>>;
  /** One order as it stands; undefined where the channel has none. There where webhooks translate to `order-changed`. */
  readOrder?(orderId: string): Promise<OrderDocument | undefined>;
  /** On raw bytes, before anything is parsed; never throws on bad input. */
  verifyWebhook(request: WebhookRequest): WebhookVerdict | Promise<WebhookVerdict>;
  /** Pure; throws `UntranslatableError` when the body is not what the channel documents. */
  translateWebhook(request: WebhookRequest): ChannelDocument[];
  /**
   * The channel asks, at its checkout, whether there is enough: `POST /webhooks/{channel}/stock-inquiry`, and
   * `…/stock-inquiry/token` where it fetches a token first. Verifies who asks, looks each listing up and answers at
   * once; nothing is stored, reserved or sent, for the buyer may yet go away. A plugin whose channel does not ask,
   * or that is not set up for it, leaves it out.
   */
  answerStockInquiry?(
    request: WebhookRequest,
    unitsOf: PublishedUnits,
  ): InquiryAnswer | Promise<InquiryAnswer>;
  /**
   * Asked again with the same `cancelId` it answers as it did, and cancels nothing more. Throws where it is not
   * known what became of the call; the host then asks again, after a look at the order.
   */
  cancelOrder?(request: CancelRequest): Promise<CancelResult>;
  /**
   * Only where the order is not cancelled at once: what became of the cancellation with this receipt. The order
   * itself is looked at too, so `pending` is always a right answer while the channel decides.
   */
  followCancellation?(receipt: string): Promise<CancelResult>;
  /**
   * Registers what webhooks of the channel are missing at `url`; without one where notifications are pulled.
   * Asked at every start and each day.
   */
  subscribe?(url?: string): Promise<void>;
  /**
   * Where the channel decides on pushes after it took them: what became of those accepted with a receipt. None for
   * one that is not decided yet; `accepted` without a receipt for one that is done with and must be confirmed by a
   * read. A listing is not pushed again while its push is followed.
   */
  followPushes?(pushes: readonly FollowedPush[]): Promise<PushResult[]>;
  /**
   * Where notifications lie in a queue instead of coming by webhook: some of them, waiting a while for the first.
   * Their bodies are for `translateWebhook`. Those not confirmed come again.
   */
  pullNotifications?(): Promise<PulledNotification[]>;
  /** Takes notifications off the queue, once the host has stored them. */
  confirmNotifications?(receipts: readonly string[]): Promise<void>;
  /**
   * Stock that the channel itself holds for us. The host adjusts the ledger to it at the location that the channel's
   * `locations` map `channelLocation` to.
   */
  readCounts?(): AsyncIterable<Page<CountedStock>>;
  /** Where the account's owner has to consent before anything works, and now and then again. */
  readonly authorization?: ChannelAuthorization;
  check(): Promise<CheckResult>;
  close?(): Promise<void>;
}

export interface ChannelCapabilities {
  /** Most updates one `pushInventory` call takes. */
  pushBatchSize: number;
  /** `applied`: an answered push shows at once. `accepted`: it must be confirmed by a read. */
  pushAnswers: 'applied' | 'accepted';
  compareAndSet: boolean;
  /** Keeps and shows stock per location of its own: it gets one update per listing and mapped location. */
  stockByLocation: boolean;
  /** Locations of its own that `readCounts` counts: none of their stock is shown by any listing. */
  countsAt?: readonly string[];
  readsOrders: boolean;
  cancelsOrders: boolean;
  subscribesWebhooks: boolean;
  /**
   * For the plan of a reconciliation: how many rows one call of `readInventory` gives, and the limit that call
   * counts against. The host plans by the slowest limit and 100 rows where it is absent. `snapshot`: all pages of a
   * read may be as old as its beginning, as those of a report are.
   */
  inventoryReads?: { rowsPerCall: number; limit: string; snapshot?: boolean };
}

/**
 * Calls, or units of their cost, that a channel takes. Limits are data: the host counts them over all of its
 * processes, waits for a bucket's tokens, and refuses a call at once whose quota is used up.
 */
export type RateLimit = BucketLimit | RollingQuota | DailyQuota;

/** A token bucket: `burst` units at once, refilled at `perSecond`. */
export interface BucketLimit {
  kind?: 'bucket';
  name: string;
  perSecond: number;
  burst: number;
}

/** At most `quota` units in any `windowSeconds`. */
export interface RollingQuota {
  kind: 'rolling';
  name: string;
  quota: number;
  windowSeconds: number;
}

/** At most `quota` units from one reset to the next. */
export interface DailyQuota {
  kind: 'daily';
  name: string;
  quota: number;
  /** Time of day in UTC, such as `07:00`. */
  resetsAtUtc: string;
}

/**
 * What an answer of the channel said of one of its limits: a rate in a header, a throttle status in a body.
 * Values that cannot be (0, negative, more than a hundred times what is declared) are not believed.
 */
export interface LimitFacts {
  perSecond?: number;
  burst?: number;
  quota?: number;
  /** Units left when the channel answered. Can only lower what the host believes to be left. */
  remaining?: number;
  /** Units of the call's `cost` that the channel gave back: it turned out cheaper than asked for. */
  refunded?: number;
  /** When a quota is full again, ISO 8601. */
  resetsAt?: string;
}

/** What a plugin's module exports as default. */
export interface ChannelPlugin<Options extends object = object> {
  name: string;
  version: string;
  /** Semver range of the channel API it was written for, such as `^1.0.0`. */
  channelApi: string;
  /** class-validator class; the host validates the channel's `options` against it and passes an instance. */
  options: new () => Options;
  /** The option values that must never appear in a log, an error or an answer. */
  secrets(options: Options): string[];
  capabilities(options: Options): ChannelCapabilities;
  limits(options: Options): RateLimit[];
  connect(options: Options, host: ChannelHost): Channel | Promise<Channel>;
}

/** Types a plugin's parts against each other; returns what it was given. */
export function defineChannelPlugin<Options extends object>(
  plugin: ChannelPlugin<Options>,
): ChannelPlugin<Options> {
  return plugin;
}
