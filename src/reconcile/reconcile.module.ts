import { Module } from '@nestjs/common';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { OrderCatchUpService } from './order-catch-up.service';
import { ReconcileController } from './reconcile.controller';
import { ReconcileService } from './reconcile.service';
import { ReconcileWorker } from './reconcile.worker';
import { TaskAnswers } from './task-answers';

/**
 * Compares and corrects: channels with the ledger, the ledger with counts, our orders with theirs, and our tables
 * with each other. Marks listings dirty and posts commands; push and inventory do the rest.
 */
@Module({
  imports: [BuffersModule, ChannelsModule, InventoryModule, JobsModule],
  controllers: [ReconcileController],
  providers: [OrderCatchUpService, ReconcileService, ReconcileWorker, TaskAnswers],
})
export class ReconcileModule {}
