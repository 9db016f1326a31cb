import type { PoolClient } from 'pg';
import { type Fact, type FactName, FACTS } from './kpi-facts';
import { ALL_CHANNELS, COARSE_SECONDS, FINE_SECONDS, readLevel } from './kpi-reads';
import { floorTo } from './spans';

/**
 * What happened is in its table, at the latest, so long after the time that it carries: transactions that write the ledger
 * or pushes are given up long before.
 */
const SETTLED_AFTER_MS = 120_000;
/** Counted in one transaction, when there is a past to count. */
const AT_ONCE_MS = 86_400_000;
const FINE_DAYS = 8;
const COARSE_DAYS = 400;

/**
 * Counts what a kept fact lacks, at most a day of it, in the caller's transaction. Answers whether there is more. Whoever
 * counts the same at the same time waits, and finds it counted.
 */
export async function countOn(client: PoolClient, name: FactName): Promise<boolean> {
  const { sql, oldest, hasBins = false }: Fact = FACTS[name];
  await client.query(`SET LOCAL statement_timeout = '10min'`);
  const known = await client.query('SELECT FROM kpi_progress WHERE fact = $1', [name]);
  if (known.rowCount === 0) await client.query(BEGIN_COUNTING(oldest!), [name, COARSE_DAYS]);
  const { rows } = await client.query<{ until: Date; now: Date }>(LOCK_PROGRESS, [name]);
  const { until: from, now } = rows[0]!;
  const settled = floorTo(now.getTime() - SETTLED_AFTER_MS, FINE_SECONDS);
  const until = new Date(Math.min(settled, floorTo(from.getTime() + AT_ONCE_MS, COARSE_SECONDS)));
  if (until <= from) return false;
  await client.query(KEEP(name, sql, hasBins), [from, until, FINE_SECONDS]);
  const hours = [from, until].map((time) => new Date(floorTo(time.getTime(), COARSE_SECONDS)));
  await client.query(ROLL_UP, [name, ...hours]);
  await client.query('UPDATE kpi_progress SET counted_until = $2 WHERE fact = $1', [name, until]);
  return until.getTime() < settled;
}

/** Keeps what there is now, of each of these channels and together; of a span and of an hour the highest stays. */
export async function sampleLevel(
  client: PoolClient,
  name: FactName,
  channels: readonly string[],
): Promise<void> {
  const level = await readLevel(client, name);
  const told = new Map([...channels.map((channel): [string, number] => [channel, 0]), ...level]);
  told.set(
    ALL_CHANNELS,
    [...level.values()].reduce((sum, each) => sum + each, 0),
  );
  await client.query(KEEP_LEVEL, [name, [...told.keys()], [...told.values()]]);
}

export async function forgetOldSpans(client: Pick<PoolClient, 'query'>): Promise<void> {
  await client.query(FORGET, [FINE_DAYS, COARSE_DAYS]);
}

/** From the hour in which the first happened, or from now on. */
const BEGIN_COUNTING = (oldest: string) => `
  INSERT INTO kpi_progress (fact, counted_until)
  SELECT $1, date_bin('1 hour', greatest(coalesce(o.oldest, clock_timestamp()), clock_timestamp() - make_interval(days => $2)), '2000-01-01T00:00:00Z')
    FROM (${oldest}) o
  ON CONFLICT (fact) DO NOTHING`;

const LOCK_PROGRESS = `
  SELECT counted_until AS until, clock_timestamp() AS now FROM kpi_progress WHERE fact = $1 FOR UPDATE`;

const COLUMNS = '(fact, step_seconds, bucket, channel, numerator, denominator, bins, bin_counts)';

/** Written again it is the same. */
const REPLACE = `
  ON CONFLICT (fact, step_seconds, bucket, channel) DO UPDATE
    SET numerator = excluded.numerator, denominator = excluded.denominator, bins = excluded.bins, bin_counts = excluded.bin_counts`;

const KEEP = (name: FactName, sql: string, hasBins: boolean) => `
  INSERT INTO kpi_buckets ${COLUMNS}
  SELECT '${name}', ${FINE_SECONDS}, bucket, channel, numerator, denominator, ${hasBins ? 'bins, bin_counts' : 'NULL, NULL'} FROM (${sql}) f ${REPLACE}`;

const ROLL_UP = `
  WITH fine AS MATERIALIZED (
    SELECT date_bin('1 hour', bucket, '2000-01-01T00:00:00Z') AS hour, channel, numerator, denominator, bins, bin_counts
      FROM kpi_buckets WHERE fact = $1 AND step_seconds = ${FINE_SECONDS} AND bucket >= $2::timestamptz AND bucket < $3::timestamptz
  ), merged AS (
    SELECT hour, channel, array_agg(bin) AS bins, array_agg(n) AS bin_counts FROM (
        SELECT hour, channel, e.bin, sum(e.n) AS n FROM fine, unnest(fine.bins, fine.bin_counts) AS e (bin, n) GROUP BY 1, 2, 3) b
     GROUP BY 1, 2)
  INSERT INTO kpi_buckets ${COLUMNS}
  SELECT $1, ${COARSE_SECONDS}, hour, channel, s.numerator, s.denominator, merged.bins, merged.bin_counts
    FROM (SELECT hour, channel, sum(numerator) AS numerator, sum(denominator) AS denominator FROM fine GROUP BY 1, 2) s
    LEFT JOIN merged USING (hour, channel) ${REPLACE}`;

const KEEP_LEVEL = `
  INSERT INTO kpi_buckets AS k (fact, step_seconds, bucket, channel, numerator, denominator)
  SELECT $1, step, date_bin(make_interval(secs => step), clock_timestamp(), '2000-01-01T00:00:00Z'), channel, units, 1
    FROM unnest($2::text[], $3::float8[]) AS l (channel, units), unnest(ARRAY[${FINE_SECONDS}, ${COARSE_SECONDS}]) AS step
  ON CONFLICT (fact, step_seconds, bucket, channel) DO UPDATE SET numerator = greatest(k.numerator, excluded.numerator)`;

const FORGET = `
  DELETE FROM kpi_buckets
   WHERE (step_seconds = ${FINE_SECONDS} AND bucket < clock_timestamp() - make_interval(days => $1))
      OR bucket < clock_timestamp() - make_interval(days => $2)`;
