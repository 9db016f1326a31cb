import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { InboxService } from './inbox.service';
import { IntakeController } from './intake.controller';
import { IntakeWorker } from './intake.worker';
import { OrdersService } from './orders.service';
import { WebhooksController } from './webhooks.controller';

/** Webhooks and orders in. What was answered 2xx is stored first, and applied or parked after. */
@Module({
  imports: [ChannelsModule, InventoryModule, JobsModule],
  controllers: [WebhooksController, IntakeController],
  providers: [InboxService, IntakeWorker, OrdersService],
})
export class IntakeModule {}
