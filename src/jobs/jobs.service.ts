import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, Optional } from '@nestjs/common';
import { Config } from '../config/config';
import { type Wake, wakeId } from './wake';
import { WakePostService } from './wake-post.service';

/** What a job works on: a channel's name, say. Absent where there is only one of it. */
export type JobHandler = (key: string | undefined) => Promise<void>;

/** A job that somebody must wake now and then, whatever else wakes it. */
export interface RecurringJob {
  name: string;
  key: string | undefined;
  everySeconds: number;
}

/** One run that ended, for metrics. */
export interface JobRun {
  name: string;
  seconds: number;
  failed: boolean;
}

/** How the last run of a job went; `error` is what its handler threw. */
export interface JobOutcome {
  seconds: number;
  error?: string;
}

/** Supervisors kill after 10 s as a rule. What a run did not finish stands in PostgreSQL for the next host. */
const GIVE_UP_AFTER_MS = 4_000;

const FREQUENT_SECONDS = 60;

interface Run {
  wake: Wake;
  again: boolean;
  done: Promise<JobOutcome | undefined>;
}

/**
 * Carries *when*; what must be done is read from PostgreSQL by the handler. So waking a job is a hint that
 * may be lost or repeated: on one host a job never runs beside itself for one key, and a wake during a run
 * makes one more run. Handlers throw freely; the next wake tries again.
 *
 * A host with the role worker runs what it wakes by itself, at once. Going through a queue would cost a round
 * trip on the way from a commit to its push and gain nothing: a worker's commits come to it over HTTP spread
 * already, and handlers share rows by claims. Other hosts, and the scheduler, leave it to any worker.
 */
@Injectable()
export class JobsService implements BeforeApplicationShutdown {
  /** Recurring jobs in the order they were declared. */
  readonly recurring: RecurringJob[] = [];
  private readonly log = new Logger('jobs');
  private readonly handlers = new Map<string, JobHandler>();
  private readonly running = new Map<string, Run>();
  private readonly runListeners: ((run: JobRun) => void)[] = [];
  private readonly worksHere: boolean;
  private stopped = false;

  constructor(
    @Optional() config?: Config,
    @Optional() private readonly post?: WakePostService,
  ) {
    this.worksHere = config === undefined || config.roles.includes('worker');
  }

  /** What recurs so often that a wake too many costs little, and is worth it after wakes may have been lost. */
  get frequent(): RecurringJob[] {
    return this.recurring.filter(({ everySeconds }) => everySeconds < FREQUENT_SECONDS);
  }

  /** Runs under way on this host. */
  get depth(): number {
    return this.running.size;
  }

  /** Declares what `name` (verb-noun) does. */
  process(name: string, handler: JobHandler): void {
    if (this.handlers.has(name)) throw new Error(`the job ${name} is declared twice`);
    this.handlers.set(name, handler);
  }

  /** Declares that `name` is to be woken every so often. */
  every(everySeconds: number, name: string, key?: string): void {
    this.recurring.push({ name, key, everySeconds });
  }

  /** Called after each run on this host. */
  onRun(listener: (run: JobRun) => void): void {
    this.runListeners.push(listener);
  }

  /** Runs the job soon, once more if it is running; here where jobs run, on another host otherwise. Never throws and never waits. */
  wake(name: string, key?: string): void {
    if (this.worksHere && !this.stopped) void this.run(name, key);
    else this.post?.send({ name, key });
  }

  /** As `wake`, on whichever host with the role worker comes first, so that they share what recurs. */
  wakeAnywhere(name: string, key?: string): void {
    if (this.post) this.post.send({ name, key });
    else this.wake(name, key);
  }

  /**
   * Runs the job on this host, whatever its role, and resolves when no run of it is left; with undefined where
   * it was not run, because the host stops.
   */
  async run(name: string, key?: string): Promise<JobOutcome | undefined> {
    if (this.stopped) return undefined;
    const wake = { name, key };
    const id = wakeId(wake);
    const current = this.running.get(id);
    if (current) {
      current.again = true;
      return current.done;
    }
    const run: Run = { wake, again: false, done: Promise.resolve(undefined) };
    this.running.set(id, run);
    run.done = this.work(id, run);
    return run.done;
  }

  /** Wakes of other hosts come in from here on: once every room has read what its jobs need to know. */
  async begin(): Promise<void> {
    const receiver = {
      take: ({ name, key }: Wake) => void this.run(name, key),
      missed: () => this.frequent.forEach(({ name, key }) => void this.run(name, key)),
    };
    await this.post?.start(this.worksHere ? receiver : undefined);
  }

  /**
   * No new runs; those under way finish, unless they wait for a channel for longer than a shutdown can. What
   * they were woken for meanwhile, and all wakes from here on, are left to the other hosts.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.post?.stopReceiving();
    this.stopped = true;
    const runs = [...this.running.values()];
    for (const { wake, again } of runs) if (again) this.post?.send(wake);
    const giveUp = new AbortController();
    const late = sleep(GIVE_UP_AFTER_MS, undefined, { signal: giveUp.signal }).catch(() => undefined);
    await Promise.race([Promise.all(runs.map((run) => run.done)), late]);
    giveUp.abort();
    if (this.running.size > 0) this.log.warn(`stopped while at work: ${[...this.running.keys()].join(', ')}`);
    await this.post?.close();
  }

  private async work(id: string, run: Run): Promise<JobOutcome | undefined> {
    // Whoever wakes a job goes on first; many wakes in one turn are one run.
    await new Promise<void>((resolve) => setImmediate(resolve));
    let outcome: JobOutcome | undefined;
    do {
      run.again = false;
      outcome = await this.runOnce(id, run.wake);
    } while (run.again && !this.stopped);
    this.running.delete(id);
    return outcome;
  }

  private async runOnce(id: string, { name, key }: Wake): Promise<JobOutcome | undefined> {
    const handler = this.handlers.get(name);
    // Woken by a host of another version, or of another installation that uses the same Redis.
    if (!handler) return undefined;
    const started = performance.now();
    let error: string | undefined;
    try {
      await handler(key);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
      this.log.error(`${id} failed: ${error}`, (thrown as Error)?.stack);
    }
    const seconds = (performance.now() - started) / 1000;
    for (const listener of this.runListeners) listener({ name, seconds, failed: error !== undefined });
    return { seconds, ...(error !== undefined && { error }) };
  }
}
