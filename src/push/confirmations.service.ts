import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { followsPushes } from './followed-pushes.service';

/** Listings asked about in one read. */
const READ_AT_ONCE = 200;
/** In one run, so that a channel that takes long to apply does not keep its limits busy. */
const READS_PER_RUN = 10;

/** A channel that decides later is not asked what it shows before it has; `follows` is the parameter that says so. */
const DECIDED = (follows: string) => `(NOT ${follows} OR receipt IS NULL OR decided_at IS NOT NULL)`;

/**
 * Accepted is not applied: what a channel only accepted is read back until it shows it, and pushed again when
 * it has not after a good while.
 */
@Injectable()
export class ConfirmationsService {
  private readonly log = new Logger('push');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  async confirm(channel: ReadyChannel): Promise<void> {
    if (channel.capabilities.pushAnswers === 'applied') return;
    for (let read = 0, after = 0; read < READS_PER_RUN; read++) {
      const ids = await this.unconfirmed(channel, after);
      if (ids.length === 0) break;
      await this.readBack(channel, ids);
      after = ids.at(-1)!;
    }
    const again = await this.giveUpOnOld(channel);
    if (again === 0) return;
    this.log.warn(
      `${channel.name}: ${again} accepted pushes are not shown after a good while; pushing again`,
    );
    this.jobs.wake('push-listings', channel.name);
  }

  private async unconfirmed(channel: ReadyChannel, after: number): Promise<number[]> {
    const rows: { listing_id: number }[] = await this.dataSource.query(
      `SELECT DISTINCT listing_id FROM pushes
        WHERE channel = $1 AND state = 'accepted' AND listing_id > $2 AND ${DECIDED('$4')} ORDER BY listing_id LIMIT $3`,
      [channel.name, after, READ_AT_ONCE, followsPushes(channel)],
    );
    return rows.map((row) => row.listing_id);
  }

  private async readBack(channel: ReadyChannel, ids: readonly number[]): Promise<void> {
    const channelSkus = ids.flatMap((id) => this.listings.get(id)?.channelSku ?? []);
    if (channelSkus.length === 0) return;
    for await (const page of channel.channel.readInventory({ channelSkus }))
      await this.listings.recordShown(channel.name, page.items);
  }

  /** Returns how many listings are pushed again. */
  private async giveUpOnOld(channel: ReadyChannel): Promise<number> {
    const rows: { listing_id: number }[] = await this.dataSource.query(
      `WITH old AS (
         UPDATE pushes SET state = 'failed', reason = 'accepted, but the channel did not show it in time'
          WHERE channel = $1 AND state = 'accepted' AND ${DECIDED('$3')}
            AND coalesce(decided_at, answered_at) < clock_timestamp() - make_interval(secs => $2)
         RETURNING listing_id)
       SELECT DISTINCT listing_id FROM old`,
      [channel.name, this.config.push.confirmWithinSeconds, followsPushes(channel)],
    );
    await this.listings.markDirty(
      rows.map((row) => row.listing_id),
      { forced: true },
    );
    return rows.length;
  }
}
