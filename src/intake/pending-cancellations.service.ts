import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ReadyChannel } from '../channels/channels.service';
import { inTransaction, poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { withinDeadline } from './deadline';
import { errorText } from './intake.errors';
import { POLL_ORDERS } from './order-polls.worker';

const CALL_SECONDS = 90;

interface PendingCancellation {
  id: string;
  oversellId: number;
  receipt: string;
}

/**
 * Follows cancellations that a channel took and decides on later. One that it refuses in the end is a person's; that
 * an order is cancelled is believed only of the order itself.
 */
@Injectable()
export class PendingCancellationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobsService,
  ) {}

  /** Throws what the channel throws. */
  async follow({ name, channel }: ReadyChannel): Promise<void> {
    const pending = await poolOf(this.dataSource).query<PendingCancellation>(PENDING, [name]);
    for (const { id, oversellId, receipt } of pending.rows) {
      const asked = channel.followCancellation!(receipt);
      const result = await withinDeadline(asked, CALL_SECONDS, 'following a cancellation');
      if (result.outcome === 'cancelled') this.jobs.wake(POLL_ORDERS, name);
      if (result.outcome === 'impossible')
        await this.hold(id, oversellId, errorText(new Error(result.reason)));
    }
  }

  private async hold(id: string, oversellId: number, error: string): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      await client.query(
        `UPDATE cancellations SET state = 'impossible', error = $2 WHERE id = $1 AND state = 'pending'`,
        [id, error],
      );
      await client.query(
        `UPDATE oversells SET state = 'held', note = $2, changed_at = clock_timestamp() WHERE id = $1 AND state = 'pending'`,
        [oversellId, `the channel took the cancellation and did not carry it out: ${error}`],
      );
    });
  }
}

const PENDING = `
  SELECT id, oversell_id AS "oversellId", receipt FROM cancellations
   WHERE channel = $1 AND state = 'pending' AND receipt IS NOT NULL ORDER BY id`;
