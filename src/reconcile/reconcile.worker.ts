import { Injectable, type OnModuleInit } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { ReconcileBusyError } from './reconcile.errors';
import { ReconcileService } from './reconcile.service';

const RECONCILE_CHANNEL = 'reconcile-channel';

/** Has each channel compared at its own interval. */
@Injectable()
export class ReconcileWorker implements OnModuleInit {
  constructor(
    private readonly reconciling: ReconcileService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(RECONCILE_CHANNEL, (name) => this.reconcile(name!));
    for (const { name, reconcileEverySeconds } of this.config.channels) {
      this.jobs.every(reconcileEverySeconds, RECONCILE_CHANNEL, name);
    }
  }

  private async reconcile(name: string): Promise<void> {
    if (this.channels.get(name).state === 'failed' || this.breakers.isOpen(name)) return;
    try {
      await this.reconciling.reconcile(name);
    } catch (error) {
      if (!(error instanceof ReconcileBusyError)) throw error;
    }
  }
}
