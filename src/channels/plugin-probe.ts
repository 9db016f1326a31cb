import 'reflect-metadata';
import { reasonOf } from './plugin-calls';
import { loadLocated } from './plugin-loader';
import { locatePlugin } from './plugin-location';
import type { PluginVerdict } from './probe-plugin';

/** The process that `probePlugin` starts: loads one plugin, tells what came of it, and ends. */
async function probe([plugin = '', folder = '', called = plugin]: readonly string[]): Promise<PluginVerdict> {
  try {
    const location = locatePlugin(plugin, folder);
    const { name, version, channelApi } = await loadLocated({ ...location, plugin: called });
    return { ok: true, name, version, channelApi };
  } catch (error) {
    return { ok: false, reason: reasonOf(error).replaceAll(plugin, called) };
  }
}

// What the plugin left running must not keep this process.
void probe(process.argv.slice(2)).then((verdict) => process.send?.(verdict, () => process.exit(0)));
