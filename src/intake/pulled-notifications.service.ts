import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { PulledNotification } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import { JobsService } from '../jobs/jobs.service';
import { withinDeadline } from './deadline';
import { InboxService } from './inbox.service';
import { APPLY_INBOX } from './intake.worker';

/** Longer than any queue waits for a message. */
const PULL_SECONDS = 60;

/**
 * Takes notifications out of a channel's queue: stored first, taken off the queue after, applied from the inbox like
 * webhooks. What is stored and not taken off comes again, and is known by its id.
 */
@Injectable()
export class PulledNotificationsService implements OnModuleDestroy {
  private stopping = false;

  constructor(
    private readonly inbox: InboxService,
    private readonly jobs: JobsService,
  ) {}

  onModuleDestroy(): void {
    this.stopping = true;
  }

  /** Until none is left. Throws what the channel throws. */
  async pull({ name, channel }: ReadyChannel): Promise<void> {
    while (!this.stopping) {
      const pulled = await withinDeadline(
        channel.pullNotifications!(),
        PULL_SECONDS,
        'pulling notifications',
      );
      if (pulled.length === 0) return;
      await Promise.all(pulled.map((notification) => this.store(name, notification)));
      this.jobs.wake(APPLY_INBOX, name);
      const receipts = pulled.map(({ receipt }) => receipt);
      await withinDeadline(channel.confirmNotifications!(receipts), PULL_SECONDS, 'confirming notifications');
    }
  }

  private async store(channel: string, notification: PulledNotification): Promise<void> {
    const { topic, notificationId, body } = notification;
    await this.inbox.receive(channel, topic, { method: 'POST', path: '', headers: {}, body }, notificationId);
  }
}
