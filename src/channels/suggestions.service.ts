import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CatalogService } from '../inventory/catalog.service';
import { ChannelNotServedError } from './channels.errors';
import { ChannelsService } from './channels.service';
import { ListingsService } from './listings.service';
import { propose, type Proposed, READ_SUGGESTIONS } from './suggestions-sql';
import { UnmappedService } from './unmapped.service';

/** `sku`: it is our code. `former-sku`: it was. `similar-sku`: but for case, spaces, dashes and underscores. */
export type SuggestionReason = 'sku' | 'former-sku' | 'barcode' | 'similar-sku';

export interface Suggestion {
  id: number;
  channelSku: string;
  title: string | null;
  barcode: string | null;
  sku: string;
  skuName: string | null;
  reasons: SuggestionReason[];
  score: number;
  /** Others of our SKUs that this channel SKU may be: at most one of them is right. */
  alternatives: string[];
  /** Other channel SKUs that may be, or are, this SKU: packs of it, or a mistake. */
  sharedWith: string[];
  proposedAt: Date;
  dismissed: boolean;
}

export interface SuggestReport extends Proposed {
  /** Items that the channel shows. */
  read: number;
}

export interface DecidedSuggestion {
  id: number;
  status: 'mapped' | 'dismissed' | 'refused';
  channelSku?: string;
  sku?: string;
  reason?: string;
}

interface PickedRow {
  id: number;
  channelSku: string;
  sku: string;
  isMapped: boolean;
}

const NO_SUCH = 'there is no such suggestion any more';

/** Proposes what channel SKUs may be of ours. Maps nothing by itself: a person confirms or dismisses. */
@Injectable()
export class SuggestionsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly unmapped: UnmappedService,
    private readonly catalog: CatalogService,
  ) {}

  /**
   * Reads the channel page by page, and makes the proposals from what nobody has mapped. Throws
   * `UnknownChannelError`, `ChannelNotServedError`, or what the channel's read throws.
   */
  async suggest(name: string): Promise<SuggestReport> {
    const channel = this.channels.get(name);
    if (channel.state === 'failed') throw new ChannelNotServedError(name, channel.error);
    let read = 0;
    for await (const page of channel.channel.readInventory({})) {
      read += page.items.length;
      await this.unmapped.recordRead(
        name,
        page.items.filter((item) => !this.listings.find(name, item.channelSku)),
      );
    }
    return { read, ...(await propose(this.dataSource, name)) };
  }

  /** In the order in which they were proposed, those of one channel SKU together. */
  async page(channel: string, afterId: number, limit: number, dismissed: boolean): Promise<Suggestion[]> {
    return this.dataSource.query(READ_SUGGESTIONS, [channel, afterId, limit, dismissed]);
  }

  /** Maps one unit each; packs and bundles are for an import. Each is answered on its own. */
  async confirm(channel: string, ids: readonly number[]): Promise<DecidedSuggestion[]> {
    const picked = await this.pick(channel, ids);
    const rows = [...picked.values()];
    const times = new Map<string, number>();
    for (const { channelSku } of rows) times.set(channelSku, (times.get(channelSku) ?? 0) + 1);
    const single = rows.filter(({ channelSku }) => times.get(channelSku) === 1);
    const free = single.filter(({ isMapped }) => !isMapped);
    const drafts = free.map(({ channelSku, sku }) => ({ channelSku, components: [{ sku, units: 1 }] }));
    const { results } = await this.listings.save(channel, drafts, { partial: true });
    const reasons = new Map(free.map(({ id }, at) => [id, results[at]!.reason]));
    const mapped = free.filter(({ id }) => reasons.get(id) === undefined);
    // What it may have been otherwise is not a question any more.
    await this.dataSource.query(
      'DELETE FROM listing_suggestions WHERE channel = $1 AND channel_sku = ANY($2::text[])',
      [channel, mapped.map(({ channelSku }) => channelSku)],
    );
    return ids.map((id): DecidedSuggestion => {
      const row = picked.get(id);
      if (!row) return { id, status: 'refused', reason: NO_SUCH };
      const { channelSku, sku, isMapped } = row;
      const reason = isMapped
        ? `${channelSku} is mapped already`
        : times.get(channelSku)! > 1
          ? `${channelSku} is confirmed for several SKUs; choose one`
          : reasons.get(id);
      return {
        id,
        status: reason === undefined ? 'mapped' : 'refused',
        channelSku,
        sku,
        ...(reason && { reason }),
      };
    });
  }

  /** They are not proposed again. */
  async dismiss(channel: string, ids: readonly number[]): Promise<DecidedSuggestion[]> {
    const picked = await this.pick(channel, ids);
    await this.dataSource.query(
      `UPDATE listing_suggestions SET dismissed_at = coalesce(dismissed_at, clock_timestamp())
        WHERE channel = $1 AND id = ANY($2::bigint[])`,
      [channel, ids],
    );
    return ids.map((id): DecidedSuggestion => {
      const row = picked.get(id);
      if (!row) return { id, status: 'refused', reason: NO_SUCH };
      return { id, status: 'dismissed', channelSku: row.channelSku, sku: row.sku };
    });
  }

  private async pick(channel: string, ids: readonly number[]): Promise<Map<number, PickedRow>> {
    const rows: (Omit<PickedRow, 'sku'> & { skuId: number })[] = await this.dataSource.query(
      `SELECT g.id, g.channel_sku AS "channelSku", g.sku_id AS "skuId", EXISTS (SELECT FROM listings l
                WHERE l.channel = g.channel AND l.channel_sku = g.channel_sku AND l.retired_at IS NULL) AS "isMapped"
         FROM listing_suggestions g WHERE g.channel = $1 AND g.id = ANY($2::bigint[])`,
      [channel, ids],
    );
    const unknown = rows.map(({ skuId }) => skuId).filter((id) => !this.catalog.knowsSku(id));
    if (unknown.length > 0) await this.catalog.learn([], unknown);
    return new Map(rows.map(({ skuId, ...row }) => [row.id, { ...row, sku: this.catalog.skuCode(skuId) }]));
  }
}
