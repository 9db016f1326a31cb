import { Injectable } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import type { Listing } from '../channels/listings.service';
import type { ChannelConfig } from '../config/channel.config';
import { AvailabilityService } from '../inventory/availability.service';
import { CatalogService } from '../inventory/catalog.service';
import type { Level } from '../inventory/level';
import { StockService } from '../inventory/stock.service';
import {
  type BufferPolicy,
  type CapPolicy,
  type ComponentStock,
  computeWaterfall,
  type Waterfall,
} from './waterfall';

/** A listing, as the whole channel shows it or as one of the channel's own locations does. */
export interface QuantityQuestion {
  listing: Listing;
  /** The channel's id of it, which `locations` of the channel maps to one of ours. */
  channelLocation?: string;
}

type LevelsOf = (skuId: number) => ReadonlyMap<number, Level>;

/** What a channel should show for a listing, and why. */
@Injectable()
export class PublishedQuantityService {
  constructor(
    private readonly stock: StockService,
    private readonly availability: AvailabilityService,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
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
    const skuIds = [
      ...new Set(questions.flatMap(({ listing }) => listing.components.map(({ skuId }) => skuId))),
    ];
    const rows = await this.stock.levelsOf(skuIds);
    const levels = new Map(
      rows.map((row) => [row.skuId, new Map(row.levels.map((each) => [each.locationId, each.level]))]),
    );
    const levelsOf: LevelsOf = (skuId) => levels.get(skuId)!;
    const byLocation = new Map<Listing, Map<string, Waterfall>>();
    return questions.map(({ listing, channelLocation }) => {
      if (channelLocation === undefined) return this.explain(listing, levelsOf);
      if (!byLocation.has(listing)) byLocation.set(listing, this.explainByLocation(listing, levelsOf));
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
    return this.explain(listing, (skuId) => this.availability.levelsOf(skuId));
  }

  /** As above, at one of the channel's own locations; undefined where the channel's `locations` do not have it. */
  computeAtFromMemory(listing: Listing, channelLocation: string): Waterfall | undefined {
    const byLocation = this.explainByLocation(listing, (skuId) => this.availability.levelsOf(skuId));
    return byLocation.get(channelLocation);
  }

  private explain(listing: Listing, levelsOf: LevelsOf): Waterfall {
    const { config } = this.channels.get(listing.channel);
    const serving = new Set(Object.values(config.locations).filter((code) => this.catalog.isOwn(code)));
    // A channel that maps none of our own locations is served from all of them.
    const isServing = (code: string) => serving.size === 0 || serving.has(code);
    const components = this.stockOf(listing, levelsOf, isServing);
    return computeWaterfall(components, this.bufferOf(listing, config), capOf(listing, config), new Date());
  }

  /** By the channel's own locations. Ours are filled in the order that stock is taken from them. */
  private explainByLocation(listing: Listing, levelsOf: LevelsOf): Map<string, Waterfall> {
    const { config } = this.channels.get(listing.channel);
    const whole = this.explain(listing, levelsOf);
    const places = this.inPriority(Object.entries(config.locations));
    const shown = new Set<string>();
    const waterfalls = new Map<string, Waterfall>();
    let left = whole.quantity;
    for (const [channelLocation, code] of places) {
      const components = this.stockOf(listing, levelsOf, (each) => each === code && !shown.has(code));
      const source =
        whole.capSource !== null && left === whole.cap
          ? whole.capSource
          : `what is left of ${whole.quantity} over all locations`;
      const cap = { units: left, source };
      const waterfall = computeWaterfall(components, this.bufferOf(listing, config), cap, new Date());
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

  /** What the listing sets goes before what its channel sets, for units and percent each. */
  private bufferOf({ channel, channelSku, ...listing }: Listing, { buffer }: ChannelConfig): BufferPolicy {
    const sourceOf = (own: number | null) => (own === null ? `channel ${channel}` : `listing ${channelSku}`);
    const staleness = this.breakers.stalenessOf(channel);
    return {
      units: listing.bufferUnits ?? buffer.units,
      percent: listing.bufferPercent ?? buffer.percent,
      source: sourceOf(listing.bufferUnits),
      percentSource: sourceOf(listing.bufferPercent),
      ...(staleness && {
        stale: { units: buffer.staleUnits, percent: buffer.stalePercent, reason: staleness.reason },
      }),
    };
  }

  private stockOf(
    { components }: Listing,
    levelsOf: LevelsOf,
    isServing: (locationCode: string) => boolean,
  ): ComponentStock[] {
    return components.map(({ skuId, units }) => {
      const levels = new Map<string, Level>();
      for (const [locationId, level] of levelsOf(skuId)) {
        const code = this.catalog.locationCode(locationId);
        // What a channel holds for us is shown and sold by that channel alone.
        if (isServing(code) && this.catalog.servesOrders(locationId)) levels.set(code, level);
      }
      return { sku: this.catalog.skuCode(skuId), unitsPerListing: units, levels };
    });
  }
}

function capOf({ channel, channelSku, cap: own }: Listing, { cap }: ChannelConfig): CapPolicy | null {
  if (own !== null) return { units: own, source: `listing ${channelSku}` };
  return cap === null ? null : { units: cap, source: `channel ${channel}` };
}
