import type { ChannelSimulator, WebhookDelivery } from '../../src/channel-api/simulator';
import { round } from './measure';

/** Shares of all webhooks: one of the last seconds sent again, and the news that an order was shipped. */
const DUPLICATES = 0.1;
const SHIPMENTS = 0.2;
/** Orders wait so many orders to be shipped, and webhooks are sent again among so many last ones. */
const UNSHIPPED = 2_000;
const REMEMBERED = 1_000;
const TIMEOUT_MS = 30_000;

export interface Answers {
  sent: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface LoadReport extends Answers {
  perSecond: number;
  duplicates: number;
  /** Answered otherwise than 2xx, or not within 30 s. */
  failed: number;
  byMinute: Answers[];
}

interface SentWebhook {
  channel: string;
  webhook: WebhookDelivery;
}

/** Buyers who order at shops, and shops that tell of it by signed webhooks: so many a second, answered or not. */
export class WebhookLoad {
  /** Of each minute, in ms. */
  private readonly latencies: number[][] = [];
  private readonly unshipped: { channel: string; orderId: string }[] = [];
  private readonly last: SentWebhook[] = [];
  private orders = 0;
  private duplicates = 0;
  private failed = 0;

  constructor(
    private readonly hostUrl: string,
    private readonly shops: ReadonlyMap<string, ChannelSimulator>,
    private readonly skus: readonly string[],
  ) {}

  /** Resolves when the last one is answered. */
  async run(perSecond: number, seconds: number): Promise<LoadReport> {
    const started = performance.now();
    const total = Math.round(perSecond * seconds);
    const waiting = new Set<Promise<void>>();
    for (let begun = 0; begun < total; await new Promise((resolve) => setTimeout(resolve, 2))) {
      const elapsed = (performance.now() - started) / 1000;
      for (; begun < Math.min(total, Math.floor(elapsed * perSecond) + 1); begun++) {
        const answered = this.send(this.next(), Math.floor(elapsed / 60));
        waiting.add(answered);
        void answered.finally(() => waiting.delete(answered));
      }
    }
    const perSecondDone = round(total / ((performance.now() - started) / 1000));
    await Promise.all(waiting);
    const { duplicates, failed } = this;
    const byMinute = this.latencies.map(answersOf);
    return { ...answersOf(this.latencies.flat()), perSecond: perSecondDone, duplicates, failed, byMinute };
  }

  private next(): SentWebhook {
    const drawn = Math.random();
    if (drawn < DUPLICATES && this.last.length === REMEMBERED) {
      this.duplicates++;
      return this.last[Math.floor(Math.random() * REMEMBERED)]!;
    }
    const isShipment = drawn < DUPLICATES + SHIPMENTS && this.unshipped.length > UNSHIPPED;
    const sent = isShipment ? this.ship() : this.sell();
    this.last.push(sent);
    if (this.last.length > REMEMBERED) this.last.shift();
    return sent;
  }

  private ship(): SentWebhook {
    const { channel, orderId } = this.unshipped.shift()!;
    const shop = this.shops.get(channel)!;
    shop.fulfilOrder(orderId, new Date().toISOString());
    return { channel, webhook: shop.webhookFor(orderId) };
  }

  /** An order of one line or two. */
  private sell(): SentWebhook {
    const channels = [...this.shops.keys()];
    const channel = channels[this.orders % channels.length]!;
    const shop = this.shops.get(channel)!;
    const orderId = `order-${this.orders++}`;
    const lines = Array.from({ length: 1 + (this.orders % 2) }, (_, index) => ({
      lineId: String(index),
      channelSku: this.skus[Math.floor(Math.random() * this.skus.length)]!,
      quantityUnits: 1,
    }));
    shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    this.unshipped.push({ channel, orderId });
    return { channel, webhook: shop.webhookFor(orderId) };
  }

  private async send({ channel, webhook }: SentWebhook, minute: number): Promise<void> {
    const started = performance.now();
    const isTaken = await deliver(this.hostUrl, channel, webhook);
    if (!isTaken) this.failed++;
    (this.latencies[minute] ??= []).push(performance.now() - started);
  }
}

/** True where the host answered 2xx. */
export async function deliver(
  hostUrl: string,
  channel: string,
  { headers, body }: WebhookDelivery,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const address = `${hostUrl}/webhooks/${channel}`;
    const response = await fetch(address, { method: 'POST', headers, body: new Uint8Array(body), signal });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

export function answersOf(latencies: readonly number[]): Answers {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { sent: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
