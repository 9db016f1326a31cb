import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { isChannelError } from '../channel-api';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { InboxService, type InboxRow } from './inbox.service';
import { checkedOrder } from './order-document';
import { OrdersService } from './orders.service';

export const APPLY_INBOX = 'apply-inbox';
const ROWS_AT_ONCE = 128;

/** Turns what was received into ledger commands. A row that fails is tried again and then parked, alone. */
@Injectable()
export class IntakeWorker implements OnApplicationBootstrap, OnModuleInit {
  private readonly log = new Logger('intake');

  constructor(
    private readonly inbox: InboxService,
    private readonly orders: OrdersService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(APPLY_INBOX, () => this.applyReceived());
    this.jobs.process('apply-mapped-orders', async () => {
      await this.orders.applyMapped();
    });
    this.jobs.every(this.config.intake.sweepEverySeconds, APPLY_INBOX);
    this.jobs.every(this.config.intake.sweepEverySeconds, 'apply-mapped-orders');
  }

  /** What an earlier run of the host received and did not get to. */
  onApplicationBootstrap(): void {
    this.jobs.wake(APPLY_INBOX);
  }

  private async applyReceived(): Promise<void> {
    for (;;) {
      const rows = await this.inbox.claim(ROWS_AT_ONCE);
      const applied = await Promise.all(
        rows.map(async (row) => ((await this.applyRow(row)) ? [row.id] : [])),
      );
      await this.inbox.markApplied(applied.flat());
      if (rows.length < ROWS_AT_ONCE) return;
    }
  }

  private async applyRow(row: InboxRow): Promise<boolean> {
    try {
      const channel = this.channels.get(row.channel);
      if (channel.state === 'failed') throw new Error(`the channel is not served: ${channel.error}`);
      const documents = channel.channel.translateWebhook({
        method: 'POST',
        path: row.path,
        headers: row.headers,
        body: row.body,
      });
      for (const document of documents) {
        if (document.kind === 'order') await this.orders.apply(row.channel, checkedOrder(document));
        else await this.listings.recordShown(row.channel, document.items);
      }
      return true;
    } catch (error) {
      const hopeless = isChannelError(error) && !error.retryable;
      const park = hopeless || row.attempts >= this.config.intake.maxAttempts;
      const { message } = error as Error;
      this.log.warn(
        `${row.channel}: webhook ${row.id} ${park ? 'is parked' : 'will be tried again'}: ${message}`,
      );
      await this.inbox.markFailed(row, message, park);
      return false;
    }
  }
}
