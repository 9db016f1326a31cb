import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteIdentifier, type DatabaseLog } from './connection-url';
import { DataDirectoryInUseError } from './database.errors';
import { installedBinaries, usableBinaries } from './embedded-binaries';
import { chooseDataDir, clusterPassword, prepareLayout, type Layout } from './embedded-layout';
import { EmbeddedServer, type ServerSettings } from './embedded-server';
import { serverUser } from './embedded-user';
import { HostClaim } from './host-claim';
import { HostLock } from './host-lock';

export type EmbeddedPostgresOptions = {
  dataDir: string;
  /** True when somebody chose `dataDir`; otherwise it may be replaced where root's server cannot reach it. */
  explicit?: boolean;
  /** Created when missing. */
  database: string;
  log: DatabaseLog;
  extraSettings?: ServerSettings;
  /** Where the server is kept instead of an unreachable default directory. */
  fallbackRoot?: string;
  /** Folder with bin, lib and share; the installed package's by default. */
  binaries?: string;
};

export type EmbeddedPostgres = {
  /** For pg and TypeORM. It holds the password: never log it. */
  url: string;
  dataDir: string;
  /** True when a server was found running, left by a host that was killed. */
  adopted: boolean;
  /** Gives up the directory and stops the server. Calling it again does nothing more. */
  stop(): Promise<void>;
};

/**
 * Runs PostgreSQL in a data directory for as long as this host lives.
 * Throws `DataDirectoryInUseError`, `DataDirectoryUnusableError` and `EmbeddedPostgresError`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const layout = await layoutFor(options);
  const lock = await HostLock.take(layout.lockFile, layout.dataDir);
  try {
    const server = await serverFor(options, layout);
    return await own(server, lock, layout, options);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Where the server of a data directory takes connections while a host runs it; undefined when none does. Starts and
 * creates nothing. The address holds the password: never log it.
 */
export async function runningEmbeddedUrl({
  dataDir,
  explicit,
  database = 'onhand',
}: {
  dataDir: string;
  explicit: boolean;
  database?: string;
}): Promise<string | undefined> {
  const log = { log: ignore, warn: ignore, error: ignore };
  const options = { dataDir, explicit, database, log };
  const chosen = await chosenDataDir(options);
  if (!existsSync(join(chosen, 'cluster', 'postmaster.pid'))) return undefined;
  const server = await serverFor(options, await layoutFor(options));
  return (await server.adopt()) ? server.urlOf(database) : undefined;
}

const ignore = () => undefined;

async function layoutFor(options: EmbeddedPostgresOptions): Promise<Layout> {
  const chosen = await chosenDataDir(options);
  return prepareLayout(chosen, await serverUser(join(chosen, 'cluster')));
}

async function chosenDataDir(options: EmbeddedPostgresOptions): Promise<string> {
  const { dataDir, explicit = false, fallbackRoot = '/var/lib/onhand', log } = options;
  const user = await serverUser(join(dataDir, 'cluster'));
  return chooseDataDir({ dataDir, explicit, user, fallbackRoot, log });
}

async function serverFor(options: EmbeddedPostgresOptions, layout: Layout): Promise<EmbeddedServer> {
  const { log, extraSettings = {} } = options;
  const user = await serverUser(layout.cluster);
  const native = await usableBinaries({
    native: options.binaries ?? installedBinaries(),
    copyInto: layout.dataDir,
    user,
    log,
  });
  const server = new EmbeddedServer({
    layout,
    native,
    user,
    password: await clusterPassword(layout),
    extraSettings,
    log,
  });
  await server.createCluster();
  return server;
}

async function own(
  server: EmbeddedServer,
  lock: HostLock,
  layout: Layout,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { log, database } = options;
  const adopted = await server.ensureRunning();
  if (adopted)
    log.warn('PostgreSQL was still running from a host that ended without stopping it; this host uses it.');
  let claim: HostClaim | undefined;
  try {
    claim = await HostClaim.take({
      url: server.urlOf('postgres'),
      dataDir: layout.dataDir,
      log,
      revive: () => server.ensureRunning(),
    });
    await createDatabase(claim, database);
  } catch (error) {
    await claim?.release();
    // A server another host owns is left alone; ours would otherwise outlive this failed start.
    if (!(error instanceof DataDirectoryInUseError)) await server.stop();
    throw error;
  }
  const stopAtExit = interruptAtExit(server);
  let stopping: Promise<void> | undefined;
  const stop = async (owned: HostClaim) => {
    await owned.release();
    await server.stop();
    process.off('exit', stopAtExit);
    // A socket folder outside the data directory would be left behind in the temp folder.
    await rmdir(layout.run).catch(() => undefined);
    await lock.release();
  };
  const held = claim;
  return {
    url: server.urlOf(database),
    dataDir: layout.dataDir,
    adopted,
    stop: () => (stopping ??= stop(held)),
  };
}

async function createDatabase(claim: HostClaim, database: string): Promise<void> {
  const found = await claim.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (found.length === 0) await claim.query(`CREATE DATABASE ${quoteIdentifier(database)}`);
}

/**
 * A process that exits without `stop`, as after a failed start, asks the server for a fast stop on its
 * way out. Nothing can be awaited there, so the signal is sent directly. Windows has no such signal.
 */
function interruptAtExit(server: EmbeddedServer): () => void {
  const interrupt = () => {
    if (server.pid === undefined || process.platform === 'win32') return;
    try {
      process.kill(server.pid, 'SIGINT');
    } catch {
      // The server is already gone, which is all this wants.
    }
  };
  process.once('exit', interrupt);
  return interrupt;
}
