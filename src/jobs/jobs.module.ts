import { Module } from '@nestjs/common';
import { JobsService } from './jobs.service';
import { LeaderService } from './leader.service';
import { WakePostService } from './wake-post.service';

/**
 * When and by whom work is done; what there is to do stands in PostgreSQL. `JobsService` is all that the other
 * rooms need; behind it, wakes travel between hosts over Bull and Redis or over PostgreSQL.
 */
@Module({
  providers: [JobsService, LeaderService, WakePostService],
  exports: [JobsService, LeaderService, WakePostService],
})
export class JobsModule {}
