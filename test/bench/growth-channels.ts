import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { withPostgres } from './bench-database';
import {
  type Curve,
  type CurveKind,
  curvesOf,
  type GrowthGround,
  type GrowthStep,
  Rounds,
} from './growth-curve';
import type { Measured } from './measure';
import { PushBench } from './push-bench';

const SKUS = 1_000;
/** Half of them have one line and half two; each line is news for every channel. */
const ORDERS_PER_SECOND = 50;

const FLOOR = 'a bare row, NOTIFY and one request, however many channels there are';

const KINDS: readonly CurveKind[] = [
  {
    name: 'channels-sync',
    title: `Commit to request received at ${ORDERS_PER_SECOND} orders/s, all channels: p50`,
    unit: 'ms',
    floor: FLOOR,
  },
  {
    name: 'channels-sync-p99',
    title: `Commit to request received at ${ORDERS_PER_SECOND} orders/s, all channels: p99`,
    unit: 'ms',
    floor: FLOOR,
  },
  {
    name: 'channels-cores',
    title: 'Cores busy meanwhile, by all that runs on the machine',
    unit: '% of all cores',
    floor: FLOOR,
  },
  {
    name: 'channels-disk',
    title: 'Disk for an order with all that is kept of it and its pushes',
    unit: 'bytes',
    floor: 'one bare row for an order',
  },
];

/** A host of its own for each number of channels, with every SKU listed on all of them. */
export async function growChannels(ground: GrowthGround, sizes: readonly number[]): Promise<Curve[]> {
  const steps: GrowthStep[] = [];
  for (const size of sizes) {
    const folder = join(ground.folder, `channels-${size}`);
    mkdirSync(folder, { mode: 0o711 });
    const rounds = await withPostgres(join(folder, 'postgres'), ground.say, (url) =>
      measureSize(ground, folder, url, size),
    );
    ground.say(`growth: ${size} channels are measured`);
    steps.push({ at: size, rounds });
  }
  return curvesOf('channels', KINDS, steps);
}

async function measureSize(
  ground: GrowthGround,
  folder: string,
  url: string,
  size: number,
): Promise<GrowthStep['rounds']> {
  const channels = Array.from({ length: size }, (_, index) => `shop-${index + 1}`);
  const setting = { channels, skus: SKUS, ordersPerSecond: ORDERS_PER_SECOND };
  const bench = await PushBench.start(folder, url, ground.env, setting);
  const database = new Pool({ connectionString: url, max: 1 });
  const rounds = new Rounds();
  try {
    // Orders come slowly here, and there have to be some hundreds.
    const seconds = { ours: (3 * ground.durationMs) / 1000, floor: (1.5 * ground.durationMs) / 1000 };
    for (let each = 0; each < ground.rounds; each++) {
      const ours = await withCosts(database, () => bench.sync(seconds.ours));
      const floor = await withCosts(database, () => bench.floor(seconds.floor));
      rounds.add('channels-sync', ours.measured.p50Ms, floor.measured.p50Ms);
      rounds.add('channels-sync-p99', ours.measured.p99Ms, floor.measured.p99Ms);
      rounds.add('channels-cores', ours.busyPercent, floor.busyPercent);
      const perOrder = (bytes: number, ofSeconds: number) => bytes / (ofSeconds * ORDERS_PER_SECOND);
      rounds.add('channels-disk', perOrder(ours.bytes, seconds.ours), perOrder(floor.bytes, seconds.floor));
    }
  } finally {
    await database.end();
    await bench.stop();
  }
  return rounds.pairs;
}

interface Costs {
  measured: Measured;
  /** Of all cores, whoever kept them busy. */
  busyPercent: number;
  /** That the database grew by. */
  bytes: number;
}

async function withCosts(database: Pool, work: () => Promise<Measured>): Promise<Costs> {
  const [bytesBefore, before] = [await databaseBytes(database), coreTimes()];
  const measured = await work();
  const after = coreTimes();
  const busyPercent = (100 * (after.busyMs - before.busyMs)) / (after.allMs - before.allMs);
  return { measured, busyPercent, bytes: (await databaseBytes(database)) - bytesBefore };
}

async function databaseBytes(database: Pool): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>(
    'SELECT pg_database_size(current_database()) AS bytes',
  );
  return Number(rows[0]!.bytes);
}

function coreTimes(): { busyMs: number; allMs: number } {
  const times = cpus().map((core) => core.times);
  const allMs = times.reduce(
    (sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq,
    0,
  );
  return { busyMs: allMs - times.reduce((sum, { idle }) => sum + idle, 0), allMs };
}
