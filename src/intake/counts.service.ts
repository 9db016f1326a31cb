import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { CountedStock } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { UnmappedService } from '../channels/unmapped.service';
import { inTransaction } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import { LedgerService } from '../inventory/ledger.service';
import { StockService } from '../inventory/stock.service';
import { eachWithinDeadline } from './deadline';

/** A channel may read all of its stock before it gives the first page. */
const PAGE_SECONDS = 900;

/** What the ledger should have of one SKU at the place that a channel counts. */
interface Counted {
  skuId: number;
  units: number;
}

/**
 * Brings the ledger to what a channel counted of the stock that it holds for us, by ADJUST. The channel knows better:
 * nothing else moves that stock. Bundles cannot be counted, for they are no unit on a shelf.
 */
@Injectable()
export class CountsService implements OnModuleInit {
  private readonly log = new Logger('intake');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly unmapped: UnmappedService,
    private readonly catalog: CatalogService,
    private readonly stock: StockService,
    private readonly ledger: LedgerService,
  ) {}

  /** Before anything is pushed: what a channel holds is nobody's to show, from the start. */
  async onModuleInit(): Promise<void> {
    for (const { name, capabilities, config } of this.channels.ready())
      for (const channelLocation of capabilities.countsAt ?? []) {
        const code = config.locations[channelLocation];
        if (code !== undefined) await this.catalog.countedBy(code, name);
      }
  }

  /** Throws what the channel's read throws; what was read until then is counted. */
  async read({ name, channel }: ReadyChannel): Promise<void> {
    let unreadable = 0;
    const pages = channel.readCounts!();
    for await (const page of eachWithinDeadline(pages, PAGE_SECONDS, 'reading a page of counts')) {
      unreadable += page.unreadable?.length ?? 0;
      await this.apply(name, page.items);
    }
    if (unreadable > 0) this.log.warn(`${name}: ${unreadable} counts are not understood`);
  }

  async apply(channel: string, items: readonly CountedStock[]): Promise<void> {
    const unknown = items.filter(({ channelSku }) => !this.listings.find(channel, channelSku));
    await this.unmapped.recordRead(channel, unknown);
    const known = items.filter(({ channelSku }) => this.listings.find(channel, channelSku));
    for (const location of new Set(known.map(({ channelLocation }) => channelLocation)))
      await this.applyAt(
        channel,
        location,
        known.filter(({ channelLocation }) => channelLocation === location),
      );
  }

  /** One at a time over all hosts: two that saw the same difference would post it twice. */
  private async applyAt(
    channel: string,
    channelLocation: string,
    items: readonly CountedStock[],
  ): Promise<void> {
    const code = this.channels.get(channel).config.locations[channelLocation];
    if (code === undefined) {
      this.log.warn(
        `${channel} counts stock at ${JSON.stringify(channelLocation)}, which its locations do not map to one of ours; add it there`,
      );
      return;
    }
    const locationId = await this.catalog.countedBy(code, channel);
    await inTransaction(this.dataSource, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 23))', [`counts ${channel}`]);
      const counted = await this.keep(client, channel, channelLocation, items);
      const rows = await this.stock.levelsOf(counted.map(({ skuId }) => skuId));
      await Promise.all(
        counted.map(async ({ skuId, units }, index) => {
          const level = rows[index]!.levels.find((each) => each.locationId === locationId)?.level;
          const difference = units - (level?.available ?? 0);
          if (difference !== 0)
            await this.adjust(channel, { skuId, locationId, difference, channelLocation });
        }),
      );
    });
  }

  private async adjust(
    channel: string,
    count: { skuId: number; locationId: number; difference: number; channelLocation: string },
  ): Promise<void> {
    const { skuId, locationId, difference, channelLocation } = count;
    await this.ledger.post({
      kind: 'move',
      type: 'ADJUST',
      skuId,
      locationId,
      quantityUnits: difference,
      state: 'available',
      reason: `counted by ${channel} at ${channelLocation}`,
      key: `count:${channel}:${randomUUID()}`,
      actor: `channel:${channel}`,
    });
  }

  /** Answers our SKUs that these counts are of, with the units over all the channel's SKUs that stand for them. */
  private async keep(
    client: PoolClient,
    channel: string,
    channelLocation: string,
    items: readonly CountedStock[],
  ): Promise<Counted[]> {
    const newest = new Map(items.map((item) => [item.channelSku, item.quantityUnits]));
    await client.query(KEEP, [channel, channelLocation, [...newest.keys()], [...newest.values()]]);
    const found = await client.query<Counted>(COUNTED, [channel, channelLocation, [...newest.keys()]]);
    return found.rows;
  }
}

const KEEP = `
  INSERT INTO counted_stock (channel, channel_location, channel_sku, units)
  SELECT $1, $2, c.sku, c.units FROM unnest($3::text[], $4::bigint[]) AS c (sku, units) ORDER BY c.sku
  ON CONFLICT (channel, channel_location, channel_sku) DO UPDATE SET units = excluded.units, counted_at = clock_timestamp()`;

/** Of listings that are one SKU, in packs or not. */
const COUNTED = `
  WITH single AS (
    SELECT l.channel_sku, min(c.sku_id) AS sku_id, min(c.units) AS units FROM listings l
      JOIN listing_components c ON c.listing_id = l.id
     WHERE l.channel = $1 AND l.retired_at IS NULL GROUP BY l.id HAVING count(*) = 1)
  SELECT s.sku_id AS "skuId", sum(k.units * s.units)::float8 AS units
    FROM counted_stock k JOIN single s ON s.channel_sku = k.channel_sku
   WHERE k.channel = $1 AND k.channel_location = $2
     AND s.sku_id IN (SELECT sku_id FROM single WHERE channel_sku = ANY($3::text[]))
   GROUP BY s.sku_id ORDER BY s.sku_id`;
