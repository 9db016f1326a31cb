import { Injectable, type OnModuleInit } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { CountsService } from './counts.service';
import { PendingCancellationsService } from './pending-cancellations.service';
import { PulledNotificationsService } from './pulled-notifications.service';

const PULL_NOTIFICATIONS = 'pull-notifications';
const READ_COUNTS = 'read-counts';
const FOLLOW_CANCELLATIONS = 'follow-cancellations';

/** A pull waits for news itself, so this is only the pause between two of them. */
const PULL_EVERY_SECONDS = 5;
const FOLLOW_EVERY_SECONDS = 60;

/** Asks the channels that tell only when asked: what lies in their queues, what they count, what they decided. */
@Injectable()
export class ChannelNewsWorker implements OnModuleInit {
  constructor(
    private readonly notifications: PulledNotificationsService,
    private readonly counts: CountsService,
    private readonly cancellations: PendingCancellationsService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.process(PULL_NOTIFICATIONS, 'pullNotifications', (channel) => this.notifications.pull(channel));
    this.process(READ_COUNTS, 'readCounts', (channel) => this.counts.read(channel));
    this.process(FOLLOW_CANCELLATIONS, 'followCancellation', (channel) => this.cancellations.follow(channel));
    for (const { name, reconcileEverySeconds } of this.config.channels) {
      this.jobs.every(PULL_EVERY_SECONDS, PULL_NOTIFICATIONS, name);
      this.jobs.every(reconcileEverySeconds, READ_COUNTS, name);
      this.jobs.every(FOLLOW_EVERY_SECONDS, FOLLOW_CANCELLATIONS, name);
    }
  }

  /** Does nothing for a channel that has no such member, is not served, or is away. */
  private process(
    job: string,
    member: 'pullNotifications' | 'readCounts' | 'followCancellation',
    handle: (channel: ReadyChannel) => Promise<void>,
  ): void {
    this.jobs.process(job, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'failed' || this.breakers.isOpen(name!)) return;
      if (typeof channel.channel[member] === 'function') await handle(channel);
    });
  }
}
