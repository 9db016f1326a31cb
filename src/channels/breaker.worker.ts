import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { BreakerService } from './breaker.service';
import { ChannelsService } from './channels.service';
import { ListingsService } from './listings.service';

export const PROBE_CHANNEL = 'probe-channel';
/** In case the wake at a probe's time was lost. */
const PROBE_EVERY_SECONDS = 5;

/** Has channels that are away probed, and what waited for them done when they are back. */
@Injectable()
export class BreakerWorker implements OnModuleInit {
  constructor(
    private readonly breakers: BreakerService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(PROBE_CHANNEL, (name) => this.probe(name!));
    for (const { name } of this.config.channels) this.jobs.every(PROBE_EVERY_SECONDS, PROBE_CHANNEL, name);
    this.breakers.on((channel, event) => {
      if (event === 'probe-due') this.jobs.wake(PROBE_CHANNEL, channel);
      if (event === 'closed') this.resume(channel);
      if (event === 'heard') void this.pushWithoutStaleBuffer(channel);
    });
  }

  private async probe(name: string): Promise<void> {
    const channel = this.channels.get(name);
    if (channel.state === 'ready') await this.breakers.probe(name, () => channel.channel.check());
  }

  /** Orders first: what was sold meanwhile is not to be offered again. */
  private resume(channel: string): void {
    this.jobs.wake('poll-orders', channel);
    this.jobs.wake('push-listings', channel);
  }

  /** While nothing was answered pushes may have been computed with the stale buffer, and one of them was answered. */
  private async pushWithoutStaleBuffer(channel: string): Promise<void> {
    const ids = this.listings.ofChannel(channel).map(({ id }) => id);
    await this.listings.markDirty(ids, { forced: false });
    this.resume(channel);
  }
}
