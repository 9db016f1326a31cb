import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelCapabilities, ChannelHost, ChannelPlugin } from '../channel-api';
import { ChannelSetupError } from './channels.errors';

const CONNECT_WITHIN_MS = 10_000;

/**
 * Connects a channel; one that comes too late is handed to `late`, which closes it. Throws
 * `ChannelSetupError`, or what the plugin throws.
 */
export async function connectPlugin<Options extends object>(
  plugin: ChannelPlugin<Options>,
  options: Options,
  host: ChannelHost,
  late: (channel: Channel) => void,
): Promise<Channel> {
  const connecting = Promise.resolve(plugin.connect(options, host));
  const exceeded = `the plugin ${plugin.name} does not connect`;
  const channel = await withinTime(connecting, { ms: CONNECT_WITHIN_MS, exceeded, late });
  return requireMembers(plugin.name, channel, plugin.capabilities(options));
}

/**
 * Waits no longer than that for a plugin. What comes later is handed to `late`, and what fails later is
 * nobody's business any more. Only waiting can be bounded so: a plugin that never yields stops the process.
 */
export async function withinTime<T>(
  call: Promise<T>,
  limit: { ms: number; exceeded: string; late?: (value: T) => void },
): Promise<T> {
  const stop = new AbortController();
  let isLate = false;
  const expired = sleep(limit.ms, undefined, { signal: stop.signal }).then(() => {
    isLate = true;
    throw new ChannelSetupError(`${limit.exceeded} within ${limit.ms / 1000} seconds`);
  });
  call.then(
    (value) => isLate && limit.late?.(value),
    () => undefined,
  );
  try {
    return await Promise.race([call, expired]);
  } finally {
    stop.abort();
    expired.catch(() => undefined);
  }
}

/** What was thrown, in words: plugins throw texts, objects and nothing at all as well as errors. */
export function reasonOf(thrown: unknown): string {
  const message = (thrown as { message?: unknown } | null | undefined)?.message;
  if (typeof message === 'string' && message !== '') return message;
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  return `it threw ${describeThrown(thrown)} instead of an error`;
}

function describeThrown(thrown: unknown): string {
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return `a value of type ${typeof thrown}`;
  }
}

const MEMBERS = [
  'pushInventory',
  'readInventory',
  'readOrders',
  'verifyWebhook',
  'translateWebhook',
  'check',
] as const;

/** Throws `ChannelSetupError` where a channel lacks what every channel has, or what its capabilities promise. */
function requireMembers(plugin: string, channel: unknown, capabilities: ChannelCapabilities): Channel {
  const given = (channel ?? {}) as Partial<Channel>;
  const needed: (keyof Channel)[] = [
    ...MEMBERS,
    ...(capabilities.cancelsOrders ? (['cancelOrder'] as const) : []),
    ...(capabilities.subscribesWebhooks ? (['subscribe'] as const) : []),
  ];
  const missing = needed.filter((member) => typeof given[member] !== 'function');
  if (missing.length === 0) return given as Channel;
  throw new ChannelSetupError(
    `the plugin ${plugin} connects a channel without ${missing.join(', ')}; ask its author for a version that has them`,
  );
}
