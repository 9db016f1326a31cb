import type { OrderDocument } from './contract';

/** How often, 0 to 1, a simulated channel misbehaves in each way. */
export interface SimulatorFaults {
  /** Answers 503 without applying. */
  fail: number;
  /** Applies, then drops the connection. */
  lie: number;
  /** Answers 429 without applying. */
  throttle: number;
  /** The Retry-After of those 429s, as the header's text; null leaves the header out. */
  retryAfter: string | null;
  /** Answers an HTML page under 200 without applying, as a misconfigured proxy does. */
  html: number;
  /** Waited after applying and before answering, in ms. */
  delayMs: number;
}

/** An order line as a buyer makes it, in units of the channel's SKU. */
export interface SimulatedOrderLine {
  lineId: string;
  channelSku: string;
  quantityUnits: number;
}

export interface WebhookDelivery {
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * A local marketplace behaving as the real one documents. A plugin package exports
 * `startSimulator(options): Promise<ChannelSimulator>` from its `./simulator` entry; the suite, the demo
 * and the load tests drive any plugin's simulator through this one interface.
 */
export interface ChannelSimulator {
  /** Where its API listens, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Options (as in `onhand.yaml`) with which the plugin connects to it. */
  readonly pluginOptions: Record<string, unknown>;
  /** Lists SKUs for sale, each showing `quantityUnits`. */
  list(items: { channelSku: string; quantityUnits: number; title?: string; barcode?: string }[]): void;
  /** What it shows to buyers now. */
  shown(): Map<string, number>;
  /** A buyer orders. Returns the order as it stands; shown stock goes down, not below 0. */
  placeOrder(order: { orderId: string; placedAt: string; lines: SimulatedOrderLine[] }): OrderDocument;
  /** All that is not cancelled is shipped. */
  fulfilOrder(orderId: string, at: string): OrderDocument;
  /** All that is not fulfilled is cancelled. Shown stock stays: it is the host that says what can be sold. */
  cancelOrder(orderId: string, at: string): OrderDocument;
  /** All that is fulfilled comes back. */
  returnOrder(orderId: string, at: string): OrderDocument;
  /** The signed webhook the marketplace would send for the order as it stands now. */
  webhookFor(orderId: string): WebhookDelivery;
  faults(faults: Partial<SimulatorFaults>): void;
  /** Every API call: time in ms, method, path with query, status (0 where the connection was dropped). */
  readonly calls: readonly { at: number; method: string; path: string; status: number }[];
  close(): Promise<void>;
}

export interface SimulatorOptions {
  /** 0 picks a free port. */
  port?: number;
  webhookSecret: string;
  /** The credential it asks of its callers; one of its own making when absent. */
  token?: string;
  seed?: number;
  /** Enforced with 429; none when absent. */
  limit?: { perSecond: number; burst: number };
}

export type StartSimulator = (options: SimulatorOptions) => Promise<ChannelSimulator>;
