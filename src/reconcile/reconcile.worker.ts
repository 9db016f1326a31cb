import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { ScheduleService, taskName } from '../jobs/schedule.service';
import { ReconcileService } from './reconcile.service';

const RECONCILE_CHANNEL = 'reconcile-channel';

/** Has each channel compared at its own interval, and once it is back after it was away. */
@Injectable()
export class ReconcileWorker implements OnModuleInit {
  private readonly log = new Logger('reconcile');

  constructor(
    private readonly reconciling: ReconcileService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
    private readonly schedule: ScheduleService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(RECONCILE_CHANNEL, (name) => this.reconcile(name!));
    for (const { name, reconcileEverySeconds } of this.config.channels) {
      this.jobs.every(reconcileEverySeconds, RECONCILE_CHANNEL, name);
    }
    this.breakers.on((channel, event) => {
      if (event === 'closed') this.hurry(channel);
    });
  }

  private async reconcile(name: string): Promise<void> {
    if (this.channels.get(name).state === 'failed' || this.breakers.isOpen(name)) return;
    await this.reconciling.runHere(name, 'schedule');
  }

  /** By the schedule, so that of the hosts that all see the breaker close, one compares. */
  private hurry(channel: string): void {
    this.schedule
      .hurry(taskName(RECONCILE_CHANNEL, channel))
      .catch((error: Error) => this.log.warn(`${channel} is compared at its usual time: ${error.message}`));
  }
}
