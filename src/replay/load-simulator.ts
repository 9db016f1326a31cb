import { pathToFileURL } from 'node:url';
import type { ChannelSimulator, SimulatorOptions, StartSimulator } from '../channel-api/simulator';
import { ChannelSetupError } from '../channels/channels.errors';
import { lendTo } from '../channels/host-copies';
import { entryOf, locatePlugin } from '../channels/plugin-location';
import { PACKAGE_ROOT } from '../version';
import { ReplaySetupError } from './replay.errors';

/**
 * The `startSimulator` of a plugin's `./simulator` entry. Plugins are looked up as the host looks them up, by
 * package from `folder` and then from this package, or by absolute path. @throws ReplaySetupError
 */
export async function loadSimulator(plugin: string, folder = PACKAGE_ROOT): Promise<StartSimulator> {
  const { file, root } = locateSimulator(plugin, folder);
  lendTo(root);
  let loaded: { startSimulator?: unknown; default?: { startSimulator?: unknown } };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    throw new ReplaySetupError(`The simulator of ${plugin} throws when loaded: ${(error as Error).message}`);
  }
  const start = loaded.startSimulator ?? loaded.default?.startSimulator;
  if (typeof start === 'function') return start as StartSimulator;
  throw new ReplaySetupError(`The simulator of ${plugin} exports no startSimulator; ask its author for one.`);
}

/** @throws ReplaySetupError, most often because the port is taken. */
export async function startOn(start: StartSimulator, options: SimulatorOptions): Promise<ChannelSimulator> {
  try {
    return await start(options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw new ReplaySetupError(`The simulator does not start: ${message}`);
    const remedy = 'Stop what listens there: the simulated channel takes its place during a replay.';
    throw new ReplaySetupError(
      `Port ${options.port ?? 0}, where the host expects the channel, is taken. ${remedy}`,
    );
  }
}

function locateSimulator(plugin: string, folder: string): { file: string; root: string } {
  try {
    const { root } = locatePlugin(plugin, folder);
    const file = entryOf(root, '/simulator');
    if (file !== undefined) return { file, root };
  } catch (error) {
    if (!(error instanceof ChannelSetupError)) throw error;
  }
  throw new ReplaySetupError(
    `The plugin ${plugin} has no simulator that can be found: its package.json exports none as "./simulator", or names a file that is not there. Build it, or install a plugin that has one.`,
  );
}
