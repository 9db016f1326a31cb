import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Pool } from 'pg';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config/load-config';
import { withPostgres } from './bench-database';
import {
  type Curve,
  type CurveKind,
  curvesOf,
  type GrowthGround,
  type GrowthStep,
  Rounds,
} from './growth-curve';
import { HistoryBench } from './history-bench';
import { benchReservations, makeFloorTables, restock } from './ledger-bench';

const KINDS: readonly CurveKind[] = [
  {
    name: 'events-as-of',
    title: 'Stock of a SKU as of any moment: p50',
    unit: 'ms',
    floor: 'its level as it is now, read by its key',
  },
  {
    name: 'events-as-of-p99',
    title: 'Stock of a SKU as of any moment: p99',
    unit: 'ms',
    floor: 'its level as it is now, read by its key',
  },
  {
    name: 'events-rebuild',
    title: 'Levels made anew from all events',
    unit: 'events per second',
    floor: 'the same events read in order and dropped',
  },
  {
    name: 'events-reservations',
    title: 'Reservations in process, 64 in flight over 10,000 SKUs',
    unit: 'per second',
    floor: 'one statement that lowers a level and inserts a row',
  },
  {
    name: 'events-disk',
    title: 'Disk for an event of the ledger, with its indexes',
    unit: 'bytes',
    floor: 'what is in its row',
  },
  {
    name: 'reservations-disk',
    title: 'Disk for a reservation of one line, with its event and key',
    unit: 'bytes',
    floor: 'one bare row of what happened',
  },
];

/** A database of its own for each number of events, over 10,000 SKUs. */
export async function growEvents(ground: GrowthGround, sizes: readonly number[]): Promise<Curve[]> {
  const steps: GrowthStep[] = [];
  for (const size of sizes) {
    const folder = join(ground.folder, `events-${size}`);
    const rounds = await withPostgres(folder, ground.say, (url) => measureSize(ground, url, size));
    ground.say(`growth: ${size} events are measured`);
    steps.push({ at: size, rounds });
  }
  return curvesOf('events', KINDS, steps);
}

async function measureSize(ground: GrowthGround, url: string, events: number): Promise<GrowthStep['rounds']> {
  // A web host: what recurs on the others would read the ledger meanwhile.
  const env = { ...ground.env, DATABASE_URL: url, ONHAND_ROLE: 'web' };
  const config = loadConfig({ env, cwd: ground.folder });
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
  const database = new Pool({ connectionString: url, max: 1 });
  const rounds = new Rounds();
  try {
    const history = await HistoryBench.prepare(app, events);
    ground.say(`growth: ${events} events are there`);
    await database.query('CHECKPOINT');
    rounds.add('events-disk', ...(await eventBytes(database, history.events)));
    for (let each = 0; each < ground.rounds; each++) {
      const { rebuild, rebuildFloor } = await history.rebuilds();
      rounds.add('events-rebuild', rebuild.perSecond, rebuildFloor.perSecond);
    }
    for (let each = 0; each < ground.rounds; each++) {
      const { asOf, asOfFloor } = await history.reads(ground.durationMs / 2);
      rounds.add('events-as-of', asOf.p50Ms, asOfFloor.p50Ms);
      rounds.add('events-as-of-p99', asOf.p99Ms, asOfFloor.p99Ms);
    }
    await reserve(app, database, history.skuIds, ground, rounds);
  } finally {
    await database.end();
    await app.close();
  }
  return rounds.pairs;
}

async function reserve(
  app: INestApplicationContext,
  database: Pool,
  skuIds: readonly number[],
  ground: GrowthGround,
  rounds: Rounds,
): Promise<void> {
  await restock(app, skuIds);
  await makeFloorTables(app);
  await database.query('VACUUM ANALYZE levels, floor_levels');
  const anySku = () => skuIds[Math.floor(Math.random() * skuIds.length)]!;
  for (let each = 0; each < ground.rounds; each++) {
    const before = await reservationBytes(database);
    const { ours, floor } = await benchReservations(app, anySku, ground.durationMs);
    const after = await reservationBytes(database);
    rounds.add('events-reservations', ours.perSecond, floor.perSecond);
    const grown = (key: keyof typeof after) => after[key] - before[key];
    rounds.add('reservations-disk', grown('oursBytes') / grown('ours'), grown('floorBytes') / grown('floor'));
  }
}

/** What an event takes, and what of it is the row alone. */
async function eventBytes(database: Pool, events: number): Promise<[number, number]> {
  const { rows } = await database.query<{ all: string; row: string }>(
    `SELECT pg_total_relation_size('ledger') AS all,
            (SELECT avg(pg_column_size(e.*)) FROM (SELECT * FROM ledger LIMIT 100000) e) AS row`,
  );
  return [Number(rows[0]!.all) / events, Number(rows[0]!.row)];
}

async function reservationBytes(database: Pool) {
  const { rows } = await database.query<Record<'ours' | 'floor' | 'oursBytes' | 'floorBytes', string>>(
    `SELECT (SELECT count(*) FROM reservations) AS ours, (SELECT count(*) FROM floor_ledger) AS floor,
            pg_total_relation_size('ledger') + pg_total_relation_size('idempotency_keys')
            + pg_total_relation_size('reservations') + pg_total_relation_size('reservation_lines') AS "oursBytes",
            pg_total_relation_size('floor_ledger') AS "floorBytes"`,
  );
  const { ours, floor, oursBytes, floorBytes } = rows[0]!;
  return {
    ours: Number(ours),
    floor: Number(floor),
    oursBytes: Number(oursBytes),
    floorBytes: Number(floorBytes),
  };
}
