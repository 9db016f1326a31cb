import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { type ChannelClock, type LimiterCounts, QueuedLimiter, type RateLimit } from '../channel-api';
import { pipelinedPool } from '../database/pool';
import { SharedLimitStore } from './shared-limit-store';

/**
 * Connections of the limits' own. A call waits for its turn while others wait for that call's answer with a
 * connection of the pool in hand, so it must not queue behind them.
 */
const CONNECTIONS = 2;

/** Counts every channel's limits together with all other hosts. */
@Injectable()
export class LimitsService implements OnApplicationShutdown {
  private readonly log = new Logger('limits');
  private readonly pool: Pool;
  private readonly limiters = new Map<string, QueuedLimiter>();

  constructor(@InjectDataSource() dataSource: DataSource) {
    this.pool = pipelinedPool(dataSource, CONNECTIONS);
  }

  /** Throws `RangeError` when a limit could never let a call pass. */
  limiterOf(channel: string, limits: readonly RateLimit[], clock: ChannelClock): QueuedLimiter {
    const limiter = new QueuedLimiter(
      limits,
      new SharedLimitStore(this.pool, channel),
      clock,
      (limit, learned) => this.log.log(`${channel}: the limit ${limit} is now ${JSON.stringify(learned)}`),
    );
    this.limiters.set(channel, limiter);
    return limiter;
  }

  /** What this host's calls have met; undefined for a channel that is not served. */
  countsOf(channel: string): LimiterCounts | undefined {
    return this.limiters.get(channel)?.counts;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.limiters.values()].map((limiter) => limiter.stop()));
    await this.pool.end();
  }
}
