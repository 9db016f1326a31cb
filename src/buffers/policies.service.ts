import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { ChannelsService } from '../channels/channels.service';
import { type Listing, ListingsService } from '../channels/listings.service';
import type { BufferPolicy } from '../config/buffer-policy';
import { Config } from '../config/config';
import { inTransaction, poolOf } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import { JobsService } from '../jobs/jobs.service';
import type { BufferRules } from './buffer-rules';
import { BufferRulesService } from './buffer-rules.service';
import { markScopeDirty, markSkusDirty, needsAmong, type NeedsOf } from './buffer-rows';
import { PolicyOfFileError, UnknownPolicyError } from './buffers.errors';
import { needsOf } from './needs';
import { PublishedQuantityService } from './published-quantity.service';
import { RecalculationService } from './recalculation.service';
import { signalsAt } from './sales-rate';
import { ratesOf } from './sales-counting';

/** A listing that would show another quantity. */
export interface ShownChange {
  listingId: number;
  channel: string;
  channelSku: string;
  from: number;
  to: number;
}

export interface DryRun {
  /** Listings that the policies are about. */
  listings: number;
  changes: number;
  /** The first of them. */
  items: ShownChange[];
  /** Listings' units over all that would change. */
  unitsFrom: number;
  unitsTo: number;
}

const MOST_TOLD = 500;
const LISTINGS_AT_ONCE = 1_000;

/** Policies made by API and CLI, and what they would change before they are. */
@Injectable()
export class PoliciesService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly buffers: BufferRulesService,
    private readonly recalculation: RecalculationService,
    private readonly published: PublishedQuantityService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly catalog: CatalogService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  /** Makes or replaces them by name, all or none. Throws `PolicyOfFileError`, `UnknownSkuError`, `UnknownChannelError`. */
  async save(policies: readonly BufferPolicy[], actor: string): Promise<void> {
    await this.check(policies);
    await inTransaction(this.dataSource, async (client) => {
      for (const policy of policies) {
        const before = await this.lock(client, policy.name);
        await client.query(SAVE, [policy.name, JSON.stringify(policy), actor]);
        await this.note(client, before, policy, actor);
      }
    });
    await this.takeEffect();
  }

  /** Throws `PolicyOfFileError`, `UnknownPolicyError`. */
  async remove(name: string, actor: string): Promise<void> {
    this.refuseOfFile(name);
    await inTransaction(this.dataSource, async (client) => {
      const before = await this.lock(client, name);
      if (!before) throw new UnknownPolicyError(name);
      await client.query('DELETE FROM buffer_policies WHERE name = $1', [name]);
      await this.note(client, before, undefined, actor);
    });
    await this.takeEffect();
  }

  /**
   * What the listings concerned would show with these, once releases are through; nothing is changed. Throws
   * `PolicyOfFileError`, `UnknownSkuError`, `UnknownChannelError`.
   */
  async tryOut(policies: readonly BufferPolicy[]): Promise<DryRun> {
    await this.check(policies);
    const { rules } = this.buffers;
    const names = new Set(policies.map(({ name }) => name));
    return this.compare(rules.with(policies), [
      ...policies,
      ...rules.policies.filter(({ name }) => names.has(name)),
    ]);
  }

  /** The same for taking one away. Throws `PolicyOfFileError`, `UnknownPolicyError`. */
  async tryWithout(name: string): Promise<DryRun> {
    this.refuseOfFile(name);
    const { rules } = this.buffers;
    const gone = rules.policies.filter((policy) => policy.name === name);
    if (gone.length === 0) throw new UnknownPolicyError(name);
    return this.compare(rules.without(name), gone);
  }

  isOfFile(name: string): boolean {
    return this.config.buffers.policies.some((policy) => policy.name === name);
  }

  private refuseOfFile(name: string): void {
    if (this.isOfFile(name)) throw new PolicyOfFileError(name);
  }

  private async check(policies: readonly BufferPolicy[]): Promise<void> {
    for (const { name, channel, sku } of policies) {
      this.refuseOfFile(name);
      if (channel !== null) this.channels.get(channel);
      if (sku !== null) await this.catalog.skuId(sku, 'sku');
    }
  }

  private async compare(candidate: BufferRules, concerned: readonly BufferPolicy[]): Promise<DryRun> {
    const { rules } = this.buffers;
    if (candidate.isMoving) await this.recalculation.countSales();
    const told: DryRun = { listings: 0, changes: 0, items: [], unitsFrom: 0, unitsTo: 0 };
    const all = this.channels.all().flatMap(({ name }) => this.listings.ofChannel(name));
    // A tag that no policy in force names is not in memory.
    const tagged = await this.taggedBy(concerned);
    const fitting = all.filter((listing) =>
      concerned.some((policy) => this.isAbout(policy, listing, tagged)),
    );
    for (let start = 0; start < fitting.length; start += LISTINGS_AT_ONCE) {
      const page = fitting.slice(start, start + LISTINGS_AT_ONCE);
      const [from, to] = await Promise.all([
        this.shownBy(rules, page),
        this.shownBy(candidate.withTags(tagged), page),
      ]);
      page.forEach((listing, at) => addChange(told, listing, from[at]!, to[at]!));
      await turn();
    }
    return told;
  }

  private async shownBy(rules: BufferRules, listings: readonly Listing[]): Promise<number[]> {
    const waterfalls = await this.published.computeBy(rules, await this.targets(rules, listings), listings);
    return waterfalls.map(({ quantity }) => quantity);
  }

  /** What sales ask for by these rules, with nothing being released. */
  private async targets(rules: BufferRules, listings: readonly Listing[]): Promise<NeedsOf> {
    if (!rules.isMoving) return () => undefined;
    const skuIds = [...new Set(listings.flatMap(({ components }) => components.map(({ skuId }) => skuId)))];
    const rates = await ratesOf(poolOf(this.dataSource), skuIds);
    const nowMs = Date.now();
    return needsAmong(
      rates.flatMap((rate) =>
        [...this.listings.channelsOf([rate.skuId])].map((channel) => ({
          skuId: rate.skuId,
          locationId: rate.locationId,
          channel,
          releasedMs: nowMs,
          ...needsOf(
            rules.policyFor(channel, rate.skuId),
            signalsAt(rate, nowMs),
            this.buffers.signalsOf(channel),
          ),
        })),
      ),
    );
  }

  private async taggedBy(policies: readonly BufferPolicy[]): Promise<Map<number, string[]>> {
    const tags = [...new Set([...policies, ...this.buffers.rules.policies].flatMap(({ tag }) => tag ?? []))];
    return tags.length > 0 ? this.buffers.readTags(tags) : new Map();
  }

  private isAbout(
    { channel, tag, sku }: BufferPolicy,
    listing: Listing,
    tagged: ReadonlyMap<number, readonly string[]>,
  ): boolean {
    if (channel !== null && channel !== listing.channel) return false;
    const skuId = sku === null ? null : this.catalog.knownSkuId(sku);
    return listing.components.some(
      (component) =>
        (tag === null || tagged.get(component.skuId)?.includes(tag)) &&
        (skuId === null || component.skuId === skuId),
    );
  }

  private async lock(client: PoolClient, name: string): Promise<BufferPolicy | undefined> {
    const found = await client.query<{ definition: BufferPolicy }>(
      'SELECT definition FROM buffer_policies WHERE name = $1 FOR UPDATE',
      [name],
    );
    return found.rows[0]?.definition;
  }

  /** Whatever was or is its scope is computed anew. */
  private async note(
    client: PoolClient,
    before: BufferPolicy | undefined,
    after: BufferPolicy | undefined,
    actor: string,
  ): Promise<void> {
    for (const policy of [before, after]) {
      if (!policy) continue;
      const { sku, channel, tag } = policy;
      if (sku === null) await markScopeDirty(client, { channel, tag });
      else await markSkusDirty(client, [await this.catalog.skuId(sku, 'sku')], channel);
    }
    const { name, sku, channel } = (after ?? before)!;
    const skuId = sku === null ? null : await this.catalog.skuId(sku, 'sku');
    await client.query(NOTE, [skuId, channel, name, before ?? null, after ?? null, actor]);
  }

  /** The listings are dirty by now; what sales ask for by the new policy is found out at once, too. */
  private async takeEffect(): Promise<void> {
    await this.buffers.changed();
    await this.recalculation.recalculate({ all: true, cause: 'policy' });
    for (const { name } of this.channels.all()) this.jobs.wake('push-listings', name);
  }
}

function addChange(told: DryRun, { id, channel, channelSku }: Listing, from: number, to: number): void {
  told.listings++;
  if (from === to) return;
  told.changes++;
  told.unitsFrom += from;
  told.unitsTo += to;
  if (told.items.length < MOST_TOLD) told.items.push({ listingId: id, channel, channelSku, from, to });
}

const SAVE = `
  INSERT INTO buffer_policies (name, definition, changed_by) VALUES ($1, $2, $3)
  ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, changed_by = excluded.changed_by, changed_at = clock_timestamp()`;

const NOTE = `
  INSERT INTO buffer_changes (sku_id, channel, policy, before, after, cause, actor) VALUES ($1, $2, $3, $4, $5, 'policy', $6)`;
