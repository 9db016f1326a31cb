import { chown, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The system user PostgreSQL runs as; undefined means the user this process already is. */
export type ServerUser = { uid: number; gid: number };

/**
 * PostgreSQL refuses to run as root, so root runs it as the owner of an existing cluster, else as `nobody`,
 * which every Unix has.
 */
export async function serverUser(cluster: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(cluster).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid | 0, gid: existing.gid | 0 };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = accounts
    .split('\n')
    .find((line) => line.startsWith('nobody:'))
    ?.split(':');
  return { uid: Number(fields?.[2] ?? 65534), gid: Number(fields?.[3] ?? 65534) };
}

/** Hands a path to the server's user. Ids are negative for `nobody` on macOS: spawn wants them so, chown unsigned. */
export async function giveTo(user: ServerUser | undefined, path: string): Promise<void> {
  if (user) await chown(path, user.uid >>> 0, user.gid >>> 0);
}

/** The first folder on the way to `path` (itself included) that `user` cannot enter, if there is one. */
export async function firstClosedFolder(
  user: ServerUser | undefined,
  path: string,
): Promise<string | undefined> {
  if (!user) return undefined;
  const parent = dirname(path);
  const closedAbove = parent === path ? undefined : await firstClosedFolder(user, parent);
  if (closedAbove) return closedAbove;
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() && !allows(user, found, 0o1) ? path : undefined;
}

/** Whether the permission bits (4 read, 2 write, 1 enter or execute) are granted to `user`. */
export function allows(
  user: ServerUser,
  file: { mode: number; uid: number; gid: number },
  bits: number,
): boolean {
  if (file.uid === user.uid >>> 0) return ((file.mode >> 6) & bits) === bits;
  if (file.gid === user.gid >>> 0) return ((file.mode >> 3) & bits) === bits;
  return (file.mode & bits) === bits;
}
