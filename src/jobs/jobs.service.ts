import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';

/** What a job works on: a channel's name, say. Absent where there is only one of it. */
export type JobHandler = (key: string | undefined) => Promise<void>;

/** A job that somebody must wake now and then, whatever else wakes it. */
export interface RecurringJob {
  name: string;
  key: string | undefined;
  everySeconds: number;
}

/** Supervisors kill after 10 s as a rule. What a run did not finish stands in PostgreSQL for the next host. */
const GIVE_UP_AFTER_MS = 4_000;

interface Run {
  again: boolean;
  done: Promise<void>;
}

/**
 * Carries *when*; what must be done is read from PostgreSQL by the handler. So waking a job is a hint that
 * may be lost or repeated: a job never runs beside itself for one key, and a wake during a run makes
 * one more run. Handlers throw freely; the next wake tries again.
 */
@Injectable()
export class JobsService implements BeforeApplicationShutdown {
  /** Recurring jobs in the order they were declared. */
  readonly recurring: RecurringJob[] = [];
  private readonly log = new Logger('jobs');
  private readonly handlers = new Map<string, JobHandler>();
  private readonly running = new Map<string, Run>();
  private stopped = false;

  /** Declares what `name` (verb-noun) does. */
  process(name: string, handler: JobHandler): void {
    if (this.handlers.has(name)) throw new Error(`the job ${name} is declared twice`);
    this.handlers.set(name, handler);
  }

  /** Declares that `name` is to be woken every so often. */
  every(everySeconds: number, name: string, key?: string): void {
    this.recurring.push({ name, key, everySeconds });
  }

  /** Runs the job soon, once more if it is running. Never throws and never waits. */
  wake(name: string, key?: string): void {
    void this.run(name, key);
  }

  /** As `wake`, and resolves when no run of it is left. */
  async run(name: string, key?: string): Promise<void> {
    if (this.stopped) return;
    const id = key === undefined ? name : `${name} ${key}`;
    const current = this.running.get(id);
    if (current) {
      current.again = true;
      return current.done;
    }
    const run: Run = { again: false, done: Promise.resolve() };
    this.running.set(id, run);
    run.done = this.work(id, name, key, run);
    return run.done;
  }

  /** No new runs; those under way finish, unless they wait for a channel for longer than a shutdown can. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    const finished = Promise.all([...this.running.values()].map((run) => run.done));
    const giveUp = new AbortController();
    const late = sleep(GIVE_UP_AFTER_MS, undefined, { signal: giveUp.signal }).catch(() => undefined);
    await Promise.race([finished, late]);
    giveUp.abort();
    if (this.running.size > 0) this.log.warn(`stopped while at work: ${[...this.running.keys()].join(', ')}`);
  }

  private async work(id: string, name: string, key: string | undefined, run: Run): Promise<void> {
    // Whoever wakes a job goes on first; many wakes in one turn are one run.
    await new Promise<void>((resolve) => setImmediate(resolve));
    do {
      run.again = false;
      try {
        await this.handlers.get(name)?.(key);
      } catch (error) {
        this.log.error(`${id} failed: ${(error as Error).message}`, (error as Error).stack);
      }
    } while (run.again && !this.stopped);
    this.running.delete(id);
  }
}
