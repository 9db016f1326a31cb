import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import type { ActivityEntry } from './activity';
import { RefusalDamper } from './refusal-damper';

const FORGET_ACTIVITY = 'forget-activity';
const FORGET_EVERY_SECONDS = 86_400;

/** An answer waits no longer for its entry; it is then written behind the answer. */
const ANSWER_WAITS_MS = 1_000;
const TRY_AGAIN_AFTER_MS = 1_000;
/** While the database is away. Beyond this many the oldest go to the log of the host. */
const MOST_WAITING = 10_000;
const REFUSALS_WITHIN_MS = 60_000;

interface WaitingEntry {
  id: string;
  entry: ActivityEntry;
  sinceMs: number;
}

/**
 * Writes down who did what. That an entry cannot be written changes no answer: it is tried again until the database takes
 * it, and what still waits when the host ends is told, whole, in the host's log.
 */
@Injectable()
export class ActivityService implements OnModuleInit, BeforeApplicationShutdown {
  private readonly log = new Logger('activity');
  private readonly pool: Pool;
  private readonly damper = new RefusalDamper(REFUSALS_WITHIN_MS, (entry) => void this.write(entry));
  private waiting: WaitingEntry[] = [];
  private retrying: Promise<void> | undefined;
  private readonly closing = new AbortController();

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {
    this.pool = poolOf(dataSource);
  }

  /** Entries that could not be written yet. */
  get unwritten(): number {
    return this.waiting.length;
  }

  onModuleInit(): void {
    this.jobs.process(FORGET_ACTIVITY, () => this.forget());
    this.jobs.every(FORGET_EVERY_SECONDS, FORGET_ACTIVITY);
  }

  /** No request comes any more, and the database is still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.damper.flush().map((entry) => this.write(entry)));
    this.closing.abort();
    await this.retrying;
    await this.writeWaiting().catch(() => undefined);
    this.waiting.splice(0).forEach((each) => this.tell(each, 'the host ends'));
  }

  /** Never rejects; resolves once the entry is written, or after a second. Refusals that are alike are told together. */
  async record(entry: ActivityEntry): Promise<void> {
    if (entry.outcome === 'refused' && !this.damper.admits(entry)) return;
    const giveUp = new AbortController();
    const late = sleep(ANSWER_WAITS_MS, undefined, { signal: giveUp.signal }).catch(() => undefined);
    await Promise.race([this.write(entry), late]);
    giveUp.abort();
  }

  private async write(entry: ActivityEntry): Promise<void> {
    const written = { id: randomUUID(), entry, sinceMs: performance.now() };
    try {
      await this.insert(written);
    } catch (error) {
      this.keep(written, error as Error);
    }
  }

  private keep(entry: WaitingEntry, { message }: Error): void {
    if (this.waiting.length === 0) this.log.warn(`an entry cannot be written yet: ${message}`);
    this.waiting.push(entry);
    if (this.waiting.length > MOST_WAITING) this.tell(this.waiting.shift()!, 'too many wait');
    this.retrying ??= this.retry().finally(() => (this.retrying = undefined));
  }

  private async retry(): Promise<void> {
    const { signal } = this.closing;
    while (this.waiting.length > 0 && !signal.aborted) {
      await sleep(TRY_AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined);
      await this.writeWaiting().catch(() => undefined);
    }
  }

  private async writeWaiting(): Promise<void> {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      await this.insert(next);
      this.waiting.shift();
    }
  }

  /** Once only, however often it is tried. */
  private async insert({ id, entry, sinceMs }: WaitingEntry): Promise<void> {
    const { actor, action, subject, channel, outcome, status, requestId, detail } = entry;
    await this.pool.query({
      name: 'write-activity',
      text: INSERT,
      values: [
        ...[id, (performance.now() - sinceMs) / 1000, actor.kind, actor.name, actor.id ?? null, action],
        ...[subject ?? null, channel ?? null, outcome, status ?? null, requestId ?? null],
        detail === undefined ? null : JSON.stringify(detail),
      ],
    });
  }

  private tell({ entry }: WaitingEntry, why: string): void {
    this.log.error({ activity: entry, msg: `not in the activity log, as ${why}` });
  }

  private async forget(): Promise<void> {
    await this.pool.query('DELETE FROM activity WHERE at < clock_timestamp() - make_interval(days => $1)', [
      this.config.activity.keepDays,
    ]);
  }
}

const INSERT = `
  INSERT INTO activity (entry_id, at, actor_kind, actor, actor_id, action, subject, channel, outcome, status, request_id, detail)
  VALUES ($1, clock_timestamp() - make_interval(secs => $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb)
  ON CONFLICT (entry_id) DO NOTHING`;
