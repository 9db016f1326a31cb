import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Pool } from 'pg';
import { stringify } from 'yaml';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config/load-config';
import { VerifyService } from '../../src/inventory/verify.service';
import { withPostgres } from './bench-database';
import {
  type Curve,
  type CurveKind,
  curvesOf,
  type GrowthGround,
  type GrowthStep,
  Rounds,
} from './growth-curve';
import { ASKED, BATCH, CHANNEL, codeOf, PAGE, SkuHost } from './growth-sku-host';
import type { Started } from './growth-start';
import { ENOUGH_UNITS, makeFloorTables } from './ledger-bench';
import { heapMegabytes } from './measure';

const FILLED_AT_ONCE = 100_000;

const KINDS: readonly CurveKind[] = [
  {
    name: 'skus-reservations',
    title: 'Reservations in process, 64 in flight, every SKU on a listing',
    unit: 'per second',
    floor: 'one statement that lowers a level and inserts a row',
  },
  {
    name: 'skus-reservations-p99',
    title: 'Reservations in process, 64 in flight: p99',
    unit: 'ms',
    floor: 'one statement that lowers a level and inserts a row',
  },
  {
    name: 'skus-availability',
    title: `GET /v1/availability of ${ASKED} SKUs, without HTTP`,
    unit: 'ms',
    floor: 'their levels read by one statement; ours come from memory',
  },
  {
    name: 'skus-stock-page',
    title: `A page of GET /v1/stock, ${PAGE} SKUs, without HTTP`,
    unit: 'ms',
    floor: 'one join of SKUs and levels',
  },
  {
    name: 'skus-claim',
    title: `${BATCH} listings claimed and given back while all are dirty`,
    unit: 'ms',
    floor: `the oldest ${BATCH} of a bare list taken and given back`,
  },
  {
    name: 'skus-start',
    title: 'Start of a host on its database',
    unit: 'seconds',
    floor: 'SKUs, levels and listings read by plain statements',
  },
  {
    name: 'skus-memory',
    title: 'Heap that a host has after its start',
    unit: 'MB',
    floor: 'the rows of SKUs, levels and listings as they were read',
  },
];

/** One database that grows from size to size: each SKU with stock, and listed on one channel. */
export async function growSkus(ground: GrowthGround, sizes: readonly number[]): Promise<Curve[]> {
  const steps: GrowthStep[] = [];
  writeConfig(ground.folder);
  await withPostgres(join(ground.folder, 'skus'), ground.say, async (url) => {
    const database = new Pool({ connectionString: url, max: 1 });
    try {
      // The first start migrates.
      await (await startHost(ground, url)).close();
      for (const [index, size] of sizes.entries()) {
        await fill(database, sizes[index - 1] ?? 0, size);
        ground.say(`growth: ${size} SKUs are there`);
        steps.push({ at: size, rounds: await measureSize(ground, url, database, size) });
      }
    } finally {
      await database.end();
    }
  });
  return curvesOf('SKUs', KINDS, steps);
}

async function measureSize(
  ground: GrowthGround,
  url: string,
  database: Pool,
  size: number,
): Promise<GrowthStep['rounds']> {
  const rounds = new Rounds();
  for (let each = 0; each < ground.rounds; each++) await measureStart(ground, url, database, rounds);
  const app = await startHost(ground, url);
  try {
    await makeFloorTables(app);
    await database.query('VACUUM ANALYZE');
    await database.query('CHECKPOINT');
    const host = new SkuHost({ app, database, skus: size, durationMs: ground.durationMs, rounds });
    for (let each = 0; each < ground.rounds; each++) await host.reservations();
    for (let each = 0; each < ground.rounds; each++) await host.reads();
    await host.claims(ground.rounds);
    const { ok, violations } = await app.get(VerifyService).verify();
    if (!ok) throw new Error(`the measured ledger does not verify: ${violations[0]?.message}`);
  } finally {
    await app.close();
  }
  ground.say(`growth: ${size} SKUs are measured`);
  return rounds.pairs;
}

/** A web host: what it pushes would take from what is measured. */
function hostEnv({ folder, env }: GrowthGround, url: string): NodeJS.ProcessEnv {
  return { ...env, DATABASE_URL: url, ONHAND_CONFIG: join(folder, 'growth-skus.yaml') };
}

async function startHost(ground: GrowthGround, url: string): Promise<INestApplicationContext> {
  const config = loadConfig({ env: hostEnv(ground, url), cwd: ground.folder });
  return NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
}

function writeConfig(folder: string): void {
  const webhook = { secret: randomUUID(), signatureHeader: 'x-shop-signature', topicHeader: 'x-shop-topic' };
  const channel = {
    name: CHANNEL,
    plugin: '@onhand/generic-rest',
    mode: 'observe',
    pollOrdersEverySeconds: 0,
    options: { baseUrl: 'http://127.0.0.1:9', webhook },
  };
  const file = join(folder, 'growth-skus.yaml');
  writeFileSync(file, stringify({ role: 'web', outbound: { allow: ['127.0.0.1'] }, channels: [channel] }));
}

/** In a process of its own, as it is what memory is told of. */
async function measureStart(
  ground: GrowthGround,
  url: string,
  database: Pool,
  rounds: Rounds,
): Promise<void> {
  const env = { ...process.env, ...hostEnv(ground, url) };
  const child = fork(join(__dirname, 'growth-start.js'), {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const ours = await Promise.race([
    once(child, 'message').then(([told]) => told as Started),
    ended.then(([code]) => Promise.reject(new Error(`a host that was only to start ended with ${code}`))),
  ]);
  await ended;
  const before = heapMegabytes();
  const started = performance.now();
  const rows = await Promise.all(READ_ALL.map((text) => database.query(text)));
  const seconds = (performance.now() - started) / 1000;
  const megabytes = heapMegabytes() - before;
  if (rows.some(({ rowCount }) => rowCount === 0)) throw new Error('there is nothing to start with');
  rounds.add('skus-start', ours.seconds, seconds);
  rounds.add('skus-memory', ours.megabytes, megabytes);
}

/** Written straight into the tables, as the ledger's rules would have made it: one delivery of each SKU. */
async function fill(database: Pool, from: number, to: number): Promise<void> {
  for (let first = from + 1; first <= to; first += FILLED_AT_ONCE) {
    const last = Math.min(to, first + FILLED_AT_ONCE - 1);
    await database.query('BEGIN');
    // Nothing becomes dirty by it.
    await database.query('SET LOCAL session_replication_role = replica');
    for (const text of FILL) await database.query(text, [first, last]);
    await database.query('COMMIT');
  }
  const { rows } = await database.query<{ whole: boolean }>(
    'SELECT count(*) = $1 AND max(id) = $1 AS whole FROM skus',
    [to],
  );
  if (!rows[0]!.whole) throw new Error('the ids of the SKUs are not their numbers');
}

const FILL = [
  `INSERT INTO skus (code) SELECT '${codeOf('')}' || n FROM generate_series($1::int, $2::int) AS n`,
  `INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity, available, reserved, quarantined, damaged,
          in_transit, on_order, version, command_key, content_hash, actor, occurred_at, recorded_at)
   SELECT s.id, l.id, 'RESTOCK', 'outside', 'available', ${ENOUGH_UNITS}, ${ENOUGH_UNITS}, 0, 0, 0, 0, 0, 1, 'growth-' || s.id, '', 'bench', now(), now()
     FROM skus s, locations l WHERE s.id BETWEEN $1 AND $2`,
  `INSERT INTO levels (sku_id, location_id, available, version, updated_at)
   SELECT sku_id, location_id, available, version, recorded_at FROM ledger WHERE sku_id BETWEEN $1 AND $2 AND version = 1`,
  `INSERT INTO listings (channel, channel_sku, origin)
   SELECT '${CHANNEL}', code, 'api' FROM skus WHERE id BETWEEN $1 AND $2 ORDER BY id`,
  `INSERT INTO listing_components (listing_id, sku_id, units)
   SELECT l.id, s.id, 1 FROM skus s JOIN listings l ON l.channel = '${CHANNEL}' AND l.channel_sku = s.code
    WHERE s.id BETWEEN $1 AND $2`,
];

/** What a host reads as it starts. */
const READ_ALL = [
  'SELECT id, code FROM skus',
  'SELECT sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version FROM levels',
  'SELECT l.id, l.channel, l.channel_sku, c.sku_id, c.units FROM listings l JOIN listing_components c ON c.listing_id = l.id',
];
