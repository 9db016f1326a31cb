import { Module } from '@nestjs/common';
import { JobsService } from './jobs.service';

/** When and by whom work is done; what there is to do stands in PostgreSQL. */
@Module({ providers: [JobsService], exports: [JobsService] })
export class JobsModule {}
