import { randomUUID } from 'node:crypto';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { BreakerService } from './breaker.service';
import type { BreakerCounts } from './channel-breaker';

const FORGET_CALLS = 'forget-calls';
const FORGET_EVERY_SECONDS = 86_400;
const KEPT_DAYS = 35;
const WRITE_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;

const NO_CALLS: BreakerCounts = { answered: 0, throttled: 0, unanswered: 0, refused: 0 };

/**
 * Writes down how many calls this host made to each channel and what became of them, minute by minute: a host's own
 * counters end with it. A host that is killed loses the last seconds of them.
 */
@Injectable()
export class CallRecordsService implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('calls');
  private readonly pool: Pool;
  private readonly host = randomUUID();
  private timer: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();
  private minuteMs = 0;
  /** By channel: what the host has counted that is written, and what of it stands in this minute's row. */
  private readonly counted = new Map<string, BreakerCounts>();
  private inRow = new Map<string, BreakerCounts>();
  private lastMessage = '';

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {
    this.pool = poolOf(dataSource);
  }

  onModuleInit(): void {
    this.jobs.process(FORGET_CALLS, () => this.forget());
    this.jobs.every(FORGET_EVERY_SECONDS, FORGET_CALLS);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.write();
  }

  /** What could not be written is written with the next minute's, so that it is never late. Never rejects. */
  write(): Promise<void> {
    this.turn = this.turn
      .then(() => this.writeMinute())
      .then(
        () => void (this.lastMessage = ''),
        ({ message }: Error) => {
          if (message !== this.lastMessage) this.log.warn(`calls cannot be written down: ${message}`);
          this.lastMessage = message;
        },
      );
    return this.turn;
  }

  private async writeMinute(): Promise<void> {
    const minuteMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    if (minuteMs !== this.minuteMs) this.inRow = new Map();
    this.minuteMs = minuteMs;
    const rows = this.config.channels.flatMap(({ name }) => {
      const now = { ...this.breakers.countsOf(name) };
      const fresh = combine(now, this.counted.get(name) ?? NO_CALLS, (a, b) => a - b);
      const row = combine(this.inRow.get(name) ?? NO_CALLS, fresh, (a, b) => a + b);
      return Object.values(fresh).some((count) => count > 0) ? [{ name, now, row }] : [];
    });
    if (rows.length === 0) return;
    await this.pool.query(WRITE, [
      new Date(minuteMs),
      this.host,
      rows.map(({ name }) => name),
      ...(['answered', 'throttled', 'unanswered', 'refused'] as const).map((kind) =>
        rows.map(({ row }) => row[kind]),
      ),
    ]);
    for (const { name, now, row } of rows) {
      this.counted.set(name, now);
      this.inRow.set(name, row);
    }
  }

  private async forget(): Promise<void> {
    await this.pool.query(
      'DELETE FROM channel_calls WHERE minute < clock_timestamp() - make_interval(days => $1)',
      [KEPT_DAYS],
    );
  }
}

function combine(a: BreakerCounts, b: BreakerCounts, how: (a: number, b: number) => number): BreakerCounts {
  return {
    answered: how(a.answered, b.answered),
    throttled: how(a.throttled, b.throttled),
    unanswered: how(a.unanswered, b.unanswered),
    refused: how(a.refused, b.refused),
  };
}

const WRITE = `
  INSERT INTO channel_calls (minute, host, channel, answered, throttled, unanswered, refused)
  SELECT $1, $2, c.* FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) AS c
  ON CONFLICT (minute, channel, host) DO UPDATE SET answered = excluded.answered, throttled = excluded.throttled,
    unanswered = excluded.unanswered, refused = excluded.refused`;
