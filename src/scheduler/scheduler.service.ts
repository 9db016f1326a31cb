import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { JobsService } from '../jobs/jobs.service';

/** Wakes each recurring job at its interval. Knows when, never what. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  constructor(
    private readonly registry: SchedulerRegistry,
    private readonly jobs: JobsService,
  ) {}

  onApplicationBootstrap(): void {
    for (const { name, key, everySeconds } of this.jobs.recurring) {
      const interval = setInterval(() => this.jobs.wake(name, key), everySeconds * 1000);
      this.registry.addInterval(key === undefined ? name : `${name} ${key}`, interval);
    }
  }
}
