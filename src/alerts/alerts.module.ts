import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { OutboundModule } from '../outbound/outbound.module';
import { AlertsController } from './alerts.controller';
import { AlertsService } from './alerts.service';
import { AlertsWorker } from './alerts.worker';

/** Decides what is worth a person's attention, from the tables of the other rooms. Changes nothing in them. */
@Module({
  imports: [ChannelsModule, InventoryModule, JobsModule, OutboundModule],
  controllers: [AlertsController],
  providers: [AlertsService, AlertsWorker],
  exports: [AlertsService],
})
export class AlertsModule {}
