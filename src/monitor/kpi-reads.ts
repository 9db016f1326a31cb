import type { Pool, PoolClient } from 'pg';
import { type Fact, type FactName, FACTS } from './kpi-facts';
import type { Tally } from './kpi-tally';

/** What is kept: spans of this length for a week, and hours for longer. */
export const FINE_SECONDS = 300;
export const COARSE_SECONDS = 3_600;

/** What was counted in one span, of one channel ('' where it belongs to none). */
export interface CountedSpan {
  channel: string;
  /** When the span began. */
  bucket: Date;
  tally: Tally;
}

interface Row {
  channel: string;
  bucket: Date;
  numerator: number;
  denominator: number;
  bins?: number[] | null;
  bin_counts?: number[] | null;
}

type Queries = Pick<Pool | PoolClient, 'query'>;

/** Counts, in the tables where it happened, all from `from` up to and not including `until`. */
export async function countFact(
  db: Queries,
  name: FactName,
  from: Date,
  until: Date,
  stepSeconds: number,
): Promise<CountedSpan[]> {
  if (from >= until) return [];
  const { rows } = await db.query<Row>((FACTS[name] as Fact).sql, [from, until, stepSeconds]);
  return rows.map(spanOf);
}

/** How much there is now, by channel. */
export async function readLevel(db: Queries, name: FactName): Promise<Map<string, number>> {
  const { rows } = await db.query<Row>((FACTS[name] as Fact).sql);
  return new Map(rows.map(({ channel, numerator }) => [channel, numerator]));
}

/** The kept spans of a fact that cover the time between the two, which both are ends of spans. */
export interface KeptRange {
  fact: FactName;
  from: Date;
  until: Date;
  /** Before this moment by whole hours, after it by fine spans. */
  coarseUntil: Date;
}

/** What is kept, in steps of so many seconds; sums, by channel. */
export async function readKept(
  db: Queries,
  { fact, from, until, coarseUntil }: KeptRange,
  stepSeconds: number,
): Promise<CountedSpan[]> {
  if (from >= until) return [];
  const { rows } = await db.query<Row>(READ_KEPT, [fact, from, coarseUntil, until, stepSeconds]);
  return rows.map(spanOf);
}

/** What a level was over all channels is kept beside what it was of each. */
export const ALL_CHANNELS = '*';

/** The highest that a level was in each step; of one channel, or of all together. */
export async function readKeptLevel(
  db: Queries,
  { fact, from, until, coarseUntil }: KeptRange,
  stepSeconds: number,
  channel: string | undefined,
): Promise<CountedSpan[]> {
  const values = [fact, from, coarseUntil, until, stepSeconds, channel ?? ALL_CHANNELS];
  const { rows } = await db.query<Row>(READ_KEPT_LEVEL, values);
  return rows.map(spanOf);
}

function spanOf({ channel, bucket, numerator, denominator, bins, bin_counts: counts }: Row): CountedSpan {
  const known = (bins ?? []).map((bin, index): [number, number] => [bin, counts![index]!]);
  return { channel, bucket, tally: { numerator, denominator, bins: new Map(known) } };
}

const STEP = `date_bin(make_interval(secs => $5), bucket, '2000-01-01T00:00:00Z')`;

const KEPT = `
  FROM kpi_buckets
 WHERE fact = $1 AND ((step_seconds = ${COARSE_SECONDS} AND bucket >= $2::timestamptz AND bucket < $3::timestamptz)
    OR (step_seconds = ${FINE_SECONDS} AND bucket >= greatest($2::timestamptz, $3::timestamptz) AND bucket < $4::timestamptz))`;

const READ_KEPT = `
  WITH k AS MATERIALIZED (SELECT channel, ${STEP} AS bucket, numerator, denominator, bins, bin_counts ${KEPT}),
  merged AS (
    SELECT channel, bucket, array_agg(bin) AS bins, array_agg(n) AS bin_counts FROM (
        SELECT channel, bucket, e.bin, sum(e.n) AS n FROM k, unnest(k.bins, k.bin_counts) AS e (bin, n) GROUP BY 1, 2, 3) b
     GROUP BY 1, 2)
  SELECT s.*, merged.bins, merged.bin_counts FROM (
      SELECT channel, bucket, sum(numerator) AS numerator, sum(denominator) AS denominator FROM k GROUP BY 1, 2) s
    LEFT JOIN merged USING (channel, bucket)`;

const READ_KEPT_LEVEL = `
  SELECT channel, ${STEP} AS bucket, max(numerator) AS numerator, 1::float8 AS denominator ${KEPT} AND channel = $6 GROUP BY 1, 2`;
