import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CatalogService } from './catalog.service';
import {
  COUNTED_STATES,
  EMPTY_LEVEL,
  evolveBySum,
  type EventType,
  type Level,
  type StockState,
  type SummedMoves,
} from './level';

export interface StockRow {
  skuId: number;
  levels: { locationId: number; level: Level }[];
}

export interface EventRow {
  seq: number;
  location_id: number;
  type: EventType;
  from_state: StockState;
  to_state: StockState;
  quantity: number;
  available: number;
  reserved: number;
  quarantined: number;
  damaged: number;
  in_transit: number;
  on_order: number;
  version: number;
  counterpart_location_id: number | null;
  channel: string | null;
  order_id: string | null;
  line_id: string | null;
  reservation_id: string | null;
  command_key: string;
  reference: string | null;
  reason: string | null;
  actor: string;
  occurred_at: Date;
  recorded_at: Date;
}

/** What stands on our shelves, see `physicalUnits`. */
const PHYSICAL_STATES: readonly StockState[] = ['available', 'reserved', 'quarantined', 'damaged'];

/** What an event may change the units of. */
export const TOUCHED_STATES = [...COUNTED_STATES, 'physical'] as const;
export type TouchedState = (typeof TOUCHED_STATES)[number];

/** Which of a SKU's events are meant; every part that is given must fit. */
export interface EventFilter {
  type?: EventType;
  /** Events after which there are more or fewer units in this state. */
  state?: TouchedState;
  locationIds?: readonly number[];
  channel?: string;
  orderId?: string;
  reservationId?: string;
  /** ISO 8601: those that had happened by then, and those that were recorded by then. */
  asOf?: string;
  knownAt?: string;
}

/** Of one level. */
interface Moves extends SummedMoves {
  sku_id: number;
  location_id: number;
}

/** Reads levels and the ledger from the database; changes nothing. */
@Injectable()
export class StockService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
  ) {}

  /** Current levels of the SKUs, in the order given. */
  async levelsOf(skuIds: readonly number[]): Promise<StockRow[]> {
    const rows = await this.dataSource.query(
      `SELECT sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version
         FROM levels WHERE sku_id = ANY($1::int[])`,
      [skuIds],
    );
    return this.grouped(skuIds, rows);
  }

  /** What was true at a moment: the fold of everything that had happened by then, whenever we heard of it. */
  async levelsAsOf(skuId: number, occurredBy: Date): Promise<StockRow> {
    return (await this.levelsOfAsOf([skuId], occurredBy))[0]!;
  }

  /**
   * As `levelsAsOf`, for many SKUs at once, in the order given. The database adds up the units of like moves, so
   * that a SKU of many events comes in a few rows; what they make of a level is `evolve`'s to say.
   */
  async levelsOfAsOf(skuIds: readonly number[], occurredBy: Date): Promise<StockRow[]> {
    const rows: Moves[] = await this.dataSource.query(
      `SELECT sku_id, location_id, from_state, to_state, min(type) AS type, sum(quantity)::bigint AS quantity, count(*) AS events
         FROM ledger WHERE sku_id = ANY($1::int[]) AND occurred_at <= $2 GROUP BY 1, 2, 3, 4`,
      [skuIds, occurredBy],
    );
    const folded = new Map<number, Map<number, Level>>(skuIds.map((id) => [id, new Map()]));
    for (const { sku_id, location_id, ...moves } of rows) {
      const levels = folded.get(sku_id)!;
      levels.set(location_id, evolveBySum(levels.get(location_id) ?? EMPTY_LEVEL, moves));
    }
    return [...folded].map(([skuId, levels]) => ({
      skuId,
      levels: this.inPriority([...levels].map(([locationId, level]) => ({ locationId, level }))),
    }));
  }

  /** What we knew at a moment: the level after the last event recorded by then. */
  async levelsKnownAt(skuId: number, recordedBy: Date): Promise<StockRow> {
    return (await this.levelsOfKnownAt([skuId], recordedBy))[0]!;
  }

  /** As `levelsKnownAt`, for many SKUs at once, in the order given. */
  async levelsOfKnownAt(skuIds: readonly number[], recordedBy: Date): Promise<StockRow[]> {
    const rows = await this.dataSource.query(
      `SELECT l.sku_id, l.location_id, e.available, e.reserved, e.quarantined, e.damaged, e.in_transit, e.on_order, e.version
         FROM levels l
         JOIN ledger e ON e.sku_id = l.sku_id AND e.location_id = l.location_id
          AND e.version = version_known_at(l.sku_id, l.location_id, l.version, $2)
        WHERE l.sku_id = ANY($1::int[])`,
      [skuIds, recordedBy],
    );
    return this.grouped(skuIds, rows);
  }

  /** Newest first, before the sequence number given: those that fit every part of the filter. */
  async events(
    skuId: number,
    limit: number,
    beforeSeq?: number,
    filter: EventFilter = {},
  ): Promise<EventRow[]> {
    return this.dataSource.query(EVENTS, [
      skuId,
      limit,
      beforeSeq ?? null,
      filter.locationIds ?? null,
      filter.type ?? null,
      filter.state === undefined ? null : filter.state === 'physical' ? PHYSICAL_STATES : [filter.state],
      filter.channel ?? null,
      filter.orderId ?? null,
      filter.reservationId ?? null,
      filter.asOf ?? null,
      filter.knownAt ?? null,
    ]);
  }

  async countEvents(): Promise<{ events: number; byType: Partial<Record<EventType, number>> }> {
    const rows: { type: EventType; count: number }[] = await this.dataSource.query(
      'SELECT type, count(*) AS count FROM ledger GROUP BY type ORDER BY type',
    );
    const byType = Object.fromEntries(rows.map(({ type, count }) => [type, count]));
    return { events: rows.reduce((sum, { count }) => sum + count, 0), byType };
  }

  private grouped(
    skuIds: readonly number[],
    rows: (Level & { sku_id: number; location_id: number })[],
  ): StockRow[] {
    const bySku = new Map<number, StockRow['levels']>(skuIds.map((id) => [id, []]));
    for (const { sku_id, location_id: locationId, ...level } of rows)
      bySku.get(sku_id)!.push({ locationId, level });
    return [...bySku].map(([skuId, levels]) => ({ skuId, levels: this.inPriority(levels) }));
  }

  private inPriority(levels: StockRow['levels']): StockRow['levels'] {
    const { catalog } = this;
    return levels.sort(
      (a, b) =>
        catalog.priorityOf(a.locationId) - catalog.priorityOf(b.locationId) || a.locationId - b.locationId,
    );
  }
}

/** Along the ledger's primary key, from the newest event of each location back. */
const EVENTS = `
  SELECT e.* FROM levels l
    JOIN LATERAL (SELECT * FROM ledger
                   WHERE sku_id = l.sku_id AND location_id = l.location_id AND ($3::bigint IS NULL OR seq < $3)
                     AND ($5::ledger_event_type IS NULL OR type = $5)
                     AND ($6::stock_state[] IS NULL OR (from_state = ANY($6)) <> (to_state = ANY($6)))
                     AND ($7::text IS NULL OR channel = $7) AND ($8::text IS NULL OR order_id = $8)
                     AND ($9::uuid IS NULL OR reservation_id = $9)
                     AND ($10::timestamptz IS NULL OR occurred_at <= $10) AND ($11::timestamptz IS NULL OR recorded_at <= $11)
                   ORDER BY version DESC LIMIT $2) e ON true
   WHERE l.sku_id = $1 AND ($4::int[] IS NULL OR l.location_id = ANY($4)) ORDER BY e.seq DESC LIMIT $2`;
