import { parsedUrl } from '../channel-api/parsed-url';
import type { ChannelSimulator, SimulatorOptions } from '../channel-api/simulator';
import type { ChannelConfig } from '../config/channel.config';
import type { Config } from '../config/config';
import type { PublishingRules } from './compare-channel';
import type { HostClient } from './host-client';
import { HostProblemError } from './host.errors';
import { loadSimulator, startOn } from './load-simulator';
import { ReplaySetupError } from './replay.errors';

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

/**
 * Starts the simulator of a configured channel where the host expects the channel itself. By convention of
 * the plugins, the channel's address is `options.baseUrl`, its webhook secret `options.webhook.secret` and its
 * credential `options.auth.token`. @throws ReplaySetupError when the channel is a real one, or unknown.
 */
export async function simulateChannel(config: Config, name: string, seed: number): Promise<ChannelSimulator> {
  const channel = configuredChannel(config, name);
  const port = loopbackPort(channel);
  const webhookSecret = textAt(channel.options, ['webhook', 'secret']);
  if (webhookSecret === undefined) {
    throw new ReplaySetupError(
      `The channel ${name} has no options.webhook.secret, with which its webhooks are signed.`,
    );
  }
  const token = textAt(channel.options, ['auth', 'token']);
  const options: SimulatorOptions & { token?: string } = {
    port,
    webhookSecret,
    seed,
    ...(token ? { token } : {}),
  };
  const simulator = await startOn(await loadSimulator(channel.plugin, config.folder), options);
  if (token === textAt(simulator.pluginOptions, ['auth', 'token'])) return simulator;
  await simulator.close();
  throw new ReplaySetupError(
    `The simulator of ${channel.plugin} asks for another token than options.auth.token of the channel ${name}. ` +
      'Use a version of the plugin whose simulator takes the token it is given.',
  );
}

/** What the channel withholds, by the configuration. @throws ReplaySetupError when there is no such channel. */
export function rulesOf(config: Config, name: string): PublishingRules {
  const { buffer, cap, locations } = configuredChannel(config, name);
  const { syncLatencies, spikePercent, confirmationSeconds, cancelPercent, floorPercent } = buffer;
  const isPlain =
    syncLatencies === 0 &&
    spikePercent === 0 &&
    confirmationSeconds === 0 &&
    cancelPercent === 0 &&
    floorPercent === 0;
  const isFixed = isPlain && config.buffers.policies.length === 0;
  return { buffer, cap, locations: Object.values(locations), ...(!isFixed && { toldFor: name }) };
}

/**
 * Makes sure that the running host talks to this simulator before anything is written: a host that was
 * started with another file could hold a real shop under the same name. @throws ReplaySetupError
 */
export async function requireConnected(
  host: HostClient,
  name: string,
  simulator: ChannelSimulator,
): Promise<void> {
  let told = '';
  try {
    await host.post(`/v1/channels/${encodeURIComponent(name)}/reconcile`, undefined, { repeatable: true });
  } catch (error) {
    if (!(error instanceof HostProblemError) || error.code !== 'channel-unavailable') throw error;
    told = ` (${error.detail})`;
  }
  if (simulator.calls.some(({ status }) => status === 200)) return;
  throw new ReplaySetupError(
    `The host at ${host.url} does not reach the simulated channel on ${simulator.url}${told}. Nothing was changed. ` +
      `It was started with another address or token for ${name}: start it with the file that --config names.`,
  );
}

function configuredChannel(config: Config, name: string): ChannelConfig {
  const found = config.channels.find((channel) => channel.name === name);
  if (found) return found;
  const where = config.file ?? 'No onhand.yaml was found, and so the configuration';
  const names = config.channels.map((channel) => channel.name).join(', ') || 'none';
  throw new ReplaySetupError(
    `${where} has no channel ${JSON.stringify(name)}; it has ${names}. Name one with --channel, or the host's file with --config.`,
  );
}

/** A replay at a real shop's address would push made-up stock into it. */
function loopbackPort({ name, options }: ChannelConfig): number {
  const written = textAt(options, ['baseUrl']);
  const url = written === undefined ? undefined : parsedUrl(written);
  if (url !== undefined && LOOPBACK.test(url.hostname) && url.protocol === 'http:' && url.port !== '')
    return Number(url.port);
  throw new ReplaySetupError(
    `The channel ${name} is not one to simulate: options.baseUrl is ${url ? url.origin : 'missing'}, and a replay needs an ` +
      'address on this machine with a port, such as http://127.0.0.1:4010. Set up a channel of its own for replays.',
  );
}

function textAt(options: Readonly<Record<string, unknown>>, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    options,
  );
  return typeof found === 'string' ? found : undefined;
}
