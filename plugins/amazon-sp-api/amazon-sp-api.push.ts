import {
  isChannelError,
  type ChannelClock,
  type ChannelLogger,
  type InventoryUpdate,
  type PushResult,
} from 'onhand/channel-api';
import type { Catalogue } from './amazon-sp-api.catalogue';
import type { Feeds } from './amazon-sp-api.feeds';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import type { Patches } from './amazon-sp-api.patches';
import type { InventoryReader } from './amazon-sp-api.read';
import { unanswered } from './amazon-sp-api.results';

/** Of one call of the host, which has the listings for a minute: what does not fit is sent with the next. */
const SENDING_MS = 35_000;
/** While feeds do not end well, all goes one by one. */
const FEEDS_AVOIDED_MS = 30 * 60_000;
const FEEDS_THROTTLED_MS = 60_000;
/** What one call of searchListingsItems takes. */
const LOOKED_UP_AT_ONCE = 20;

/** Held back as by a limit: it is one, of five calls in a second. */
const NOT_LOOKED_UP = {
  code: 'channel-throttled',
  message: 'not sent: where it is listed has not been looked up yet',
};

/**
 * Decides how a quantity travels: many by feed, few by a call each. The host leaves a listing alone until its feed
 * has ended, so that no SKU is on both ways at once: Amazon does not say which would win.
 */
export class Pushing {
  private feedsAvoidedUntil = 0;

  constructor(
    private readonly parts: {
      patches: Patches;
      feeds: Feeds;
      reader: InventoryReader;
      catalogue: Catalogue;
      clock: ChannelClock;
      log: ChannelLogger;
    },
    private readonly options: AmazonSpApiOptions,
  ) {}

  /** One result per update. Throws a channel error only where no row was answered: the host sends all again. */
  async push(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    if (updates.length === 0) return [];
    const stopAt = this.now() + SENDING_MS;
    const unknown = await this.lookUp(updates, stopAt);
    const { answered, byMarketplace } = this.sorted(updates, unknown);
    const results: PushResult[] = [...answered];
    for (const [marketplaceId, group] of byMarketplace) {
      try {
        results.push(...(await this.send(marketplaceId, group, stopAt)));
      } catch (error) {
        // What other rows were answered must not be lost.
        if (!isChannelError(error) || results.length === 0) throw error;
        results.push(...group.map(({ pushId }) => unanswered(pushId, error)));
      }
    }
    this.forgetRefused(updates, results);
    return results;
  }

  /** After a feed that did not end well: the same one would be met again. */
  avoidFeeds(why: string): void {
    this.feedsAvoidedUntil = this.now() + FEEDS_AVOIDED_MS / this.options.timeScale;
    this.parts.log.warn(`feeds are avoided for half an hour: ${why}`);
  }

  private async send(
    marketplaceId: string,
    updates: readonly InventoryUpdate[],
    stopAt: number,
  ): Promise<PushResult[]> {
    const { feeds, patches, log } = this.parts;
    if (updates.length >= this.options.feeds.fromListings && this.now() >= this.feedsAvoidedUntil) {
      try {
        return await feeds.submit(marketplaceId, updates);
      } catch (error) {
        if (!isChannelError(error) || error.code !== 'channel-throttled') throw error;
        const { retryAfterMs = FEEDS_THROTTLED_MS / this.options.timeScale } = error;
        this.feedsAvoidedUntil = this.now() + retryAfterMs;
        log.info(`the plan of feeds is used up; ${updates.length} listings go one by one for now`);
      }
    }
    return patches.send(marketplaceId, updates, stopAt);
  }

  /**
   * Where the answer matters and no read has told: which marketplace lists a SKU, and whether Amazon holds it. Answers
   * those for which there was no time.
   */
  private async lookUp(updates: readonly InventoryUpdate[], stopAt: number): Promise<Set<string>> {
    const { fba, marketplaceIds } = this.options;
    if (!fba && marketplaceIds.length === 1) return new Set();
    const { catalogue, reader } = this.parts;
    const unknown = updates.flatMap(({ channelSku }) => (catalogue.placeOf(channelSku) ? [] : [channelSku]));
    let done = 0;
    for (; done < unknown.length && this.now() < stopAt; done += LOOKED_UP_AT_ONCE)
      await reader.learn(unknown.slice(done, done + LOOKED_UP_AT_ONCE));
    return new Set(unknown.slice(done));
  }

  private forgetRefused(updates: readonly InventoryUpdate[], results: readonly PushResult[]): void {
    const refused = new Set(
      results
        .filter((result) => result.outcome === 'rejected' && !result.retryable)
        .map(({ pushId }) => pushId),
    );
    for (const { pushId, channelSku } of updates)
      if (refused.has(pushId)) this.parts.catalogue.forget(channelSku);
  }

  private sorted(updates: readonly InventoryUpdate[], unknown: ReadonlySet<string>) {
    const answered: PushResult[] = [];
    const byMarketplace = new Map<string, InventoryUpdate[]>();
    for (const update of updates) {
      const place = this.parts.catalogue.placeOf(update.channelSku);
      if (unknown.has(update.channelSku)) {
        answered.push(unanswered(update.pushId, NOT_LOOKED_UP));
        continue;
      }
      if (place?.byAmazon) {
        answered.push({
          pushId: update.pushId,
          outcome: 'skipped',
          reason: 'Amazon holds and counts this SKU (FBA); its quantity cannot be pushed',
        });
        continue;
      }
      const marketplaceId = place?.marketplaceId ?? this.options.marketplaceIds[0]!;
      const group = byMarketplace.get(marketplaceId);
      if (group) group.push(update);
      else byMarketplace.set(marketplaceId, [update]);
    }
    return { answered, byMarketplace };
  }

  private now(): number {
    return this.parts.clock.now().getTime();
  }
}
