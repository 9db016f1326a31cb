import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseLog } from './connection-url';
import { DataDirectoryUnusableError } from './database.errors';
import { firstClosedFolder, giveTo, type ServerUser } from './embedded-user';

/** Longest socket path we use: the kernel takes 104 bytes on macOS and 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100;

/** What lies where in a data directory. Only `cluster`, `run` and `logs` belong to the server's user. */
export type Layout = {
  dataDir: string;
  cluster: string;
  run: string;
  logs: string;
  passwordFile: string;
  lockFile: string;
};

/**
 * Chooses the directory to use. As root, a directory the server's user cannot reach is replaced by one
 * below `fallbackRoot` when it was only the default; an explicit choice is refused instead.
 */
export async function chooseDataDir(options: {
  dataDir: string;
  explicit: boolean;
  user: ServerUser | undefined;
  fallbackRoot: string;
  log: DatabaseLog;
}): Promise<string> {
  const wanted = resolve(options.dataDir);
  const closed = await firstClosedFolder(options.user, wanted);
  if (!closed) return wanted;
  if (options.explicit) {
    throw new DataDirectoryUnusableError(
      `PostgreSQL does not run as root, and the user "nobody" it runs as cannot enter ${closed}. Run Onhand as an ` +
        `ordinary user, choose a data directory outside ${closed}, or allow it to be entered: chmod o+x ${closed}`,
    );
  }
  const fallback = join(options.fallbackRoot, hashOf(wanted));
  options.log.warn(
    `PostgreSQL does not run as root, and its user "nobody" cannot enter ${closed}: keeping the data in ${fallback} ` +
      `instead of ${wanted}. Name a data directory in the configuration to choose another place.`,
  );
  return fallback;
}

/** Creates the folders with the rights they need, and leaves those of an existing data directory alone. */
export async function prepareLayout(dataDir: string, user: ServerUser | undefined): Promise<Layout> {
  try {
    await makeDataDir(dataDir, user);
    // Reached through a link it is still the same directory, with the same server running in it.
    const real = await realpath(dataDir);
    const layout = {
      dataDir: real,
      cluster: join(real, 'cluster'),
      run: socketFolder(real),
      logs: join(real, 'logs'),
      passwordFile: join(real, 'password'),
      lockFile: join(real, 'host.lock'),
    };
    await ownFolder(layout.logs, user);
    await ownFolder(layout.run, user);
    return layout;
  } catch (cause) {
    if (cause instanceof DataDirectoryUnusableError) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new DataDirectoryUnusableError(
      `Cannot write to the data directory ${dataDir} (${reason}). Give its owner's rights to this user, or name another directory.`,
      { cause },
    );
  }
}

/** Under root the server's user only passes through the directory; it can list or change nothing there. */
async function makeDataDir(dataDir: string, user: ServerUser | undefined): Promise<void> {
  const first = await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!first || !user) return;
  // The rights are set afterwards, because the umask narrows those given to mkdir.
  for (let folder = dataDir; folder.length >= first.length; folder = dirname(folder))
    await chmod(folder, 0o711);
}

function socketFolder(dataDir: string): string {
  const inside = join(dataDir, 'run');
  const fits = (folder: string) => Buffer.byteLength(join(folder, '.s.PGSQL.5432')) < MAX_SOCKET_PATH_BYTES;
  // The name is derived, not random, so that a later start finds the server an earlier one left running.
  const outside = `onhand-${hashOf(dataDir)}`;
  return [inside, join(tmpdir(), outside)].find(fits) ?? join('/tmp', outside);
}

/** Makes a folder only the server's user can enter. In a shared temp folder somebody else may have taken the name. */
export async function ownFolder(folder: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  if (process.platform === 'win32') return;
  const found = await lstat(folder);
  const ours = [process.getuid?.(), user && user.uid >>> 0];
  if (!found.isDirectory() || !ours.includes(found.uid)) {
    throw new DataDirectoryUnusableError(
      `${folder} exists and belongs to somebody else. Remove it, or name another data directory.`,
    );
  }
  await chmod(folder, 0o700);
  await giveTo(user, folder);
}

/**
 * Reads the password of the cluster's only role, or makes one for a cluster yet to be created. It stays in a
 * file that only the host's own user can read.
 */
export async function clusterPassword(layout: Layout): Promise<string> {
  const known = await readFile(layout.passwordFile, 'utf8').catch(() => undefined);
  if (known?.trim()) return known.trim();
  if (await stat(layout.cluster).catch(() => undefined)) {
    throw new DataDirectoryUnusableError(
      `The file ${layout.passwordFile} is missing, and the database beside it cannot be opened without it. ` +
        'Restore the whole data directory from a backup, or start with an empty one.',
    );
  }
  const password = randomBytes(24).toString('base64url');
  await writePrivate(layout.passwordFile, `${password}\n`);
  return password;
}

/** Writes a file only its owner can read, all of it or nothing. */
export async function writePrivate(path: string, content: string, user?: ServerUser): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o600, flush: true });
  await giveTo(user, draft);
  await rename(draft, path);
}

/** Reads the last lines of the server's logs, which say why it did not start. */
export async function logTail(files: string[], lines = 15): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const all = texts.join('\n').split('\n');
  return all
    .filter((line) => line.trim())
    .slice(-lines)
    .join('\n');
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
