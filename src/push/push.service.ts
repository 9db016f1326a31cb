import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import type { Waterfall } from '../buffers/waterfall';
import { type InventoryUpdate, isChannelError, type PushResult } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import { type Listing, ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { CatalogService } from '../inventory/catalog.service';
import { type ClaimedListing, PushRecords, type PushRow } from './push-records';

interface PlannedPush {
  claimed: ClaimedListing;
  listing: Listing;
  waterfall: Waterfall;
  update: InventoryUpdate;
}

/**
 * Sends what is dirty. Quantities are computed when they are sent, never taken from when the listing became
 * dirty; a listing that became dirty again meanwhile stays so.
 */
@Injectable()
export class PushService {
  private readonly log = new Logger('push');
  private readonly records: PushRecords;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
    private readonly catalog: CatalogService,
    private readonly config: Config,
  ) {
    this.records = new PushRecords(dataSource);
  }

  /** Pushes batch after batch until nothing of the channel is due. Returns how many updates were sent. */
  async pushDirty(channel: ReadyChannel): Promise<number> {
    let sent = 0;
    for (;;) {
      const lease = randomUUID();
      const { pushBatchSize } = channel.capabilities;
      const claimed = await this.records.claim(
        channel.name,
        lease,
        pushBatchSize,
        this.config.push.leaseSeconds,
      );
      if (claimed.length === 0) return sent;
      sent += await this.pushBatch(channel, lease, claimed);
    }
  }

  private async pushBatch(channel: ReadyChannel, lease: string, claimed: ClaimedListing[]): Promise<number> {
    const planned = await this.plan(claimed);
    const due = planned.filter(
      ({ claimed: { forced, pushedUnits }, update }) => forced || pushedUnits !== update.quantityUnits,
    );
    const upToDate = claimed.filter((each) => !due.some((push) => push.claimed === each));
    await this.records.settle(
      lease,
      upToDate.map((each) => ({ claimed: each })),
      this.config.push.maxAttempts,
    );
    const allowed = await this.allowedIn(channel, due);
    const observed = due.filter((push) => !allowed.has(push));
    if (observed.length > 0) await this.recordAll(channel, lease, observed, () => ({ state: 'observed' }));
    if (allowed.size > 0) await this.send(channel, lease, [...allowed]);
    return allowed.size;
  }

  /** `live` sends all, `observe` nothing, `pilot` the listings with a SKU that carries one of its tags. */
  private async allowedIn({ config }: ReadyChannel, due: readonly PlannedPush[]): Promise<Set<PlannedPush>> {
    if (config.mode === 'live') return new Set(due);
    if (config.mode === 'observe') return new Set();
    const skuIds = due.flatMap(({ listing }) => listing.components.map((component) => component.skuId));
    const tagged = await this.catalog.skusTagged(skuIds, config.pilotTags);
    return new Set(due.filter(({ listing }) => listing.components.some(({ skuId }) => tagged.has(skuId))));
  }

  private async plan(claimed: ClaimedListing[]): Promise<PlannedPush[]> {
    const found = claimed.flatMap((each) => {
      const listing = this.listings.get(each.listingId);
      return listing ? [{ claimed: each, listing }] : [];
    });
    const waterfalls = await this.published.compute(found.map(({ listing }) => listing));
    return found.map(({ claimed: each, listing }, index) => {
      const waterfall = waterfalls[index]!;
      const update = {
        pushId: randomUUID(),
        channelSku: listing.channelSku,
        quantityUnits: waterfall.quantity,
        ...(each.shownUnits !== null && { believedUnits: each.shownUnits }),
      };
      return { claimed: each, listing, waterfall, update };
    });
  }

  private async send(channel: ReadyChannel, lease: string, due: PlannedPush[]): Promise<void> {
    let results: Map<string, PushResult>;
    try {
      const answered = await channel.channel.pushInventory(due.map(({ update }) => update));
      results = new Map(answered.map((result) => [result.pushId, result]));
    } catch (error) {
      const reason = (error as Error).message;
      const retryAfterMs = isChannelError(error) ? error.retryAfterMs : undefined;
      this.log.warn(`${channel.name}: a batch of ${due.length} failed: ${reason}`);
      await this.recordAll(channel, lease, due, () => ({ state: 'failed', reason, retryAfterMs }));
      return;
    }
    await this.recordAll(channel, lease, due, ({ update }) => outcomeOf(results.get(update.pushId)));
  }

  private async recordAll(
    channel: ReadyChannel,
    lease: string,
    due: PlannedPush[],
    outcome: (
      push: PlannedPush,
    ) => Omit<PushRow, 'id' | 'listingId' | 'quantity' | 'previous' | 'waterfall' | 'trigger'>,
  ): Promise<void> {
    const settled = due.map((push) => ({
      claimed: push.claimed,
      row: {
        id: push.update.pushId,
        listingId: push.listing.id,
        quantity: push.update.quantityUnits,
        previous: push.claimed.pushedUnits,
        waterfall: push.waterfall,
        trigger: push.claimed.forced ? 'resync' : 'change',
        ...outcome(push),
      },
    }));
    const parked = await this.records.settle(lease, settled, this.config.push.maxAttempts, channel.name);
    if (parked > 0)
      this.log.error(`${channel.name}: ${parked} listings were tried too often and wait for a person`);
  }
}

function outcomeOf(
  result: PushResult | undefined,
): Pick<PushRow, 'state' | 'reason' | 'retryable' | 'shownUnits'> {
  if (!result) return { state: 'failed', reason: 'the plugin answered nothing for this update' };
  switch (result.outcome) {
    case 'applied':
    case 'accepted':
      return { state: result.outcome };
    case 'rejected':
      return { state: 'rejected', reason: `${result.code}: ${result.reason}`, retryable: result.retryable };
    case 'stale':
      return {
        state: 'stale',
        reason: `the channel shows ${result.shownUnits}`,
        shownUnits: result.shownUnits,
      };
  }
}
