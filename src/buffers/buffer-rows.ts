import type { Pool, PoolClient } from 'pg';
import type { Needs, StoredNeeds } from './needs';
import type { SalesRate } from './sales-rate';

/** Notifications: ids of SKUs whose rows changed, `*` for all of them, `rules` for policies and what is measured. */
export const SQL_CHANNEL = 'onhand_buffers';
export const ALL_SKUS = '*';
export const RULES = 'rules';
const MOST_TOLD = 700;

/** What is asked for of a SKU at a location, from a channel; undefined where it is nothing. */
export type NeedsOf = (skuId: number, channel: string, locationId: number) => Needs | undefined;

/** By channel and location, then by SKU: few maps with many entries are much smaller than many with few. */
export type NeedsByPlace = Map<string, Map<number, Needs>>;

export interface BufferRow extends StoredNeeds {
  skuId: number;
  locationId: number;
  channel: string;
}

/** How a SKU sells at a location, and when it is to be looked at again, ms since 1970. */
export interface RateRow extends SalesRate {
  skuId: number;
  locationId: number;
  dueMs: number | null;
  raiseAt: number;
}

/** A row as it is to be; `needs` that are empty, of a slow mover, take the row away. */
export interface BufferChange {
  row: BufferRow;
  before: Needs | undefined;
  keep: boolean;
}

export async function readNeeds(
  client: Pick<Pool, 'query'>,
  skuIds: readonly number[],
): Promise<BufferRow[]> {
  const { rows } = await client.query<BufferRow>(READ_NEEDS, [skuIds]);
  return rows;
}

/** All rows of the next SKUs after one, so many SKUs at once. */
export async function readNeedsAfter(
  client: Pick<Pool, 'query'>,
  skuId: number,
  limit: number,
): Promise<BufferRow[]> {
  const { rows } = await client.query<BufferRow>(READ_NEEDS_AFTER, [skuId, limit]);
  return rows;
}

export function putNeeds(
  places: NeedsByPlace,
  { skuId, locationId, channel }: BufferRow,
  needs: Needs,
): void {
  const place = `${locationId} ${channel}`;
  const bySku = places.get(place) ?? new Map<number, Needs>();
  places.set(place, bySku.set(skuId, needs));
}

export function needsIn(places: NeedsByPlace): NeedsOf {
  return (skuId, channel, locationId) => places.get(`${locationId} ${channel}`)?.get(skuId);
}

export function needsAmong(rows: readonly BufferRow[]): NeedsOf {
  const places: NeedsByPlace = new Map();
  for (const row of rows) putNeeds(places, row, row);
  return needsIn(places);
}

/** Rewrites what changed, keeps its history, and marks the listings dirty; in the caller's transaction. */
export async function storeChanges(
  client: PoolClient,
  changes: readonly BufferChange[],
  cause: string,
  actor: string,
): Promise<void> {
  if (changes.length === 0) return;
  await client.query(KEYED_PLANS);
  const rows = changes.map(({ row, before, keep }) => ({
    sku: row.skuId,
    location: row.locationId,
    channel: row.channel,
    needs: row.needs,
    slow: row.isSlow,
    released: row.releasedMs / 1000,
    before: before ?? null,
    keep,
  }));
  await client.query(STORE_CHANGES, [JSON.stringify(rows), cause, actor]);
  await tellChanged(client, [...new Set(rows.map(({ sku }) => sku))]);
  await client.query(MARK_SKUS_DIRTY, [rows.map(({ sku }) => sku), rows.map(({ channel }) => channel)]);
}

/** Every host hears of it once it is committed. */
export async function tellChanged(
  client: Pick<PoolClient, 'query'>,
  skuIds: readonly number[],
): Promise<void> {
  // PostgreSQL refuses payloads of 8,000 bytes, and ids have at most 10 digits.
  const which = skuIds.length > MOST_TOLD ? ALL_SKUS : skuIds.join(',');
  if (skuIds.length > 0) await client.query(`SELECT pg_notify('${SQL_CHANNEL}', $1)`, [which]);
}

/** When to look at them again, and from which rate on a sale matters. */
export async function storeDue(client: PoolClient, rates: readonly RateRow[]): Promise<void> {
  if (rates.length === 0) return;
  await client.query(STORE_DUE, [
    rates.map(({ skuId }) => skuId),
    rates.map(({ locationId }) => locationId),
    rates.map(({ dueMs }) => (dueMs === null ? null : dueMs / 1000)),
    // JSON has no infinity, and PostgreSQL's arrays spell it otherwise.
    rates.map(({ raiseAt }) => Math.min(raiseAt, MOST_PER_HOUR)),
  ]);
}

/** Listings of these SKUs; of one channel, where it is named. Answers the channels that have any. */
export async function markSkusDirty(
  client: Pick<PoolClient, 'query'>,
  skuIds: readonly number[],
  channel: string | null,
): Promise<void> {
  if (skuIds.length > 0) await client.query(MARK_SKUS_DIRTY, [skuIds, skuIds.map(() => channel)]);
}

/** All listings of a channel, or of all; with `tag`, those with a SKU that carries it. */
export async function markScopeDirty(
  client: Pick<PoolClient, 'query'>,
  { channel, tag }: { channel: string | null; tag: string | null },
): Promise<void> {
  await client.query(MARK_SCOPE_DIRTY, [channel, tag]);
}

/** Nothing sells as fast. */
const MOST_PER_HOUR = 1e12;

const NEEDS = `
  SELECT sku_id AS "skuId", location_id AS "locationId", channel, needs, is_slow AS "isSlow",
         extract(epoch FROM released_at)::float8 * 1000 AS "releasedMs"
    FROM buffers`;

const READ_NEEDS = `${NEEDS} WHERE sku_id = ANY($1::int[])`;

const READ_NEEDS_AFTER = `${NEEDS}
  WHERE sku_id IN (SELECT DISTINCT sku_id FROM buffers WHERE sku_id > $1 ORDER BY sku_id LIMIT $2) ORDER BY sku_id`;

/**
 * A page's rows are looked up by their keys. Left to itself the planner, which knows nothing of a table that is just
 * filling, reads all of it for each page.
 */
const KEYED_PLANS = `
  SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off`;

const STORE_CHANGES = `
  WITH c AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
        AS r (sku int, location int, channel text, needs jsonb, slow boolean, released float8, before jsonb, keep boolean)
  ), gone AS (
    DELETE FROM buffers b USING c WHERE NOT c.keep AND b.sku_id = c.sku AND b.location_id = c.location AND b.channel = c.channel
  ), noted AS (
    INSERT INTO buffer_changes (sku_id, location_id, channel, before, after, cause, actor)
    SELECT sku, location, channel, before, jsonb_build_object('needs', needs, 'isSlow', slow), $2, $3 FROM c
  )
  INSERT INTO buffers (sku_id, location_id, channel, needs, is_slow, released_at)
  SELECT sku, location, channel, needs, slow, to_timestamp(released) FROM c WHERE keep
  ON CONFLICT (sku_id, location_id, channel) DO UPDATE
    SET needs = excluded.needs, is_slow = excluded.is_slow, released_at = excluded.released_at, changed_at = clock_timestamp()`;

const STORE_DUE = `
  UPDATE sales_rates r SET due_at = to_timestamp(d.due), raise_at = d.raise
    FROM unnest($1::int[], $2::int[], $3::float8[], $4::float8[]) AS d (sku, location, due, raise)
   WHERE r.sku_id = d.sku AND r.location_id = d.location`;

/** As the ledger's trigger does it: in listing order, and what is dirty and claimed by nobody is only locked. */
const MARK = `
   GROUP BY l.id, l.channel ORDER BY l.id
  ON CONFLICT (listing_id) DO UPDATE SET marks = dirty_listings.marks + 1
  WHERE dirty_listings.lease IS NOT NULL`;

const MARK_SKUS_DIRTY = `
  INSERT INTO dirty_listings (listing_id, channel)
  SELECT l.id, l.channel FROM unnest($1::int[], $2::text[]) AS s (sku, channel)
    JOIN listing_components c ON c.sku_id = s.sku
    JOIN listings l ON l.id = c.listing_id AND l.retired_at IS NULL AND (s.channel IS NULL OR l.channel = s.channel) ${MARK}`;

const MARK_SCOPE_DIRTY = `
  INSERT INTO dirty_listings (listing_id, channel)
  SELECT l.id, l.channel FROM listings l
    JOIN listing_components c ON c.listing_id = l.id JOIN skus s ON s.id = c.sku_id
   WHERE l.retired_at IS NULL AND ($1::text IS NULL OR l.channel = $1) AND ($2::text IS NULL OR $2 = ANY(s.tags)) ${MARK}`;
