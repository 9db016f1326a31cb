import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config';
import { splitSecretKeys } from '../config/secret-keys';
import { SealingKeys } from './sealing';

const FILE = 'secret-keys';

/**
 * The keys of `ONHAND_SECRET_KEYS`. Where PostgreSQL is embedded, one is made instead, in a file of the data folder that
 * only this user reads: beside the database, but in none of its dumps. Several hosts share a database and no folder, so
 * that they must be given theirs; without any, nothing can be kept.
 */
export async function sealingKeysOf({ secretKeys, database, dataDir }: Config): Promise<SealingKeys> {
  if (secretKeys.length > 0 || database.url !== null) return new SealingKeys(secretKeys);
  return new SealingKeys(await keysInFile(dataDir));
}

async function keysInFile(folder: string): Promise<string[]> {
  const path = join(folder, FILE);
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) {
    await makeFile(folder, path);
    return keysInFile(folder);
  }
  const keys = splitSecretKeys(found);
  if (keys) return keys;
  throw new Error(`${path} must hold keys of 32 bytes in Base64, one a line; put it back as it was`);
}

/** Whole or not at all, and never over one that another process has just made. */
async function makeFile(folder: string, path: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
