import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module';
import { ActivityController } from './activity.controller';
import { ActivityMiddleware } from './activity.middleware';
import { ActivityService } from './activity.service';

/**
 * Who did what: owns the table `activity`, which only grows. Sees every request that may change something and decides
 * nothing about any. What the host does of itself is written down by the database (migration 1763900010001).
 */
@Module({
  imports: [JobsModule],
  controllers: [ActivityController],
  providers: [ActivityService],
  exports: [ActivityService],
})
export class ActivityModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(ActivityMiddleware).forRoutes('{*path}');
  }
}
