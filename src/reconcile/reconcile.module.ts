import { Module } from '@nestjs/common';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { ConsistencyService } from './consistency.service';
import { CountsController } from './counts.controller';
import { CountsFolderWorker } from './counts-folder.worker';
import { CountsService } from './counts.service';
import { LedgerChecksController } from './ledger-checks.controller';
import { LedgerChecksService } from './ledger-checks.service';
import { OrderCatchUpService } from './order-catch-up.service';
import { OrderComparisonController } from './order-comparison.controller';
import { OrderComparisonService } from './order-comparison.service';
import { ReconcileController } from './reconcile.controller';
import { ReconcileService } from './reconcile.service';
import { ReconcileWorker } from './reconcile.worker';
import { ReportsController } from './reports.controller';
import { SettlementService } from './settlement.service';
import { StrandedService } from './stranded.service';
import { TaskAnswers } from './task-answers';

/**
 * Compares and corrects: channels with the ledger, the ledger with counts, our orders with theirs, and our tables
 * with each other. Marks listings dirty and posts commands; push and inventory do the rest.
 */
@Module({
  imports: [BuffersModule, ChannelsModule, InventoryModule, JobsModule],
  controllers: [
    CountsController,
    LedgerChecksController,
    OrderComparisonController,
    ReconcileController,
    ReportsController,
  ],
  providers: [
    ConsistencyService,
    CountsFolderWorker,
    CountsService,
    LedgerChecksService,
    OrderCatchUpService,
    OrderComparisonService,
    ReconcileService,
    ReconcileWorker,
    SettlementService,
    StrandedService,
    TaskAnswers,
  ],
})
export class ReconcileModule {}
