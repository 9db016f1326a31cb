import {
  addOutcomes,
  type BacktestChannel,
  backtestSku,
  NO_OUTCOME,
  type Outcome,
  type StockEvent,
} from './backtest';
import type { BufferRules } from './buffer-rules';
import type { ChannelSignals } from './needs';

/** One SKU's events with what policies look at. */
export interface SkuHistory {
  skuId: number;
  events: StockEvent[];
}

/** Policies to compare, under a name for the report. */
export interface Candidate {
  name: string;
  rules: BufferRules;
}

export interface CandidateReport extends Outcome {
  name: string;
  /** Units that the first candidate oversold and this one did not. */
  oversellsAvoided: number;
  byChannel: Record<string, Outcome>;
}

export interface BacktestReport {
  from: string;
  to: string;
  skus: number;
  events: number;
  /** Ms by channel. */
  latencies: Record<string, number>;
  /** The first one is what the others are compared with. */
  candidates: CandidateReport[];
}

export interface BacktestSetting {
  channels: readonly { name: string; latencyMs: number; signals: ChannelSignals }[];
  candidates: readonly Candidate[];
}

/** Goes through the SKUs one after the other, so that memory holds one at a time. */
export class BacktestRun {
  private readonly totals: Outcome[][];
  private skus = 0;
  private events = 0;
  private firstMs = Infinity;
  private lastMs = -Infinity;

  constructor(private readonly setting: BacktestSetting) {
    this.totals = setting.candidates.map(() => setting.channels.map(() => NO_OUTCOME));
  }

  add({ skuId, events }: SkuHistory): void {
    const { candidates, channels } = this.setting;
    candidates.forEach(({ rules }, at) => {
      const shops = channels.map((channel): BacktestChannel => ({
        ...channel,
        signals: { ...channel.signals, syncP99Ms: channel.latencyMs },
        policy: rules.policyFor(channel.name, skuId),
      }));
      const outcomes = backtestSku(events, shops);
      this.totals[at] = this.totals[at]!.map((total, place) => addOutcomes(total, outcomes[place]!));
    });
    this.skus++;
    this.events += events.length;
    this.firstMs = Math.min(this.firstMs, events[0]?.atMs ?? Infinity);
    this.lastMs = Math.max(this.lastMs, events.at(-1)?.atMs ?? -Infinity);
  }

  report(): BacktestReport {
    const { candidates, channels } = this.setting;
    const sums = this.totals.map((outcomes) => outcomes.reduce(addOutcomes, NO_OUTCOME));
    return {
      from: timeOf(this.firstMs),
      to: timeOf(this.lastMs),
      skus: this.skus,
      events: this.events,
      latencies: Object.fromEntries(channels.map(({ name, latencyMs }) => [name, latencyMs])),
      candidates: candidates.map(({ name }, at) => ({
        name,
        ...sums[at]!,
        oversellsAvoided: sums[0]!.oversold - sums[at]!.oversold,
        byChannel: Object.fromEntries(
          channels.map((channel, place) => [channel.name, this.totals[at]![place]!]),
        ),
      })),
    };
  }
}

function timeOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : '';
}
