import { Module } from '@nestjs/common';
import { JobsService } from './jobs.service';
import { LeaderService } from './leader.service';
import { ScheduleController } from './schedule.controller';
import { ScheduleService } from './schedule.service';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';
import { WakePostService } from './wake-post.service';

/**
 * When and by whom work is done; what there is to do stands in PostgreSQL. `JobsService` is all that the other
 * rooms need for short work, `TasksService` for long; behind them, wakes travel between hosts over Bull and Redis or over PostgreSQL.
 */
@Module({
  controllers: [ScheduleController, TasksController],
  providers: [JobsService, LeaderService, ScheduleService, TasksService, WakePostService],
  exports: [JobsService, LeaderService, ScheduleService, TasksService, WakePostService],
})
export class JobsModule {}
