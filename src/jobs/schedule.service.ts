import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { unhurriedPool } from '../database/pool';
import { JobsService, type RecurringJob } from './jobs.service';
import { NoSuchTaskError } from './jobs.errors';

export const RUN_SCHEDULED = 'run-scheduled';

/** One recurring task, as `GET /v1/schedule` tells it. */
export interface ScheduledTask {
  name: string;
  job: string;
  key: string | null;
  everySeconds: number;
  running: boolean;
  nextAt: Date;
  lastStartedAt: Date | null;
  lastFinishedAt: Date | null;
  lastSeconds: number | null;
  lastOutcome: 'done' | 'failed' | null;
  lastError: string | null;
  runs: number;
  failures: number;
}

/** A host that is killed holds its task for so long; one that lives renews it three times meanwhile. */
const LEASE_SECONDS = 15;
const RENEW_EVERY_MS = 5_000;
const LONGEST_ERROR = 500;
/** Two hosts with other configurations each keep theirs; what neither has said for so long is over. */
const FORGOTTEN_AFTER = `interval '15 minutes'`;

/** A task's name: its job, and what it works on where there are several of it. */
export function taskName(job: string, key?: string): string {
  return key === undefined ? job : `${job}:${key}`;
}

/**
 * The table of recurring tasks. A row says when its task is due; whichever worker is woken first claims it by a
 * lease, so that it runs once over all hosts and never beside itself, and a task that came due while no host ran
 * is still due when one starts.
 */
@Injectable()
export class ScheduleService implements OnModuleInit, OnApplicationShutdown {
  private readonly log = new Logger('schedule');
  private readonly pool: Pool;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly jobs: JobsService,
  ) {
    // A run whose record is lost with the server is due once more.
    this.pool = unhurriedPool(dataSource, 1);
  }

  onModuleInit(): void {
    this.jobs.process(RUN_SCHEDULED, (name) => this.runDue(name!));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** Tells the table of this host's tasks. One that is new is due after its interval, a frequent one at once. */
  async declare(recurring: readonly RecurringJob[]): Promise<void> {
    await this.pool.query(DECLARE, [
      recurring.map(({ name, key }) => taskName(name, key)),
      recurring.map(({ name }) => name),
      recurring.map(({ key }) => key ?? null),
      recurring.map(({ everySeconds }) => everySeconds),
    ]);
  }

  /** Names that are due now, and how many ms until the next one is. */
  async due(): Promise<{ names: string[]; nextInMs: number | undefined }> {
    const { rows } = await this.pool.query<{ name: string; in_ms: number }>(DUE);
    const later = rows.find(({ in_ms }) => in_ms > 0);
    return {
      names: rows.filter(({ in_ms }) => in_ms <= 0).map(({ name }) => name),
      nextInMs: later?.in_ms,
    };
  }

  async list(): Promise<ScheduledTask[]> {
    return (await this.pool.query<ScheduledTask>(LIST)).rows;
  }

  /** Makes a task due now; one that is running runs once more. Throws `NoSuchTaskError`. */
  async hurry(name: string): Promise<void> {
    const { rowCount } = await this.pool.query(
      `UPDATE schedule SET due_at = clock_timestamp()
        WHERE name = $1 AND declared_at > clock_timestamp() - ${FORGOTTEN_AFTER}`,
      [name],
    );
    if (rowCount === 0) throw new NoSuchTaskError(name);
    this.jobs.wakeAnywhere(RUN_SCHEDULED, name);
  }

  /** Runs the task here if it is due and no host is at it. */
  private async runDue(name: string): Promise<void> {
    const lease = randomUUID();
    const { rows } = await this.pool.query<{ job: string; key: string | null }>(BEGIN, [
      name,
      lease,
      LEASE_SECONDS,
    ]);
    const [task] = rows;
    if (!task) return;
    const renewing = setInterval(() => void this.renew(name, lease), RENEW_EVERY_MS);
    try {
      const outcome = await this.jobs.run(task.job, task.key ?? undefined);
      // This host is stopping: the task stays due, for another one.
      if (!outcome) await this.pool.query(LEAVE, [name, lease]);
      else {
        const error = outcome.error?.slice(0, LONGEST_ERROR).replaceAll('\0', '\ufffd') ?? null;
        await this.pool.query(FINISH, [name, lease, outcome.seconds, error]);
      }
    } finally {
      clearInterval(renewing);
    }
  }

  private async renew(name: string, lease: string): Promise<void> {
    await this.pool.query(RENEW, [name, lease, LEASE_SECONDS]).catch((error: Error) => {
      this.log.warn(`${name}: cannot tell that it is still running: ${error.message}`);
    });
  }
}

/** In the order of the names, against deadlocks of hosts that start together. */
const DECLARE = `
  INSERT INTO schedule AS s (name, job, key, every_seconds, declared_at, due_at)
  SELECT name, job, key, every, clock_timestamp(),
         clock_timestamp() + CASE WHEN every < 60 THEN interval '0' ELSE make_interval(secs => every) END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) AS t (name, job, key, every) ORDER BY name
  ON CONFLICT (name) DO UPDATE
    SET job = excluded.job, key = excluded.key, every_seconds = excluded.every_seconds, declared_at = excluded.declared_at,
        due_at = least(s.due_at, clock_timestamp() + make_interval(secs => excluded.every_seconds))`;

const DUE = `
  SELECT name, extract(epoch FROM greatest(due_at, lease_until) - clock_timestamp())::float8 * 1000 AS in_ms
    FROM schedule WHERE declared_at > clock_timestamp() - ${FORGOTTEN_AFTER} ORDER BY in_ms`;

const LIST = `
  SELECT name, job, key, every_seconds AS "everySeconds", lease_until > clock_timestamp() AS running, due_at AS "nextAt",
         started_at AS "lastStartedAt", finished_at AS "lastFinishedAt", seconds AS "lastSeconds", outcome AS "lastOutcome",
         error AS "lastError", runs, failures
    FROM schedule WHERE declared_at > clock_timestamp() - ${FORGOTTEN_AFTER} ORDER BY name`;

const BEGIN = `
  UPDATE schedule SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $3), started_at = clock_timestamp(),
         runs = runs + 1
   WHERE name = $1 AND due_at <= clock_timestamp() AND lease_until <= clock_timestamp()
  RETURNING job, key`;

const RENEW = `UPDATE schedule SET lease_until = clock_timestamp() + make_interval(secs => $3) WHERE name = $1 AND lease = $2`;

const LEAVE = `UPDATE schedule SET lease = NULL, lease_until = '-infinity' WHERE name = $1 AND lease = $2`;

/** Asked for during the run, it is due again at once. */
const FINISH = `
  UPDATE schedule SET lease = NULL, lease_until = '-infinity', finished_at = clock_timestamp(), seconds = $3, error = $4,
         outcome = CASE WHEN $4::text IS NULL THEN 'done' ELSE 'failed' END, failures = failures + ($4::text IS NOT NULL)::int,
         failing_since = CASE WHEN $4::text IS NOT NULL THEN coalesce(failing_since, clock_timestamp()) END,
         due_at = CASE WHEN due_at > started_at THEN due_at ELSE started_at + make_interval(secs => every_seconds) END
   WHERE name = $1 AND lease = $2`;
