import { memorySecrets } from '../channel-secrets';
import type {
  Channel,
  ChannelCapabilities,
  ChannelClock,
  InventoryUpdate,
  Page,
  PushResult,
  RateLimit,
} from '../contract';
import { type ChannelError, isChannelError } from '../errors';
import { createChannelHttp } from '../fetch-http';
import type { ChannelHttp, ChannelHttpRequest } from '../http-client';
import { resolvePluginOptions } from '../plugin-options';
import { createRedactor } from '../redaction';
import type { ChannelSimulator, SimulatorOptions } from '../simulator';
import { type ChannelContract, TOKEN, WEBHOOK_SECRET } from './contract-case';
import { asBrokenRule, expectEqual, expectThat } from './expectations';

export interface ConnectionSettings {
  simulator?: Partial<SimulatorOptions>;
  /** Connects with credentials that the simulator refuses. */
  withWrongCredentials?: boolean;
  /** Bound of each call, whatever the plugin asks for. */
  timeoutMs?: number;
}

/** A simulator and the plugin's channel connected to it, with all that the plugin logged and asked for. */
export interface ConnectedChannel {
  simulator: ChannelSimulator;
  channel: Channel;
  capabilities: ChannelCapabilities;
  limits: RateLimit[];
  /** The option values that must not be seen anywhere. */
  secrets: string[];
  logged: string[];
  /** What went through `host.http`. */
  requests: ChannelHttpRequest[];
  /** The channel's location to push to, where it has any. */
  location: string | undefined;
}

/** Runs a test on a simulator of its own, closes both ends whatever becomes of it, and looks for secrets. */
export async function withChannel(
  contract: ChannelContract,
  test: (connected: ConnectedChannel) => Promise<void>,
  settings: ConnectionSettings = {},
): Promise<void> {
  const simulator = await contract.startSimulator({
    webhookSecret: WEBHOOK_SECRET,
    token: TOKEN,
    ...settings.simulator,
  });
  try {
    const connected = await connect(contract, simulator, settings);
    try {
      await test(connected);
    } catch (error) {
      throw asBrokenRule(error);
    } finally {
      await connected.channel.close?.();
    }
    namesNoSecret(connected, connected.logged.join('\n'), 'a line of the log');
  } finally {
    await simulator.close();
  }
}

async function connect(
  { plugin }: ChannelContract,
  simulator: ChannelSimulator,
  settings: ConnectionSettings,
): Promise<ConnectedChannel> {
  const wrong = settings.withWrongCredentials ? simulator.wrongCredentials : {};
  const options = resolvePluginOptions(plugin, { ...simulator.pluginOptions, ...wrong });
  const secrets = [...plugin.secrets(options), WEBHOOK_SECRET, TOKEN];
  const logged: string[] = [];
  const requests: ChannelHttpRequest[] = [];
  const note = (message: string, fields?: Record<string, unknown>) => {
    logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const limits = plugin.limits(options);
  const http = createChannelHttp({ limits, clock: systemClock, log, secrets });
  const channel = await plugin.connect(options, {
    channel: 'contract-suite',
    http: watched(http, requests, settings.timeoutMs),
    log,
    clock: systemClock,
    secrets: memorySecrets(),
  });
  const capabilities = plugin.capabilities(options);
  const location = capabilities.stockByLocation ? simulator.locations[0] : undefined;
  return { simulator, channel, capabilities, limits, secrets, logged, requests, location };
}

function watched(
  http: ChannelHttp,
  requests: ChannelHttpRequest[],
  timeoutMs: number | undefined,
): ChannelHttp {
  return {
    request: (request) => {
      requests.push(request);
      return http.request(timeoutMs === undefined ? request : { ...request, timeoutMs });
    },
    learn: (limit, facts) => http.learn(limit, facts),
  };
}

/** An update as the host would make it, for the channel's first location where it has any. */
export function updateOf(
  { location }: Pick<ConnectedChannel, 'location'>,
  channelSku: string,
  quantityUnits: number,
  others: Partial<InventoryUpdate> = {},
): InventoryUpdate {
  return {
    pushId: `push-of-${quantityUnits}-to-${channelSku}`,
    channelSku,
    quantityUnits,
    ...(location === undefined ? {} : { channelLocation: location }),
    ...others,
  };
}

export function push(
  connected: ConnectedChannel,
  channelSku: string,
  quantityUnits: number,
): Promise<PushResult[]> {
  return connected.channel.pushInventory([updateOf(connected, channelSku, quantityUnits)]);
}

/** Everything a paged read gives, and the pages as they came. */
export async function collect<T>(pages: AsyncIterable<Page<T>>): Promise<{ items: T[]; pages: Page<T>[] }> {
  const collected: Page<T>[] = [];
  for await (const page of pages) collected.push(page);
  return { items: collected.flatMap((page) => page.items), pages: collected };
}

export function expectReadable(pages: readonly Page<unknown>[]): void {
  const unreadable = pages.flatMap((page) => page.unreadable ?? []);
  expectEqual(
    unreadable.slice(0, 3),
    [],
    `What the channel documents is understood; ${unreadable.length} rows were not`,
  );
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

/**
 * Waits until the simulator shows a quantity: a channel that only accepts a push may take its time, one that
 * applies it may not.
 */
export async function expectShown(
  { simulator, capabilities, location }: ConnectedChannel,
  sku: string,
  quantityUnits: number,
): Promise<void> {
  const attempts = capabilities.pushAnswers === 'applied' ? 1 : 100;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await systemClock.sleep(50);
    if (simulator.shown(location).get(sku) === quantityUnits) return;
  }
  const shows = simulator.shown(location).get(sku);
  expectThat(
    false,
    `A pushed quantity is an absolute, and what the channel shows: ${sku} shows ${shows} where ${quantityUnits} was pushed`,
  );
}

/** In any of the forms that a secret takes on its way. */
export function namesNoSecret({ secrets }: ConnectedChannel, text: string, where: string): void {
  const redacted = createRedactor(secrets)(text);
  expectThat(
    redacted === text,
    `No secret appears in ${where}. Name every secret in plugin.secrets(options), and keep headers, queries and bodies out of messages`,
    redacted,
  );
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
