import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { inTransaction, JOIN_ONCE, poolOf } from '../database/pool';
import { placeInTime } from '../database/sql-time';
import type { PlaceInTime } from '../http/page';
import type { CountState } from './count-lines';

export interface CountRow {
  id: string;
  source: string;
  kind: 'full' | 'partial';
  takenAt: Date;
  reason: string;
  state: 'open' | 'waiting' | 'done';
  receivedAt: Date;
  receivedBy: string;
  finishedAt: Date | null;
  /** The share of known lines that were right, and the share of units that were not. */
  accuracy: number | null;
  drift: number | null;
}

export interface CountLineRow {
  line: number;
  sku: string;
  location: string;
  skuId: number | null;
  locationId: number | null;
  state: CountState;
  counted: number;
  ledger: number | null;
  difference: number | null;
  status: string;
  note: string | null;
  before: number | null;
  after: number | null;
  decidedBy: string | null;
}

/** What a count came to. */
export interface CountSummary extends CountRow {
  lines: number;
  byStatus: Record<string, number>;
  countedUnits: number;
  ledgerUnits: number;
  /** Units by which lines differ, signs aside, and units that were posted, with their signs. */
  differingUnits: number;
  adjustedUnits: number;
}

/** With where it stands in the list. */
export interface ListedCount extends CountSummary {
  place: string;
}

export type NewLine = Pick<
  CountLineRow,
  'line' | 'sku' | 'location' | 'skuId' | 'locationId' | 'state' | 'counted'
>;
export type LineUpdate = Pick<CountLineRow, 'line'> &
  Partial<Pick<CountLineRow, 'ledger' | 'difference' | 'status' | 'note' | 'before' | 'after'>>;

export interface LevelKey {
  skuId: number;
  locationId: number;
}

const LINES_AT_ONCE = 5_000;

/** The rows of `counts` and `count_lines`. */
export class CountRecords {
  private readonly pool: Pool;

  constructor(private readonly dataSource: DataSource) {
    this.pool = poolOf(dataSource);
  }

  /** Answers the id of the count with this content, and whether it is new. */
  async create(
    count: Pick<CountRow, 'id' | 'source' | 'kind' | 'takenAt' | 'reason' | 'receivedBy'> & { hash: Buffer },
    lines: readonly NewLine[],
  ): Promise<{ id: string; created: boolean }> {
    const { id, source, hash, kind, takenAt, reason, receivedBy } = count;
    const created = await inTransaction(this.dataSource, async (client) => {
      const made = await client.query(CREATE, [id, source, hash, kind, takenAt, reason, receivedBy]);
      for (let at = 0; made.rowCount && at < lines.length; at += LINES_AT_ONCE)
        await client.query(ADD_LINES, [id, JSON.stringify(lines.slice(at, at + LINES_AT_ONCE))]);
      return made.rowCount === 1;
    });
    if (created) return { id, created };
    const known = await this.pool.query<{ id: string }>(
      'SELECT id FROM counts WHERE source = $1 AND content_hash = $2',
      [source, hash],
    );
    return { id: known.rows[0]!.id, created: false };
  }

  async find(id: string): Promise<CountRow | undefined> {
    return (await this.pool.query<CountRow>(`${READ} WHERE id = $1`, [id])).rows[0];
  }

  async summary(id: string): Promise<CountSummary | undefined> {
    return (await this.pool.query<CountSummary>(SUMMARY, [id])).rows[0];
  }

  /** Newest first, of those received before the place given. */
  async summaries(limit: number, { at, id }: PlaceInTime): Promise<ListedCount[]> {
    return (await this.pool.query<ListedCount>(SUMMARIES, [limit, at, id])).rows;
  }

  async lines(id: string, status: string | null, afterLine: number, limit: number): Promise<CountLineRow[]> {
    return (await this.pool.query<CountLineRow>(LINES, [id, status, afterLine, limit])).rows;
  }

  async update(id: string, lines: readonly LineUpdate[]): Promise<void> {
    if (lines.length > 0) await this.pool.query(UPDATE_LINES, [id, JSON.stringify(lines)]);
  }

  /** Levels at a location of the count that no line speaks of, by SKU and location, after the one given. */
  async uncounted(id: string, after: LevelKey, limit: number): Promise<LevelKey[]> {
    return inTransaction(this.dataSource, async (client) => {
      await client.query(JOIN_ONCE);
      return (await client.query<LevelKey>(UNCOUNTED, [id, after.skuId, after.locationId, limit])).rows;
    });
  }

  async addLines(id: string, lines: readonly Omit<NewLine, 'line'>[]): Promise<void> {
    if (lines.length > 0) await this.pool.query(APPEND_LINES, [id, JSON.stringify(lines)]);
  }

  async finish(id: string): Promise<void> {
    await this.pool.query(FINISH, [id]);
  }

  /** Lines that wait, all or these; answers how many were decided. */
  async decide(
    id: string,
    lines: readonly number[] | null,
    status: 'new' | 'rejected',
    by: string,
  ): Promise<number> {
    const { rowCount } = await this.pool.query(DECIDE, [id, lines, status, by]);
    return rowCount ?? 0;
  }
}

const CREATE = `
  INSERT INTO counts (id, source, content_hash, kind, taken_at, reason, received_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (source, content_hash) DO NOTHING`;

const LINE_COLUMNS = `(line int, sku text, location text, "skuId" int, "locationId" int, state text, counted bigint)`;

const ADD_LINES = `
  INSERT INTO count_lines (count_id, line, sku, location, sku_id, location_id, counted_state, counted_units, status, note)
  SELECT $1, l.line, l.sku, l.location, l."skuId", l."locationId", l.state, l.counted,
         CASE WHEN l."skuId" IS NULL OR l."locationId" IS NULL THEN 'unknown' ELSE 'new' END,
         CASE WHEN l."skuId" IS NULL THEN 'no such SKU' WHEN l."locationId" IS NULL THEN 'no such location' END
    FROM jsonb_to_recordset($2::jsonb) AS l ${LINE_COLUMNS}`;

const APPEND_LINES = `
  INSERT INTO count_lines (count_id, line, sku, location, sku_id, location_id, counted_state, counted_units, note)
  SELECT $1, coalesce((SELECT max(line) FROM count_lines WHERE count_id = $1), 0) + row_number() OVER (), l.sku, l.location,
         l."skuId", l."locationId", l.state, l.counted, 'not in the snapshot'
    FROM jsonb_to_recordset($2::jsonb) AS l ${LINE_COLUMNS}`;

const COLUMNS = `
         id, source, kind, taken_at AS "takenAt", reason, state, received_at AS "receivedAt", received_by AS "receivedBy",
         finished_at AS "finishedAt", accuracy, drift`;

const READ = `SELECT ${COLUMNS} FROM counts`;

const summariesOf = (counts: string) => `
  SELECT c.*, coalesce(l.lines, 0) AS lines, coalesce(l."byStatus", '{}') AS "byStatus", coalesce(l.counted, 0)::bigint AS "countedUnits",
         coalesce(l.ledger, 0)::bigint AS "ledgerUnits", coalesce(l.differing, 0)::bigint AS "differingUnits",
         coalesce(l.adjusted, 0)::bigint AS "adjustedUnits"
    FROM (${counts}) c
    LEFT JOIN LATERAL (
      SELECT sum(n)::bigint AS lines, jsonb_object_agg(status, n) AS "byStatus", sum(counted) AS counted, sum(ledger) AS ledger,
             sum(differing) AS differing, sum(adjusted) AS adjusted
        FROM (SELECT status, count(*) AS n, sum(counted_units) AS counted, sum(ledger_units) AS ledger,
                     coalesce(sum(abs(difference)), 0) AS differing, sum(difference) FILTER (WHERE status = 'adjusted') AS adjusted
                FROM count_lines WHERE count_id = c.id GROUP BY status) s) l ON true`;

const SUMMARY = summariesOf(`${READ} WHERE id = $1`);

const SUMMARIES = `
  ${summariesOf(`
      SELECT ${COLUMNS}, ${placeInTime('received_at', 'id')} AS place FROM counts
       WHERE (received_at, id) < ($2::timestamptz, $3::uuid) ORDER BY received_at DESC, id DESC LIMIT $1`)}
   ORDER BY c."receivedAt" DESC, c.id DESC`;

const LINES = `
  SELECT line, sku, location, sku_id AS "skuId", location_id AS "locationId", counted_state AS state, counted_units AS counted,
         ledger_units AS ledger, difference, status, note, units_before AS before, units_after AS after, decided_by AS "decidedBy"
    FROM count_lines WHERE count_id = $1 AND ($2::text IS NULL OR status = $2) AND line > $3 ORDER BY line LIMIT $4`;

const UPDATE_LINES = `
  UPDATE count_lines c SET ledger_units = coalesce(u.ledger, c.ledger_units), difference = coalesce(u.difference, c.difference),
         status = coalesce(u.status, c.status), note = coalesce(u.note, c.note), units_before = coalesce(u.before, c.units_before),
         units_after = coalesce(u.after, c.units_after)
    FROM jsonb_to_recordset($2::jsonb)
         AS u (line int, ledger bigint, difference bigint, status text, note text, before bigint, after bigint)
   WHERE c.count_id = $1 AND c.line = u.line`;

// Of a count that was just received the planner knows nothing: left to itself, it looks through all lines for each level. The
// locations are a list, as a level elsewhere has no line to be joined with.
const UNCOUNTED = `
  SELECT l.sku_id AS "skuId", l.location_id AS "locationId" FROM levels l
   WHERE (l.sku_id, l.location_id) > ($2, $3)
     AND l.location_id = ANY(ARRAY(SELECT DISTINCT location_id FROM count_lines WHERE count_id = $1))
     AND NOT EXISTS (SELECT FROM count_lines c WHERE c.count_id = $1 AND c.sku_id = l.sku_id AND c.location_id = l.location_id)
   ORDER BY l.sku_id, l.location_id LIMIT $4`;

const FINISH = `
  UPDATE counts SET finished_at = clock_timestamp(), state = CASE WHEN l.waiting THEN 'waiting' ELSE 'done' END,
         accuracy = l.accuracy, drift = l.drift
    FROM (SELECT coalesce(bool_or(status = 'waiting'), false) AS waiting,
                 count(*) FILTER (WHERE status IN ('equal', 'tolerated'))::float8
                   / nullif(count(*) FILTER (WHERE status <> 'unknown'), 0) AS accuracy,
                 (sum(abs(difference)) / nullif(sum(ledger_units), 0))::float8 AS drift
            FROM count_lines WHERE count_id = $1) l
   WHERE id = $1`;

const DECIDE = `
  UPDATE count_lines SET status = $3, decided_by = $4, decided_at = clock_timestamp()
   WHERE count_id = $1 AND status = 'waiting' AND ($2::int[] IS NULL OR line = ANY($2::int[]))`;
