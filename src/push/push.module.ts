import { Module } from '@nestjs/common';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { AvailabilityController } from './availability.controller';
import { ConfirmationsService } from './confirmations.service';
import { FollowedPushesService } from './followed-pushes.service';
import { ListingsController } from './listings.controller';
import { ParkedPushesController } from './parked-pushes.controller';
import { PausesController } from './pauses.controller';
import { PushService } from './push.service';
import { PushWorker } from './push.worker';
import { QueueController } from './queue.controller';

/** Published quantities out: what is dirty is computed and sent, and what was sent is kept. */
@Module({
  imports: [BuffersModule, ChannelsModule, InventoryModule, JobsModule],
  controllers: [
    AvailabilityController,
    ListingsController,
    ParkedPushesController,
    PausesController,
    QueueController,
  ],
  providers: [ConfirmationsService, FollowedPushesService, PushService, PushWorker],
})
export class PushModule {}
