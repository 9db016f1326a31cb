import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { JobsModule } from '../jobs/jobs.module';
import { SchedulerService } from './scheduler.service';

/** When recurring jobs run; what they do is theirs. */
@Module({ imports: [ScheduleModule.forRoot(), JobsModule], providers: [SchedulerService] })
export class SchedulerModule {}
