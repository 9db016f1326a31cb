import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { ChannelStatusController } from './channel-status.controller';
import { ChannelStatusService } from './channel-status.service';
import { HealthController } from './health.controller';
import { MetricsController } from './metrics.controller';

/** How the host is doing: health, metrics, what waits on each channel. Reads, and changes nothing. */
@Module({
  imports: [ChannelsModule, InventoryModule],
  controllers: [ChannelStatusController, HealthController, MetricsController],
  providers: [ChannelStatusService],
})
export class MonitorModule {}
