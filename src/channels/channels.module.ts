import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { BreakerController } from './breaker.controller';
import { BreakerService } from './breaker.service';
import { BreakerWorker } from './breaker.worker';
import { ChannelsService } from './channels.service';
import { LimitsService } from './limits.service';
import { ListingsService } from './listings.service';

/**
 * Which channels exist, the plugins that serve them, the mapping of their SKUs to ours, and how many calls each
 * takes, if any.
 */
@Module({
  imports: [InventoryModule, JobsModule],
  controllers: [BreakerController],
  providers: [BreakerService, BreakerWorker, ChannelsService, LimitsService, ListingsService],
  exports: [BreakerService, ChannelsService, LimitsService, ListingsService],
})
export class ChannelsModule {}
