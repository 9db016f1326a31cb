import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ShownInventory } from '../channel-api';
import { ListenerService } from '../database/listener.service';
import { inTransaction } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import { ChannelsService } from './channels.service';
import { type ListingDraft, readListings } from './listings-file';

export interface ListingComponent {
  skuId: number;
  units: number;
}

export interface Listing {
  id: number;
  channel: string;
  channelSku: string;
  components: ListingComponent[];
}

/** SKU mapping: a channel's SKUs to ours, in memory, with PostgreSQL as the truth. */
@Injectable()
export class ListingsService implements OnApplicationBootstrap {
  private readonly log = new Logger('listings');
  private byId = new Map<number, Listing>();
  private byChannelSku = new Map<string, Map<string, Listing>>();
  private channelsBySku = new Map<number, Set<string>>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly listener: ListenerService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const { name, config } of this.channels.all()) {
      if (config.listings) await this.importFile(name, config.listings);
    }
    const reload = () =>
      void this.load().catch((error: Error) => this.log.warn(`cannot read listings: ${error.message}`));
    await this.listener.listen('onhand_listings', { heard: reload, missed: reload });
    await this.load();
  }

  find(channel: string, channelSku: string): Listing | undefined {
    return this.byChannelSku.get(channel)?.get(channelSku);
  }

  get(id: number): Listing | undefined {
    return this.byId.get(id);
  }

  ofChannel(channel: string): Listing[] {
    return [...(this.byChannelSku.get(channel)?.values() ?? [])];
  }

  /** Channels with a listing that any of the SKUs is part of. */
  channelsOf(skuIds: Iterable<number>): Set<string> {
    const found = new Set<string>();
    for (const skuId of skuIds) for (const channel of this.channelsBySku.get(skuId) ?? []) found.add(channel);
    return found;
  }

  /** Listings take effect as a whole or not at all; a file that cannot be used leaves the old ones. */
  private async importFile(channel: string, file: string): Promise<void> {
    try {
      const drafts = readListings(file);
      const { created, changed, retired } = await this.replace(channel, drafts);
      this.log.log(`${channel}: ${drafts.length} listings (${changed} new or changed, ${retired} retired)`);
      if (created.length > 0) {
        this.log.warn(
          `${channel}: created ${created.length} SKUs that listings name: ${created.slice(0, 20).join(', ')}${created.length > 20 ? ', …' : ''}`,
        );
      }
    } catch (error) {
      this.log.error(`${channel}: listings stay as they were: ${(error as Error).message}`);
    }
  }

  /** Makes the channel's listings exactly these. New and changed ones are dirty, missing ones are retired. */
  async replace(
    channel: string,
    drafts: readonly ListingDraft[],
  ): Promise<{ created: string[]; changed: number; retired: number }> {
    const codes = [...new Set(drafts.flatMap((draft) => draft.components.map((component) => component.sku)))];
    const created = await this.createMissing(codes);
    const wanted = drafts.map(({ channelSku, components }) => ({
      channel_sku: channelSku,
      components: components
        .map(({ sku, units }) => ({ sku_id: this.catalog.knownSkuId(sku)!, units }))
        .sort((a, b) => a.sku_id - b.sku_id),
    }));
    const { changed, retired } = await inTransaction(this.dataSource, async (client) => {
      const parameters = [channel, JSON.stringify(wanted)];
      const revived = await client.query<{ id: number }>(UPSERT_LISTINGS, parameters);
      const changes = await client.query<{ id: number }>(CHANGED_LISTINGS, parameters);
      const ids = [...new Set([...revived.rows, ...changes.rows].map((row) => row.id))];
      await client.query('DELETE FROM listing_components WHERE listing_id = ANY($1)', [ids]);
      await client.query(INSERT_COMPONENTS, [...parameters, ids]);
      // A listing that comes back may have been changed by anybody meanwhile.
      await client.query('UPDATE shown_quantities SET pushed_units = NULL WHERE listing_id = ANY($1)', [
        revived.rows.map((row) => row.id),
      ]);
      await client.query(MARK_DIRTY, [ids, false]);
      const gone = await client.query(RETIRE_LISTINGS, parameters);
      await client.query('NOTIFY onhand_listings');
      return { changed: ids.length, retired: gone.rowCount ?? 0 };
    });
    await this.load();
    return { created, changed, retired };
  }

  /** `forced` sends the quantity even when it is what was sent last: the channel was seen showing another. */
  async markDirty(ids: readonly number[], { forced }: { forced: boolean }): Promise<void> {
    if (ids.length === 0) return;
    await this.dataSource.query(MARK_DIRTY, [ids, forced]);
  }

  /** What the channel itself said it shows. An accepted push of that quantity is confirmed by it. */
  async recordShown(
    channel: string,
    shown: readonly Pick<ShownInventory, 'channelSku' | 'channelLocation' | 'quantityUnits'>[],
  ): Promise<void> {
    const items = shown.flatMap(({ channelSku, channelLocation = '', quantityUnits }) => {
      const listing = this.find(channel, channelSku);
      return listing ? [{ id: listing.id, channelLocation, quantityUnits }] : [];
    });
    if (items.length === 0) return;
    const columns = [
      items.map((item) => item.id),
      items.map((item) => item.channelLocation),
      items.map((item) => item.quantityUnits),
    ];
    await this.dataSource.query(RECORD_SHOWN, columns);
    await this.dataSource.query(CONFIRM_PUSHES, [...columns, channel]);
  }

  private async createMissing(codes: readonly string[]): Promise<string[]> {
    await this.catalog.learn(codes);
    const missing = codes.filter((code) => this.catalog.knownSkuId(code) === undefined);
    if (missing.length > 0) await this.catalog.upsertSkus(missing.map((sku) => ({ sku })));
    return missing;
  }

  private async load(): Promise<void> {
    const rows: { id: number; channel: string; channel_sku: string; components: [number, number][] }[] =
      await this.dataSource.query(READ_LISTINGS, [this.channels.all().map((channel) => channel.name)]);
    const byId: typeof this.byId = new Map();
    const byChannelSku: typeof this.byChannelSku = new Map();
    const channelsBySku: typeof this.channelsBySku = new Map();
    for (const { id, channel, channel_sku: channelSku, components } of rows) {
      const listing = {
        id,
        channel,
        channelSku,
        components: components.map(([skuId, units]) => ({ skuId, units })),
      };
      byId.set(id, listing);
      if (!byChannelSku.has(channel)) byChannelSku.set(channel, new Map());
      byChannelSku.get(channel)!.set(channelSku, listing);
      for (const { skuId } of listing.components) {
        if (!channelsBySku.has(skuId)) channelsBySku.set(skuId, new Set());
        channelsBySku.get(skuId)!.add(channel);
      }
    }
    Object.assign(this, { byId, byChannelSku, channelsBySku });
  }
}

const WANTED = `SELECT w->>'channel_sku' AS channel_sku, w->'components' AS components FROM jsonb_array_elements($2::jsonb) w`;

const COMPONENTS_OF = `
  SELECT coalesce(jsonb_agg(jsonb_build_object('sku_id', c.sku_id, 'units', c.units) ORDER BY c.sku_id), '[]')
    FROM listing_components c WHERE c.listing_id = l.id`;

const UPSERT_LISTINGS = `
  INSERT INTO listings (channel, channel_sku)
  SELECT $1, w.channel_sku FROM (${WANTED}) w ORDER BY w.channel_sku
  ON CONFLICT (channel, channel_sku) DO UPDATE SET retired_at = NULL
    WHERE listings.retired_at IS NOT NULL
  RETURNING id`;

const CHANGED_LISTINGS = `
  SELECT l.id FROM listings l JOIN (${WANTED}) w ON w.channel_sku = l.channel_sku
   WHERE l.channel = $1 AND (${COMPONENTS_OF}) <> w.components`;

const INSERT_COMPONENTS = `
  INSERT INTO listing_components (listing_id, sku_id, units)
  SELECT l.id, (c->>'sku_id')::int, (c->>'units')::int
    FROM listings l JOIN (${WANTED}) w ON w.channel_sku = l.channel_sku, jsonb_array_elements(w.components) c
   WHERE l.channel = $1 AND l.id = ANY($3::int[])`;

const RETIRE_LISTINGS = `
  UPDATE listings l SET retired_at = clock_timestamp()
   WHERE l.channel = $1 AND l.retired_at IS NULL AND NOT EXISTS (SELECT FROM (${WANTED}) w WHERE w.channel_sku = l.channel_sku)`;

/** A channel may name a listing twice in one page; the last one counts. */
const RECORD_SHOWN = `
  INSERT INTO shown_quantities AS q (listing_id, channel_location, shown_units, shown_at)
  SELECT DISTINCT ON (id, location) id, location, units, clock_timestamp()
    FROM unnest($1::int[], $2::text[], $3::bigint[]) WITH ORDINALITY AS s (id, location, units, nr)
   ORDER BY id, location, nr DESC
  ON CONFLICT (listing_id, channel_location) DO UPDATE SET shown_units = excluded.shown_units, shown_at = excluded.shown_at`;

const CONFIRM_PUSHES = `
  UPDATE pushes p SET state = 'confirmed', confirmed_at = clock_timestamp()
    FROM unnest($1::int[], $2::text[], $3::bigint[]) AS s (id, location, units)
   WHERE p.channel = $4 AND p.listing_id = s.id AND p.channel_location = s.location AND p.state = 'accepted' AND p.quantity = s.units`;

/** A parked listing is tried again: what it was refused for may be over, or it stands for something else now. */
const MARK_DIRTY = `
  INSERT INTO dirty_listings AS d (listing_id, channel, forced)
  SELECT id, channel, $2 FROM listings WHERE id = ANY($1::int[]) ORDER BY id
  ON CONFLICT (listing_id) DO UPDATE SET marks = d.marks + 1, forced = d.forced OR excluded.forced,
    attempts = CASE WHEN d.parked_at IS NULL THEN d.attempts ELSE 0 END, parked_at = NULL`;

const READ_LISTINGS = `
  SELECT l.id, l.channel, l.channel_sku, jsonb_agg(jsonb_build_array(c.sku_id, c.units) ORDER BY c.sku_id) AS components
    FROM listings l JOIN listing_components c ON c.listing_id = l.id
   WHERE l.retired_at IS NULL AND l.channel = ANY($1::text[]) GROUP BY l.id`;
