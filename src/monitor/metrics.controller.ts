import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { Open } from '../access/needs';
import { BufferRulesService } from '../buffers/buffer-rules.service';
import { RecalculationService } from '../buffers/recalculation.service';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import { LimitsService } from '../channels/limits.service';
import { LedgerService } from '../inventory/ledger.service';
import { registerBufferMetrics } from './buffer-metrics';
import { CallMetrics } from './call-metrics';
import { type ChannelStatus, ChannelStatusService } from './channel-status.service';
import { registerDeliveryMetrics } from './delivery-metrics';
import { JobMetricsService } from './job-metrics.service';
import { KpiMetricsService } from './kpi-metrics.service';
import { ReconcileMetricsService } from './reconcile-metrics.service';

/** Prometheus metrics. Open, as Prometheus expects; keep it inside your network if channel names are private. */
@ApiExcludeController()
@Controller('metrics')
@Open()
export class MetricsController {
  private readonly registry = new Registry();
  private readonly readDeliveries: () => Promise<void>;
  private readonly channelGauges: { gauge: Gauge; of: (status: ChannelStatus) => number }[];

  constructor(
    ledger: LedgerService,
    private readonly status: ChannelStatusService,
    channels: ChannelsService,
    breakers: BreakerService,
    limits: LimitsService,
    jobs: JobMetricsService,
    private readonly reconciling: ReconcileMetricsService,
    private readonly kpis: KpiMetricsService,
    recalculation: RecalculationService,
    buffers: BufferRulesService,
    @InjectDataSource() dataSource: DataSource,
  ) {
    collectDefaultMetrics({ register: this.registry });
    new CallMetrics(this.registry, channels, breakers, limits);
    jobs.register(this.registry);
    reconciling.register(this.registry);
    kpis.register(this.registry);
    registerBufferMetrics(this.registry, recalculation, buffers);
    this.readDeliveries = registerDeliveryMetrics(this.registry, dataSource);
    const { counts } = ledger;
    for (const [name, help, of] of [
      ['batches', 'Transactions committed by the ledger', () => counts.batches],
      ['commands', 'Commands answered by the ledger', () => counts.commands],
      ['duplicates', 'Commands whose key was known', () => counts.duplicates],
      ['refusals', 'Commands refused and recorded', () => counts.refusals],
      ['events', 'Events written to the ledger', () => counts.events],
    ] as const) {
      this.addCounter(`onhand_ledger_${name}_total`, help, of);
    }
    new Gauge({
      name: 'onhand_ledger_waiting',
      help: 'Commands waiting for a transaction',
      registers: [this.registry],
      collect() {
        this.set(ledger.depth);
      },
    });
    this.channelGauges = [
      this.channelGauge(
        'dirty_listings',
        'Listings whose quantity the channel has not taken yet',
        (s) => s.dirty,
      ),
      this.channelGauge('parked_listings', 'Listings tried too often', (s) => s.parkedListings),
      this.channelGauge('lag_seconds', 'Age of the oldest quantity not taken', (s) => s.lagSeconds),
      this.channelGauge('inbox_received', 'Webhooks not applied yet', (s) => s.inbox.received),
      this.channelGauge('inbox_parked', 'Webhooks that wait for a person', (s) => s.inbox.parked),
      this.channelGauge('parked_lines', 'Order lines whose SKU is not mapped', (s) => s.parkedLines),
      this.channelGauge('open_shortfalls', 'Order lines that stock does not cover', (s) => s.openShortfalls),
      this.channelGauge('served', '1 when the plugin is connected', (s) => (s.state === 'ready' ? 1 : 0)),
    ];
  }

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    await this.reconciling.read();
    await this.kpis.read();
    await this.readDeliveries();
    for (const status of await this.status.all()) {
      for (const { gauge, of } of this.channelGauges) gauge.set({ channel: status.name }, of(status));
    }
    return this.registry.metrics();
  }

  private addCounter(name: string, help: string, of: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(of());
      },
    });
  }

  private channelGauge(name: string, help: string, of: (status: ChannelStatus) => number) {
    const gauge = new Gauge({
      name: `onhand_channel_${name}`,
      help,
      labelNames: ['channel'],
      registers: [this.registry],
    });
    return { gauge, of };
  }
}
