import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { LeaderService } from '../jobs/leader.service';

/** Wakes each recurring job at its interval, on the one host that leads. Knows when, never what. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  constructor(
    private readonly registry: SchedulerRegistry,
    private readonly jobs: JobsService,
    private readonly leader: LeaderService,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('scheduler')) return;
    for (const { name, key, everySeconds } of this.jobs.recurring) {
      const interval = setInterval(() => {
        if (this.leader.leads) this.jobs.wakeAnywhere(name, key);
      }, everySeconds * 1000);
      this.registry.addInterval(key === undefined ? name : `${name} ${key}`, interval);
    }
    // Its predecessor may have died a while ago.
    this.leader.stand(() => this.jobs.frequent.forEach(({ name, key }) => this.jobs.wakeAnywhere(name, key)));
  }
}
