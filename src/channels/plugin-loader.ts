import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { satisfies, validRange } from 'semver';
import { CHANNEL_API_VERSION, type ChannelPlugin, unseenNesting } from '../channel-api';
import { isMapping } from '../config/field-rules';
import { PACKAGE_ROOT } from '../version';
import { ChannelSetupError } from './channels.errors';
import { LENT_LIBRARIES, lendTo } from './host-copies';
import { reasonOf, withinTime } from './plugin-calls';
import { locatePlugin, type PluginLocation } from './plugin-location';

const LOAD_WITHIN_MS = 10_000;

/**
 * Imports a plugin by npm package name or by absolute path, and checks that it is one and that it was written
 * for this channel API. Throws `ChannelSetupError`, which says what is wrong and what to do.
 */
export async function loadPlugin(plugin: string, folder: string): Promise<ChannelPlugin> {
  return loadLocated(locatePlugin(plugin, folder));
}

/** The same for a plugin that has been found. Throws `ChannelSetupError`. */
export async function loadLocated(location: PluginLocation): Promise<ChannelPlugin> {
  const { plugin, file, root, manifest } = location;
  requireLentVersions(plugin, manifest);
  lendTo(root);
  const loaded = await withinTime(importModule(plugin, file), {
    ms: LOAD_WITHIN_MS,
    exceeded: `the plugin ${plugin} does not finish loading`,
  });
  return checked(defaultExport(loaded), plugin);
}

async function importModule(plugin: string, file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    throw new ChannelSetupError(`the plugin ${plugin} throws when loaded: ${reasonOf(error)}`);
  }
}

/** CommonJS plugins arrive wrapped once more by `import()`. */
function defaultExport(loaded: unknown): unknown {
  const outer = (loaded as { default?: unknown }).default;
  return (outer as { default?: unknown } | undefined)?.default ?? outer;
}

/** A plugin gets the host's copy of these whatever its package.json asks for, so what it asks for has to fit. */
function requireLentVersions(plugin: string, manifest: Readonly<Record<string, unknown>>): void {
  for (const library of LENT_LIBRARIES) {
    const ranges = [manifest.dependencies, manifest.peerDependencies].filter(isMapping);
    const range = ranges.map((dependencies) => dependencies[library]).find((each) => each !== undefined);
    if (typeof range !== 'string' || !validRange(range)) continue;
    const lent = versionOf(library);
    if (satisfies(lent, range)) continue;
    throw new ChannelSetupError(
      `the plugin ${plugin} needs ${library} ${range}, and this host lends it ${lent}; install a version of the plugin that fits`,
    );
  }
}

function versionOf(library: string): string {
  const own = createRequire(join(PACKAGE_ROOT, 'package.json'));
  return (own(`${library}/package.json`) as { version: string }).version;
}

function checked(candidate: unknown, name: string): ChannelPlugin {
  const plugin = candidate as Partial<ChannelPlugin> | undefined;
  const missing = (['name', 'version', 'channelApi'] as const)
    .filter((field) => typeof plugin?.[field] !== 'string')
    .concat(
      (['options', 'secrets', 'capabilities', 'limits', 'connect'] as const).filter(
        (field) => typeof plugin?.[field] !== 'function',
      ) as never[],
    );
  if (missing.length > 0) {
    throw new ChannelSetupError(
      `the plugin ${name} is no channel plugin: its default export lacks ${missing.join(', ')}; use defineChannelPlugin`,
    );
  }
  const { channelApi, version, options } = plugin as ChannelPlugin;
  if (!validRange(channelApi) || !satisfies(CHANNEL_API_VERSION, channelApi)) {
    throw new ChannelSetupError(
      `the plugin ${name} ${version} was written for channel API ${channelApi}, this host has ${CHANNEL_API_VERSION}; install a version of the plugin that fits`,
    );
  }
  const [unseen] = unseenNesting(options);
  if (unseen !== undefined)
    throw new ChannelSetupError(`the options of the plugin ${name} are not usable: ${unseen}`);
  return plugin as ChannelPlugin;
}
