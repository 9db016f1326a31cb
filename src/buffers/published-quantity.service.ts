import { Injectable } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import type { Listing } from '../channels/listings.service';
import { AvailabilityService } from '../inventory/availability.service';
import { CatalogService } from '../inventory/catalog.service';
import type { Level } from '../inventory/level';
import { StockService } from '../inventory/stock.service';
import { type ComponentStock, computeWaterfall, type Waterfall } from './waterfall';

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

  /** From the database, at this moment, for each channel as a whole. In the order of the listings. */
  compute(listings: readonly Listing[]): Promise<Waterfall[]> {
    return this.computeFor(listings.map((listing) => ({ listing })));
  }

  /** As `compute`, from the stock that one of the channel's own locations stands for where one is named. */
  async computeFor(wanted: readonly { listing: Listing; channelLocation?: string }[]): Promise<Waterfall[]> {
    const skuIds = [
      ...new Set(wanted.flatMap(({ listing }) => listing.components.map((component) => component.skuId))),
    ];
    const rows = await this.stock.levelsOf(skuIds);
    const levels = new Map(
      rows.map((row) => [row.skuId, new Map(row.levels.map((each) => [each.locationId, each.level]))]),
    );
    return wanted.map(({ listing, channelLocation }) =>
      this.explain(listing, (skuId) => levels.get(skuId)!, channelLocation),
    );
  }

  /** From the read model: for questions that come in thousands. */
  computeFromMemory(listing: Listing): Waterfall {
    return this.explain(listing, (skuId) => this.availability.levelsOf(skuId));
  }

  private explain(
    listing: Listing,
    levelsOf: (skuId: number) => ReadonlyMap<number, Level>,
    channelLocation?: string,
  ): Waterfall {
    const { config } = this.channels.get(listing.channel);
    const serving = new Set(
      channelLocation === undefined ? Object.values(config.locations) : [config.locations[channelLocation]],
    );
    const components = listing.components.map(({ skuId, units }): ComponentStock => {
      const levels = new Map<string, Level>();
      for (const [locationId, level] of levelsOf(skuId)) {
        const code = this.catalog.locationCode(locationId);
        // A channel that maps no locations is served from all of them.
        if (serving.size === 0 || serving.has(code)) levels.set(code, level);
      }
      return { sku: this.catalog.skuCode(skuId), unitsPerListing: units, levels };
    });
    const { units, percent, staleUnits, stalePercent } = config.buffer;
    const staleness = this.breakers.stalenessOf(listing.channel);
    const policy = {
      units,
      percent,
      source: `channel ${listing.channel}`,
      stale: staleness && { units: staleUnits, percent: stalePercent, reason: staleness.reason },
    };
    return computeWaterfall(components, policy, config.cap, new Date());
  }
}
