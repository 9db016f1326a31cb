import type { Pool } from 'pg';
import { TaskEndedError } from './jobs.errors';

/** What a task's work gets to see of it. */
export interface ClaimedTask {
  id: string;
  kind: string;
  subject: string;
  params: Record<string, unknown>;
  checkpoint: unknown;
  report: object | null;
  askedAt: Date;
  startedAt: Date;
  done: number;
  total: number | null;
}

/** Renewed every second while the work goes on. */
export const TASK_LEASE_SECONDS = 20;

/**
 * One task at work: how far it is, whether it may go on. The work calls `save` where it can be resumed from, and
 * heeds `signal` where it waits.
 */
export class TaskRun {
  readonly id: string;
  readonly subject: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Where an earlier attempt broke off; null on the first one. */
  readonly checkpoint: unknown;
  readonly startedAt: Date;
  /** Kept whatever becomes of the task: what was found until it failed or was cancelled is worth knowing. */
  report: object;
  private readonly ending = new AbortController();
  private done: number;
  private total: number | null;
  private note: string | null = null;

  constructor(
    private readonly pool: Pool,
    private readonly lease: string,
    { id, subject, params, checkpoint, startedAt, report, done, total }: ClaimedTask,
  ) {
    this.id = id;
    this.subject = subject;
    this.params = params;
    this.checkpoint = checkpoint;
    this.startedAt = startedAt;
    this.report = report ?? {};
    this.done = done;
    this.total = total;
  }

  /** Aborted with a `TaskEndedError`. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** Written within a second. */
  progress(done: number, total?: number | null, note?: string): void {
    this.done = done;
    if (total !== undefined) this.total = total;
    if (note !== undefined) this.note = note;
  }

  /** Keeps how far it has come. Throws `TaskEndedError` when it is not to go on. */
  async save(checkpoint: unknown): Promise<void> {
    this.signal.throwIfAborted();
    await this.renew(JSON.stringify(checkpoint));
    this.signal.throwIfAborted();
  }

  end(why: TaskEndedError['why']): void {
    this.ending.abort(new TaskEndedError(why));
  }

  /** Shows that this host is at it, and hears whether it was cancelled or given to another. */
  async renew(checkpoint: string | null = null): Promise<void> {
    const { rows } = await this.pool.query<{ cancelled: boolean }>(RENEW, [
      this.id,
      this.lease,
      TASK_LEASE_SECONDS,
      this.done,
      this.total,
      this.note,
      checkpoint,
      checkpoint === null ? null : JSON.stringify(this.report),
    ]);
    if (rows.length === 0) this.end('lost');
    else if (rows[0]!.cancelled) this.end('cancelled');
  }
}

const RENEW = `
  UPDATE tasks SET lease_until = clock_timestamp() + make_interval(secs => $3), done = $4, total = $5, note = $6,
         checkpoint = coalesce($7::jsonb, checkpoint), report = coalesce($8::jsonb, report)
   WHERE id = $1 AND lease = $2 RETURNING cancel_asked_at IS NOT NULL AS cancelled`;
