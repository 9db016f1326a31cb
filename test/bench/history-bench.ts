import type { INestApplicationContext } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { poolOf } from '../../src/database/pool';
import { CatalogService } from '../../src/inventory/catalog.service';
import { RebuildService } from '../../src/inventory/rebuild.service';
import { StockService } from '../../src/inventory/stock.service';
import { measure, type Measured, round } from './measure';

const SKUS = 10_000;
/** Of all events, those of the one SKU that everybody buys. */
const HOT_SHARE = 0.01;
const DAYS = 90;
const FETCHED = 20_000;

export interface HistoryRound {
  /** Events a second, and how long writers waited, told as its p99. */
  rebuild: Measured;
  /** The same columns of the same events, read and dropped. */
  rebuildFloor: Measured;
  /** One question at a time, of any SKU and any moment. */
  asOf: Measured;
  /** The level of any SKU as it is. */
  asOfFloor: Measured;
  /** Of the SKU with the most events. */
  asOfHot: Measured;
}

/** A ledger of so many events that the rules could have made, written past the writer, which would take longer. */
export class HistoryBench {
  private constructor(
    private readonly app: INestApplicationContext,
    readonly skuIds: readonly number[],
    /** How many were written. */
    readonly events: number,
  ) {}

  static async prepare(app: INestApplicationContext, events: number): Promise<HistoryBench> {
    const catalog = app.get(CatalogService);
    const skuIds: number[] = [];
    for (let first = 0; first < SKUS; first += 5_000) {
      const drafts = Array.from({ length: 5_000 }, (_, index) => ({ sku: `HISTORY-${first + index}` }));
      skuIds.push(...(await catalog.upsertSkus(drafts)).map(({ sku }) => sku.id));
    }
    const hot = Math.floor(events * HOT_SHARE);
    const each = Math.floor((events - hot) / (SKUS - 1));
    await write(app, skuIds.slice(1), each, catalog.defaultLocationId());
    await write(app, skuIds.slice(0, 1), hot, catalog.defaultLocationId());
    await app.get(DataSource).query('VACUUM ANALYZE ledger');
    await app.get(RebuildService).rebuild();
    return new HistoryBench(app, skuIds, each * (SKUS - 1) + hot);
  }

  async round(durationMs: number): Promise<HistoryRound> {
    return { ...(await this.rebuilds()), ...(await this.reads(durationMs)) };
  }

  async rebuilds(): Promise<Pick<HistoryRound, 'rebuild' | 'rebuildFloor'>> {
    return { rebuild: await this.rebuild(), rebuildFloor: await this.readAll() };
  }

  async reads(durationMs: number): Promise<Omit<HistoryRound, 'rebuild' | 'rebuildFloor'>> {
    const stock = this.app.get(StockService);
    const options = { inFlight: 1, durationMs, warmUpMs: durationMs / 5 };
    const anySku = () => this.skuIds[Math.floor(Math.random() * this.skuIds.length)]!;
    const anyMoment = () => new Date(Date.now() - Math.random() * DAYS * 86_400_000);
    return {
      asOf: await measure(() => stock.levelsAsOf(anySku(), anyMoment()), options),
      asOfFloor: await measure(() => stock.levelsOf([anySku()]), options),
      asOfHot: await measure(() => stock.levelsAsOf(this.skuIds[0]!, anyMoment()), options),
    };
  }

  private async rebuild(): Promise<Measured> {
    const started = performance.now();
    const { events, corrected, added, lockedMs } = await this.app.get(RebuildService).rebuild();
    const seconds = (performance.now() - started) / 1000;
    if (events !== this.events || corrected + added > 0)
      throw new Error('the levels were not what the events make');
    return { perSecond: Math.round(events / seconds), p50Ms: lockedMs, p99Ms: lockedMs };
  }

  private async readAll(): Promise<Measured> {
    const client = await poolOf(this.app.get(DataSource)).connect();
    try {
      const started = performance.now();
      const events = await readInOrder(client);
      const ms = performance.now() - started;
      return { perSecond: Math.round((events * 1000) / ms), p50Ms: round(ms), p99Ms: round(ms) };
    } finally {
      client.release(true);
    }
  }
}

async function readInOrder(client: PoolClient): Promise<number> {
  await client.query('BEGIN');
  await client.query(
    `SET LOCAL statement_timeout = 0; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '128MB'`,
  );
  await client.query(
    `DECLARE floor NO SCROLL CURSOR FOR
     SELECT sku_id, location_id, type, from_state, to_state, quantity FROM ledger ORDER BY sku_id, location_id, version`,
  );
  let events = 0;
  for (;;) {
    const { rows } = await client.query({ text: `FETCH ${FETCHED} FROM floor`, rowMode: 'array' });
    events += rows.length;
    if (rows.length < FETCHED) return events;
  }
}

/** Of each four events: three units in, one reserved, that one shipped, another damaged. */
async function write(
  app: INestApplicationContext,
  skuIds: readonly number[],
  events: number,
  locationId: number,
): Promise<void> {
  const client = await poolOf(app.get(DataSource)).connect();
  try {
    await client.query('SET statement_timeout = 0');
    for (let at = 0; at < skuIds.length; at += 500)
      await client.query(WRITE, [skuIds.slice(at, at + 500), locationId, events, DAYS]);
  } finally {
    client.release(true);
  }
}

const WRITE = `
  INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity, available, reserved, quarantined, damaged,
         in_transit, on_order, version, command_key, content_hash, actor, occurred_at, recorded_at)
  SELECT sku, $2, (ARRAY['DAMAGE', 'RESTOCK', 'RESERVE', 'FULFILL'])[v % 4 + 1]::ledger_event_type,
         (ARRAY['available', 'outside', 'available', 'reserved'])[v % 4 + 1]::stock_state,
         (ARRAY['damaged', 'available', 'reserved', 'outside'])[v % 4 + 1]::stock_state,
         CASE WHEN v % 4 = 1 THEN 3 ELSE 1 END,
         v / 4 + CASE v % 4 WHEN 0 THEN 0 WHEN 1 THEN 3 ELSE 2 END, (v % 4 = 2)::int, 0, v / 4, 0, 0, v, 'bench', '', 'bench', at, at
    FROM unnest($1::int[]) AS s (sku), generate_series(1, $3::int) AS v,
         LATERAL (SELECT clock_timestamp() - make_interval(secs => ($3::int - v) * $4::int * 86400.0 / $3::int) AS at) t`;
