import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BreakerService } from '../channels/breaker.service';
import type { ReadyChannel } from '../channels/channels.service';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';

/** A channel whose orders take longer to read than this is judged without them, and nothing is pushed upwards. */
const ORDERS_WITHIN_MS = 180_000;
const INBOX_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** Has a channel's orders read and applied, up to a moment. */
@Injectable()
export class OrderCatchUpService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
  ) {}

  /**
   * True when every order that the channel changed before `moment` (by the database's clock) is known, as far as
   * the channel lists orders; what webhooks told until then is applied, too.
   */
  async catchUp({ name, capabilities }: ReadyChannel, moment: Date, signal: AbortSignal): Promise<boolean> {
    if (!(await this.until(INBOX_WITHIN_MS, signal, () => this.isInboxApplied(name, moment)))) return false;
    if (!capabilities.readsOrders) return true;
    if (this.breakers.isOpen(name)) return false;
    const failures = (await this.poll(name))?.failures ?? 0;
    this.jobs.wake('poll-orders', name);
    let failed = false;
    await this.until(ORDERS_WITHIN_MS, signal, async () => {
      const poll = await this.poll(name);
      // A channel that nobody ever polled has no row to wait for.
      failed = !poll || poll.failures > failures;
      return failed || (poll!.coveredAt !== null && poll!.coveredAt > moment);
    });
    const poll = await this.poll(name);
    return !failed && poll?.coveredAt != null && poll.coveredAt > moment;
  }

  private async until(withinMs: number, signal: AbortSignal, done: () => Promise<boolean>): Promise<boolean> {
    for (const end = performance.now() + withinMs; performance.now() < end;) {
      signal.throwIfAborted();
      if (await done()) return true;
      await sleep(LOOK_EVERY_MS);
    }
    return false;
  }

  private async isInboxApplied(channel: string, moment: Date): Promise<boolean> {
    const { rows } = await poolOf(this.dataSource).query<{ waits: boolean }>(
      `SELECT EXISTS (SELECT FROM inbox WHERE channel = $1 AND state = 'received' AND received_at <= $2) AS waits`,
      [channel, moment],
    );
    return !rows[0]!.waits;
  }

  private async poll(channel: string): Promise<{ coveredAt: Date | null; failures: number } | undefined> {
    const { rows } = await poolOf(this.dataSource).query<{ coveredAt: Date | null; failures: number }>(
      'SELECT covered_at AS "coveredAt", failures FROM order_polls WHERE channel = $1',
      [channel],
    );
    return rows[0];
  }
}
