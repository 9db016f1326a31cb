import { dirname, resolve } from 'node:path';
import { type ConfigLocation, readConfigFile } from './config-file';
import { ConfigError } from './config.errors';
import { FaultCollector } from './fault-collector';
import { isMapping } from './field-rules';
import { replaceVariables } from './variables';
import { parseYaml } from './yaml-source';

/** A channel, and the plugin it names: an npm package name or an absolute path. */
export interface NamedPlugin {
  readonly channel: string;
  readonly plugin: string;
}

/** The folder that plugins are installed in and looked up from, and the channels that need them. */
export interface PluginProject {
  readonly folder: string;
  readonly channels: readonly NamedPlugin[];
}

/**
 * Reads which plugin each channel names, and nothing else of the configuration: plugins are added where the
 * secrets are not, and to mend a host that does not start. @throws ConfigError for a file that is no YAML.
 */
export function readPluginProject(location: ConfigLocation): PluginProject {
  const file = readConfigFile(location);
  const folder = file.path === null ? location.cwd : dirname(file.path);
  const source = parseYaml(file.text ?? '');
  if (source.faults.length > 0) throw new ConfigError(file.path, source.faults);
  const value = replaceVariables(source.value, location.env, new FaultCollector(source.locate));
  const channels: unknown[] = isMapping(value) && Array.isArray(value.channels) ? value.channels : [];
  return {
    folder,
    channels: channels.flatMap((entry) => {
      const { name, plugin } = isMapping(entry) ? entry : {};
      return typeof name === 'string' && typeof plugin === 'string'
        ? [{ channel: name, plugin: absolutePlugin(plugin, folder) }]
        : [];
    }),
  };
}

/** A path becomes absolute, a package name stays. */
export function absolutePlugin(plugin: string, folder: string): string {
  return /^\.{0,2}\//.test(plugin) ? resolve(folder, plugin) : plugin;
}
