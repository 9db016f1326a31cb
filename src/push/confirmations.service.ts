import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ShownInventory } from '../channel-api';
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
  /** The listing after which the next run reads on, by channel. */
  private readonly places = new Map<string, number>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  async confirm(channel: ReadyChannel): Promise<void> {
    if (channel.capabilities.pushAnswers === 'applied') return;
    const again = await this.readUnconfirmed(channel);
    if (again === 0) return;
    this.log.warn(
      `${channel.name}: ${again} accepted pushes are not shown after a good while; pushing again`,
    );
    this.jobs.wake('push-listings', channel.name);
  }

  /**
   * Goes on where the last run ended, for no listing may wait for those before it. Returns how many listings are pushed
   * again.
   */
  private async readUnconfirmed(channel: ReadyChannel): Promise<number> {
    let again = 0;
    let after = this.places.get(channel.name) ?? 0;
    for (let reads = 0; reads < READS_PER_RUN; reads++) {
      const asked = await this.unconfirmed(channel, after);
      if (asked.length > 0) {
        await this.readBack(channel, asked);
        again += await this.giveUpOnOld(channel, asked);
      }
      after = asked.length < READ_AT_ONCE ? 0 : asked.at(-1)!.listingId;
      if (after === 0) break;
    }
    this.places.set(channel.name, after);
    return again;
  }

  private unconfirmed(channel: ReadyChannel, after: number): Promise<Asked[]> {
    return this.dataSource.query(
      `SELECT DISTINCT listing_id AS "listingId", now() AS "askedAt" FROM pushes
        WHERE channel = $1 AND state = 'accepted' AND listing_id > $2 AND ${DECIDED('$4')} ORDER BY listing_id LIMIT $3`,
      [channel.name, after, READ_AT_ONCE, followsPushes(channel)],
    );
  }

  private async readBack(channel: ReadyChannel, asked: readonly Asked[]): Promise<void> {
    const channelSkus = asked.flatMap(({ listingId }) => this.listings.get(listingId)?.channelSku ?? []);
    if (channelSkus.length === 0) return;
    const shown: ShownInventory[] = [];
    for await (const page of channel.channel.readInventory({ channelSkus })) shown.push(...page.items);
    await this.listings.recordShown(channel.name, shown);
  }

  /**
   * Of those that were just read, what was old when the channel was asked: one that takes long to tell has not said
   * no. Returns how many listings are pushed again.
   */
  private async giveUpOnOld(channel: ReadyChannel, asked: readonly Asked[]): Promise<number> {
    const rows: { listing_id: number }[] = await this.dataSource.query(
      `WITH old AS (
         UPDATE pushes SET state = 'failed', reason = 'accepted, but the channel did not show it in time'
          WHERE channel = $1 AND state = 'accepted' AND listing_id = ANY($4::int[]) AND ${DECIDED('$3')}
            AND coalesce(decided_at, answered_at) < $5::timestamptz - make_interval(secs => $2)
         RETURNING listing_id)
       SELECT DISTINCT listing_id FROM old`,
      [
        channel.name,
        this.config.push.confirmWithinSeconds,
        followsPushes(channel),
        asked.map(({ listingId }) => listingId),
        asked[0]!.askedAt,
      ],
    );
    await this.listings.markDirty(
      rows.map((row) => row.listing_id),
      { forced: true },
    );
    return rows.length;
  }
}

/** A listing that a channel is about to be asked about, with the time before it is, by the database's clock. */
interface Asked {
  listingId: number;
  askedAt: Date;
}
