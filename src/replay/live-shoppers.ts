import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelSimulator } from '../channel-api/simulator';
import type { HostClient } from './host-client';
import type { SeededRandom } from './random';

export interface LiveChannel {
  name: string;
  simulator: ChannelSimulator;
}

/** What has happened so far. */
export interface LiveCounts {
  orders: number;
  units: number;
  shipped: number;
  cancelled: number;
  returned: number;
  restocked: number;
}

interface OpenOrder {
  channel: LiveChannel;
  orderId: string;
  dueAtMs: number;
  next: 'ship' | 'cancel' | 'return';
}

const CANCELLED_SHARE = 0.06;
const RETURNED_SHARE = 0.08;
/** From an order to its parcel, and from the parcel to its way back. */
const SHIPPED_AFTER_MS = { least: 8_000, most: 40_000 };
/** A few bestsellers, many others: each is half as likely as one so many places before it. */
const HALF_AS_LIKELY_AFTER = 8;
/** What runs out comes back by lorry. */
const RESTOCK_BELOW_UNITS = 6;
const RESTOCK_UNITS = { least: 12, most: 40 };
const RESTOCK_EVERY_MS = 6_000;

/**
 * Buyers, a warehouse and a lorry: orders what the channels show, ships it a while later, cancels and returns some, and
 * brings what runs low. Buyers see what a channel shows, and nothing else.
 */
export class LiveShoppers {
  readonly counts: LiveCounts = { orders: 0, units: 0, shipped: 0, cancelled: 0, returned: 0, restocked: 0 };
  private readonly open: OpenOrder[] = [];
  private restockAtMs = Date.now() + RESTOCK_EVERY_MS;

  constructor(
    private readonly host: HostClient,
    private readonly channels: readonly LiveChannel[],
    private readonly skus: readonly string[],
    private readonly random: SeededRandom,
  ) {}

  /** Until the signal aborts, an order each `everyMs` on average. */
  async shop(everyMs: number, signal: AbortSignal, onOrder: (counts: LiveCounts) => void): Promise<void> {
    while (!signal.aborted) {
      this.order();
      this.settleDue();
      await this.restock();
      onOrder(this.counts);
      // As long as people take who do not know of each other.
      const pauseMs = -Math.log(1 - this.random.next()) * everyMs;
      await sleep(Math.min(pauseMs, 4 * everyMs), undefined, { signal }).catch(() => undefined);
    }
  }

  private order(): void {
    const channel = this.random.pick(this.channels);
    const shown = channel.simulator.shown();
    const lines = new Map<string, number>();
    for (let wanted = this.random.chance(0.25) ? 2 : 1; wanted > 0; wanted--) {
      const sku = this.popularSku();
      const most = Math.min(shown.get(sku) ?? 0, 3);
      if (most > 0) lines.set(sku, 1 + Math.floor(this.random.next() * most));
    }
    if (lines.size === 0) return;
    const orderId = `${channel.name}-${Date.now().toString(36)}-${++this.counts.orders}`;
    channel.simulator.placeOrder({
      orderId,
      placedAt: new Date().toISOString(),
      lines: [...lines].map(([channelSku, quantityUnits], at) => ({
        lineId: String(at + 1),
        channelSku,
        quantityUnits,
      })),
    });
    for (const units of lines.values()) this.counts.units += units;
    const next = this.random.chance(CANCELLED_SHARE) ? 'cancel' : 'ship';
    this.open.push({ channel, orderId, dueAtMs: Date.now() + this.between(SHIPPED_AFTER_MS), next });
  }

  private popularSku(): string {
    const place = Math.floor(-Math.log2(1 - this.random.next()) * HALF_AS_LIKELY_AFTER);
    return this.skus[place % this.skus.length]!;
  }

  private settleDue(): void {
    const nowMs = Date.now();
    const due = this.open.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    for (const order of due) {
      this.open.splice(this.open.indexOf(order), 1);
      this.settle(order);
    }
  }

  private settle({ channel, orderId, next }: OpenOrder): void {
    const { simulator } = channel;
    const at = new Date().toISOString();
    // A channel may have cancelled it meanwhile, because an operator asked for that.
    const isOpen = simulator.order(orderId).lines.some(({ ordered, cancelled }) => cancelled < ordered);
    if (!isOpen) return;
    if (next === 'cancel') {
      simulator.cancelOrder(orderId, at);
      this.counts.cancelled++;
    } else if (next === 'return') {
      simulator.returnOrder(orderId, at);
      this.counts.returned++;
    } else {
      simulator.fulfilOrder(orderId, at);
      this.counts.shipped++;
      if (this.random.chance(RETURNED_SHARE))
        this.open.push({
          channel,
          orderId,
          dueAtMs: Date.now() + this.between(SHIPPED_AFTER_MS),
          next: 'return',
        });
    }
  }

  private async restock(): Promise<void> {
    if (Date.now() < this.restockAtMs) return;
    this.restockAtMs = Date.now() + RESTOCK_EVERY_MS;
    const low: { type: string; sku: string; quantity: number; reference: string }[] = [];
    for await (const { sku, total } of this.host.items<{ sku: string; total: { available: number } }>(
      '/v1/stock',
    ))
      if (total.available < RESTOCK_BELOW_UNITS)
        low.push({ type: 'RESTOCK', sku, quantity: this.between(RESTOCK_UNITS), reference: 'lorry' });
    if (low.length === 0) return;
    await this.host.post('/v1/events', low);
    this.counts.restocked += low.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  private between({ least, most }: { least: number; most: number }): number {
    return Math.floor(least + this.random.next() * (most - least + 1));
  }
}
