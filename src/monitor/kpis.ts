import type { KpiName } from '../config/kpi-names';
import { type FactName, SYNC_TARGET_SECONDS } from './kpi-facts';
import { percentileOf, ratioOf, type Tally } from './kpi-tally';

export const WINDOWS = { '1h': 3_600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000 } as const;
export type KpiWindow = keyof typeof WINDOWS;

export type KpiUnit = 'ratio' | 'seconds' | 'count';

export interface KpiDefinition {
  unit: KpiUnit;
  /** Met while the value is no more. */
  aim: { max: number } | null;
  fact: FactName;
  /** Null where there was nothing to tell it from. */
  value: (tally: Tally) => number | null;
  /** False for what is told of the whole stock only. */
  ofChannel: boolean;
}

const count = ({ numerator }: Tally) => numerator;
/** The largest that was found, if any was. */
const worst = ({ numerator, denominator }: Tally) => (denominator === 0 ? null : numerator);

export const KPIS = {
  reservation_conflict_rate: of('ratio', 0.003, 'reservations', ratioOf),
  sync_latency_p50_seconds: of('seconds', null, 'syncs', (tally) => percentileOf(tally, 0.5)),
  sync_latency_p99_seconds: of('seconds', SYNC_TARGET_SECONDS, 'syncs', (tally) => percentileOf(tally, 0.99)),
  sync_under_target_ratio: of('ratio', null, 'syncs', ratioOf),
  stranded_reservations: of('count', 0, 'stranded', count),
  ledger_drift_ratio: of('ratio', 0.01, 'counts', worst, false),
  reconciliation_drift_ratio: of('ratio', null, 'reconciliations', ratioOf),
  oversells: of('count', 0, 'oversells', count),
  manual_interventions: of('count', null, 'interventions', count),
  stock_cancellations: of('count', null, 'cancellations', count),
  buffer_releases: of('count', null, 'releases', count),
  push_queue_depth: of('count', null, 'queue', count),
  api_error_ratio: of('ratio', null, 'callErrors', ratioOf),
  api_throttled_ratio: of('ratio', null, 'callThrottles', ratioOf),
} satisfies Record<KpiName, KpiDefinition>;

function of(
  unit: KpiUnit,
  max: number | null,
  fact: FactName,
  value: KpiDefinition['value'],
  ofChannel = true,
): KpiDefinition {
  return { unit, aim: max === null ? null : { max }, fact, value, ofChannel };
}

/** One figure as it stands. */
export interface Kpi {
  name: KpiName;
  /** Null where there was nothing to tell it from. */
  value: number | null;
  unit: KpiUnit;
  aim: { max: number } | null;
  /** Null without an aim or a value. */
  met: boolean | null;
  /** Path of this API that lists what was counted; null where it is not told of the channel. */
  events: string | null;
}

export interface KpiReading {
  /** When it was read; the window ends then. */
  at: Date;
  windowSeconds: number;
  items: Kpi[];
}

export interface KpiHistory {
  name: KpiName;
  unit: KpiUnit;
  stepSeconds: number;
  /** Of each step, by when it began; the last one is not over. */
  points: { at: Date; value: number | null }[];
}
