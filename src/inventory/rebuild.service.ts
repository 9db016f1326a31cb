import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { AvailabilityService, REBUILT } from './availability.service';
import { type FoldedLevel, foldLedger, foldNewer, type LedgerWatch } from './ledger-scan';
import { COUNTED_STATES } from './level';
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

/** Makes the levels anew from the ledger alone. */
@Injectable()
export class RebuildService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly availability: AvailabilityService,
  ) {}

  /**
   * Folds the ledger beside the live levels, then what came meanwhile; then, with writers held off for a moment,
   * makes the live rows those. Readers see the old levels or the new ones, and nothing between.
   */
  async rebuild(watch: LedgerWatch = {}): Promise<Rebuilt> {
    const client = await poolOf(this.dataSource).connect();
    let isSound = false;
    try {
      const rebuilt = await rebuildBeside(client, watch);
      isSound = true;
      return rebuilt;
    } finally {
      // The session takes its table and any transaction with it.
      await client.query('DROP TABLE IF EXISTS levels_rebuilt').catch(() => (isSound = false));
      client.release(!isSound);
      await this.availability.reset();
    }
  }
}

async function rebuildBeside(client: PoolClient, watch: LedgerWatch): Promise<Rebuilt> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SET LOCAL statement_timeout = 0');
  await client.query(MAKE_TABLE);
  const page: FoldedLevel[] = [];
  let { events } = await foldLedger(
    client,
    async (level) => {
      page.push(level);
      if (page.length === PAGE_LEVELS) await keepFolded(client, page.splice(0));
    },
    watch,
  );
  await keepFolded(client, page);
  await client.query('COMMIT');
  await client.query('ANALYZE levels_rebuilt');
  // The long part of what came meanwhile, so that what is left for the lock is short.
  events += await catchUp(client);
  await client.query('BEGIN');
  await client.query('SET LOCAL statement_timeout = 0');
  await client.query('LOCK TABLE levels IN EXCLUSIVE MODE');
  const locked = performance.now();
  events += await catchUp(client);
  const swapped = await client.query<Omit<Rebuilt, 'events' | 'lockedMs'>>(SWAP);
  await client.query(`NOTIFY onhand_levels, '${REBUILT}'`);
  await client.query('COMMIT');
  const lockedMs = Math.round(performance.now() - locked);
  return { events, ...swapped.rows[0]!, lockedMs };
}

async function catchUp(client: PoolClient): Promise<number> {
  const { events, levels } = await foldNewer(client, NEWER);
  for (let at = 0; at < levels.length; at += PAGE_LEVELS)
    await keepFolded(client, levels.slice(at, at + PAGE_LEVELS));
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

/** A level's events have no gaps, so that the next one is one look-up. A level not met before starts from nothing. */
const NEWER = `
  SELECT sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version FROM levels_rebuilt r
   WHERE EXISTS (SELECT FROM ledger e WHERE (e.sku_id, e.location_id, e.version) = (r.sku_id, r.location_id, r.version + 1))
  UNION ALL
  SELECT sku_id, location_id, 0, 0, 0, 0, 0, 0, 0 FROM levels l
   WHERE NOT EXISTS (SELECT FROM levels_rebuilt r WHERE (r.sku_id, r.location_id) = (l.sku_id, l.location_id))
     AND EXISTS (SELECT FROM ledger e WHERE (e.sku_id, e.location_id, e.version) = (l.sku_id, l.location_id, 1))`;

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
