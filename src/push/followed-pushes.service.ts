import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { FollowedPush, PushResult } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { recordVerdicts, type Verdict } from './push-verdicts';

/** Asked about at once, by receipts: what a channel decides together is asked about together. */
const FOLLOWED_AT_ONCE = 50_000;

interface FollowedRow extends Omit<FollowedPush, 'channelSku'> {
  listingId: number;
}

/** Whether the channel decides on pushes after it took them, so that a listing waits for its decision. */
export function followsPushes({ channel }: ReadyChannel): boolean {
  return typeof channel.followPushes === 'function';
}

/**
 * Asks a channel what became of pushes that it accepted with a receipt. What it took is then confirmed by a read, like
 * any accepted push; what it refused is parked, or pushed again where another try may help.
 */
@Injectable()
export class FollowedPushesService {
  private readonly log = new Logger('push');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
  ) {}

  /** Throws what the channel throws. */
  async follow(channel: ReadyChannel): Promise<void> {
    if (!followsPushes(channel)) return;
    let decided = 0;
    for (let after: FollowedRow | undefined; ;) {
      const rows = await this.followed(channel.name, after);
      if (rows.length > 0) decided += await this.ask(channel, rows);
      after = rows.at(-1);
      if (rows.length < FOLLOWED_AT_ONCE) break;
    }
    // Listings that waited for it may be dirty anew.
    if (decided > 0) this.jobs.wake('push-listings', channel.name);
  }

  private async followed(channel: string, after: FollowedRow | undefined): Promise<FollowedRow[]> {
    const found = await poolOf(this.dataSource).query<FollowedRow>(READ_FOLLOWED, [
      channel,
      after?.receipt ?? '',
      after?.pushId ?? NO_ID,
      FOLLOWED_AT_ONCE,
    ]);
    return found.rows;
  }

  private async ask(channel: ReadyChannel, rows: readonly FollowedRow[]): Promise<number> {
    const pushes = rows.map(({ listingId, ...push }): FollowedPush => {
      return { ...push, channelSku: this.listings.get(listingId)?.channelSku ?? '' };
    });
    const results = await channel.channel.followPushes!(pushes);
    const known = new Map(pushes.map((push) => [push.pushId, push]));
    const told = results.filter(({ pushId }) => known.has(pushId));
    const verdicts = told.flatMap((result) => verdictOf(result) ?? []);
    if (verdicts.length > 0) await this.record(channel.name, verdicts);
    const applied = told.flatMap((result) => (result.outcome === 'applied' ? known.get(result.pushId)! : []));
    await this.listings.recordShown(channel.name, applied);
    return verdicts.length + applied.length;
  }

  private async record(channel: string, verdicts: readonly Verdict[]): Promise<void> {
    await recordVerdicts(this.dataSource, verdicts);
    const refused = verdicts.filter(({ state }) => state === 'rejected');
    if (refused.length > 0)
      this.log.warn(
        `${channel}: ${refused.length} accepted pushes were refused later: ${refused[0]!.reason}`,
      );
  }
}

/** Undefined while it is not decided, and for what was applied, which the shown quantity says. */
function verdictOf(result: PushResult): Verdict | undefined {
  const { pushId } = result;
  switch (result.outcome) {
    case 'applied':
      return undefined;
    case 'accepted':
      return result.receipt === undefined
        ? { pushId, state: 'accepted', reason: null, final: false }
        : undefined;
    case 'skipped':
      return { pushId, state: 'observed', reason: result.reason, final: false };
    case 'stale':
      return { pushId, state: 'rejected', reason: `the channel shows ${result.shownUnits}`, final: false };
    case 'rejected': {
      const reason = `${result.code}: ${result.reason}`;
      return { pushId, state: 'rejected', reason, final: !result.retryable };
    }
  }
}

const NO_ID = '00000000-0000-0000-0000-000000000000';

const READ_FOLLOWED = `
  SELECT id AS "pushId", listing_id AS "listingId", nullif(channel_location, '') AS "channelLocation",
         quantity::float8 AS "quantityUnits", receipt, answered_at AS "acceptedAt"
    FROM pushes
   WHERE channel = $1 AND state = 'accepted' AND receipt IS NOT NULL AND decided_at IS NULL AND (receipt, id) > ($2, $3::uuid)
   ORDER BY receipt, id LIMIT $4`;
