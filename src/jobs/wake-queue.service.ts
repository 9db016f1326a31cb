import { InjectQueue } from '@nestjs/bull';
import { Injectable, Logger } from '@nestjs/common';
import type { Job, JobCounts, JobOptions, Queue } from 'bull';
import { Config } from '../config/config';
import { maskConnection } from '../config/redaction';
import { RedisConnections } from './redis-connections';
import { readWake, type Wake, wakeId } from './wake';

export const WAKES = 'wakes';
const WAKE = 'wake';

const LOOK_EVERY_MS = 1_000;
/** A worker takes a wake within milliseconds. What lies for longer is taken back and goes another way. */
const TAKEN_WITHIN_MS = 1_000;
const PROBE_KEY = 'onhand:probe';

/** No `jobId`: Bull drops a job whose id it still knows. One attempt: the next wake is the retry. */
const FORGOTTEN_WHEN_DONE: JobOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/** What this host put into the queue and has not seen taken. */
interface Untaken {
  wake: Wake;
  job: Job<Wake>;
  addedAt: number;
}

interface WakeQueueUse {
  /** Gets the wakes that come out of the queue; without it, none are asked for. */
  take: ((wake: Wake) => void) | undefined;
  /** Gets the wakes that were put in and that nobody may ever take, to carry them another way. */
  handBack: (wakes: Wake[]) => void;
}

/**
 * Bull's queue of wakes, in a Redis that may be gone, emptied, full or stuck at any moment. A Bull job is over
 * as soon as a worker has taken it, so Bull's locks, retries and stalled jobs decide nothing. For each job and
 * key this host has at most one waiting there; it stands for every wake that comes before it is taken.
 */
@Injectable()
export class WakeQueueService {
  private readonly log = new Logger('redis');
  private readonly address: string;
  private readonly untaken = new Map<string, Untaken>();
  private use: WakeQueueUse = { take: undefined, handBack: () => undefined };
  private state: 'starting' | 'up' | 'down' = 'starting';
  private taking = false;
  private marked = false;
  private nobodyTakes = false;
  private closed = false;
  private looking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectQueue(WAKES) private readonly queue: Queue<Wake>,
    private readonly connections: RedisConnections,
    config: Config,
  ) {
    this.address = maskConnection(config.redis.url!);
  }

  /** Redis answers in time, and takes what is written. */
  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Connects in the background: a host starts, and runs, with or without Redis. */
  start(use: WakeQueueUse): void {
    this.use = use;
    const { client } = this.queue;
    client.on('ready', () => void this.look());
    client.on('close', () => this.wentDown(this.connections.failure));
    if (client.status === 'ready') void this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  /** Answers with the wakes that it could not put in, within a second. Never rejects. */
  async add(wakes: readonly Wake[]): Promise<Wake[]> {
    if (!this.isUp) return [...wakes];
    const added = await Promise.all(wakes.map((wake) => this.addOne(wake)));
    return wakes.filter((_, index) => !added[index]);
  }

  /** Undefined while Redis does not answer. */
  async counts(): Promise<JobCounts | undefined> {
    return this.isUp ? this.queue.getJobCounts().catch(() => undefined) : undefined;
  }

  /** Wakes stay in the queue from here on, for other hosts. */
  stopTaking(): void {
    this.use = { ...this.use, take: undefined };
    this.connections.stopListening();
  }

  /** Bull finds its connections ended, and so has nothing to wait for; a job half taken is taken by another. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    this.connections.end();
    await this.queue.close(true);
  }

  private async addOne(wake: Wake): Promise<boolean> {
    const id = wakeId(wake);
    const last = this.untaken.get(id);
    try {
      if (last && (await this.isWaiting(last))) return true;
      const job = await this.queue.add(WAKE, wake, FORGOTTEN_WHEN_DONE);
      this.untaken.set(id, { wake, job, addedAt: performance.now() });
      return true;
    } catch (error) {
      this.wentDown(this.reasonOf(error));
      return false;
    }
  }

  /** Read before a worker reads what there is to do: it has not begun, so it will see all that is there now. */
  private async isWaiting({ job }: Untaken): Promise<boolean> {
    const found = await this.queue.getJob(job.id);
    return found !== null && found.processedOn === undefined;
  }

  private look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => (this.looking = undefined));
    return this.looking;
  }

  /** Writes, because a full Redis and a replica still answer questions. */
  private async lookOnce(): Promise<void> {
    try {
      const before = await this.queue.client.getset(PROBE_KEY, 'written by every host, now and then');
      if (this.closed) return;
      if (before === null && this.marked) this.handBackAll();
      this.marked = true;
      this.cameUp();
      await this.handBackLate();
    } catch (error) {
      this.wentDown(this.reasonOf(error));
      if (isLate(error)) this.connections.reconnect();
    }
  }

  /** What is no answer of Redis is for want of a connection, and does not know why there is none. */
  private reasonOf(error: unknown): string {
    const { name, message } = error as Error;
    return name === 'ReplyError' || isLate(error) ? message : this.connections.failure;
  }

  private cameUp(): void {
    if (this.isUp) return;
    this.state = 'up';
    this.log.log(`${this.address} carries jobs`);
    if (this.use.take && !this.taking) this.beginTaking();
  }

  /** What is not known to be taken is carried again: it may be lost, and coming twice does no harm. */
  private wentDown(reason: string): void {
    if (this.closed) return;
    if (this.state !== 'down') {
      this.log.warn(`${this.address} is of no use (${reason}); jobs are woken through PostgreSQL meanwhile`);
    }
    this.state = 'down';
    this.handBackAll();
  }

  private handBackAll(): void {
    const wakes = [...this.untaken.values()].map(({ wake }) => wake);
    this.untaken.clear();
    if (wakes.length > 0) this.use.handBack(wakes);
  }

  /** Jobs that lie there although Redis is well: no worker is there, or none gets through to it. */
  private async handBackLate(): Promise<void> {
    const before = performance.now() - TAKEN_WITHIN_MS;
    const due = [...this.untaken].filter(([, { addedAt }]) => addedAt < before);
    const waiting = await Promise.all(due.map(([, untaken]) => this.isWaiting(untaken)));
    const late = due.filter((_, index) => waiting[index]).map(([, untaken]) => untaken);
    for (const [id, untaken] of due) if (this.untaken.get(id) === untaken) this.untaken.delete(id);
    for (const { job } of late) void job.remove().catch(() => undefined);
    if (late.length > 0) this.use.handBack(late.map(({ wake }) => wake));
    if (late.length > 0 && !this.nobodyTakes) {
      this.log.warn(`no worker takes jobs from ${this.address}; they are woken through PostgreSQL as well`);
    }
    if (due.length > 0) this.nobodyTakes = late.length > 0;
  }

  /**
   * Once Redis has answered, not before: Bull names its connections then, and leaves a refusal of that (a wrong
   * password, say) unhandled, which would end the process. That naming is skipped for good.
   */
  private beginTaking(): void {
    this.taking = true;
    Object.assign(this.queue, { setWorkerName: () => Promise.resolve() });
    this.queue
      .process(WAKE, ({ data }) => {
        const wake = readWake(data);
        if (wake && this.use.take) this.use.take(wake);
        else if (wake) this.use.handBack([wake]);
        return Promise.resolve();
      })
      .catch((error: Error | undefined) => {
        if (!this.closed) this.log.error(`takes no jobs from ${this.address}: ${error?.message}`);
      });
  }
}

function isLate(error: unknown): boolean {
  return (error as Error).message === 'Command timed out';
}
