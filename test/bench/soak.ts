import 'reflect-metadata';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { ChannelSimulator } from '../../src/channel-api/simulator';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres';
import { compareChannel, PLAIN_RULES } from '../../src/replay/compare-channel';
import { HostClient } from '../../src/replay/host-client';
import { loadSimulator } from '../../src/replay/load-simulator';
import { PACKAGE_ROOT } from '../../src/version';
import { exitWhenTold, ServerProcess } from './server-process';
import { WebhookLoad } from './soak-load';
import { SyncProbes } from './soak-probes';
import { soakText, type SoakReport, unmet } from './soak-report';
import { HostWatch } from './soak-watch';

const PLUGIN = '@onhand/generic-rest';
const CHANNELS = ['north', 'east', 'south', 'west'];
const SKUS = 10_000;
/** Sold by nobody but the probes. */
const PROBED_SKUS = 100;
const UNITS = 10_000;
const EVENTS_AT_ONCE = 1_000;
const API_KEY = 'soak-key-that-lives-as-long-as-the-run';
const SECRET = 'soak-webhook-secret';

const skusOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/**
 * A host under an even load of webhooks for as long as it is told, then what came of it: `npm run soak`. Ends with 1
 * where a limit was not kept. Load, shops and probes are in this process; the host and PostgreSQL have their own.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '200' },
      json: { type: 'boolean', default: false },
    },
  });
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  if (!(minutes > 0 && minutes <= 1440 && rate > 0 && rate <= 10_000)) {
    throw new Error('--minutes takes a number up to 1440, --rate webhooks a second up to 10000.');
  }
  exitWhenTold();
  const report = await soak(minutes, rate);
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : soakText(report));
  if (unmet(report).length > 0) process.exitCode = 1;
}

async function soak(minutes: number, perSecond: number): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), 'onhand-soak-'));
  // Run by root, PostgreSQL runs as somebody else, who must be able to enter.
  chmodSync(folder, 0o711);
  const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  try {
    const log = { log: () => undefined, warn: say, error: say };
    const dataDir = join(folder, 'data');
    const postgres = await startEmbeddedPostgres({ dataDir, explicit: true, database: 'onhand', log });
    ends.unshift(() => postgres.stop());
    const shops = await startShops();
    ends.unshift(() => Promise.all([...shops.values()].map((shop) => shop.close())));
    const env = {
      ONHAND_CONFIG: writeConfig(folder, shops),
      DATABASE_URL: postgres.url,
      ONHAND_ADMIN_KEY: API_KEY,
      LOG_LEVEL: 'warn',
    };
    const host = await ServerProcess.start([join(PACKAGE_ROOT, 'dist/src/main.js')], env, '/health/ready');
    ends.unshift(() => host.stop());
    return await run({ host: host.url, database: postgres.url, shops }, minutes, perSecond);
  } finally {
    for (const end of ends) await end();
  }
}

interface Stage {
  host: string;
  database: string;
  shops: ReadonlyMap<string, ChannelSimulator>;
}

async function run(
  { host, database, shops }: Stage,
  minutes: number,
  perSecond: number,
): Promise<SoakReport> {
  const client = new HostClient({ url: host, apiKey: API_KEY });
  const [bought, probed] = [skusOf('SKU', SKUS), skusOf('PROBE', PROBED_SKUS)];
  await stock(client, [...bought, ...probed]);
  const watch = new HostWatch(host, database, ({ seconds, ...sample }) =>
    say(`${seconds} s: ${JSON.stringify(sample)}`),
  );
  try {
    say(`filled in ${await watch.quiet()} s`);
    const probes = new SyncProbes(host, shops, probed, UNITS);
    watch.start();
    probes.start();
    const load = await new WebhookLoad(host, shops, bought).run(perSecond, minutes * 60);
    const sync = await probes.stop();
    const quietAfterSeconds = await watch.quiet();
    await readOrdersOnceMore(client);
    await watch.quiet();
    const differing: Record<string, number> = {};
    for (const [name, shop] of shops) {
      differing[name] = (await compareChannel(client, shop.shown(), PLAIN_RULES)).differences.length;
    }
    return {
      machine: { cpus: cpus().length, model: cpus()[0]?.model, node: process.version },
      asked: { minutes, perSecond, channels: shops.size, skus: SKUS },
      webhooks: load,
      sync,
      quietAfterSeconds,
      residentMegabytes: watch.slope((sample) => sample.residentMegabytes),
      heapMegabytes: watch.slope((sample) => sample.heapMegabytes),
      lagSeconds: watch.slope((sample) => sample.lagSeconds),
      mostDirtyListings: Math.max(...watch.samples.map(({ dirtyListings }) => dirtyListings)),
      mostInInbox: Math.max(...watch.samples.map(({ inbox }) => inbox)),
      differing,
      verified: await verified(client),
      metricsMs: watch.slope((sample) => sample.metricsMs),
      jobs: await watch.jobs(),
      samples: watch.samples,
    };
  } finally {
    await watch.stop();
  }
}

async function startShops(): Promise<Map<string, ChannelSimulator>> {
  const startSimulator = await loadSimulator(PLUGIN);
  const shops = new Map<string, ChannelSimulator>();
  const items = [...skusOf('SKU', SKUS), ...skusOf('PROBE', PROBED_SKUS)];
  for (const [index, name] of CHANNELS.entries()) {
    const shop = await startSimulator({ webhookSecret: SECRET, seed: index + 1 });
    shop.list(items.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    shops.set(name, shop);
  }
  return shops;
}

function writeConfig(folder: string, shops: ReadonlyMap<string, ChannelSimulator>): string {
  const rows = [...skusOf('SKU', SKUS), ...skusOf('PROBE', PROBED_SKUS)].map((sku) => `${sku},${sku},1`);
  const listings = join(folder, 'listings.csv');
  writeFileSync(listings, ['channel_sku,sku,units', ...rows].join('\n'));
  const channels = [...shops].map(([name, { pluginOptions }]) => ({
    name,
    plugin: PLUGIN,
    listings,
    options: { ...pluginOptions, limit: { perSecond: 10_000, burst: 10_000 } },
  }));
  const file = join(folder, 'onhand.yaml');
  writeFileSync(file, stringify({ outbound: { allow: ['127.0.0.1'] }, channels }));
  return file;
}

async function stock(client: HostClient, skus: readonly string[]): Promise<void> {
  for (let first = 0; first < skus.length; first += EVENTS_AT_ONCE) {
    const some = skus.slice(first, first + EVENTS_AT_ONCE);
    const events = some.map((sku) => ({ type: 'RESTOCK', sku, quantity: UNITS }));
    await client.post('/v1/events', events, { key: `fill-${first}` });
  }
}

/** A webhook that was not taken is not sent again here: what it told of comes with the next poll, as everywhere. */
async function readOrdersOnceMore(client: HostClient): Promise<void> {
  interface Channels {
    items: { name: string; orderPolls: { coveredAt: string | null } | null }[];
  }
  const now = Date.now();
  for (;;) {
    const { items } = await client.get<Channels>('/v1/channels');
    const unread = items.filter(({ orderPolls }) => !(Date.parse(orderPolls?.coveredAt ?? '') >= now));
    if (unread.length === 0) return;
    for (const { name } of unread) await client.post(`/v1/schedule/poll-orders:${name}/run`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function verified(client: HostClient): Promise<boolean> {
  interface Task {
    id: string;
    finishedAt: string | null;
    report: { ok: boolean } | null;
  }
  const asked = await client.post<Partial<Task> & { ok?: boolean }>('/v1/ledger/verify?wait=0');
  // What is over at once is answered with its report.
  if (asked.ok !== undefined) return asked.ok;
  for (;;) {
    const task = await client.get<Task>(`/v1/tasks/${asked.id}`);
    if (task.finishedAt !== null) return task.report?.ok === true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

void main();
