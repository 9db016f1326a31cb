import { BullModule } from '@nestjs/bull';
import { type DynamicModule, Module } from '@nestjs/common';
import { RedisConnections } from './redis-connections';
import { WakeQueueService, WAKES } from './wake-queue.service';

/** How soon Bull looks for work again after Redis refused it. */
const RETRY_AFTER_MS = 1_000;

/** Bull, for the application whose configuration names a Redis; without it, jobs do well on their own. */
@Module({})
export class WakeQueueModule {
  static forRoot(url: string): DynamicModule {
    const connections = new RedisConnections(url);
    const queue = BullModule.registerQueue({
      name: WAKES,
      prefix: 'onhand',
      createClient: connections.open,
      settings: { retryProcessDelay: RETRY_AFTER_MS },
    });
    return {
      module: WakeQueueModule,
      global: true,
      imports: [queue],
      providers: [{ provide: RedisConnections, useValue: connections }, WakeQueueService],
      exports: [WakeQueueService],
    };
  }
}
