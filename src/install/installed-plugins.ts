import { pinFault, packageNameOf } from '../channels/pinned-plugins';
import { probePlugin } from '../channels/probe-plugin';
import type { NamedPlugin, PluginProject } from '../config/channel-plugins';
import { type PluginPin, readPins } from '../config/plugin-pins';
import { PluginInstallError } from './install.errors';
import { removePlugin } from './plugin-folder';

/** A plugin that is pinned, or named by a channel, or both. */
export interface ListedPlugin {
  /** npm package name, or absolute path. */
  readonly name: string;
  /** Of its code, once loaded; of the pin where it was not. */
  readonly version: string | null;
  readonly channelApi: string | null;
  /** The version pinned; null for a plugin that is not pinned. */
  readonly pinned: string | null;
  readonly source: string | null;
  /** Whether the files are those that were pinned; null for a plugin that is not pinned. */
  readonly integrity: 'ok' | 'differs' | null;
  readonly channels: readonly string[];
  /** What is wrong, and what to do. */
  readonly problem: string | null;
}

/** Every plugin of a project. Each is loaded in a process of its own, unless it differs from its pin. */
export function listPlugins({ folder, channels }: PluginProject): Promise<ListedPlugin[]> {
  const pins = readPins(folder);
  const named = channels.map(({ plugin }) => packageNameOf(plugin));
  const names = [...new Set([...pins.keys(), ...named])].sort();
  return Promise.all(names.map((name) => describePlugin({ folder, channels }, name, pins.get(name))));
}

async function describePlugin(
  { folder, channels: all }: PluginProject,
  name: string,
  pin: PluginPin | undefined,
): Promise<ListedPlugin> {
  const users = channelsOf(all, name);
  const channels = users.map(({ channel }) => channel);
  const pinned = { pinned: pin?.version ?? null, source: pin?.source ?? null };
  const fault = pin && pinFault(folder, name, pin);
  const integrity: ListedPlugin['integrity'] = !pin ? null : fault === undefined ? 'ok' : 'differs';
  const rest = { name, ...pinned, integrity, channels };
  const unread = { ...rest, version: pin?.version ?? null, channelApi: null };
  if (fault !== undefined) return { ...unread, problem: fault };
  const verdict = await probePlugin(users[0]?.plugin ?? name, folder);
  if (!verdict.ok) return { ...unread, problem: verdict.reason };
  const { version, channelApi } = verdict;
  return { ...rest, version, channelApi, problem: null };
}

/** Throws `PluginInstallError` where it is not pinned, or a channel needs it and `force` is not given. */
export function unpinPlugin({ folder, channels }: PluginProject, name: string, force: boolean): PluginPin {
  const pin = readPins(folder).get(name);
  if (pin === undefined) {
    throw new PluginInstallError(
      'plugin-not-pinned',
      `${name} is not one of the plugins added here; \`onhand plugins list\` shows them.`,
    );
  }
  const users = channelsOf(channels, name).map(({ channel }) => channel);
  if (users.length > 0 && !force) {
    throw new PluginInstallError(
      'plugin-in-use',
      `${name} serves ${users.join(', ')}. Take ${users.length === 1 ? 'that channel' : 'those channels'} out of onhand.yaml first, or use --force; without the plugin they are not served.`,
    );
  }
  removePlugin(folder, name, pin);
  return pin;
}

function channelsOf(channels: readonly NamedPlugin[], name: string): NamedPlugin[] {
  return channels.filter(({ plugin }) => packageNameOf(plugin) === name);
}
