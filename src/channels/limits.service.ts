import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { type ChannelClock, type LimiterCounts, QueuedLimiter, type RateLimit } from '../channel-api';
import { ListenerService } from '../database/listener.service';
import { pipelinedPool } from '../database/pool';
import { type KeptLimit, type LimitLevel, limitLevel } from './limit-levels';
import { SharedLimitStore } from './shared-limit-store';

/**
 * Connections of the limits' own. A call waits for its turn while others wait for that call's answer with a
 * connection of the pool in hand, so it must not queue behind them.
 */
const CONNECTIONS = 2;

/** Counts every channel's limits together with all other hosts. */
@Injectable()
export class LimitsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('limits');
  private readonly pool: Pool;
  private readonly limiters = new Map<string, QueuedLimiter>();

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly listener: ListenerService,
  ) {
    this.pool = pipelinedPool(dataSource, CONNECTIONS);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.pool.query(FORGET_KEYS);
    await this.listener.listen('onhand_limits', {
      heard: (channel) => this.limiters.get(channel)?.dropAhead(),
      missed: () => this.limiters.forEach((limiter) => limiter.dropAhead()),
    });
  }

  /** Throws `RangeError` when a limit could never let a call pass. */
  limiterOf(channel: string, limits: readonly RateLimit[], clock: ChannelClock): QueuedLimiter {
    const limiter = new QueuedLimiter(limits, new SharedLimitStore(this.pool, channel), clock, {
      learned: (limit, learned) =>
        this.log.log(`${channel}: the limit ${limit} is now ${JSON.stringify(learned)}`),
      throttled: () => this.tellOthers(channel),
    });
    this.limiters.set(channel, limiter);
    return limiter;
  }

  /** What this host's calls have met; undefined for a channel that is not served. */
  countsOf(channel: string): LimiterCounts | undefined {
    return this.limiters.get(channel)?.counts;
  }

  /** Where these limits stand now, over all hosts, in their order. */
  async levelsOf(channel: string, limits: readonly RateLimit[]): Promise<LimitLevel[]> {
    const { rows } = await this.pool.query<KeptLimit & { name: string }>(LEVELS, [
      channel,
      limits.map(({ name }) => name),
    ]);
    const kept = new Map(rows.map((row) => [row.name, row]));
    return limits.map((limit) => limitLevel(limit, kept.get(limit.name)!));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.limiters.values()].map((limiter) => limiter.stop()));
    await this.pool.end();
  }

  /** A hint: who misses it uses up what it has taken ahead, which is a quarter of a second's calls at most. */
  private tellOthers(channel: string): void {
    this.pool
      .query(`SELECT pg_notify('onhand_limits', $1)`, [channel])
      .catch((error: Error) => this.log.warn(`${channel}: ${error.message}`));
  }
}

/** Not locked: what is told is a moment's, and nothing is changed by looking. */
const LEVELS = `
  SELECT l.name, nullif(c.state, 'null') AS state, c.updated_at AS "usedAt",
         extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs"
    FROM unnest($2::text[]) AS l (name) LEFT JOIN channel_limits c ON c.channel = $1 AND c.name = l.name`;

/** A limit that is counted by key has a row for each, such as a listing that ended long ago. */
const FORGET_KEYS = `
  DELETE FROM channel_limits WHERE name LIKE '%#%' AND updated_at < clock_timestamp() - interval '30 days'`;
