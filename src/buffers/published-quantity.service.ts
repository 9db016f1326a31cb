import { Injectable } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import type { Listing } from '../channels/listings.service';
import type { ChannelConfig } from '../config/channel.config';
import { AvailabilityService } from '../inventory/availability.service';
import { CatalogService } from '../inventory/catalog.service';
import type { Level } from '../inventory/level';
import { StockService } from '../inventory/stock.service';
import type { BufferInputs } from './apply-buffers';
import type { BufferRules } from './buffer-rules';
import { BufferRulesService } from './buffer-rules.service';
import type { NeedsOf } from './buffer-rows';
import type { EffectivePolicy } from './effective-policy';
import { NO_NEEDS } from './needs';
import { type CapPolicy, type ComponentStock, computeWaterfall, type Waterfall } from './waterfall';

/** A listing, as the whole channel shows it or as one of the channel's own locations does. */
export interface QuantityQuestion {
  listing: Listing;
  /** The channel's id of it, which `locations` of the channel maps to one of ours. */
  channelLocation?: string;
}

/** What quantities are computed from. */
interface Basis {
  levelsOf: (skuId: number) => ReadonlyMap<number, Level>;
  rules: BufferRules;
  needs: NeedsOf;
  now: Date;
}

/** What a channel should show for a listing, and why. */
@Injectable()
export class PublishedQuantityService {
  constructor(
    private readonly stock: StockService,
    private readonly availability: AvailabilityService,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly buffers: BufferRulesService,
  ) {}

  /** From the database, at this moment. In the order of the listings. */
  compute(listings: readonly Listing[]): Promise<Waterfall[]> {
    return this.computeFor(listings.map((listing) => ({ listing })));
  }

  /**
   * From the database, at this moment, in the order of the questions. What the locations of a channel show of
   * a listing is never more, all together, than the channel as a whole would: a cap is one cap, and units
   * that are owed at one location are not sold at another. Where several of the channel's locations are one
   * of ours, its stock is shown at the first of them, for it can be sold once only.
   * Throws an error on a `channelLocation` that the channel's `locations` do not have.
   */
  async computeFor(questions: readonly QuantityQuestion[]): Promise<Waterfall[]> {
    const skuIds = skusOf(questions.map(({ listing }) => listing));
    const { rules } = this.buffers;
    const [levels, needs] = await Promise.all([this.levelsOf(skuIds), this.buffers.needsOf(skuIds)]);
    const basis = { levelsOf: (skuId: number) => levels.get(skuId)!, rules, needs, now: new Date() };
    const byLocation = new Map<Listing, Map<string, Waterfall>>();
    return questions.map(({ listing, channelLocation }) => {
      if (channelLocation === undefined) return this.explain(listing, basis);
      if (!byLocation.has(listing)) byLocation.set(listing, this.explainByLocation(listing, basis));
      const found = byLocation.get(listing)!.get(channelLocation);
      if (!found)
        throw new Error(
          `${listing.channel} has no location ${JSON.stringify(channelLocation)} under its locations`,
        );
      return found;
    });
  }

  /** From the read model: for questions that come in thousands. */
  computeFromMemory(listing: Listing): Waterfall {
    return this.explain(listing, this.memory());
  }

  /** As above, at one of the channel's own locations; undefined where the channel's `locations` do not have it. */
  computeAtFromMemory(listing: Listing, channelLocation: string): Waterfall | undefined {
    return this.explainByLocation(listing, this.memory()).get(channelLocation);
  }

  private memory(): Basis {
    const { rules, rememberedNeeds: needs } = this.buffers;
    return { levelsOf: (skuId) => this.availability.levelsOf(skuId), rules, needs, now: new Date() };
  }

  /** What listings would show by other rules, where sales ask for this. From the database, at this moment. */
  async computeBy(rules: BufferRules, needs: NeedsOf, listings: readonly Listing[]): Promise<Waterfall[]> {
    const levels = await this.levelsOf(skusOf(listings));
    const basis = { levelsOf: (skuId: number) => levels.get(skuId)!, rules, needs, now: new Date() };
    return listings.map((listing) => this.explain(listing, basis));
  }

  private async levelsOf(skuIds: readonly number[]): Promise<Map<number, Map<number, Level>>> {
    const rows = await this.stock.levelsOf(skuIds);
    return new Map(
      rows.map((row) => [row.skuId, new Map(row.levels.map((each) => [each.locationId, each.level]))]),
    );
  }

  private explain(listing: Listing, basis: Basis): Waterfall {
    const { config } = this.channels.get(listing.channel);
    const serving = new Set(Object.values(config.locations).filter((code) => this.catalog.isOwn(code)));
    // A channel that maps none of our own locations is served from all of them.
    const isServing = (code: string) => serving.size === 0 || serving.has(code);
    const components = this.stockOf(listing, basis, isServing);
    return computeWaterfall(components, capOf(listing, config), basis.now);
  }

  /** By the channel's own locations. Ours are filled in the order that stock is taken from them. */
  private explainByLocation(listing: Listing, basis: Basis): Map<string, Waterfall> {
    const { config } = this.channels.get(listing.channel);
    const whole = this.explain(listing, basis);
    const places = this.inPriority(Object.entries(config.locations));
    const shown = new Set<string>();
    const waterfalls = new Map<string, Waterfall>();
    let left = whole.quantity;
    for (const [channelLocation, code] of places) {
      const components = this.stockOf(listing, basis, (each) => each === code && !shown.has(code));
      const source =
        whole.capSource !== null && left === whole.cap
          ? whole.capSource
          : `what is left of ${whole.quantity} over all locations`;
      const cap = { units: left, source };
      const waterfall = computeWaterfall(components, cap, basis.now);
      left -= waterfall.quantity;
      shown.add(code);
      waterfalls.set(channelLocation, waterfall);
    }
    return waterfalls;
  }

  private inPriority(locations: [channelLocation: string, code: string][]): [string, string][] {
    const order = this.catalog.allLocations().map(({ code }) => code);
    return locations.sort(([, a], [, b]) => order.indexOf(a) - order.indexOf(b));
  }

  private stockOf(
    listing: Listing,
    basis: Basis,
    isServing: (locationCode: string) => boolean,
  ): ComponentStock[] {
    return listing.components.map(({ skuId, units }) => {
      const levels = new Map<string, Level>();
      const locationIds: number[] = [];
      for (const [locationId, level] of basis.levelsOf(skuId)) {
        const code = this.catalog.locationCode(locationId);
        // What a channel holds for us is shown and sold by that channel alone.
        if (!isServing(code) || !this.catalog.servesOrders(locationId)) continue;
        levels.set(code, level);
        locationIds.push(locationId);
      }
      const buffer = this.bufferOf(listing, skuId, locationIds, basis);
      return { sku: this.catalog.skuCode(skuId), unitsPerListing: units, levels, buffer };
    });
  }

  private bufferOf(
    listing: Listing,
    skuId: number,
    locationIds: readonly number[],
    { rules, needs, now }: Basis,
  ): BufferInputs {
    const { channel } = listing;
    const staleness = this.breakers.stalenessOf(channel);
    const holds = this.buffers
      .holdsOf(skuId, now.getTime())
      .filter(
        (hold) =>
          (hold.channel === null || hold.channel === channel) &&
          (hold.locationId === null || locationIds.includes(hold.locationId)),
      );
    return {
      policy: withOwn(rules.policyFor(channel, skuId), listing),
      needs: locationIds.map((id) => needs(skuId, channel, id) ?? NO_NEEDS),
      channel: this.buffers.signalsOf(channel),
      ...(staleness && { stale: staleness.reason }),
      holds,
      nowMs: now.getTime(),
    };
  }
}

function skusOf(listings: readonly Listing[]): number[] {
  return [...new Set(listings.flatMap(({ components }) => components.map(({ skuId }) => skuId)))];
}

/** What the listing sets goes before every policy, for units and percent each. */
function withOwn(
  policy: EffectivePolicy,
  { channelSku, bufferUnits, bufferPercent }: Listing,
): EffectivePolicy {
  const source = { policy: `listing ${channelSku}` };
  return {
    ...policy,
    ...(bufferUnits !== null && { units: { value: bufferUnits, ...source } }),
    ...(bufferPercent !== null && { percent: { value: bufferPercent, ...source } }),
  };
}

function capOf({ channel, channelSku, cap: own }: Listing, { cap }: ChannelConfig): CapPolicy | null {
  if (own !== null) return { units: own, source: `listing ${channelSku}` };
  return cap === null ? null : { units: cap, source: `channel ${channel}` };
}
