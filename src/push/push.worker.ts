import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { PushService } from './push.service';

export const PUSH_LISTINGS = 'push-listings';

/** Wakes pushing: at each commit for the channels it concerns, and now and then in case a wake was lost. */
@Injectable()
export class PushWorker implements OnApplicationBootstrap, OnModuleInit {
  constructor(
    private readonly push: PushService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(PUSH_LISTINGS, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'ready') await this.push.pushDirty(channel);
    });
    for (const { name } of this.config.channels)
      this.jobs.every(this.config.push.pollEverySeconds, PUSH_LISTINGS, name);
    this.ledger.onCommitted((changed) => {
      const touched = this.listings.channelsOf(changed.map((each) => each.skuId));
      for (const channel of touched) this.jobs.wake(PUSH_LISTINGS, channel);
    });
  }

  /** What an earlier run of the host left dirty. */
  onApplicationBootstrap(): void {
    for (const { name } of this.channels.ready()) this.jobs.wake(PUSH_LISTINGS, name);
  }
}
