import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { ChangesService } from './changes.service';
import { DeliveriesController } from './deliveries.controller';
import { DeliveriesService } from './deliveries.service';
import { OutboundWorker } from './outbound.worker';
import { ReceiversController } from './receivers.controller';
import { ReceiversService } from './receivers.service';

/**
 * Tells the user's own systems and people what happens: who wants to know what, and what became of each delivery.
 * Never changes stock, and never decides what is worth an alarm.
 */
@Module({
  imports: [InventoryModule, JobsModule],
  controllers: [DeliveriesController, ReceiversController],
  providers: [ChangesService, DeliveriesService, OutboundWorker, ReceiversService],
  exports: [DeliveriesService, ReceiversService],
})
export class OutboundModule {}
