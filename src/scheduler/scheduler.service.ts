import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { LeaderService } from '../jobs/leader.service';
import { RUN_SCHEDULED, ScheduleService } from '../jobs/schedule.service';

/** A task that was made due by hand, on another host, is seen within this. */
const LOOK_EVERY_MS = 1_000;
const SHORTEST_PAUSE_MS = 20;
/** Nobody took it: the wake was lost, or every worker is busy with it. */
const WAKE_AGAIN_AFTER_MS = 1_000;
const DECLARE_EVERY_MS = 300_000;

/** Wakes what the schedule says is due, on the one host that leads. Knows when, never what. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('scheduler');
  private readonly closing = new AbortController();
  private readonly wokenAt = new Map<string, number>();
  private looking: Promise<void> | undefined;
  private lastMessage = '';

  constructor(
    private readonly schedule: ScheduleService,
    private readonly jobs: JobsService,
    private readonly leader: LeaderService,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.schedule.declare(this.jobs.recurring);
    if (!this.config.roles.includes('scheduler')) return;
    this.leader.stand(() => this.wokenAt.clear());
    this.looking = this.look();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closing.abort();
    await this.looking;
  }

  /** Tasks that no host speaks of any more are left alone. */
  @Interval(DECLARE_EVERY_MS)
  async declare(): Promise<void> {
    await this.schedule.declare(this.jobs.recurring).catch((error: Error) => this.complain(error));
  }

  private async look(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      const pauseMs = this.leader.leads ? await this.wakeDue() : SHORTEST_PAUSE_MS * 5;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Answers how long nothing more will be due. */
  private async wakeDue(): Promise<number> {
    try {
      const { names, nextInMs = LOOK_EVERY_MS } = await this.schedule.due();
      this.lastMessage = '';
      const now = performance.now();
      for (const name of names) {
        if (now - (this.wokenAt.get(name) ?? -Infinity) < WAKE_AGAIN_AFTER_MS) continue;
        this.wokenAt.set(name, now);
        this.jobs.wakeAnywhere(RUN_SCHEDULED, name);
      }
      return Math.min(LOOK_EVERY_MS, Math.max(SHORTEST_PAUSE_MS, nextInMs + 1));
    } catch (error) {
      this.complain(error as Error);
      return LOOK_EVERY_MS;
    }
  }

  /** The same failure repeats until it is cured; once is enough for the log. */
  private complain({ message }: Error): void {
    if (message !== this.lastMessage) this.log.warn(`cannot read the schedule: ${message}`);
    this.lastMessage = message;
  }
}
