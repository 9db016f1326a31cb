import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Pool } from 'pg';
import { stringify } from 'yaml';
import { AppModule } from '../../src/app.module';
import { RecalculationService } from '../../src/buffers/recalculation.service';
import { loadConfig } from '../../src/config/load-config';
import { median, round } from './measure';

const CHANNELS = ['north', 'east', 'south', 'west'];
const ORDERS_PER_SECOND = 300;
/** Every second order has two lines. */
const LINES_PER_ORDER = 1.5;
const SCHEDULE_SECONDS = 60;

export interface BuffersRound {
  skus: number;
  /** Of 4 channels each. */
  fullSeconds: number;
  /** Most memory beyond what the host had before, while it recalculated. */
  fullMegabytes: number;
  rows: number;
  /** A pass after one interval of the schedule at 300 orders a second: seconds, and SKUs looked at. */
  passSeconds: number;
  passLooked: number;
}

/**
 * Full and incremental recalculation. The stock, the listings and the ledger are written straight into the tables,
 * as nothing here is about how they come to be.
 */
export async function benchBuffers(
  folder: string,
  databaseUrl: string,
  env: NodeJS.ProcessEnv,
  { skus, passes }: { skus: number; passes: number },
): Promise<BuffersRound> {
  const config = loadConfig({
    file: writeConfig(folder),
    env: { ...env, DATABASE_URL: databaseUrl },
    cwd: folder,
  });
  const database = new Pool({ connectionString: databaseUrl, max: 2 });
  let app: INestApplicationContext | undefined;
  try {
    // The first start migrates.
    await (
      await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] })
    ).close();
    await fill(database, skus);
    app = await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
    const recalculation = app.get(RecalculationService);
    const full = await withPeak(() => recalculation.recalculate({ full: true }));
    const { rows } = await database.query<{ count: string }>('SELECT count(*) FROM buffers');
    await database.query('VACUUM ANALYZE sales_rates, buffers, ledger');
    const seconds: number[] = [];
    let looked = 0;
    for (let pass = 0; pass < passes; pass++) {
      await sell(database, skus, ORDERS_PER_SECOND * LINES_PER_ORDER * SCHEDULE_SECONDS);
      const started = performance.now();
      looked = (await recalculation.recalculate())!.looked;
      seconds.push((performance.now() - started) / 1000);
    }
    return {
      skus,
      fullSeconds: round(full.seconds),
      fullMegabytes: Math.round(full.megabytes),
      rows: Number(rows[0]!.count),
      passSeconds: round(median(seconds)),
      passLooked: looked,
    };
  } finally {
    await app?.close();
    await database.end();
  }
}

export function buffersText({ skus, rows, passLooked, ...round }: BuffersRound): string {
  return [
    `buffers of ${skus} SKUs on ${CHANNELS.length} channels recalculated in full: ${round.fullSeconds} s, ${rows} rows, ` +
      `${round.fullMegabytes} MB more memory at most   (aim: < 60 s)`,
    `  a pass after ${SCHEDULE_SECONDS} s at ${ORDERS_PER_SECOND} orders/s: ${round.passSeconds} s, ${passLooked} SKUs looked at   (aim: < 1 s)`,
  ].join('\n');
}

function writeConfig(folder: string): string {
  const file = join(folder, 'buffers-bench.yaml');
  const channels = CHANNELS.map((name) => ({
    name,
    plugin: '@onhand/generic-rest',
    mode: 'observe',
    pollOrdersEverySeconds: 0,
    options: {
      baseUrl: 'http://127.0.0.1:9',
      webhook: {
        secret: 'bench-webhook-secret',
        signatureHeader: 'x-shop-signature',
        topicHeader: 'x-shop-topic',
      },
    },
  }));
  // Without workers nothing is pushed meanwhile. The latency makes every SKU that sells withhold something.
  const buffers = { rule: 'base', assumedLatencySeconds: 120 };
  writeFileSync(file, stringify({ role: 'web', outbound: { allow: ['127.0.0.1'] }, buffers, channels }));
  return file;
}

async function fill(database: Pool, skus: number): Promise<void> {
  await database.query(`INSERT INTO skus (code) SELECT 'BUFFER-' || n FROM generate_series(1, $1) AS n`, [
    skus,
  ]);
  for (const channel of CHANNELS)
    await database.query(
      `INSERT INTO listings (channel, channel_sku, origin) SELECT $1, code, 'api' FROM skus`,
      [channel],
    );
  await database.query(
    'INSERT INTO listing_components SELECT l.id, s.id, 1 FROM listings l JOIN skus s ON s.code = l.channel_sku',
  );
  await database.query(
    `INSERT INTO levels (sku_id, location_id, available, version, updated_at)
     SELECT s.id, l.id, 1000, 0, clock_timestamp() FROM skus s, locations l`,
  );
  // Three sales of each SKU.
  for (let each = 0; each < 3; each++) await sell(database, skus, skus, 'n');
  await database.query('VACUUM ANALYZE');
}

/** Sales of SKUs at random, or of the n-th SKU, as the ledger has them, without marking listings dirty. */
async function sell(
  database: Pool,
  skus: number,
  sales: number,
  which = `1 + floor(random() * ${skus})::int`,
): Promise<void> {
  const client = await database.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL session_replication_role = replica');
    await client.query(
      `WITH drawn AS MATERIALIZED (SELECT ${which} AS nr FROM generate_series(1, $1) AS n),
            sold AS (SELECT s.id, count(*) AS times FROM drawn JOIN skus s ON s.code = 'BUFFER-' || nr GROUP BY s.id),
            grown AS (UPDATE levels l SET available = available - times, reserved = reserved + times, version = version + times
                        FROM sold WHERE l.sku_id = sold.id RETURNING l.*, times)
       INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity, available, reserved, quarantined, damaged,
                           in_transit, on_order, version, channel, command_key, content_hash, actor, occurred_at, recorded_at)
       SELECT sku_id, location_id, 'RESERVE', 'available', 'reserved', 1, available, reserved, 0, 0, 0, 0, version - t, $2,
              sku_id || ' ' || version - t, '', 'bench', clock_timestamp(), clock_timestamp()
         FROM grown, generate_series(0, times - 1) AS t`,
      [Math.round(sales), CHANNELS[0]],
    );
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

/** How long it takes, and how far memory goes beyond what it was. */
async function withPeak(work: () => Promise<unknown>): Promise<{ seconds: number; megabytes: number }> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
  const started = performance.now();
  await work();
  clearInterval(watch);
  return { seconds: (performance.now() - started) / 1000, megabytes: (most - before) / 1024 / 1024 };
}
