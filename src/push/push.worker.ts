import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { ConfirmationsService } from './confirmations.service';
import { FollowedPushesService } from './followed-pushes.service';
import { PushService } from './push.service';

export const PUSH_LISTINGS = 'push-listings';
const CONFIRM_PUSHES = 'confirm-pushes';

/** Wakes pushing: at each commit for the channels it concerns, and now and then in case a wake was lost. */
@Injectable()
export class PushWorker implements OnApplicationBootstrap, OnModuleInit, BeforeApplicationShutdown {
  private readonly retries = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly push: PushService,
    private readonly confirmations: ConfirmationsService,
    private readonly followed: FollowedPushesService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly listings: ListingsService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(PUSH_LISTINGS, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'ready') await this.pushChannel(channel);
    });
    this.jobs.process(CONFIRM_PUSHES, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'failed' || this.breakers.isOpen(name!)) return;
      await this.followed.follow(channel);
      await this.confirmations.confirm(channel);
    });
    const { pollEverySeconds, confirmEverySeconds } = this.config.push;
    for (const { name } of this.config.channels) {
      this.jobs.every(pollEverySeconds, PUSH_LISTINGS, name);
      this.jobs.every(confirmEverySeconds, CONFIRM_PUSHES, name);
    }
    this.ledger.onCommitted((changed) => {
      const touched = this.listings.channelsOf(changed.map((each) => each.skuId));
      for (const channel of touched) this.jobs.wake(PUSH_LISTINGS, channel);
    });
  }

  /** What an earlier run of the host left dirty, and what it was not let push. */
  async onApplicationBootstrap(): Promise<void> {
    for (const channel of this.channels.ready()) {
      await this.push.markNeverPushed(channel);
      this.jobs.wake(PUSH_LISTINGS, channel.name);
    }
  }

  beforeApplicationShutdown(): void {
    this.push.stop();
    for (const retry of this.retries.values()) clearTimeout(retry);
  }

  private async pushChannel(channel: ReadyChannel): Promise<void> {
    const { retryAfterMs, ordersFirst } = await this.push.pushDirty(channel);
    if (ordersFirst) this.jobs.wake('poll-orders', channel.name);
    if (retryAfterMs !== undefined) this.retryIn(channel.name, retryAfterMs);
  }

  /** Sooner than the poll where that is worth it; the poll sees to the rest. */
  private retryIn(channel: string, delayMs: number): void {
    clearTimeout(this.retries.get(channel));
    if (delayMs >= this.config.push.pollEverySeconds * 1000) return;
    this.retries.set(
      channel,
      setTimeout(() => this.jobs.wake(PUSH_LISTINGS, channel), delayMs),
    );
  }
}
