import { type BufferInputs, buffersOf } from './apply-buffers';
import type { EffectivePolicy } from './effective-policy';
import { type ChannelSignals, needsOf } from './needs';
import { countSale, NO_SALES, type SalesRate, type SalesSignals, signalsAt } from './sales-rate';

/*
 * What would have happened to one SKU with a policy: its own orders, in their own order, against what each channel
 * would have shown. A channel shows what was right a latency ago, less what it has sold itself since. An order of
 * more than it shows is not placed. One of more than there is left is placed, and oversold.
 */

/** Something that happened to a SKU. */
export interface StockEvent {
  atMs: number;
  /** Where it was sold; null for what changed stock otherwise. */
  channel: string | null;
  /** Units sold, or by how many stock changed. */
  units: number;
}

export interface BacktestChannel {
  name: string;
  latencyMs: number;
  policy: EffectivePolicy;
  signals: ChannelSignals;
}

/** Units throughout but for `orders` and `oversoldOrders`, which are order lines. */
export interface Outcome {
  orders: number;
  sold: number;
  oversoldOrders: number;
  oversold: number;
  /** Orders not placed although all of their units were there. */
  lostOrders: number;
  lost: number;
  /** Withheld over time and all channels. */
  withheldUnitHours: number;
}

export const NO_OUTCOME: Outcome = {
  orders: 0,
  sold: 0,
  oversoldOrders: 0,
  oversold: 0,
  lostOrders: 0,
  lost: 0,
  withheldUnitHours: 0,
};

/** What is known at a moment; holds until the next one. */
interface Knowledge {
  atMs: number;
  available: number;
  sales: SalesRate | undefined;
}

const HOUR_MS = 3_600_000;

/** Pure. Events in the order of their time. By channel, in the order of the channels. */
export function backtestSku(events: readonly StockEvent[], channels: readonly BacktestChannel[]): Outcome[] {
  const shops = channels.map((channel) => new Shop(channel));
  const history: Knowledge[] = [];
  let available = 0;
  let sales: SalesRate | undefined;
  for (const { atMs, channel, units } of events) {
    for (const shop of shops) shop.passTime(history, atMs);
    const shop = channel === null ? undefined : shops.find((each) => each.name === channel);
    if (shop) {
      const taken = shop.order(units, available, history, atMs);
      if (taken === null) continue;
      available -= taken;
      sales = countSale(sales, units, atMs);
    } else {
      available = Math.max(0, available + units);
    }
    history.push({ atMs, available, sales });
  }
  return shops.map(({ outcome }) => outcome);
}

export function addOutcomes(a: Outcome, b: Outcome): Outcome {
  const keys = Object.keys(a) as (keyof Outcome)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Outcome;
}

/** One channel's view of the SKU. */
class Shop {
  readonly outcome: Outcome = { ...NO_OUTCOME };
  readonly name: string;
  /** Of the history: the newest that the channel has heard of. */
  private heard = -1;
  /** What it sold itself, oldest first. */
  private own: { atMs: number; units: number }[] = [];
  private passedMs = 0;

  constructor(private readonly channel: BacktestChannel) {
    this.name = channel.name;
  }

  /** Withheld is what the policy takes of what there is, for as long as nothing happens. */
  passTime(history: readonly Knowledge[], atMs: number): void {
    const now = history.at(-1);
    if (now)
      this.outcome.withheldUnitHours +=
        this.withheld(now, this.passedMs) * ((atMs - this.passedMs) / HOUR_MS);
    this.passedMs = atMs;
  }

  /** The units that were taken, or null where the order is not placed. */
  order(units: number, available: number, history: readonly Knowledge[], atMs: number): number | null {
    const { outcome } = this;
    if (this.shown(history, atMs) < units) {
      if (available >= units) {
        outcome.lostOrders++;
        outcome.lost += units;
      }
      return null;
    }
    const taken = Math.min(units, available);
    outcome.orders++;
    outcome.sold += taken;
    outcome.oversold += units - taken;
    if (taken < units) outcome.oversoldOrders++;
    this.own.push({ atMs, units });
    return taken;
  }

  private shown(history: readonly Knowledge[], atMs: number): number {
    const heardMs = atMs - this.channel.latencyMs;
    while (this.heard + 1 < history.length && history[this.heard + 1]!.atMs <= heardMs) this.heard++;
    const known = history[this.heard];
    if (!known) return 0;
    // What it sold until then is in what it heard.
    this.own = this.own.filter((sale) => sale.atMs > heardMs);
    const since = this.own.reduce((sum, sale) => sum + sale.units, 0);
    return Math.max(0, known.available - this.withheld(known, heardMs) - since);
  }

  private withheld({ available, sales }: Knowledge, atMs: number): number {
    const { policy, signals } = this.channel;
    const known: SalesSignals = sales ? signalsAt(sales, atMs) : NO_SALES;
    const inputs: BufferInputs = {
      policy,
      needs: [needsOf(policy, known, signals)],
      channel: signals,
      nowMs: atMs,
    };
    return buffersOf(available, inputs).reduce((sum, { units }) => sum + units, 0);
  }
}
