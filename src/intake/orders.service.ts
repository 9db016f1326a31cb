import { createHash, randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { OrderDocument } from '../channel-api';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Gathered } from '../database/gathered';
import { unhurriedPool } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import type { OrderLineTarget, SettlementView } from '../inventory/commands';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { errorText, isOutage } from './intake.errors';

/** Named here for whoever finds a shortfall; what is done about it is the oversells worker's. */
export const HANDLE_OVERSELLS = 'handle-oversells';

/** What each line consisted of when it was first seen; a later change of the mapping does not reach back. */
export type LineMapping = Record<string, { skuId: number; units: number }[]>;

interface MappedOrder {
  channel: string;
  document: OrderDocument;
}

/** An order as it is now, with the mapping of its lines as it is now. */
interface View {
  channel: string;
  order: OrderDocument;
  mapped: LineMapping;
}

interface KeptView {
  mapping: LineMapping;
  /** The order is seen for the first time. */
  created: boolean;
  /** The settlement that its listings were last pushed again for. */
  repushedKey: string | null;
}

/** Views that one statement keeps, and statements at a time. */
const GATHERED = { atOnce: 64, sideBySide: 2, keyOf: viewKey };

/** Of this room's own, so that a burst of orders does not hold up the webhooks that come meanwhile. */
const CONNECTIONS = 4;

/** Brings channel orders into the ledger: keeps the newest view of each, and has only the difference posted. */
@Injectable()
export class OrdersService implements OnApplicationShutdown {
  private readonly log = new Logger('intake');
  private readonly pool: Pool;
  private readonly views = new Gathered<View, KeptView | undefined>((all) => this.keep(all), GATHERED);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly channels: ChannelsService,
    private readonly catalog: CatalogService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
  ) {
    // The ledger's commit takes the view to the disk with it; a view lost before it is kept again from the inbox.
    this.pool = unhurriedPool(dataSource, CONNECTIONS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** A document older than the one known changes nothing. Throws what the ledger throws. */
  async apply(channel: string, order: OrderDocument): Promise<void> {
    const kept = await this.keepView(channel, order);
    if (!kept) return;
    const { settlement, key } = await this.settle(channel, order, kept.mapping);
    const unmapped = order.lines.filter((line) => !kept.mapping[line.lineId]);
    // An order never seen before has no parked lines to take back.
    if (unmapped.length > 0 || !kept.created) await this.park(channel, order, unmapped);
    if (isUnseenByLedger(order, kept, settlement) && kept.repushedKey !== key)
      await this.pushAgain(channel, order, key);
    if (settlement && settlement.shortfall > 0) this.jobs.wake(HANDLE_OVERSELLS);
  }

  /**
   * Ids of those orders that are known as they are listed, and settled: a poll lists most orders a second time,
   * and what the ledger has whole need not be asked of it again.
   */
  async settledAsListed(channel: string, orders: readonly OrderDocument[]): Promise<Set<string>> {
    try {
      const values = [channel, JSON.stringify(orders)];
      const { rows } = await this.pool.query<{ id: string }>(SETTLED_AS_LISTED, values);
      return new Set(rows.map(({ id }) => id));
    } catch (error) {
      // One of them is no JSON that PostgreSQL takes: each is looked at by itself, and that one parked.
      if (isOutage(error)) throw error;
      return new Set();
    }
  }

  /**
   * Settles the order as it is known once more: what was short takes what is there now. Undefined where no
   * such order is known, or a newer state of it is being settled.
   */
  async tryAgain(channel: string, orderId: string): Promise<SettlementView | undefined> {
    const rows: { document: OrderDocument; mapping: LineMapping }[] = await this.dataSource.query(
      'SELECT document, mapping FROM orders WHERE channel = $1 AND order_id = $2',
      [channel, orderId],
    );
    const [known] = rows;
    if (!known) return undefined;
    return (await this.settle(channel, known.document, known.mapping, randomUUID())).settlement;
  }

  /** The ledger's events mark listings dirty by themselves; this is for what changed the channel alone. */
  private async pushAgain(channel: string, order: OrderDocument, key: string): Promise<void> {
    const ids = order.lines.flatMap((line) => this.listings.find(channel, line.channelSku)?.id ?? []);
    await this.listings.markDirty([...new Set(ids)], { forced: true });
    this.jobs.wake('push-listings', channel);
    // After the mark, so that a crash in between marks once more rather than never.
    await this.pool.query('UPDATE orders SET repushed_key = $3 WHERE channel = $1 AND order_id = $2', [
      channel,
      order.orderId,
      key,
    ]);
  }

  /** Orders with a parked line whose SKU has been mapped since. One that fails keeps no other from being applied. */
  async applyMapped(): Promise<number> {
    let applied = 0;
    for (let after: MappedOrder | undefined; ;) {
      const values = [after?.channel ?? '', after?.document.orderId ?? '', MAPPED_AT_ONCE];
      const rows: MappedOrder[] = await this.dataSource.query(MAPPED_ORDERS, values);
      // Side by side, so that they share the ledger's transactions.
      const done = await Promise.all(rows.map((row) => this.applyWaiting(row)));
      applied += done.filter(Boolean).length;
      after = rows.at(-1);
      if (rows.length < MAPPED_AT_ONCE) return applied;
    }
  }

  private async applyWaiting({ channel, document }: MappedOrder): Promise<boolean> {
    try {
      await this.apply(channel, document);
      return true;
    } catch (error) {
      if (isOutage(error)) throw error;
      this.log.warn(`${channel}: order ${document.orderId} waits still: ${errorText(error, 500)}`);
      return false;
    }
  }

  /** Stores the view unless a newer one is known. Answers the mapping of its lines, known ones first. */
  private keepView(channel: string, order: OrderDocument): Promise<KeptView | undefined> {
    const mapped: LineMapping = Object.create(null);
    for (const { lineId, channelSku } of order.lines) {
      const listing = this.listings.find(channel, channelSku);
      if (listing) mapped[lineId] = listing.components;
    }
    return this.views.ask({ channel, order, mapped });
  }

  private async keep(views: View[]): Promise<(KeptView | undefined)[]> {
    const kept = await this.pool.query<KeptView & { channel: string; orderId: string }>({
      name: 'keep-orders',
      text: KEEP_ORDERS,
      values: [
        views.map(({ channel }) => channel),
        views.map(({ order }) => order.orderId),
        views.map(({ order }) => order.revision),
        views.map(({ order }) => JSON.stringify(order)),
        views.map(({ order }) => order.placedAt),
        views.map(({ mapped }) => JSON.stringify(mapped)),
      ],
    });
    const byKey = new Map(kept.rows.map((row) => [JSON.stringify([row.channel, row.orderId]), row]));
    return views.map((view) => byKey.get(viewKey(view)));
  }

  private async settle(
    channel: string,
    order: OrderDocument,
    mapping: LineMapping,
    attempt = '',
  ): Promise<{ settlement: SettlementView | undefined; key: string }> {
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
    const content = {
      lines,
      lineIds: order.lines.map((line) => line.lineId),
      placedAt: iso(order.placedAt),
      updatedAt: order.updatedAt && iso(order.updatedAt),
      returnTo: this.channels.get(channel).config.returns,
    };
    // Two documents of one revision may differ (a line mapped since, a time told later): all of it is the key.
    const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
    const key = `order:${channel}:${orderId}:${revision}:${digest}${attempt && `:${attempt}`}`;
    const { outcome } = await this.ledger.post({
      kind: 'settle-order',
      channel,
      orderId,
      revision,
      reservationId: randomUUID(),
      ...content,
      key,
      actor: `channel:${channel}`,
    });
    return { settlement: 'settlement' in outcome ? outcome.settlement : undefined, key };
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

  /** Makes the order's parked lines exactly these, unless a newer document has said so meanwhile. */
  private async park(
    channel: string,
    { orderId, revision }: OrderDocument,
    lines: OrderDocument['lines'],
  ): Promise<void> {
    await this.pool.query({
      name: 'park-lines',
      text: PARK_LINES,
      values: [
        channel,
        orderId,
        revision,
        lines.map((line) => line.lineId),
        lines.map((line) => line.channelSku),
      ],
    });
  }
}

function viewKey({ channel, order: { orderId } }: View): string {
  return JSON.stringify([channel, orderId]);
}

/**
 * The channel changed what it shows, and perhaps no event tells of it: it sold what is short, or cancelled what was short
 * or what we never heard of. Of which units it cancelled some the ledger does not say, so that none are taken for known.
 */
function isUnseenByLedger(
  { lines }: OrderDocument,
  { created }: KeptView,
  settlement: SettlementView | undefined,
): boolean {
  const { reserved = 0, shortfall = 0 } = settlement ?? {};
  return shortfall > 0 || (created && reserved === 0) || lines.some(({ cancelled }) => cancelled > 0);
}

function iso(time: string): string {
  return new Date(time).toISOString();
}

/** None that waits for stock or for a SKU to be mapped, and none whose revision does not say what it is. */
const SETTLED_AS_LISTED = `
  SELECT o.order_id AS id FROM jsonb_array_elements($2::jsonb) AS l (document)
    JOIN orders o ON o.channel = $1 AND o.order_id = l.document->>'orderId' AND o.document = l.document
    JOIN reservations r ON r.channel = $1 AND r.order_id = o.order_id AND r.revision = o.revision
   WHERE NOT o.ambiguous AND NOT EXISTS (SELECT FROM parked_lines p WHERE p.channel = $1 AND p.order_id = o.order_id)
     AND NOT EXISTS (SELECT FROM shortfalls s WHERE s.channel = $1 AND s.order_id = o.order_id AND s.state = 'open' AND s.cause = 'order')`;

const MAPPED_AT_ONCE = 128;

/** In pages by their keys: an order that stays parked is not met again in the same run. */
const MAPPED_ORDERS = `
  SELECT o.channel, o.document FROM orders o
   WHERE (o.channel, o.order_id) > ($1, $2) AND EXISTS
     (SELECT FROM parked_lines p JOIN listings l ON l.channel = p.channel AND l.channel_sku = p.channel_sku
       WHERE p.channel = o.channel AND p.order_id = o.order_id AND l.retired_at IS NULL)
   ORDER BY o.channel, o.order_id LIMIT $3`;

/** No row comes back when a newer revision is known. In one order, so that two hosts never deadlock. */
const KEEP_ORDERS = `
  INSERT INTO orders AS o (channel, order_id, revision, document, placed_at, mapping)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[], $5::timestamptz[], $6::jsonb[])
   ORDER BY 1, 2
  ON CONFLICT (channel, order_id) DO UPDATE
    SET revision = excluded.revision, document = excluded.document, mapping = excluded.mapping || o.mapping,
        updated_at = clock_timestamp(),
        ambiguous = o.revision = excluded.revision AND (o.ambiguous OR o.document <> excluded.document)
  WHERE o.revision <= excluded.revision
  RETURNING channel, order_id AS "orderId", mapping, (xmax = 0) AS created, repushed_key AS "repushedKey"`;

/** The order's row is locked, so that documents applied side by side leave the lines of the newest. */
const PARK_LINES = `
  WITH newest AS MATERIALIZED (
    SELECT FROM orders WHERE channel = $1 AND order_id = $2 AND revision = $3 FOR UPDATE
  ), unmapped AS (
    SELECT p.line_id, p.sku FROM unnest($4::text[], $5::text[]) AS p (line_id, sku)
     WHERE NOT EXISTS (SELECT FROM dismissed_lines d WHERE d.channel = $1 AND d.order_id = $2
                          AND d.line_id = p.line_id AND d.channel_sku = p.sku)
  ), gone AS (
    DELETE FROM parked_lines USING newest
     WHERE channel = $1 AND order_id = $2 AND NOT line_id IN (SELECT line_id FROM unmapped)
  )
  INSERT INTO parked_lines (channel, order_id, line_id, channel_sku, reason)
  SELECT $1, $2, u.line_id, u.sku, 'unmapped SKU' FROM newest, unmapped u
  ON CONFLICT (channel, order_id, line_id) DO UPDATE SET channel_sku = excluded.channel_sku`;
