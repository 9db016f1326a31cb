import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { AvailabilityService, REBUILT } from './availability.service';
import type { FoldedLevel } from './ledger-scan';
import { COUNTED_STATES, EMPTY_LEVEL, evolveBySum, type Level, type SummedMoves } from './level';
import { numberArray } from './sql-array';

const PAGE_LEVELS = 5_000;

export interface Rebuilt {
  /** Folded, those that came meanwhile included. */
  events: number;
  levels: number;
  /** Levels that were not what their events make: put right, made, and taken away. */
  corrected: number;
  added: number;
  removed: number;
  /** How long writers had to wait. */
  lockedMs: number;
}

interface MoveRow extends SummedMoves {
  sku_id: number;
  location_id: number;
  /** The level that the moves follow; null where they are its first. */
  before: Level | null;
}

/** Makes the levels anew from the ledger alone. */
@Injectable()
export class RebuildService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly availability: AvailabilityService,
  ) {}

  /**
   * Folds the ledger beside the live levels, then what came meanwhile; then, with writers held off for a moment,
   * makes the live rows those. Readers see the old levels or the new ones, and nothing between. The database adds
   * up like moves, so that it takes seconds where each event by itself would take minutes; `verify` looks at each.
   */
  async rebuild(signal?: AbortSignal): Promise<Rebuilt> {
    const client = await poolOf(this.dataSource).connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const cancel = () => void this.dataSource.query('SELECT pg_cancel_backend($1)', [rows[0]!.pid]);
    signal?.addEventListener('abort', cancel);
    let isSound = false;
    try {
      const rebuilt = await rebuildBeside(client);
      isSound = true;
      return rebuilt;
    } finally {
      signal?.removeEventListener('abort', cancel);
      // The session takes its table and any transaction with it.
      await client.query('DROP TABLE IF EXISTS levels_rebuilt').catch(() => (isSound = false));
      client.release(!isSound);
      await this.availability.reset();
    }
  }
}

async function rebuildBeside(client: PoolClient): Promise<Rebuilt> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query(`SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'`);
  await client.query(MAKE_TABLE);
  let events = await fold(client, ALL_MOVES);
  await client.query('COMMIT');
  await client.query('ANALYZE levels_rebuilt');
  // The long part of what came meanwhile, so that what is left for the lock is short.
  await client.query('BEGIN');
  events += await foldNewer(client);
  await client.query('COMMIT');
  await client.query('BEGIN');
  await client.query('LOCK TABLE levels IN EXCLUSIVE MODE');
  const locked = performance.now();
  events += await foldNewer(client);
  const swapped = await client.query<Omit<Rebuilt, 'events' | 'lockedMs'>>(SWAP);
  await client.query(`NOTIFY onhand_levels, '${REBUILT}'`);
  await client.query('COMMIT');
  const lockedMs = Math.round(performance.now() - locked);
  return { events, ...swapped.rows[0]!, lockedMs };
}

/** What came since, by one look-up for each level: the planner would rather read the whole ledger once more. */
async function foldNewer(client: PoolClient): Promise<number> {
  await client.query('SET LOCAL statement_timeout = 0');
  await client.query(PLANS.map((plan) => `SET LOCAL ${plan} = off`).join('; '));
  const events = await fold(client, NEWER_MOVES);
  await client.query(PLANS.map((plan) => `SET LOCAL ${plan} = on`).join('; '));
  return events;
}

/** Folds moves, level after level, onto what is kept of each already. Answers how many events they were. */
async function fold(client: PoolClient, moves: string): Promise<number> {
  await client.query(`DECLARE moves NO SCROLL CURSOR FOR ${moves}`);
  const page: FoldedLevel[] = [];
  let current: FoldedLevel | undefined;
  let events = 0;
  for (;;) {
    const { rows } = await client.query<MoveRow>(`FETCH ${PAGE_LEVELS} FROM moves`);
    for (const { sku_id: skuId, location_id: locationId, before, ...summed } of rows) {
      if (current?.skuId !== skuId || current.locationId !== locationId)
        page.push((current = { skuId, locationId, level: before ?? EMPTY_LEVEL }));
      current.level = evolveBySum(current.level, summed);
      events += summed.events;
    }
    const isLast = rows.length < PAGE_LEVELS;
    // The last level may go on in the next page.
    await keepFolded(client, page.splice(0, page.length - (isLast ? 0 : 1)));
    if (isLast) break;
  }
  await client.query('CLOSE moves');
  return events;
}

async function keepFolded(client: PoolClient, page: readonly FoldedLevel[]): Promise<void> {
  if (page.length === 0) return;
  await client.query(KEEP_FOLDED, [
    numberArray(page.map((each) => each.skuId)),
    numberArray(page.map((each) => each.locationId)),
    ...COUNTED_STATES.map((state) => numberArray(page.map((each) => each.level[state]))),
    numberArray(page.map((each) => each.level.version)),
  ]);
}

const COLUMNS =
  'sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at';
const STATE = 'available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at';

const MAKE_TABLE = `CREATE TEMP TABLE levels_rebuilt (LIKE levels, PRIMARY KEY (sku_id, location_id))`;

const KEEP_FOLDED = `
  INSERT INTO levels_rebuilt (${COLUMNS})
  SELECT l.*, (SELECT recorded_at FROM ledger e WHERE (e.sku_id, e.location_id, e.version) = (l.sku, l.loc, l.version))
    FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
      AS l (sku, loc, av, re, qu, da, tr, oo, version)
  ON CONFLICT (sku_id, location_id) DO UPDATE SET (${STATE}) = (
    excluded.available, excluded.reserved, excluded.quarantined, excluded.damaged, excluded.in_transit, excluded.on_order,
    excluded.version, excluded.updated_at)`;

const PLANS = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_bitmapscan'];

const SUMMED = `e.from_state, e.to_state, min(e.type) AS type, sum(e.quantity)::bigint AS quantity, count(*) AS events`;

const ALL_MOVES = `
  SELECT e.sku_id, e.location_id, NULL::json AS before, ${SUMMED} FROM ledger e
   GROUP BY e.sku_id, e.location_id, e.from_state, e.to_state ORDER BY e.sku_id, e.location_id`;

/** Of levels that are kept, and of those that have come since; both by the ledger's own index. */
const NEWER_MOVES = `
  SELECT l.sku_id, l.location_id, l.before::json AS before, ${SUMMED} FROM (
      SELECT sku_id, location_id, version, row_to_json(r)::text AS before FROM levels_rebuilt r
      UNION ALL
      SELECT sku_id, location_id, 0, NULL FROM levels n
       WHERE NOT EXISTS (SELECT FROM levels_rebuilt r WHERE (r.sku_id, r.location_id) = (n.sku_id, n.location_id))) l
    JOIN LATERAL (SELECT * FROM ledger e WHERE e.sku_id = l.sku_id AND e.location_id = l.location_id AND e.version > l.version) e ON true
   GROUP BY l.sku_id, l.location_id, l.before, e.from_state, e.to_state ORDER BY l.sku_id, l.location_id`;

const SWAP = `
  WITH corrected AS (
    UPDATE levels l SET (${STATE}) = (
        r.available, r.reserved, r.quarantined, r.damaged, r.in_transit, r.on_order, r.version, r.updated_at)
      FROM levels_rebuilt r
     WHERE (l.sku_id, l.location_id) = (r.sku_id, r.location_id)
       AND (l.available, l.reserved, l.quarantined, l.damaged, l.in_transit, l.on_order, l.version)
           IS DISTINCT FROM (r.available, r.reserved, r.quarantined, r.damaged, r.in_transit, r.on_order, r.version)
    RETURNING 1
  ), removed AS (
    DELETE FROM levels l WHERE NOT EXISTS (
      SELECT FROM levels_rebuilt r WHERE (l.sku_id, l.location_id) = (r.sku_id, r.location_id))
    RETURNING 1
  ), added AS (
    INSERT INTO levels (${COLUMNS}) SELECT ${COLUMNS} FROM levels_rebuilt r WHERE NOT EXISTS (
      SELECT FROM levels l WHERE (l.sku_id, l.location_id) = (r.sku_id, r.location_id))
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM levels_rebuilt) AS levels, (SELECT count(*) FROM corrected) AS corrected,
         (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM removed) AS removed`;
