import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { Pool, type PoolConfig } from 'pg';
import { DataSource } from 'typeorm';
import { poolOf } from '../../src/database/pool';
import { Config } from '../../src/config/config';
import { CatalogService } from '../../src/inventory/catalog.service';
import { LedgerService } from '../../src/inventory/ledger.service';
import { ReservationsService } from '../../src/inventory/reservations.service';
import { measure, type Measured } from './measure';

const IN_FLIGHT = 64;
const SKUS = 10_000;
export const ENOUGH_UNITS = 500_000_000;

/** Each floor on as many connections as ours has, and on the whole pool. */
export interface LedgerRound {
  spread: Measured;
  spreadFloor: Measured;
  spreadWideFloor: Measured;
  /** As `spread`, with every SKU on a listing that each reservation marks dirty. */
  mapped: Measured;
  hot: Measured;
  hotFloor: Measured;
  hotWideFloor: Measured;
}

/** 10,000 SKUs with stock, and the floor's own tables. */
export async function prepareSkus(app: INestApplicationContext): Promise<number[]> {
  const catalog = app.get(CatalogService);
  const skuIds: number[] = [];
  for (let first = 0; first < SKUS; first += 5_000) {
    const drafts = Array.from({ length: 5_000 }, (_, index) => ({ sku: `BENCH-${first + index}` }));
    skuIds.push(...(await catalog.upsertSkus(drafts)).map(({ sku }) => sku.id));
  }
  await restock(app, skuIds);
  await makeFloorTables(app);
  await app.get(DataSource).query('VACUUM ANALYZE');
  return skuIds;
}

/** More of each than any run reserves. */
export async function restock(app: INestApplicationContext, skuIds: readonly number[]): Promise<void> {
  const ledger = app.get(LedgerService);
  const locationId = app.get(CatalogService).defaultLocationId();
  await Promise.all(
    skuIds.map((skuId) =>
      ledger.post({
        kind: 'move',
        type: 'RESTOCK',
        skuId,
        locationId,
        quantityUnits: ENOUGH_UNITS,
        key: randomUUID(),
        actor: 'bench',
      }),
    ),
  );
}

/** The floor's own tables, with a level for each SKU that there is. */
export async function makeFloorTables(app: INestApplicationContext): Promise<void> {
  await app.get(DataSource).query(FLOOR_TABLES);
}

/** Reservations of any of the SKUs, ours and then the floor on as many connections. */
export async function benchReservations(
  app: INestApplicationContext,
  skuId: () => number,
  durationMs: number,
): Promise<{ ours: Measured; floor: Measured }> {
  const reservations = app.get(ReservationsService);
  const narrow = narrowPool(poolOf(app.get(DataSource)), app.get(Config).ledger.lanes);
  const options = { inFlight: IN_FLIGHT, durationMs, warmUpMs: durationMs / 5 };
  try {
    const ours = await measure(() => reserve(reservations, skuId()), options);
    return { ours, floor: await measure(() => reserveWithLeastSql(narrow, skuId()), options) };
  } finally {
    await narrow.end();
  }
}

/** Ours and the floor in turn, spread over all SKUs and on one. */
export async function benchLedger(
  app: INestApplicationContext,
  skuIds: readonly number[],
  durationMs: number,
): Promise<LedgerRound> {
  const reservations = app.get(ReservationsService);
  const dataSource = app.get(DataSource);
  const wide = poolOf(dataSource);
  const narrow = narrowPool(wide, app.get(Config).ledger.lanes);
  const options = { inFlight: IN_FLIGHT, durationMs, warmUpMs: durationMs / 5 };
  const anySku = () => skuIds[Math.floor(Math.random() * skuIds.length)]!;
  const oneSku = () => skuIds[0]!;
  const ours = (skuId: () => number) => measure(() => reserve(reservations, skuId()), options);
  const floor = (pool: Pool, skuId: () => number) =>
    measure(() => reserveWithLeastSql(pool, skuId()), options);
  await dataSource.query(MAP_ALL);
  const mapped = await ours(anySku);
  await dataSource.query("DELETE FROM listings WHERE channel = 'bench'");
  await dataSource.query("DELETE FROM dirty_listings WHERE channel = 'bench'");
  const round = {
    mapped,
    spread: await ours(anySku),
    spreadFloor: await floor(narrow, anySku),
    spreadWideFloor: await floor(wide, anySku),
    hot: await ours(oneSku),
    hotFloor: await floor(narrow, oneSku),
    hotWideFloor: await floor(wide, oneSku),
  };
  await narrow.end();
  return round;
}

function narrowPool(wide: Pool, connections: number): Pool {
  const { options } = wide as unknown as { options: PoolConfig };
  return new Pool({ ...options, password: options.password, max: connections });
}

async function reserve(reservations: ReservationsService, skuId: number): Promise<void> {
  const { outcome } = await reservations.create(
    { lines: [{ skuId, quantityUnits: 1 }], partial: false },
    randomUUID(),
    'bench',
  );
  if (!('reservation' in outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`);
}

const MAP_ALL = `
  WITH made AS (INSERT INTO listings (channel, channel_sku) SELECT 'bench', code FROM skus RETURNING id, channel_sku)
  INSERT INTO listing_components (listing_id, sku_id, units) SELECT made.id, skus.id, 1 FROM made JOIN skus ON skus.code = made.channel_sku`;

/** The floor: a level, and one row that says what happened to it; no key, no reservation, no listing. */
const FLOOR_TABLES = `
  DROP TABLE IF EXISTS floor_levels, floor_ledger;
  CREATE TABLE floor_levels (sku_id integer PRIMARY KEY, available bigint NOT NULL, reserved bigint NOT NULL, version bigint NOT NULL) WITH (fillfactor = 60);
  INSERT INTO floor_levels SELECT id, ${ENOUGH_UNITS}, 0, 0 FROM skus;
  CREATE TABLE floor_ledger (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku_id integer NOT NULL, quantity bigint NOT NULL,
    available bigint NOT NULL, version bigint NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp())`;

/** One transaction of one statement: fewer round trips than any reservation written with BEGIN and COMMIT. */
async function reserveWithLeastSql(pool: Pool, skuId: number): Promise<void> {
  const reserved = await pool.query({
    name: 'floor-reserve',
    text: `WITH level AS (UPDATE floor_levels SET available = available - 1, reserved = reserved + 1, version = version + 1
                           WHERE sku_id = $1 AND available >= 1 RETURNING available, version)
           INSERT INTO floor_ledger (sku_id, quantity, available, version) SELECT $1, 1, available, version FROM level`,
    values: [skuId],
  });
  if (reserved.rowCount !== 1) throw new Error('the floor is out of stock');
}
