import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { PLAIN_RULES } from './compare-channel';
import { type DemoFolder, fillDemoFolder, makeDemoFolder, stopLeftDatabase } from './demo-folder';
import { DemoHost, freePort } from './demo-host';
import { HostClient } from './host-client';
import { loadSimulator, startOn } from './load-simulator';
import { type OrderFile, parseOrders, readOrderFile } from './order-file';
import { listSkus, replay, type ReplayOptions, type ReplayProgress, type ReplayTarget } from './replay';
import type { Summary } from './summary';
import { drawOrders } from './synthetic-orders';

export interface DemoOptions extends ReplayOptions {
  /** A CSV to replay; a synthetic fortnight is drawn when absent. */
  ordersFile?: string;
  /** npm package of the plugin; its simulator is the channel. */
  plugin: string;
  /** Leaves the demo's folder where it is. */
  keep: boolean;
}

export interface DemoHooks {
  onProgress: (progress: ReplayProgress) => void;
  /** Something was started or made, for the person who watches. */
  onNews: (message: string) => void;
  signal: AbortSignal;
}

const CHANNEL = 'shop';
/** The simulated channel takes so many calls, and answers 429 beyond. */
const CHANNEL_LIMIT = { perSecond: 20, burst: 40 };

/**
 * Starts a simulated channel and a host of its own in a temporary folder, replays a file through them, and
 * leaves nothing behind: no process, and no folder unless `keep`. @throws ReplaySetupError, HostEndedError,
 * OrderFileError, HostProblemError, HostUnreachableError; the signal's reason when aborted.
 */
export async function runDemo(options: DemoOptions, hooks: DemoHooks): Promise<Summary> {
  const { ordersFile, plugin, seed, keep } = options;
  const synthetic = ordersFile === undefined ? drawOrders(seed) : undefined;
  const file = ordersFile === undefined ? syntheticFile(synthetic ?? '', seed) : readOrderFile(ordersFile);
  const startSimulator = await loadSimulator(plugin);
  const undo: (() => Promise<void>)[] = [];
  try {
    const path = await makeDemoFolder();
    undo.push(() => (keep ? Promise.resolve(hooks.onNews(`kept ${path}`)) : removeFolder(path)));
    const webhookSecret = randomBytes(24).toString('hex');
    const simulator = await startOn(startSimulator, { webhookSecret, seed, limit: CHANNEL_LIMIT });
    undo.push(() => simulator.close());
    listSkus(simulator, file);
    hooks.onNews(`a simulated channel listens on ${simulator.url}`);
    const port = await freePort();
    const folder = await fillDemoFolder(path, { channel: CHANNEL, plugin, simulator, file, synthetic, port });
    const { host, client } = startHost(folder, port, hooks.signal);
    undo.push(() => stopLeftDatabase(path));
    undo.push(() => host.stop());
    hooks.onNews(`a host with a database of its own starts on ${host.url}`);
    await host.ready(hooks.signal);
    const target = {
      host: client,
      simulator,
      channel: CHANNEL,
      rules: PLAIN_RULES,
      onProgress: hooks.onProgress,
    };
    return await replayWhileHostLives(host, file, options, { ...target, signal: hooks.signal });
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

function syntheticFile(text: string, seed: number): OrderFile {
  return parseOrders(Buffer.from(text), `synthetic fortnight, seed ${seed}`);
}

function startHost(
  folder: DemoFolder,
  port: number,
  signal: AbortSignal,
): { host: DemoHost; client: HostClient } {
  const adminKey = randomBytes(24).toString('hex');
  const host = new DemoHost({ ...folder, adminKey, port });
  return { host, client: new HostClient({ url: host.url, apiKey: adminKey, signal }) };
}

/** Without watching, a host that died would be asked again and again, and its log never shown. */
async function replayWhileHostLives(
  host: DemoHost,
  file: OrderFile,
  options: ReplayOptions,
  target: ReplayTarget & { signal: AbortSignal },
): Promise<Summary> {
  const ended = new AbortController();
  const signal = AbortSignal.any([target.signal, ended.signal]);
  try {
    return await Promise.race([replay(file, options, { ...target, signal }), host.watch()]);
  } finally {
    ended.abort();
  }
}

function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}
