import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { OrderDocument } from '../channel-api';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { poolOf } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import type { OrderLineTarget } from '../inventory/commands';
import { LedgerService } from '../inventory/ledger.service';

/** What each line consisted of when it was first seen; a later change of the mapping does not reach back. */
type LineMapping = Record<string, { skuId: number; units: number }[]>;

/** Brings channel orders into the ledger: keeps the newest view of each, and has only the difference posted. */
@Injectable()
export class OrdersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly channels: ChannelsService,
    private readonly catalog: CatalogService,
    private readonly ledger: LedgerService,
  ) {}

  /** A document older than the one known changes nothing. Throws what the ledger throws. */
  async apply(channel: string, order: OrderDocument): Promise<void> {
    const mapping = await this.keepView(channel, order);
    if (!mapping) return;
    const parked = order.lines.filter((line) => !mapping[line.lineId]);
    await this.settle(channel, order, mapping);
    await this.park(channel, order.orderId, parked);
  }

  /** Orders with a parked line whose SKU has been mapped since. */
  async applyMapped(): Promise<number> {
    const rows: { channel: string; document: OrderDocument }[] = await this.dataSource.query(
      `SELECT o.channel, o.document FROM orders o
        WHERE EXISTS (SELECT FROM parked_lines p JOIN listings l ON l.channel = p.channel AND l.channel_sku = p.channel_sku
                       WHERE p.channel = o.channel AND p.order_id = o.order_id AND l.retired_at IS NULL) LIMIT 500`,
    );
    for (const { channel, document } of rows) await this.apply(channel, document);
    return rows.length;
  }

  /** Stores the view unless a newer one is known. Answers the mapping of its lines, known ones first. */
  private async keepView(channel: string, order: OrderDocument): Promise<LineMapping | undefined> {
    const mapped: LineMapping = Object.create(null);
    for (const { lineId, channelSku } of order.lines) {
      const listing = this.listings.find(channel, channelSku);
      if (listing) mapped[lineId] = listing.components;
    }
    const kept = await poolOf(this.dataSource).query<{ mapping: LineMapping }>({
      name: 'keep-order',
      text: KEEP_ORDER,
      values: [
        channel,
        order.orderId,
        order.revision,
        JSON.stringify(order),
        order.placedAt,
        JSON.stringify(mapped),
      ],
    });
    return kept.rows[0]?.mapping;
  }

  private async settle(channel: string, order: OrderDocument, mapping: LineMapping): Promise<void> {
    const lines: OrderLineTarget[] = [];
    for (const line of order.lines) {
      const locationId = await this.locationOf(channel, line.channelLocation);
      for (const { skuId, units } of mapping[line.lineId] ?? []) {
        lines.push({
          lineId: line.lineId,
          skuId,
          locationId,
          ordered: line.ordered * units,
          cancelled: line.cancelled * units,
          fulfilled: line.fulfilled * units,
          returned: line.returned * units,
        });
      }
    }
    const { orderId, revision } = order;
    // Two documents of one revision may differ (a line mapped since); the content is part of the key.
    const digest = createHash('sha256').update(JSON.stringify(lines)).digest('hex').slice(0, 16);
    await this.ledger.post({
      kind: 'settle-order',
      channel,
      orderId,
      revision,
      reservationId: randomUUID(),
      lines,
      lineIds: order.lines.map((line) => line.lineId),
      placedAt: iso(order.placedAt),
      updatedAt: order.updatedAt && iso(order.updatedAt),
      key: `order:${channel}:${orderId}:${revision}:${digest}`,
      actor: `channel:${channel}`,
    });
  }

  private async locationOf(
    channel: string,
    channelLocation: string | undefined,
  ): Promise<number | undefined> {
    const code =
      channelLocation === undefined
        ? undefined
        : this.channels.get(channel).config.locations[channelLocation];
    return code === undefined ? undefined : this.catalog.locationId(code, 'channelLocation');
  }

  private async park(channel: string, orderId: string, lines: OrderDocument['lines']): Promise<void> {
    await poolOf(this.dataSource).query({
      name: 'unpark-lines',
      text: 'DELETE FROM parked_lines WHERE channel = $1 AND order_id = $2 AND NOT line_id = ANY($3::text[])',
      values: [channel, orderId, lines.map((line) => line.lineId)],
    });
    if (lines.length === 0) return;
    await this.dataSource.query(
      `INSERT INTO parked_lines (channel, order_id, line_id, channel_sku, reason)
       SELECT $1, $2, p.line_id, p.sku, 'unmapped SKU' FROM unnest($3::text[], $4::text[]) AS p (line_id, sku)
       ON CONFLICT (channel, order_id, line_id) DO UPDATE SET channel_sku = excluded.channel_sku`,
      [channel, orderId, lines.map((line) => line.lineId), lines.map((line) => line.channelSku)],
    );
  }
}

function iso(time: string): string {
  return new Date(time).toISOString();
}

/** No row comes back when a newer revision is known. */
const KEEP_ORDER = `
  INSERT INTO orders AS o (channel, order_id, revision, document, placed_at, mapping) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (channel, order_id) DO UPDATE
    SET revision = excluded.revision, document = excluded.document, mapping = excluded.mapping || o.mapping,
        updated_at = clock_timestamp()
  WHERE o.revision <= excluded.revision
  RETURNING mapping`;
