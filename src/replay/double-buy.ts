import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelSimulator } from '../channel-api/simulator';
import { waitForQuiet } from './channel-status';
import type { HostClient } from './host-client';
import { SeededRandom } from './random';

export interface DoubleBuyTarget {
  host: HostClient;
  /** Two, each with a listing of every SKU under its own code. */
  channels: readonly [SimulatedShop, SimulatedShop];
  signal?: AbortSignal;
}

export interface SimulatedShop {
  name: string;
  simulator: ChannelSimulator;
}

export interface DoubleBuyOptions {
  skus: readonly string[];
  seed: number;
}

export interface DoubleBuyResult {
  /** Times that both channels sold a unit of one SKU within `withinMs`. */
  doubleBuys: number;
  withinMs: number;
  orders: number;
  /** Orders that stock did not cover. */
  conflicts: number;
  /** Conflicts in percent of orders. */
  conflictPercent: number;
  /** Units of all SKUs that nobody could buy in the end. */
  unsoldUnits: number;
}

/** Sold before the race, so that the host knows a SKU that sells. */
const WARM_UP = 3;
const LEAST_STOCK = 6;
const MOST_STOCK = 12;
const WITHIN_MS = 30;
const IN_FLIGHT = 4;
const STALLED_AFTER_MS = 60_000;

/**
 * Two buyers, one on each channel, buy the last units of each SKU within 30 ms of each other, again and again until
 * neither channel shows any. A buyer orders what the channel shows at that moment and nothing else.
 */
export async function raceForLastUnits(
  target: DoubleBuyTarget,
  options: DoubleBuyOptions,
): Promise<DoubleBuyResult> {
  const race = new Race(target, options.seed);
  await race.stock(options.skus);
  await race.warmUp(options.skus);
  for (let quietRounds = 0; quietRounds < 2;) {
    const sold = await race.round(options.skus);
    // What is not shown yet may be in a moment.
    if (sold === 0) await race.quiet();
    quietRounds = sold === 0 ? quietRounds + 1 : 0;
  }
  return race.result(options.skus);
}

class Race {
  private readonly random: SeededRandom;
  private orders = 0;
  private warmUps = 0;
  private doubleBuys = 0;

  constructor(
    private readonly target: DoubleBuyTarget,
    seed: number,
  ) {
    this.random = new SeededRandom(seed, 'double-buy');
  }

  async stock(skus: readonly string[]): Promise<void> {
    const events = skus.map((sku) => ({
      type: 'RESTOCK',
      sku,
      quantity: WARM_UP + LEAST_STOCK + Math.floor(this.random.next() * (MOST_STOCK - LEAST_STOCK + 1)),
    }));
    for (let start = 0; start < events.length; start += 500)
      await this.target.host.post('/v1/events', events.slice(start, start + 500));
    await this.quiet();
  }

  /** Not part of the race, and not counted: one after the other, with time to tell the channels. */
  async warmUp(skus: readonly string[]): Promise<void> {
    for (let turn = 0; turn < WARM_UP; turn++) {
      const shop = this.target.channels[turn % 2]!;
      await inParallel(skus, IN_FLIGHT, (sku) => this.buy(shop, sku));
      await this.quiet();
    }
    this.warmUps = this.orders;
    await this.target.host.post('/v1/buffers/recalculate', {}, { repeatable: true }).catch(() => undefined);
    await this.quiet();
  }

  /** Answers the orders placed. */
  async round(skus: readonly string[]): Promise<number> {
    const before = this.orders;
    await inParallel(this.random.shuffled(skus), IN_FLIGHT, async (sku) => {
      this.target.signal?.throwIfAborted();
      const [first, second] = this.random.shuffled(this.target.channels);
      const bought = [this.buy(first!, sku)];
      await sleep(this.random.next() * WITHIN_MS);
      bought.push(this.buy(second!, sku));
      if ((await Promise.all(bought)).every(Boolean)) this.doubleBuys++;
    });
    return this.orders - before;
  }

  async quiet(): Promise<void> {
    const { host, channels, signal } = this.target;
    const options = { stalledAfterMs: STALLED_AFTER_MS, onStatus: () => undefined, signal };
    for (const { name } of channels) await waitForQuiet(host, name, options);
  }

  async result(skus: readonly string[]): Promise<DoubleBuyResult> {
    const { host } = this.target;
    const known = new Set(skus);
    let conflicts = 0;
    for await (const _short of host.items('/v1/shortfalls')) conflicts++;
    let unsoldUnits = 0;
    for await (const item of host.items<{ sku: string; total: { available: number } }>('/v1/stock'))
      if (known.has(item.sku)) unsoldUnits += item.total.available;
    const orders = this.orders - this.warmUps;
    const conflictPercent = (100 * conflicts) / Math.max(orders, 1);
    return {
      doubleBuys: this.doubleBuys,
      withinMs: WITHIN_MS,
      orders,
      conflicts,
      conflictPercent,
      unsoldUnits,
    };
  }

  /** True when the channel showed a unit, and so sold it. */
  private async buy({ name, simulator }: SimulatedShop, sku: string): Promise<boolean> {
    if ((simulator.shown().get(sku) ?? 0) < 1) return false;
    const orderId = `${name}-${++this.orders}`;
    const placedAt = new Date().toISOString();
    simulator.placeOrder({ orderId, placedAt, lines: [{ lineId: '1', channelSku: sku, quantityUnits: 1 }] });
    await this.target.host.deliver(`/webhooks/${name}`, simulator.webhookFor(orderId));
    return true;
  }
}

async function inParallel<T>(
  items: readonly T[],
  inFlight: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = [...items];
  const one = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}
