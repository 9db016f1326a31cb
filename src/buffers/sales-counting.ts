import type { Pool, PoolClient } from 'pg';
import type { RateRow } from './buffer-rows';
import { HALF_LIFE_MS, HOUR_MS } from './sales-rate';

/** Sales older than this are not looked for when counting begins anew. */
const LOOK_BACK_DAYS = 28;
/** A transaction shows its events when it commits, a little after their time. */
const LATE_COMMITS_SECONDS = 60;

/**
 * Counts what was reserved since `counted` (all of the last weeks where that is null) and answers the rates that
 * grew so much by it that more may have to be withheld. No event is counted twice, however the times overlap: each level's events are known by their version.
 */
export async function countSales(client: PoolClient, counted: Date | null, until: Date): Promise<RateRow[]> {
  const { rows } = await client.query<RateRow>(
    `WITH counted AS (${COUNT_SALES} RETURNING r.*) SELECT ${RATE} FROM counted r WHERE ${PER_HOUR} >= r.raise_at`,
    [counted, until],
  );
  return rows;
}

/** The same without an answer, which would be as large as the catalogue. */
export async function countAllSales(client: PoolClient, until: Date): Promise<void> {
  await client.query(COUNT_SALES, [null, until]);
}

/** Rates that have to be looked at although nothing was sold. */
export async function dueRates(pool: Pool, now: Date, limit: number): Promise<RateRow[]> {
  const { rows } = await pool.query<RateRow>(
    `SELECT ${RATE} FROM sales_rates r WHERE due_at <= $1 ORDER BY due_at LIMIT $2`,
    [now, limit],
  );
  return rows;
}

/** All of them in the order of their keys, after a key. With `held`, only those that withhold something, which are due within the hour. */
export async function pageOfRates(
  pool: Pool,
  after: { skuId: number; locationId: number },
  limit: number,
  held: boolean,
): Promise<RateRow[]> {
  const { rows } = await pool.query<RateRow>(
    `SELECT ${RATE} FROM sales_rates r WHERE (sku_id, location_id) > ($1::int, $2::int) AND (NOT $4 OR due_at < clock_timestamp() + interval '2 hours')
      ORDER BY sku_id, location_id LIMIT $3`,
    [after.skuId, after.locationId, limit, held],
  );
  return rows;
}

export async function ratesOf(pool: Pool, skuIds: readonly number[]): Promise<RateRow[]> {
  const { rows } = await pool.query<RateRow>(
    `SELECT ${RATE} FROM sales_rates r WHERE sku_id = ANY($1::int[])`,
    [skuIds],
  );
  return rows;
}

const ms = (time: string) => `extract(epoch FROM ${time})::float8 * 1000`;

const RATE = `r.sku_id AS "skuId", r.location_id AS "locationId", ${ms('r.hour')} AS "hourMs", r.hour_units AS "hourUnits",
  r.previous_units AS "previousUnits", r.weighted_units AS "weightedUnits", ${ms('r.counted_at')} AS "countedMs",
  ${ms('r.since')} AS "sinceMs", ${ms('r.due_at')} AS "dueMs", r.raise_at AS "raiseAt"`;

const weight = (duration: string) =>
  `power(2, -greatest(extract(epoch FROM ${duration})::float8, 0) * 1000 / ${HALF_LIFE_MS})`;

/** What `signalsAt` of src/buffers/sales-rate.ts makes of it at $2, or a little more. */
const PER_HOUR = `greatest(
  r.hour_units + r.previous_units * (1 - mod(extract(epoch FROM $2::timestamptz), 3600) / 3600),
  r.weighted_units / (${HALF_LIFE_MS / Math.LN2 / HOUR_MS} * (1 - power(2, -greatest(extract(epoch FROM $2::timestamptz - r.since)::float8 - 3600, 86400) * 1000 / ${HALF_LIFE_MS}))))`;

/** `countSale` of src/buffers/sales-rate.ts, for all that was sold from $1 to $2 at once. */
const COUNT_SALES = `
  WITH fresh AS (
    SELECT e.sku_id, e.location_id, e.version, e.quantity, e.recorded_at
      FROM ledger e LEFT JOIN sales_rates r ON r.sku_id = e.sku_id AND r.location_id = e.location_id
     WHERE e.recorded_at > coalesce($1::timestamptz - interval '${LATE_COMMITS_SECONDS} seconds', $2::timestamptz - interval '${LOOK_BACK_DAYS} days')
       AND e.recorded_at <= $2 AND e.type = 'RESERVE' AND e.version > coalesce(r.version, 0)
  ), now AS (SELECT to_timestamp(floor(extract(epoch FROM $2::timestamptz) / 3600) * 3600) AS hour
  ), counted AS (
    SELECT sku_id, location_id, max(version) AS version, min(recorded_at) AS since,
           coalesce(sum(quantity) FILTER (WHERE recorded_at >= hour), 0) AS hour_units,
           coalesce(sum(quantity) FILTER (WHERE recorded_at < hour AND recorded_at >= hour - interval '1 hour'), 0) AS previous_units,
           sum(quantity * ${weight('$2::timestamptz - recorded_at')}) AS weighted_units
      FROM fresh, now GROUP BY sku_id, location_id
  )
  INSERT INTO sales_rates AS r (sku_id, location_id, version, hour, hour_units, previous_units, weighted_units, counted_at, since)
  SELECT sku_id, location_id, version, hour, hour_units, previous_units, weighted_units, $2, since FROM counted, now
   ORDER BY sku_id, location_id
  ON CONFLICT (sku_id, location_id) DO UPDATE SET
    version = excluded.version, hour = excluded.hour, counted_at = excluded.counted_at, since = least(r.since, excluded.since),
    hour_units = excluded.hour_units + CASE WHEN r.hour = excluded.hour THEN r.hour_units ELSE 0 END,
    previous_units = excluded.previous_units + CASE r.hour WHEN excluded.hour THEN r.previous_units
                       WHEN excluded.hour - interval '1 hour' THEN r.hour_units ELSE 0 END,
    weighted_units = excluded.weighted_units + r.weighted_units * ${weight('excluded.counted_at - r.counted_at')}`;
