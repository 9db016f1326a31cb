import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { ChannelSimulator } from '../channel-api/simulator';
import { listingsCsv } from './listings-csv';
import type { OrderFile } from './order-file';

/** Files of a demo; all of them are in `path`, with the database and the log. */
export interface DemoFolder {
  path: string;
  configFile: string;
  logFile: string;
}

export interface DemoFolderContent {
  channel: string;
  plugin: string;
  simulator: ChannelSimulator;
  file: OrderFile;
  /** CSV text of a synthetic file, to be looked at with `--keep`. */
  synthetic?: string;
  port: number;
}

/** A folder that only this user can look into: the log and the configuration are nobody else's business. */
export async function makeDemoFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'onhand-demo-'));
  // PostgreSQL does not run as root: the user it then runs as must pass through to its data.
  if (process.getuid?.() === 0) await chmod(path, 0o711);
  return path;
}

/**
 * Stops the database that a killed host left running; one that was stopped has removed its lock file. The
 * file's first two lines are the process and its data folder.
 */
export async function stopLeftDatabase(path: string): Promise<void> {
  const lockFile = join(path, 'data/cluster/postmaster.pid');
  const [pid, dataFolder] = (await readFile(lockFile, 'utf8').catch(() => '')).split('\n');
  if (!Number(pid) || dataFolder !== join(path, 'data/cluster')) return;
  try {
    // An immediate shutdown: nobody will read this database again.
    process.kill(Number(pid), 'SIGQUIT');
    for (let polls = 0; polls < 50; polls += 1) {
      await sleep(100);
      process.kill(Number(pid), 0);
    }
  } catch {
    // It is gone.
  }
}

/** Writes what the host reads. */
export async function fillDemoFolder(path: string, content: DemoFolderContent): Promise<DemoFolder> {
  const { channel, plugin, simulator, file, synthetic, port } = content;
  const configFile = join(path, 'onhand.yaml');
  const options = simulator.pluginOptions;
  // Every SKU of the file is listed at the channel's first location, where it has any.
  const [location] = simulator.locations;
  const locations = location === undefined ? {} : { locations: { [location]: 'main' } };
  const config = {
    server: { host: '127.0.0.1', port },
    dataDir: './data',
    log: { level: 'info', pretty: false },
    push: { pollEverySeconds: 1 },
    outbound: { allow: [new URL(simulator.url).host] },
    channels: [{ name: channel, plugin, mode: 'live', listings: './listings.csv', options, ...locations }],
  };
  await writeFile(configFile, stringify(config), { mode: 0o600 });
  await writeFile(join(path, 'listings.csv'), listingsCsv(file));
  if (synthetic !== undefined) await writeFile(join(path, 'orders.csv'), synthetic);
  return { path, configFile, logFile: join(path, 'host.log') };
}
