import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { satisfies, validRange } from 'semver';
import { CHANNEL_API_VERSION, type ChannelPlugin } from '../channel-api';
import { PACKAGE_ROOT } from '../version';
import { ChannelSetupError } from './channels.errors';

/**
 * Imports a plugin by npm package name (looked up from the config's folder, then from the host's own) or by
 * absolute path, and checks that it is one and that it was written for this channel API.
 * Throws `ChannelSetupError`.
 */
export async function loadPlugin(plugin: string, folder: string): Promise<ChannelPlugin> {
  const file = resolvePlugin(plugin, folder);
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new ChannelSetupError(`the plugin ${plugin} throws when loaded: ${(error as Error).message}`);
  }
  return checked(defaultExport(loaded), plugin);
}

function resolvePlugin(plugin: string, folder: string): string {
  const places = isAbsolute(plugin) ? [PACKAGE_ROOT] : [folder, PACKAGE_ROOT];
  for (const place of places) {
    try {
      return createRequire(join(place, 'package.json')).resolve(plugin);
    } catch {
      // Not from here: the next place may have it.
    }
  }
  const remedy = isAbsolute(plugin)
    ? 'check the path, and that the plugin is built'
    : `run \`npm install ${plugin}\` in ${folder}`;
  throw new ChannelSetupError(`the plugin ${plugin} cannot be found; ${remedy}`);
}

/** CommonJS plugins arrive wrapped once more by `import()`. */
function defaultExport(loaded: unknown): unknown {
  const outer = (loaded as { default?: unknown }).default;
  return (outer as { default?: unknown } | undefined)?.default ?? outer;
}

function checked(candidate: unknown, name: string): ChannelPlugin {
  const plugin = candidate as Partial<ChannelPlugin> | undefined;
  const missing = (['name', 'version', 'channelApi'] as const)
    .filter((field) => typeof plugin?.[field] !== 'string')
    .concat(
      (['options', 'capabilities', 'limits', 'connect'] as const).filter(
        (field) => typeof plugin?.[field] !== 'function',
      ) as never[],
    );
  if (missing.length > 0) {
    throw new ChannelSetupError(
      `${name} is no channel plugin: its default export lacks ${missing.join(', ')}; use defineChannelPlugin`,
    );
  }
  const { channelApi, version } = plugin as ChannelPlugin;
  if (!validRange(channelApi) || !satisfies(CHANNEL_API_VERSION, channelApi)) {
    throw new ChannelSetupError(
      `${name} ${version} was written for channel API ${channelApi}, this host has ${CHANNEL_API_VERSION}; install a version of the plugin that fits`,
    );
  }
  return plugin as ChannelPlugin;
}
