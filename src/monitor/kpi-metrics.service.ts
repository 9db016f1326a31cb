import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { ActivityService } from '../activity/activity.service';
import type { KpiName } from '../config/kpi-names';
import { type Fact, FACTS } from './kpi-facts';
import { KPIS } from './kpis';

interface MetricOf {
  /** After `onhand_kpi_` and `onhand_channel_kpi_`; percentiles of one thing are one metric. */
  name: string;
  help: string;
  quantile?: string;
}

const LATENCY = { name: 'sync_latency_seconds', help: 'From a commit to the channel showing it' };

const METRICS: Readonly<Record<KpiName, MetricOf>> = {
  reservation_conflict_rate: {
    name: 'reservation_conflict_ratio',
    help: 'Share of orders and reservation requests that stock did not cover',
  },
  sync_latency_p50_seconds: { ...LATENCY, quantile: '0.5' },
  sync_latency_p99_seconds: { ...LATENCY, quantile: '0.99' },
  sync_under_target_ratio: {
    name: 'sync_under_target_ratio',
    help: 'Share of pushes that were there within 90 s',
  },
  stranded_reservations: { name: 'stranded_reservations', help: 'Reservations that nobody fulfils' },
  ledger_drift_ratio: {
    name: 'ledger_drift_ratio',
    help: 'Share of units by which the worst count differed',
  },
  reconciliation_drift_ratio: {
    name: 'reconciliation_drift_ratio',
    help: 'Share of compared listings that had drifted',
  },
  oversells: { name: 'oversells', help: 'Orders that stock did not cover' },
  manual_interventions: { name: 'manual_interventions', help: 'Times that a person stepped in' },
  stock_cancellations: { name: 'stock_cancellations', help: 'Orders cancelled for want of stock' },
  buffer_releases: { name: 'buffer_releases', help: 'Times that less was withheld of a SKU' },
  push_queue_depth: { name: 'push_queue_listings', help: 'Listings that wait to be pushed' },
  api_error_ratio: { name: 'api_error_ratio', help: 'Share of calls to channels that got no usable answer' },
  api_throttled_ratio: {
    name: 'api_throttled_ratio',
    help: 'Share of calls to channels that were answered 429',
  },
};

interface Row {
  name: KpiName;
  window: string;
  channel: string;
  value: number | null;
  /** Seconds since 1970. */
  at: number;
}

/** The key figures as they were computed last, by whichever host: a scrape reads one small table. */
@Injectable()
export class KpiMetricsService {
  /** By the metric's whole name. */
  private readonly gauges = new Map<string, Gauge>();
  private computedAt: Gauge;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly activity: ActivityService,
  ) {}

  register(registry: Registry): void {
    const registers = [registry];
    for (const name of Object.keys(METRICS) as KpiName[])
      for (const labels of KPIS[name].ofChannel ? [[], ['channel']] : [[]]) {
        const { help, quantile } = METRICS[name];
        const whole = wholeName(name, labels.length > 0);
        if (this.gauges.has(whole)) continue;
        const labelNames = [
          ...labels,
          ...(isLevel(name) ? [] : ['window']),
          ...(quantile === undefined ? [] : ['quantile']),
        ];
        this.gauges.set(whole, new Gauge({ name: whole, help, labelNames, registers }));
      }
    this.computedAt = new Gauge({
      name: 'onhand_kpi_computed_timestamp_seconds',
      help: 'When the key figures were computed last',
      registers,
    });
    const { activity } = this;
    new Gauge({
      name: 'onhand_activity_unwritten',
      help: 'Entries of the activity log that this host could not write yet',
      registers,
      collect() {
        this.set(activity.unwritten);
      },
    });
  }

  async read(): Promise<void> {
    const rows: Row[] = await this.dataSource.query(READ);
    for (const gauge of this.gauges.values()) gauge.reset();
    for (const { name, window, channel, value } of rows) {
      if (value === null || !Object.hasOwn(METRICS, name)) continue;
      const { quantile } = METRICS[name];
      this.gauges.get(wholeName(name, channel !== ''))?.set(
        {
          ...(channel !== '' && { channel }),
          ...(!isLevel(name) && { window }),
          ...(quantile !== undefined && { quantile }),
        },
        value,
      );
    }
    this.computedAt.set(Math.max(0, ...rows.map(({ at }) => at)));
  }
}

function wholeName(name: KpiName, ofChannel: boolean): string {
  return `onhand_${ofChannel ? 'channel_' : ''}kpi_${METRICS[name].name}`;
}

/** How much there is now is the same whatever the window. */
function isLevel(name: KpiName): boolean {
  return (FACTS[KPIS[name].fact] as Fact).isLevel;
}

const READ = `
  SELECT name, window_name AS window, channel, value, extract(epoch FROM computed_at)::float8 AS at FROM kpi_values`;
