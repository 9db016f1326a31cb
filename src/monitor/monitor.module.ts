import { Module } from '@nestjs/common';
import { ActivityModule } from '../activity/activity.module';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { ChannelStatusController } from './channel-status.controller';
import { ChannelStatusService } from './channel-status.service';
import { ConfigController } from './config.controller';
import { HealthController } from './health.controller';
import { JobMetricsService } from './job-metrics.service';
import { KpiCountingWorker } from './kpi-counting.worker';
import { KpiMetricsService } from './kpi-metrics.service';
import { KpisController } from './kpis.controller';
import { KpisService } from './kpis.service';
import { MetricsController } from './metrics.controller';
import { ReconcileMetricsService } from './reconcile-metrics.service';
import { StreamController } from './stream.controller';
import { StreamService } from './stream.service';

/**
 * How the host is doing: health, metrics, key figures, what waits on each channel. Owns what it keeps of key figures, and
 * changes nothing else.
 */
@Module({
  imports: [ActivityModule, BuffersModule, ChannelsModule, InventoryModule, JobsModule],
  controllers: [
    ChannelStatusController,
    ConfigController,
    HealthController,
    KpisController,
    MetricsController,
    StreamController,
  ],
  providers: [
    ChannelStatusService,
    JobMetricsService,
    KpiCountingWorker,
    KpiMetricsService,
    KpisService,
    ReconcileMetricsService,
    StreamService,
  ],
  exports: [KpisService],
})
export class MonitorModule {}
