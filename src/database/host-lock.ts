import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataDirectoryInUseError, DataDirectoryUnusableError } from './database.errors';
import { processIdentity } from './process-identity';

type Owner = { pid: number; startedAt: string; machine: string };

/** Attempts at a lock that others take over and leave at the same moment, before giving up. */
const MAX_ATTEMPTS = 50;
const RETRY_MS = 20;

/**
 * A lock file that holds while its owner lives: a process killed with -9 frees it by being gone.
 * It keeps two hosts from creating or starting one cluster together; the advisory lock in that cluster
 * has the final word, because processes of another container cannot be seen from here.
 */
export class HostLock {
  private constructor(
    private readonly path: string,
    private readonly content: string,
  ) {}

  /** Throws `DataDirectoryInUseError` while another live process holds the lock. */
  static async take(path: string, dataDir: string): Promise<HostLock> {
    const self = await processIdentity(process.pid);
    // The id makes each taking a text of its own, so that one stale lock is never mistaken for another.
    const owner = {
      pid: process.pid,
      startedAt: self?.startedAt ?? 'unknown',
      machine: hostname(),
      id: randomUUID(),
    };
    const content = JSON.stringify(owner);
    const rival = await claim(path, content);
    if (rival) throw new DataDirectoryInUseError(dataDir, rival.pid);
    return new HostLock(path, content);
  }

  /** Frees the lock if it is still ours. */
  async release(): Promise<void> {
    const found = await readFile(this.path, 'utf8').catch(() => undefined);
    if (found === this.content) await rm(this.path, { force: true });
  }
}

/**
 * Puts `content` at `path` unless a live owner is there, and returns that owner. A stale file may be
 * replaced only by whoever holds the claim on exactly that file, which is itself such a lock: so of many
 * who find it stale one replaces it, and one that dies while doing so is replaced in turn.
 */
async function claim(path: string, content: string): Promise<Owner | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await placed(path, content, link)) return undefined;
    const found = await readFile(path, 'utf8').catch(() => undefined);
    if (found === undefined) continue;
    const owner = parseOwner(found);
    if (owner && (await lives(owner))) return owner;
    const takeover = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 12)}`;
    if (await claim(takeover, content)) {
      await sleep(RETRY_MS);
      continue;
    }
    const unchanged = (await readFile(path, 'utf8').catch(() => undefined)) === found;
    if (unchanged) await placed(path, content, rename);
    await rm(takeover, { force: true });
    if (unchanged) return undefined;
  }
  throw new DataDirectoryUnusableError(
    `The lock ${path} changes hands too often to be taken. Stop the other hosts, then start again.`,
  );
}

/** Writes elsewhere and then links or renames, so that nobody reads half an owner. False when `path` is taken. */
async function placed(path: string, content: string, put: typeof link | typeof rename): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content);
  try {
    await put(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function parseOwner(content: string): Owner | undefined {
  try {
    return JSON.parse(content) as Owner;
  } catch {
    return undefined;
  }
}

async function lives(owner: Owner): Promise<boolean> {
  // A pid of another container means nothing here; the advisory lock decides there.
  if (owner.machine !== hostname()) return false;
  return (await processIdentity(owner.pid))?.startedAt === owner.startedAt;
}
