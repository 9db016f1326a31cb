import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { NEWEST, type PlaceInTime } from '../http/page';
import {
  NoSuchTaskError,
  TaskBusyError,
  TaskEndedError,
  TaskFailedError,
  TaskOverError,
} from './jobs.errors';
import { JobsService } from './jobs.service';
import { type ClaimedTask, TASK_LEASE_SECONDS, TaskRun } from './task-run';
import {
  CANCEL,
  CLAIM,
  END,
  FORGET,
  LEFT_BEHIND,
  READ,
  READ_OPEN,
  READ_PAGE,
  RELEASE,
  START,
} from './tasks-sql';

const RUN_TASK = 'run-task';
const RESUME_TASKS = 'resume-tasks';
const RESUME_EVERY_SECONDS = 10;
const RENEW_EVERY_MS = 1_000;
/** A task that takes its host down each time is not given to a next one for ever. */
const MAX_ATTEMPTS = 10;
const KEPT_DAYS = 30;
const LONGEST_ERROR = 2_000;

export const TASK_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;

export type TaskState = (typeof TASK_STATES)[number];

export interface TaskView {
  id: string;
  kind: string;
  subject: string;
  params: Record<string, unknown>;
  state: TaskState;
  askedBy: string;
  askedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Set from when it was told to end; whoever is at it hears of it within a second. */
  cancelAskedAt: Date | null;
  /** So much of `total`, whose unit the kind of task knows; null where nobody can say. */
  done: number;
  total: number | null;
  note: string | null;
  report: object | null;
  error: string | null;
  errorCode: string | null;
}

/** With where it stands in the list. */
export interface ListedTask extends TaskView {
  place: string;
}

/** A task that is not over, as far as those who watch it are told. */
export type OpenTask = Omit<TaskView, 'params' | 'finishedAt' | 'report' | 'error' | 'errorCode'>;

/** Does the work; what it resolves with is the report. */
export type TaskHandler = (run: TaskRun) => Promise<object>;

/**
 * Work that takes minutes: one row each, done by one host, resumed by another where that one was killed, cancelled
 * by anybody, and reported. One task of a kind and subject is open at a time, over all hosts.
 */
@Injectable()
export class TasksService implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger('tasks');
  private readonly pool: Pool;
  private readonly handlers = new Map<string, TaskHandler>();
  private readonly runs = new Set<TaskRun>();

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly jobs: JobsService,
  ) {
    this.pool = poolOf(dataSource);
  }

  onModuleInit(): void {
    this.jobs.process(RUN_TASK, (id) => this.run(id!));
    this.jobs.process(RESUME_TASKS, () => this.resume());
    this.jobs.every(RESUME_EVERY_SECONDS, RESUME_TASKS);
  }

  /** What is under way stops at its next look, and is left to another host as far as it has come. */
  onModuleDestroy(): void {
    for (const run of this.runs) run.end('stopping');
  }

  /** Declares how tasks of a kind are done. */
  define(kind: string, handler: TaskHandler): void {
    if (this.handlers.has(kind)) throw new Error(`the task ${kind} is declared twice`);
    this.handlers.set(kind, handler);
  }

  /** Asks for a task, to be begun at once by some worker. Throws `TaskBusyError`. */
  async start(kind: string, subject: string, params: object, askedBy: string): Promise<TaskView> {
    const id = randomUUID();
    const { rows } = await this.pool.query<{ id: string; created: boolean }>(START, [
      id,
      kind,
      subject,
      JSON.stringify(params),
      askedBy,
    ]);
    if (!rows[0]?.created) throw new TaskBusyError(kind, subject, rows[0]?.id ?? 'of another host');
    this.jobs.wake(RUN_TASK, id);
    return this.get(id);
  }

  /** As `start`, or the one that is open already. */
  async join(kind: string, subject: string, params: object, askedBy: string): Promise<TaskView> {
    const id = await this.startOrFind(kind, subject, params, askedBy);
    this.jobs.wake(RUN_TASK, id);
    return this.get(id);
  }

  /** As `start`, but does it on this host, or goes on with what is open; resolves once it is over. */
  async runHere(kind: string, subject: string, params: object, askedBy: string): Promise<TaskView> {
    const id = await this.startOrFind(kind, subject, params, askedBy);
    await this.jobs.run(RUN_TASK, id);
    return this.get(id);
  }

  /** Throws `NoSuchTaskError`. */
  async get(id: string): Promise<TaskView> {
    const { rows } = await this.pool.query<TaskView>(READ, [id]);
    if (!rows[0]) throw new NoSuchTaskError(id);
    return rows[0];
  }

  /** Newest first, of those asked for before the place given. */
  async list(
    limit: number,
    filter: { kind?: string; subject?: string; state?: TaskState } = {},
    { at, id }: PlaceInTime = NEWEST,
  ): Promise<ListedTask[]> {
    const { kind = null, subject = null, state = null } = filter;
    return (await this.pool.query<ListedTask>(READ_PAGE, [limit, kind, subject, state, at, id])).rows;
  }

  /** Those that are not over, newest first; there is one of a kind and subject at most. */
  async open(): Promise<OpenTask[]> {
    return (await this.pool.query<OpenTask>(READ_OPEN)).rows;
  }

  /** Waits for the task's end, for so long at most; answers it as it is then. */
  async wait(id: string, waitMs: number): Promise<TaskView> {
    const until = performance.now() + waitMs;
    for (let delayMs = 10; ; delayMs = Math.min(delayMs * 1.5, 500)) {
      const task = await this.get(id);
      const left = until - performance.now();
      if (task.finishedAt !== null || left <= 0) return task;
      await sleep(Math.min(delayMs, left));
    }
  }

  /** The report of a task that is over. Throws `TaskFailedError` with what it failed with. */
  reportOf<Report extends object>({ state, report, error, errorCode }: TaskView): Report {
    if (state === 'done') return report as Report;
    throw new TaskFailedError(error ?? `the task is ${state}`, errorCode ?? undefined);
  }

  /** Throws `NoSuchTaskError`, `TaskOverError`. */
  async cancel(id: string): Promise<TaskView> {
    const { rowCount } = await this.pool.query(CANCEL, [id]);
    const task = await this.get(id);
    if (rowCount === 0) throw new TaskOverError(id, task.state);
    return task;
  }

  private async startOrFind(kind: string, subject: string, params: object, askedBy: string): Promise<string> {
    for (;;) {
      const values = [randomUUID(), kind, subject, JSON.stringify(params), askedBy];
      const { rows } = await this.pool.query<{ id: string }>(START, values);
      // None: the one that was in the way came to its end meanwhile.
      if (rows[0]) return rows[0].id;
    }
  }

  private async run(id: string): Promise<void> {
    const lease = randomUUID();
    const kinds = [...this.handlers.keys()];
    const { rows } = await this.pool.query<ClaimedTask>(CLAIM, [id, lease, TASK_LEASE_SECONDS, kinds]);
    const [claimed] = rows;
    if (!claimed) return;
    const run = new TaskRun(this.pool, lease, claimed);
    this.runs.add(run);
    const renewing = setInterval(() => {
      // Work that heeds no signal may go on for long; it is another's by now.
      if (run.signal.aborted) clearInterval(renewing);
      else run.renew().catch(() => undefined);
    }, RENEW_EVERY_MS);
    try {
      const report = await this.handlers.get(claimed.kind)!(run);
      await this.end(run, lease, 'done', report);
    } catch (error) {
      await this.endOtherwise(run, lease, error);
    } finally {
      clearInterval(renewing);
      this.runs.delete(run);
    }
  }

  /** Whatever the work threw once it was told to end, it is that which ended it. */
  private async endOtherwise(run: TaskRun, lease: string, error: unknown): Promise<void> {
    const why = run.signal.aborted ? (run.signal.reason as TaskEndedError).why : undefined;
    if (why === 'lost') return;
    if (why === 'stopping') await this.pool.query(RELEASE, [run.id, lease]);
    else if (why === 'cancelled') await this.end(run, lease, 'cancelled', run.report);
    else {
      await this.end(run, lease, 'failed', run.report, error);
      throw error;
    }
  }

  private async end(
    { id }: TaskRun,
    lease: string,
    state: TaskState,
    report: object,
    error?: unknown,
  ): Promise<void> {
    const { message, code } = (error ?? {}) as { message?: string; code?: string };
    const text = error === undefined ? null : (message ?? String(error)).slice(0, LONGEST_ERROR);
    await this.pool.query(END, [
      id,
      lease,
      state,
      JSON.stringify(report),
      text?.replaceAll('\0', '\ufffd') ?? null,
      typeof code === 'string' ? code.slice(0, 100) : null,
    ]);
  }

  /** What a killed host left behind, and what was asked for while no worker ran. */
  private async resume(): Promise<void> {
    const { rows } = await this.pool.query<{ id: string; attempts: number; kind: string; subject: string }>(
      LEFT_BEHIND,
      [MAX_ATTEMPTS],
    );
    for (const { id, attempts, kind, subject } of rows) {
      if (attempts > 0) this.log.warn(`${kind} of ${subject} was cut off; going on with it`);
      this.jobs.wakeAnywhere(RUN_TASK, id);
    }
    await this.pool.query(FORGET, [KEPT_DAYS]);
  }
}
