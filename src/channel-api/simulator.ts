import type { OrderDocument } from './contract';

/**
 * How often, 0 to 1, a simulated channel misbehaves in each way; names that end in `Ms` are durations. The
 * first group is met by whoever calls its API, the second by whoever takes its webhooks.
 */
export interface SimulatorFaults {
  /** Answers 503 without applying. */
  fail: number;
  /** Answers 429, or what the channel has for it, without applying. */
  throttle: number;
  /** The Retry-After of those 429s, as the header's text; null leaves the header out. */
  retryAfter: string | null;
  /** Answers an HTML page under 200 without applying, as a misconfigured proxy does. */
  html: number;
  /** Answers a push as if it had applied it, and applies nothing. */
  lie: number;
  /** Applies, then drops the connection: the answer is lost. */
  loseAnswer: number;
  /** Applies, then waits for `slowMs` before it answers. */
  slow: number;
  slowMs: number;

  /** Sends a webhook a second time. */
  duplicate: number;
  /** Holds a webhook back until later ones have gone out. */
  reorder: number;
  /** Sends a webhook late, by anything up to `delayUpToMs`, as it stood when its cause happened. */
  delay: number;
  delayUpToMs: number;
  /** Never sends a webhook. */
  drop: number;
}

/** An order line as a buyer makes it, in units of the channel's SKU. */
export interface SimulatedOrderLine {
  lineId: string;
  channelSku: string;
  channelLocation?: string;
  quantityUnits: number;
}

/** One of the channel's SKUs, at one of its locations; at its first one when absent. */
export interface SimulatedListing {
  channelSku: string;
  channelLocation?: string;
  quantityUnits: number;
  title?: string;
  barcode?: string;
}

export interface WebhookDelivery {
  headers: Record<string, string>;
  body: Buffer;
}

/** One attempt to deliver a webhook: time in ms, 1 for the first attempt, status (0: no answer). */
export interface WebhookAttempt {
  at: number;
  attempt: number;
  status: number;
}

/** One API call: time in ms, method, path with query, status (0 where the connection was dropped). */
export interface SimulatedCall {
  at: number;
  method: string;
  path: string;
  status: number;
}

/** `unavailable`: every call is answered 503. `unreachable`: every connection is cut. */
export type Outage = 'unavailable' | 'unreachable';

/**
 * A local marketplace behaving as the real one documents. A plugin package exports
 * `startSimulator(options): Promise<ChannelSimulator>` from its `./simulator` entry; the suite, the demo
 * and the load tests drive any plugin's simulator through this one interface. `SimulatorFrame` has all of it
 * but the wire.
 */
export interface ChannelSimulator {
  /** Where its API listens, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Options (as in `onhand.yaml`) with which the plugin connects to it. */
  readonly pluginOptions: Record<string, unknown>;
  /** Laid over `pluginOptions`: credentials it refuses. */
  readonly wrongCredentials: Record<string, unknown>;
  /** The webhook header with the signature, in lower case; absent where the channel sends no webhooks. */
  readonly signatureHeader?: string;
  /** Its own locations; empty where it keeps stock in one place. */
  readonly locations: readonly string[];
  /** Lists SKUs for sale, each showing `quantityUnits`. */
  list(items: SimulatedListing[]): void;
  /** What it shows to buyers now: at a location, or over all of them. */
  shown(channelLocation?: string): Map<string, number>;
  /** A buyer orders. Returns the order as it stands; shown stock goes down, not below 0. */
  placeOrder(order: { orderId: string; placedAt: string; lines: SimulatedOrderLine[] }): OrderDocument;
  /** All that is not cancelled is shipped. */
  fulfilOrder(orderId: string, at: string): OrderDocument;
  /** All that is not fulfilled is cancelled. Shown stock stays, unless it was started to restock. */
  cancelOrder(orderId: string, at: string): OrderDocument;
  /** All that is fulfilled comes back. */
  returnOrder(orderId: string, at: string): OrderDocument;
  /** The order as it stands. */
  order(orderId: string): OrderDocument;
  /** The signed webhook the marketplace would send for the order as it stands now. */
  webhookFor(orderId: string): WebhookDelivery;
  /** From now on gives this SKU or order, wherever it appears, in a form that the channel does not document. */
  spoil(what: { channelSku: string } | { orderId: string }): void;
  /** Changes the faults named and leaves the others. Throws `RangeError` on a fault it does not know. */
  faults(faults: Partial<SimulatorFaults>): void;
  /** Begins an outage of its API, or ends it with null. */
  outage(outage: Outage | null): void;
  /**
   * Signs and sends a webhook to this address whenever an order changes, from now on; null ends that. What is
   * not answered 2xx within 5 s is sent again, as it was, with growing pauses.
   */
  deliverTo(url: string | null): void;
  /** Resolves when every webhook was taken, dropped or given up. */
  delivered(): Promise<void>;
  readonly calls: readonly SimulatedCall[];
  readonly deliveries: readonly WebhookAttempt[];
  close(): Promise<void>;
}

export interface SimulatorOptions {
  /** 0 picks a free port. */
  port?: number;
  webhookSecret: string;
  /** Put into `pluginOptions` as the secret before this one, where the plugin has an option for it. */
  previousWebhookSecret?: string;
  /** The credential it asks of its callers; one of its own making when absent. */
  token?: string;
  /** Of everything that is drawn at random. */
  seed?: number;
  /** Set in `pluginOptions`, and enforced with 429 unless told otherwise; nothing is enforced when absent. */
  limit?: { perSecond: number; burst: number; enforced?: boolean };
  /** Keeps stock at these locations of its own, where the channel can. */
  locations?: readonly string[];
  /** Refuses a push that believes it shows another quantity, where the channel can. */
  compareAndSet?: boolean;
  /** Takes a cancellation and decides on it only so many ms later, where the channel can. */
  cancelAfterMs?: number;
  /** Puts cancelled units back on sale by itself, as some channels do. */
  restocksOnCancel?: boolean;
  /** Pauses before a webhook that was not taken is sent again; about a minute in all when absent. */
  webhookRetryMs?: readonly number[];
}

export type StartSimulator = (options: SimulatorOptions) => Promise<ChannelSimulator>;
