import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { isChannelSku } from './listing-rows';

/** What a channel says of one of its SKUs. */
export interface SeenSku {
  channelSku: string;
  title?: string;
  barcode?: string;
}

export interface UnmappedSku {
  id: number;
  channelSku: string;
  title: string | null;
  barcode: string | null;
  firstSeenIn: 'order' | 'read';
  firstSeenAt: Date;
  lastSeenIn: 'order' | 'read';
  lastSeenAt: Date;
  /** Order lines that wait for it. */
  parkedLines: number;
  ignored: boolean;
}

const MAX_TITLE = 500;
const MAX_BARCODE = 100;

/**
 * Channel SKUs that nobody has mapped: those of parked order lines, which the database notes by itself, and
 * those that a channel shows. They wait for a person, who maps them or says that they never will be.
 */
@Injectable()
export class UnmappedService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** One page of what a channel shows and nobody mapped. Names that could not be a listing's are left out. */
  async recordRead(channel: string, items: readonly SeenSku[]): Promise<void> {
    const seen = new Map(items.filter((item) => isChannelSku(item.channelSku)).map((i) => [i.channelSku, i]));
    if (seen.size === 0) return;
    const rows = [...seen.values()];
    await poolOf(this.dataSource).query(RECORD_READ, [
      channel,
      rows.map(({ channelSku }) => channelSku),
      rows.map(({ title }) => printable(title, MAX_TITLE)),
      rows.map(({ barcode }) => printable(barcode, MAX_BARCODE)),
    ]);
  }

  /** In the order in which they were first seen. */
  async page(channel: string, afterId: number, limit: number, ignored: boolean): Promise<UnmappedSku[]> {
    return this.dataSource.query(READ_PAGE, [channel, afterId, limit, ignored]);
  }

  /** Answers those that are not in the queue. */
  async setIgnored(channel: string, channelSkus: readonly string[], ignored: boolean): Promise<string[]> {
    const found: { channel_sku: string }[] = (
      await poolOf(this.dataSource).query(SET_IGNORED, [channel, channelSkus, ignored])
    ).rows;
    const known = new Set(found.map((row) => row.channel_sku));
    return channelSkus.filter((channelSku) => !known.has(channelSku));
  }
}

/** Without control characters, and no longer than the table should hold; null where nothing is left. */
function printable(text: unknown, length: number): string | null {
  if (typeof text !== 'string') return null;
  const clean = text
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
    .slice(0, length);
  return clean === '' ? null : clean;
}

/** A row that says nothing new is written once an hour, not at each comparison of a large channel. */
const RECORD_READ = `
  INSERT INTO unmapped_skus AS u (channel, channel_sku, title, barcode, first_seen_in, last_seen_in)
  SELECT $1, s.sku, s.title, s.barcode, 'read', 'read'
    FROM unnest($2::text[], $3::text[], $4::text[]) AS s (sku, title, barcode) ORDER BY s.sku
  ON CONFLICT (channel, channel_sku) DO UPDATE
    SET title = coalesce(excluded.title, u.title), barcode = coalesce(excluded.barcode, u.barcode),
        last_seen_in = 'read', last_seen_at = clock_timestamp()
  WHERE u.last_seen_at < clock_timestamp() - interval '1 hour' OR u.title IS DISTINCT FROM coalesce(excluded.title, u.title)
     OR u.barcode IS DISTINCT FROM coalesce(excluded.barcode, u.barcode)`;

const READ_PAGE = `
  SELECT u.id, u.channel_sku AS "channelSku", u.title, u.barcode, u.first_seen_in AS "firstSeenIn",
         u.first_seen_at AS "firstSeenAt", u.last_seen_in AS "lastSeenIn", u.last_seen_at AS "lastSeenAt",
         (SELECT count(*) FROM parked_lines p WHERE p.channel = u.channel AND p.channel_sku = u.channel_sku) AS "parkedLines",
         u.ignored_at IS NOT NULL AS ignored
    FROM unmapped_skus u
   WHERE u.channel = $1 AND u.id > $2 AND (u.ignored_at IS NOT NULL) = $4
     AND NOT EXISTS (SELECT FROM listings l
                      WHERE l.channel = u.channel AND l.channel_sku = u.channel_sku AND l.retired_at IS NULL)
   ORDER BY u.id LIMIT $3`;

const SET_IGNORED = `
  UPDATE unmapped_skus SET ignored_at = CASE WHEN $3 THEN coalesce(ignored_at, clock_timestamp()) END
   WHERE channel = $1 AND channel_sku = ANY($2::text[]) RETURNING channel_sku`;
