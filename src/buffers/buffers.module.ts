import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { BacktestController } from './backtest.controller';
import { BacktestService } from './backtest.service';
import { BufferRulesService } from './buffer-rules.service';
import { BuffersController } from './buffers.controller';
import { BuffersWorker } from './buffers.worker';
import { HoldsController } from './holds.controller';
import { PoliciesController } from './policies.controller';
import { PoliciesService } from './policies.service';
import { PublishedQuantityService } from './published-quantity.service';
import { RecalculationService } from './recalculation.service';

/**
 * What is withheld from each channel, and why; from that, what each listing should show. What depends on stock, time
 * and policy alone is computed when it is asked for; what depends on sales is stored, and recalculated as they come.
 */
@Module({
  imports: [ChannelsModule, InventoryModule, JobsModule],
  controllers: [BacktestController, BuffersController, HoldsController, PoliciesController],
  providers: [
    BacktestService,
    BufferRulesService,
    BuffersWorker,
    PoliciesService,
    PublishedQuantityService,
    RecalculationService,
  ],
  exports: [BufferRulesService, PublishedQuantityService, RecalculationService],
})
export class BuffersModule {}
