import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ChannelSimulator } from '../channel-api/simulator';
import { makeDemoFolder, stopLeftDatabase } from './demo-folder';
import { DemoHost, freePort } from './demo-host';
import { type DoubleBuyResult, raceForLastUnits } from './double-buy';
import { HostClient } from './host-client';
import { listingsCsv } from './listings-csv';
import { loadSimulator, startOn } from './load-simulator';

export interface DoubleBuyDemoOptions {
  /** npm package of the plugin; its simulator is both channels. */
  plugin: string;
  skus: number;
  seed: number;
}

export interface DoubleBuyDemo {
  withoutBuffer: DoubleBuyResult;
  withBaseRule: DoubleBuyResult;
}

const CHANNELS = ['shop', 'market'] as const;

/**
 * The race for the last units on a host of its own with two simulated channels: once with nothing withheld, once
 * with the base rule. Leaves nothing behind. @throws ReplaySetupError, HostEndedError, HostProblemError
 */
export async function runDoubleBuyDemo(
  options: DoubleBuyDemoOptions,
  hooks: { onNews: (news: string) => void; signal: AbortSignal },
): Promise<DoubleBuyDemo> {
  hooks.onNews('two channels sell the last units, with nothing withheld');
  const withoutBuffer = await raceWith({}, options, hooks.signal);
  hooks.onNews('the same with the base rule');
  const withBaseRule = await raceWith({ rule: 'base', everySeconds: 1 }, options, hooks.signal);
  return { withoutBuffer, withBaseRule };
}

async function raceWith(
  buffers: Record<string, unknown>,
  { plugin, skus: count, seed }: DoubleBuyDemoOptions,
  signal: AbortSignal,
): Promise<DoubleBuyResult> {
  const skus = Array.from({ length: count }, (_, index) => `LAST-${index + 1}`);
  const start = await loadSimulator(plugin);
  const undo: (() => Promise<void>)[] = [];
  try {
    const path = await makeDemoFolder();
    undo.push(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
    const simulators: ChannelSimulator[] = [];
    for (const _channel of CHANNELS) {
      const webhookSecret = randomBytes(24).toString('hex');
      const simulator = await startOn(start, { webhookSecret, seed, limit: { perSecond: 200, burst: 200 } });
      undo.push(() => simulator.close());
      simulator.list(skus.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
      simulators.push(simulator);
    }
    const port = await freePort();
    const configFile = await writeFiles(path, { plugin, simulators, skus, buffers, port });
    const adminKey = randomBytes(24).toString('hex');
    const host = new DemoHost({ configFile, logFile: join(path, 'host.log'), adminKey, port });
    undo.push(() => stopLeftDatabase(path));
    undo.push(() => host.stop());
    await host.ready(signal);
    const [shop, market] = simulators.map((simulator, at) => ({ name: CHANNELS[at]!, simulator }));
    const client = new HostClient({ url: host.url, apiKey: adminKey, signal });
    const race = raceForLastUnits({ host: client, channels: [shop!, market!], signal }, { skus, seed });
    return await Promise.race([race, host.watch()]);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

interface HostFiles {
  plugin: string;
  simulators: readonly ChannelSimulator[];
  skus: readonly string[];
  buffers: Record<string, unknown>;
  port: number;
}

async function writeFiles(
  path: string,
  { plugin, simulators, skus, buffers, port }: HostFiles,
): Promise<string> {
  const config = {
    server: { host: '127.0.0.1', port },
    dataDir: './data',
    log: { level: 'info', pretty: false },
    push: { pollEverySeconds: 1 },
    outbound: { allow: simulators.map(({ url }) => new URL(url).host) },
    buffers,
    channels: simulators.map(({ pluginOptions: options }, at) => ({
      name: CHANNELS[at],
      plugin,
      listings: './listings.csv',
      pollOrdersEverySeconds: 0,
      options,
    })),
  };
  await writeFile(join(path, 'listings.csv'), listingsCsv({ skus: new Map(skus.map((sku) => [sku, ''])) }));
  const file = join(path, 'onhand.yaml');
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
