/** A KPI as the rules see it; the same names and units as `GET /v1/kpis`. */
export interface KpiFigure {
  name: string;
  value: number | null;
  unit: 'ratio' | 'seconds' | 'count';
  aim: { max: number } | null;
  /** Whether it keeps its aim; null where it has none, or no value. */
  met: boolean | null;
}

/** Where the KPIs of the last hour come from; the rules on them rest where nothing is given. */
export abstract class KpiSource {
  /** One list for each channel, in their order; undefined stands for everything together. */
  abstract lastHour(channels: readonly (string | undefined)[]): Promise<KpiFigure[][]>;
}
