import { isChannelError, type ChannelError } from '../errors';
import { createChannelHttp } from '../fetch-http';
import { resolvePluginOptions } from '../plugin-options';
import type { Channel, ChannelCapabilities, ChannelClock, ChannelPlugin, Page } from '../contract';
import type { ChannelHttp } from '../http-client';
import type { ChannelSimulator, SimulatorOptions, StartSimulator } from '../simulator';

/** What the shared suite needs to know of a plugin. */
export interface ChannelContract<Options extends object> {
  plugin: ChannelPlugin<Options>;
  startSimulator: StartSimulator;
  /** The webhook header with the signature, in lower case. */
  signatureHeader: string;
  /** Laid over the simulator's `pluginOptions`: credentials it refuses. */
  wrongCredentials: Record<string, unknown>;
}

/** A simulator and the plugin's channel connected to it, with all that the plugin logged. */
export interface ConnectedChannel {
  simulator: ChannelSimulator;
  channel: Channel;
  capabilities: ChannelCapabilities;
  /** The option values that must not be seen anywhere. */
  secrets: string[];
  logged: string[];
}

export interface ConnectionSettings {
  simulator?: Partial<SimulatorOptions>;
  pluginOptions?: Record<string, unknown>;
  /** Bound of each call, whatever the plugin asks for. */
  timeoutMs?: number;
}

export const WEBHOOK_SECRET = 'contract-suite-webhook-secret';

/** Runs a test on a simulator of its own, and closes both ends whatever becomes of it. */
export async function withChannel<Options extends object>(
  contract: ChannelContract<Options>,
  test: (connected: ConnectedChannel) => Promise<void>,
  settings: ConnectionSettings = {},
): Promise<void> {
  const simulator = await contract.startSimulator({ webhookSecret: WEBHOOK_SECRET, ...settings.simulator });
  try {
    const connected = await connect(contract, simulator, settings);
    try {
      await test(connected);
    } finally {
      await connected.channel.close?.();
    }
  } finally {
    await simulator.close();
  }
}

async function connect<Options extends object>(
  { plugin }: ChannelContract<Options>,
  simulator: ChannelSimulator,
  settings: ConnectionSettings,
): Promise<ConnectedChannel> {
  const options = resolvePluginOptions(plugin, { ...simulator.pluginOptions, ...settings.pluginOptions });
  const secrets = plugin.secrets(options);
  const logged: string[] = [];
  const note = (message: string, fields?: Record<string, unknown>) => {
    logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const http = createChannelHttp({ limits: plugin.limits(options), clock: systemClock, log, secrets });
  const channel = await plugin.connect(options, {
    channel: 'contract-suite',
    http: boundedBy(http, settings.timeoutMs),
    log,
    clock: systemClock,
  });
  return { simulator, channel, capabilities: plugin.capabilities(options), secrets, logged };
}

/** Everything a paged read gives, and the pages as they came. */
export async function collect<T>(pages: AsyncIterable<Page<T>>): Promise<{ items: T[]; pages: Page<T>[] }> {
  const collected: Page<T>[] = [];
  for await (const page of pages) collected.push(page);
  return { items: collected.flatMap((page) => page.items), pages: collected };
}

/** The channel error a call fails with. Throws when it succeeds, or fails with what tells the host nothing. */
export async function failureOf(call: Promise<unknown>): Promise<ChannelError> {
  try {
    await call;
  } catch (error) {
    if (isChannelError(error)) return error;
    throw error;
  }
  throw new Error('the call succeeded where it has to fail with a channel error');
}

/** Waits until the simulator shows a quantity: a channel that only accepts a push may take its time. */
export async function shownBy(
  simulator: ChannelSimulator,
  sku: string,
  quantityUnits: number,
): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (simulator.shown().get(sku) === quantityUnits) return;
    await systemClock.sleep(50);
  }
  throw new Error(`${sku} shows ${simulator.shown().get(sku)} where ${quantityUnits} was pushed`);
}

function boundedBy(http: ChannelHttp, timeoutMs: number | undefined): ChannelHttp {
  if (timeoutMs === undefined) return http;
  return {
    request: (request) => http.request({ ...request, timeoutMs }),
    learn: (limit, facts) => http.learn(limit, facts),
  };
}

export const systemClock: ChannelClock = {
  now: () => new Date(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delayMs);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
};
