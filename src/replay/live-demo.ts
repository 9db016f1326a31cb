import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { waitForQuiet } from './channel-status';
import { makeDemoFolder, stopLeftDatabase } from './demo-folder';
import { DemoHost, freePort } from './demo-host';
import { HostClient } from './host-client';
import { postSkus } from './ledger-posts';
import { listingsCsv } from './listings-csv';
import { type LiveChannel, type LiveCounts, LiveShoppers } from './live-shoppers';
import { loadSimulator, startOn } from './load-simulator';
import { SeededRandom } from './random';
import { drawCatalogue, type SyntheticSku } from './synthetic-catalogue';

export interface LiveDemoOptions {
  /** Names of channels, and the npm packages of their plugins. */
  channels: Readonly<Record<string, string>>;
  seed: number;
  /** Where the console is to be; another port where that one is taken. */
  port: number;
  /** Mean pause between two orders. */
  everyMs: number;
  /** Ends by itself after so long; runs until it is aborted when absent. */
  forMs?: number;
  /** Leaves the demo's folder where it is. */
  keep: boolean;
}

/** What a person needs to look in. */
export interface LiveSight {
  url: string;
  key: string;
  channels: readonly string[];
}

export interface LiveDemoHooks {
  onNews: (message: string) => void;
  /** The console is there and the channels sell. */
  onOpen: (sight: LiveSight) => void;
  onOrder: (counts: LiveCounts) => void;
  signal: AbortSignal;
}

export interface LiveSummary extends LiveCounts {
  /** Orders that stock did not cover. */
  oversold: number;
  /** Everything that changed was told to its channels in the end. */
  quiet: boolean;
  /** Ledger, levels, reservations, orders and pushes explain each other. */
  verified: boolean;
}

const SKUS = 60;
const OPENING_UNITS = { least: 8, most: 60 };
const QUIET_WITHIN_MS = 30_000;

/**
 * A host with a database of its own and several simulated channels that sell from one stock, for as long as somebody
 * looks. Leaves nothing behind but the folder, with `keep`. @throws ReplaySetupError, HostEndedError, HostProblemError
 */
export async function runLiveDemo(options: LiveDemoOptions, hooks: LiveDemoHooks): Promise<LiveSummary> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const path = await makeDemoFolder();
    undo.push(() =>
      options.keep
        ? Promise.resolve(hooks.onNews(`kept ${path}`))
        : rm(path, { recursive: true, force: true, maxRetries: 3 }),
    );
    const random = new SeededRandom(options.seed, 'live');
    const skus = drawCatalogue(random).slice(0, SKUS);
    const channels = await startChannels(options, skus, undo);
    hooks.onNews(`simulated channels: ${channels.map(({ name }) => name).join(', ')}`);
    const port = await openPort(options.port);
    const configFile = await writeFiles(path, { port, channels, skus, plugins: options.channels });
    const adminKey = randomBytes(12).toString('hex');
    const host = new DemoHost({ configFile, logFile: join(path, 'host.log'), adminKey, port });
    undo.push(() => stopLeftDatabase(path));
    undo.push(() => host.stop());
    hooks.onNews('a host with a database of its own starts');
    await host.ready(hooks.signal);
    const client = new HostClient({ url: host.url, apiKey: adminKey });
    await stockShelves(client, skus, random);
    for (const { name, simulator } of channels) simulator.deliverTo(`${host.url}/webhooks/${name}`);
    const ended = ending(options.forMs, hooks.signal);
    const shoppers = new LiveShoppers(
      client,
      channels,
      skus.map(({ code }) => code),
      random,
    );
    hooks.onOpen({ url: host.url, key: adminKey, channels: channels.map(({ name }) => name) });
    await Promise.race([shoppers.shop(options.everyMs, ended, hooks.onOrder), host.watch()]);
    return await summaryOf(client, channels, shoppers.counts);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function startChannels(
  { channels, seed }: LiveDemoOptions,
  skus: readonly SyntheticSku[],
  undo: (() => Promise<void>)[],
): Promise<LiveChannel[]> {
  const started: LiveChannel[] = [];
  for (const [name, plugin] of Object.entries(channels)) {
    const webhookSecret = randomBytes(24).toString('hex');
    const simulator = await startOn(await loadSimulator(plugin), { webhookSecret, seed });
    undo.push(() => simulator.close());
    simulator.list(skus.map(({ code, name: title }) => ({ channelSku: code, quantityUnits: 0, title })));
    started.push({ name, simulator });
  }
  return started;
}

interface HostFiles {
  port: number;
  channels: readonly LiveChannel[];
  skus: readonly SyntheticSku[];
  plugins: Readonly<Record<string, string>>;
}

async function writeFiles(path: string, { port, channels, skus, plugins }: HostFiles): Promise<string> {
  const config = {
    server: { host: '127.0.0.1', port, publicUrl: `http://127.0.0.1:${port}` },
    dataDir: './data',
    log: { level: 'info', pretty: false },
    push: { pollEverySeconds: 1, confirmEverySeconds: 5 },
    buffers: { rule: 'base', units: 2, everySeconds: 10 },
    outbound: { allow: ['127.0.0.1'] },
    channels: channels.map(({ name, simulator: { pluginOptions: options, locations } }) => ({
      name,
      plugin: plugins[name],
      mode: 'live',
      listings: './listings.csv',
      reconcileEverySeconds: 120,
      options,
      ...(locations[0] !== undefined && { locations: { [locations[0]]: 'main' } }),
    })),
  };
  const codes = new Map(skus.map(({ code, name }) => [code, name]));
  await writeFile(join(path, 'listings.csv'), listingsCsv({ skus: codes }));
  const file = join(path, 'onhand.yaml');
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}

async function stockShelves(
  host: HostClient,
  skus: readonly SyntheticSku[],
  random: SeededRandom,
): Promise<void> {
  await postSkus(host, new Map(skus.map(({ code, name }) => [code, name])));
  const { least, most } = OPENING_UNITS;
  const events = skus.map(({ code: sku }) => ({
    type: 'RESTOCK',
    sku,
    quantity: Math.floor(least + random.next() * (most - least + 1)),
    reference: 'opening stock',
  }));
  await host.post('/v1/events', events);
}

/** Aborts when it is over: by the caller's signal, or after `forMs`. */
function ending(forMs: number | undefined, signal: AbortSignal): AbortSignal {
  return forMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(forMs)]);
}

async function summaryOf(
  host: HostClient,
  channels: readonly LiveChannel[],
  counts: LiveCounts,
): Promise<LiveSummary> {
  for (const { simulator } of channels) await Promise.race([simulator.delivered(), sleep(QUIET_WITHIN_MS)]);
  let quiet = true;
  for (const { name } of channels) {
    const status = await waitForQuiet(host, name, {
      stalledAfterMs: QUIET_WITHIN_MS,
      onStatus: () => undefined,
    });
    quiet &&= status.dirty === 0 && status.inbox.received === 0;
  }
  let oversold = 0;
  for await (const _short of host.items('/v1/shortfalls')) oversold++;
  const { ok } = await host.post<{ ok: boolean }>('/v1/ledger/verify', undefined, { repeatable: true });
  return { ...counts, oversold, quiet, verified: ok };
}

/** The port that was asked for, or a free one where somebody listens there. */
async function openPort(wanted: number): Promise<number> {
  const isFree = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  return isFree ? wanted : freePort();
}
