import 'reflect-metadata';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config/load-config';
import { PACKAGE_ROOT } from '../../src/version';
import { withPostgres } from './bench-database';
import { benchBuffers, type BuffersRound, buffersText } from './buffers-bench';
import { type Figure, figure, table } from './figures';
import { benchGrowth, type Growth, GROWN, writeCharts } from './growth-bench';
import { curvesText } from './growth-curve';
import { HistoryBench, type HistoryRound } from './history-bench';
import { benchHttp, type HttpRound } from './http-bench';
import { InquiryBench, type InquiryRound } from './inquiry-bench';
import { benchLedger, type LedgerRound, prepareSkus } from './ledger-bench';
import { type Measured, median, round } from './measure';
import { PushBench, type PushRound, type Replay } from './push-bench';
import { exitWhenTold, ServerProcess } from './server-process';

const EVENTS = 5_000_000;
const QUICK_EVENTS = 200_000;
const PARTS = ['ledger', 'http', 'history', 'pushes', 'inquiries', 'buffers'];
const API_KEY = 'bench-key-that-lives-as-long-as-the-run';

async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const charts = chartsFolder();
  const quick = process.argv.includes('--quick');
  const rounds = quick ? 1 : 5;
  const seconds = quick ? 1 : 3;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  exitWhenTold();
  const dataDir = mkdtempSync(join(tmpdir(), 'onhand-bench-'));
  // Run by root, PostgreSQL runs as somebody else, who must be able to enter.
  chmodSync(dataDir, 0o711);
  try {
    const figures: Figure[] = [];
    let replay: Replay | undefined;
    let buffers: BuffersRound | undefined;
    let growth: Growth | undefined;
    if (isWanted('ledger')) figures.push(...(await ledgerFigures(dataDir, rounds, seconds * 1000, say)));
    if (isWanted('http')) figures.push(...(await httpFigures(dataDir, rounds, seconds, say)));
    if (isWanted('history')) {
      const events = quick ? QUICK_EVENTS : EVENTS;
      figures.push(...(await historyFigures(join(dataDir, 'history'), events, rounds, seconds * 1000, say)));
    }
    if (isWanted('pushes')) {
      const pushed = await pushFigures(dataDir, rounds, quick ? 3 : 10, say);
      figures.push(pushed.figure);
      replay = pushed.replay;
    }
    if (isWanted('inquiries')) figures.push(await inquiryFigure(dataDir, rounds, seconds, say));
    if (isWanted('buffers')) buffers = await buffersFigure(dataDir, quick, say);
    if (isGrowthWanted()) growth = await growthOf(dataDir, quick, say);
    if (growth && charts) writeCharts(charts, growth.curves);
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
    process.stdout.write(
      json
        ? `${JSON.stringify({ machine, rounds, seconds, figures, replay, buffers, growth }, null, 2)}\n`
        : [
            figures.length > 0 && table(figures),
            replay && replayLine(replay),
            buffers && buffersText(buffers),
            growth && curvesText(growth.curves),
          ]
            .filter(Boolean)
            .join('\n') + '\n',
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Bench of one part alone, such as `--pushes`, while that part is worked on. */
function isWanted(part: string): boolean {
  const asked = PARTS.filter((each) => process.argv.includes(`--${each}`));
  return asked.length === 0 ? !isGrowthWanted() : asked.includes(part);
}

/** Only where it is asked for: it takes as long as all the others. */
function isGrowthWanted(): boolean {
  return process.argv.includes('--growth');
}

/** Where `--charts` puts its files. */
function chartsFolder(): string | undefined {
  const at = process.argv.indexOf('--charts');
  if (at === -1) return undefined;
  const folder = process.argv[at + 1];
  if (folder === undefined || folder.startsWith('--') || !isGrowthWanted())
    throw new Error('--charts draws what --growth measures; write --growth --charts FOLDER');
  return folder;
}

/** All curves, or those along what is named after it: `--growth events`. */
function growthOf(folder: string, quick: boolean, say: (line: string) => void): Promise<Growth> {
  const named = GROWN.filter((each) => process.argv.includes(each));
  const grown = named.length === 0 ? GROWN : named;
  return benchGrowth({ folder, env: environment(folder), say }, { quick, grown });
}

function environment(dataDir: string): NodeJS.ProcessEnv {
  const settings = join(PACKAGE_ROOT, 'test/bench/bench.yaml');
  return {
    ONHAND_CONFIG: settings,
    ONHAND_DATA_DIR: dataDir,
    ONHAND_ADMIN_KEY: API_KEY,
    LOG_LEVEL: 'warn',
  };
}

async function ledgerFigures(
  dataDir: string,
  rounds: number,
  durationMs: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const config = loadConfig({ env: environment(dataDir), cwd: dataDir });
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
  const done: LedgerRound[] = [];
  try {
    const skuIds = await prepareSkus(app);
    for (let each = 1; each <= rounds; each++) {
      done.push(await benchLedger(app, skuIds, durationMs));
      say(`ledger, round ${each} of ${rounds}`);
    }
  } finally {
    await app.close();
  }
  const of = (name: string, aim: string, pick: (round: LedgerRound) => [Measured, Measured]) =>
    figure(name, done.map(pick), aim);
  const wide = 'none; the floor has 10 connections, ours one';
  return [
    of('reservations in process, 64 in flight over 10,000 SKUs', 'ratio >= 1.5, p99 < 20 ms', (r) => [
      r.spread,
      r.spreadFloor,
    ]),
    of('  beside a floor on the whole pool', wide, (r) => [r.spread, r.spreadWideFloor]),
    of('  with every SKU on a listing, each marked dirty', 'none', (r) => [r.mapped, r.spreadFloor]),
    of('reservations in process, 64 in flight on one SKU', 'ratio >= 15, p99 < 20 ms', (r) => [
      r.hot,
      r.hotFloor,
    ]),
    of('  beside a floor on the whole pool', wide, (r) => [r.hot, r.hotWideFloor]),
  ];
}

async function historyFigures(
  dataDir: string,
  events: number,
  rounds: number,
  durationMs: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const config = loadConfig({ env: environment(dataDir), cwd: tmpdir() });
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
  const done: HistoryRound[] = [];
  try {
    const bench = await HistoryBench.prepare(app, events);
    for (let each = 1; each <= rounds; each++) {
      done.push(await bench.round(durationMs));
      say(`history, round ${each} of ${rounds}`);
    }
  } finally {
    await app.close();
  }
  const many = `${events / 1_000_000} million events`;
  const of = (name: string, aim: string, pick: (round: HistoryRound) => [Measured, Measured]) =>
    figure(name, done.map(pick), aim);
  return [
    of(`rebuild from ${many}; ours in ms is how long writers wait`, '100,000 events/s', (r) => [
      r.rebuild,
      r.rebuildFloor,
    ]),
    of(`as of any moment over ${many}, one at a time`, 'p99 < 20 ms', (r) => [r.asOf, r.asOfFloor]),
    of('  of the SKU with a hundredth of all events', 'none', (r) => [r.asOfHot, r.asOfFloor]),
  ];
}

async function httpFigures(
  dataDir: string,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const host = await ServerProcess.start(
    [join(PACKAGE_ROOT, 'dist/src/main.js')],
    environment(dataDir),
    '/health/ready',
  );
  const bare = await ServerProcess.start([join(__dirname, 'bare-server.js')], {}, '/v1/availability?sku=a');
  const skus = Array.from({ length: 10_000 }, (_, index) => `BENCH-${index}`);
  const done: HttpRound[] = [];
  try {
    for (let each = 1; each <= rounds; each++) {
      done.push(await benchHttp({ host, bare, apiKey: API_KEY, skus }, seconds));
      say(`HTTP, round ${each} of ${rounds}`);
    }
  } finally {
    await bare.stop();
    await host.stop();
  }
  return [
    figure(
      'POST /v1/reservations, 64 connections',
      done.map((r) => [r.reserve, r.reserveFloor]),
      'ratio >= 0.5',
    ),
    figure(
      'GET /v1/availability, 64 connections',
      done.map((r) => [r.availability, r.availabilityFloor]),
      'ratio >= 0.7',
    ),
  ];
}

async function pushFigures(
  dataDir: string,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<{ figure: Figure; replay: Replay }> {
  return withPostgres(join(dataDir, 'push'), say, async (url) => {
    const bench = await PushBench.start(dataDir, url, environment(dataDir));
    try {
      const done: PushRound[] = [];
      for (let each = 1; each <= rounds; each++) {
        done.push(await bench.round(seconds));
        say(`pushes, round ${each} of ${rounds}`);
      }
      const pairs = done.map((r): [Measured, Measured] => [r.sync, r.syncFloor]);
      const sync = figure(
        'commit to request received, 300 orders/s by webhook, 4 channels of 10,000 listings',
        pairs,
        'p50 < 50 ms, p99 < 500 ms; floor: NOTIFY to request, the ratio is of the medians',
      );
      // What counts is how long it takes; as many a second came out as went in.
      const ratio = round(median(pairs.map(([ours, floor]) => ours.p50Ms / floor.p50Ms)));
      return { figure: { ...sync, ratio }, replay: await bench.replay() };
    } finally {
      await bench.stop();
    }
  });
}

function buffersFigure(dataDir: string, quick: boolean, say: (line: string) => void): Promise<BuffersRound> {
  const size = quick ? { skus: 20_000, passes: 1 } : { skus: 100_000, passes: 5 };
  return withPostgres(join(dataDir, 'buffers'), say, async (url) => {
    const measured = await benchBuffers(dataDir, url, environment(dataDir), size);
    say('buffers');
    return measured;
  });
}

async function inquiryFigure(
  dataDir: string,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Figure> {
  return withPostgres(join(dataDir, 'inquiries'), say, async (url) => {
    const bench = await InquiryBench.start(dataDir, url, environment(dataDir));
    try {
      const done: InquiryRound[] = [];
      for (let each = 1; each <= rounds; each++) {
        done.push(await bench.round(seconds));
        say(`inquiries, round ${each} of ${rounds}`);
      }
      const pairs = done.map((r): [Measured, Measured] => [r.inquiries, r.inquiriesFloor]);
      const name = "eBay's inventory check, 200 requests/s while 100 orders/s come in and are pushed";
      const ratio = round(median(pairs.map(([ours, floor]) => ours.p99Ms / floor.p99Ms)));
      const aim = 'p99 < 50 ms; floor: a bare route beside the same orders, the ratio is of p99';
      return { ...figure(name, pairs, aim), ratio };
    } finally {
      await bench.stop();
    }
  });
}

function replayLine({ changes, listings, updates, mostPerListing, seconds }: Replay): string {
  return `${changes} changes behind open breakers: ${updates} updates for ${listings} listings, at most ${mostPerListing} for one, in ${seconds} s`;
}

void main();
