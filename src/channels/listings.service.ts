import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { ShownInventory } from '../channel-api';
import { ListenerService } from '../database/listener.service';
import { inTransaction, poolOf } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import { sqlState } from '../inventory/inventory.errors';
import { JobsService } from '../jobs/jobs.service';
import { ChannelsService } from './channels.service';
import { ListingOfFileError, UnknownListingError } from './channels.errors';
import { type Listing, ListingCache } from './listing-cache';
import { resolveDrafts, type SavedListing } from './listing-drafts';
import type { ListingDraft } from './listing-rows';
import {
  lockMapping,
  markDirty,
  retireAllBut,
  retireListing,
  type WantedListing,
  writeListings,
} from './listing-writes';
import { readListings } from './listings-file';
import { CONFIRM_PUSHES, READ_LISTINGS, READ_PAGE, RECORD_SHOWN } from './listings-sql';
import { ReloadQueue, type Stale } from './reload-queue';

export type { Listing, ListingComponent } from './listing-cache';

export interface SaveOptions {
  /** Write the good ones although others are refused. */
  partial?: boolean;
  /** Write nothing, and tell what would become of each. */
  dryRun?: boolean;
  /** Make the SKUs that nobody has. */
  createSkus?: boolean;
}

export interface SavedListings {
  /** In the order of the drafts. */
  results: SavedListing[];
  createdSkus: string[];
  applied: boolean;
}

const NAMED_IN_LOG = 20;
const READ_AT_ONCE = 5_000;
const ATTEMPTS = 3;

/**
 * SKU mapping: a channel's SKUs to ours, in memory, with PostgreSQL as the truth. The listings of a channel's
 * configured file are that file's alone; API and CLI make the others.
 */
@Injectable()
export class ListingsService implements BeforeApplicationShutdown, OnApplicationBootstrap {
  private readonly log = new Logger('listings');
  private readonly sender = randomUUID();
  private cache = new ListingCache();
  private readonly reloads = new ReloadQueue((which) => this.read(which));

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly listener: ListenerService,
    private readonly jobs: JobsService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const { name, config } of this.channels.all()) {
      if (config.listings) await this.importFile(name, config.listings);
    }
    await this.listener.listen('onhand_listings', {
      heard: (payload) => this.hear(payload),
      missed: () => this.follow(ALL),
    });
    await this.reloads.reload(ALL);
  }

  beforeApplicationShutdown(): void {
    this.reloads.stop();
  }

  find(channel: string, channelSku: string): Listing | undefined {
    return this.cache.find(channel, channelSku);
  }

  get(id: number): Listing | undefined {
    return this.cache.get(id);
  }

  ofChannel(channel: string): Listing[] {
    return this.cache.ofChannel(channel);
  }

  countOf(channel: string): number {
    return this.cache.countOf(channel);
  }

  /** Channels with a listing that any of the SKUs is part of. */
  channelsOf(skuIds: Iterable<number>): Set<string> {
    return this.cache.channelsOf(skuIds);
  }

  /** From the database, in the order of their ids. `sku` is one of ours that they hold. */
  async page(
    channel: string,
    afterId: number,
    limit: number,
    filter: { channelSku?: string; skuId?: number; origin?: string } = {},
  ): Promise<Listing[]> {
    const { channelSku = null, skuId = null, origin = null } = filter;
    const values = [channel, afterId, limit, channelSku, skuId, origin];
    return this.dataSource.query(READ_PAGE, values);
  }

  /**
   * Reads again those that were mapped anew since, on whichever host: `rows` are revisions just read, 0 where a
   * listing is mapped no more. For whoever acts on a listing and will not be asked again: notifications are a
   * hint, and come late.
   */
  async reloadOlder(rows: readonly { id: number; revision: number }[]): Promise<void> {
    const stale = rows.filter(({ id, revision }) => (this.get(id)?.revision ?? 0) !== revision);
    if (stale.length > 0) await this.reloads.reload(stale.map(({ id }) => id));
  }

  /**
   * Makes the listings of the channel's file exactly these. New and changed ones are dirty, missing ones are
   * retired, and one that API or CLI made becomes the file's. All of them or none: throws on a bundle that
   * names a SKU twice, by two of its codes.
   */
  async replace(
    channel: string,
    drafts: readonly ListingDraft[],
  ): Promise<{ created: string[]; changed: number; retired: number; takenOver: string[]; notes: string[] }> {
    const result = await this.write(channel, async (client) => {
      const { wanted, results, created } = await resolveDrafts(this.catalog, client, drafts, true);
      const wrong = results.findIndex((each) => each.reason !== undefined);
      if (wrong >= 0) throw new Error(results[wrong]!.reason);
      const writer = { origin: 'file', fileKeeps: true } as const;
      const listings = wanted as WantedListing[];
      const { touched, takenOver } = await writeListings(client, channel, listings, writer);
      const keep = listings.map(({ channelSku }) => channelSku);
      const gone = await retireAllBut(client, channel, keep);
      await this.notify(client, [...touched, ...gone]);
      const notes = results.flatMap(({ note }) => note ?? []);
      return { created, changed: touched.length, retired: gone.length, takenOver, notes, ids: touched, gone };
    });
    const { ids, gone, ...told } = result;
    await this.takeEffect(channel, [...ids, ...gone]);
    return told;
  }

  /**
   * Makes listings for API and CLI; the others of the channel stay. Unless `partial`, all of them or none. The
   * same drafts again change nothing.
   */
  async save(
    channel: string,
    drafts: readonly ListingDraft[],
    { partial = false, dryRun = false, createSkus = false }: SaveOptions = {},
  ): Promise<SavedListings> {
    const fileKeeps = this.fileOf(channel) !== null;
    let ids: number[] = [];
    const saved = await this.write(channel, async (client): Promise<SavedListings> => {
      const { wanted, results, created } = await resolveDrafts(this.catalog, client, drafts, createSkus);
      const places = wanted.flatMap((listing, place) => (listing ? [place] : []));
      const { statuses, touched } = await writeListings(
        client,
        channel,
        places.map((place) => wanted[place]!),
        { origin: 'api', fileKeeps },
      );
      places.forEach((place, index) => {
        const status = statuses[index]!;
        const refusal = status === 'of-file' && { reason: this.ofFile(channel, drafts[place]!).message };
        results[place] = { ...results[place], status, ...refusal };
      });
      const applied = !dryRun && (partial || results.every((each) => each.reason === undefined));
      const answer = { results, createdSkus: created, applied };
      if (!applied) throw new Undone(answer);
      await this.notify(client, touched);
      ids = touched;
      return answer;
    }).catch((error: unknown) => {
      if (error instanceof Undone) return error.answer;
      throw error;
    });
    if (saved.applied) await this.takeEffect(channel, ids);
    return saved;
  }

  /** Takes a listing away; its history stays. Throws `UnknownListingError`, `ListingOfFileError`. */
  async remove(channel: string, channelSku: string): Promise<void> {
    const fileKeeps = this.fileOf(channel) !== null;
    const found = await this.write(channel, async (client) => {
      const listing = await retireListing(client, channel, channelSku, fileKeeps);
      if (listing && !listing.ofFile) await this.notify(client, [listing.id]);
      return listing;
    });
    if (!found) throw new UnknownListingError(channel, channelSku);
    if (found.ofFile) throw this.ofFile(channel, { channelSku });
    await this.reloads.reload([found.id]);
  }

  /** `forced` sends the quantity even when it is what was sent last: the channel was seen showing another. */
  async markDirty(ids: readonly number[], { forced }: { forced: boolean }): Promise<void> {
    await markDirty(poolOf(this.dataSource), ids, forced);
  }

  /**
   * What the channel itself said it shows. An accepted push of that quantity is confirmed by it. `readAt`: when it
   * was asked, by the database's clock, where that may be a while ago; what was pushed since is not undone.
   */
  async recordShown(
    channel: string,
    shown: readonly Pick<ShownInventory, 'channelSku' | 'channelLocation' | 'quantityUnits'>[],
    readAt: Date | null = null,
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
    await this.dataSource.query(RECORD_SHOWN, [...columns, readAt]);
    await this.dataSource.query(CONFIRM_PUSHES, [...columns, channel, readAt]);
  }

  /** Listings take effect as a whole or not at all; a file that cannot be used leaves the old ones. */
  private async importFile(channel: string, file: string): Promise<void> {
    try {
      const drafts = readListings(file);
      const { created, changed, retired, takenOver, notes } = await this.replace(channel, drafts);
      this.log.log(`${channel}: ${drafts.length} listings (${changed} new or changed, ${retired} retired)`);
      if (created.length > 0)
        this.log.warn(
          `${channel}: created ${created.length} SKUs that listings name: ${someOf(created, ', ')}`,
        );
      if (takenOver.length > 0)
        this.log.warn(
          `${channel}: ${takenOver.length} listings that the API made are this file's now: ${someOf(takenOver, ', ')}`,
        );
      if (notes.length > 0) this.log.warn(`${channel}: in ${file} ${someOf(notes, '; ')}`);
    } catch (error) {
      this.log.error(`${channel}: listings stay as they were: ${(error as Error).message}`);
    }
  }

  private fileOf(channel: string): string | null {
    return this.channels.get(channel).config.listings;
  }

  private ofFile(channel: string, { channelSku }: { channelSku: string }): ListingOfFileError {
    return new ListingOfFileError(channelSku, this.fileOf(channel) ?? '');
  }

  /** One change of a channel's mapping at a time. A deadlock with a push is over once one of the two gave way. */
  private async write<T>(channel: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.dataSource, async (client) => {
          await lockMapping(client, channel);
          return work(client);
        });
      } catch (error) {
        if (sqlState(error) !== DEADLOCK || attempt === ATTEMPTS) throw error;
        await sleep(50 * attempt);
      }
    }
  }

  /** What is mapped now is pushed, and orders that waited for it are applied. */
  private async takeEffect(channel: string, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.reloads.reload(ids);
    this.jobs.wake('push-listings', channel);
    this.jobs.wake('apply-mapped-orders');
  }

  /** `<sender>:<id>,…` for the other hosts; `*` stands for all. */
  private async notify(client: PoolClient, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const which = ids.length > MAX_NOTIFIED ? ALL : ids.join(',');
    await client.query(`SELECT pg_notify('onhand_listings', $1)`, [`${this.sender}:${which}`]);
  }

  /** This host's own changes take effect without being told. */
  private hear(payload: string): void {
    const [sender, which = ALL] = payload.split(':', 2);
    if (sender !== this.sender) this.follow(which === ALL ? ALL : which.split(',').map(Number));
  }

  /** Another host's change: orders that wait here for it can be applied once it is known here. */
  private follow(which: Stale): void {
    this.reloads
      .reload(which)
      .then(() => this.jobs.wake('apply-mapped-orders'))
      .catch((error: Error) => this.log.warn(`cannot read listings: ${error.message}`));
  }

  private async read(which: Stale): Promise<void> {
    const cache = which === ALL ? new ListingCache() : this.cache;
    const gone = new Set(which === ALL ? [] : which);
    let after = 0;
    // In pages, so that other work goes on in between.
    for (let isMore = true; isMore;) {
      const listings = await this.readPage(which, after);
      for (const listing of listings) {
        cache.set(listing);
        gone.delete(listing.id);
      }
      isMore = listings.length === READ_AT_ONCE;
      after = listings.at(-1)?.id ?? 0;
    }
    // Only now: one that is still mapped is there all the while.
    for (const id of gone) cache.remove(id);
    this.cache = cache;
  }

  private async readPage(which: Stale, afterId: number): Promise<Listing[]> {
    const channels = this.channels.all().map((channel) => channel.name);
    const values = [channels, which === ALL ? null : which, afterId, READ_AT_ONCE];
    const listings: Listing[] = await this.dataSource.query(READ_LISTINGS, values);
    const skuIds = new Set(listings.flatMap(({ components }) => components.map(({ skuId }) => skuId)));
    const unknown = [...skuIds].filter((id) => !this.catalog.knowsSku(id));
    if (unknown.length > 0) await this.catalog.learn([], unknown);
    return listings;
  }
}

/** Takes the transaction back, with what it would have come to. */
class Undone extends Error {
  constructor(readonly answer: SavedListings) {
    super('nothing was changed');
    this.name = 'Undone';
  }
}

const ALL = '*' as const;
/** Ids have at most 10 digits, and PostgreSQL refuses payloads of 8,000 bytes. */
const MAX_NOTIFIED = 700;
const DEADLOCK = '40P01';

function someOf(names: readonly string[], separator: string): string {
  const more = names.length > NAMED_IN_LOG ? `${separator}…` : '';
  return names.slice(0, NAMED_IN_LOG).join(separator) + more;
}
