import { Module } from '@nestjs/common';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { JobsModule } from '../jobs/jobs.module';
import { ReconcileController } from './reconcile.controller';
import { ReconcileService } from './reconcile.service';
import { ReconcileWorker } from './reconcile.worker';

/** Compares and corrects. Never changes stock by itself: it marks listings dirty, and push does the rest. */
@Module({
  imports: [BuffersModule, ChannelsModule, JobsModule],
  controllers: [ReconcileController],
  providers: [ReconcileService, ReconcileWorker],
})
export class ReconcileModule {}
