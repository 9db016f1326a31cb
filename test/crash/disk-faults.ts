import { execFile, spawnSync } from 'node:child_process';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { giveTo, serverUser } from '../../src/database/embedded-user';
import { eventually } from '../support/eventually';
import { letLeasesEnd } from './at-rest';
import type { CrashWorld } from './crash-world';
import type { Scene } from './faults';

const run = promisify(execFile);
/** Left at most when the disk is nearly full: a moment's worth of the log. */
const LEFT_BYTES = 700 * 1024;
const FULL_WITHIN_MS = 25_000;

let mountable: boolean | undefined;

/** Whether this process may mount a small disk of its own. */
export function canMount(): boolean {
  mountable ??= process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
  return mountable;
}

/**
 * Moves the tables to a disk of a few megabytes and fills it. PostgreSQL panics or refuses; either way nobody may be
 * told that something is done. Then the disk is made larger, and the tables go back where they were.
 */
export async function fillDisk({ world, traffic, random, notes }: Scene): Promise<void> {
  const { postgres } = world;
  const { cluster } = postgres;
  const away = `${cluster}.away`;
  const user = await serverUser(cluster);
  await postgres.stop('fast');
  await rename(cluster, away);
  await mkdir(cluster, { mode: 0o700 });
  await run('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=1g,mode=700,uid=${user?.uid ?? 0},gid=${user?.gid ?? 0}`,
    'crash',
    cluster,
  ]);
  try {
    await run('cp', ['-a', `${away}/.`, cluster]);
    await postgres.start();
    const leftBytes = Math.floor(random.next() * LEFT_BYTES);
    // What is written between the look and the change is more than the disk could hold then: it is looked at again.
    await eventually(() => shrinkTo(cluster, leftBytes));
    const before = traffic.book.failures;
    await eventually(() => {
      if (traffic.book.failures < before + 5) throw new Error('the disk is not full yet');
    }, FULL_WITHIN_MS);
    await sleep(500);
    notes.push((await postgres.isRunning()) ? 'refused' : 'panicked');
    await run('mount', ['-o', 'remount,size=1g', cluster]);
    if (!(await postgres.isRunning())) await postgres.start();
    await sleep(500);
    await postgres.stop('fast');
    await rm(away, { recursive: true });
    await run('cp', ['-a', cluster, away]);
  } finally {
    await postgres.stop('immediate');
    await run('umount', ['-l', cluster]);
    await rm(cluster, { recursive: true });
    await rename(away, cluster);
    await giveTo(user, cluster);
  }
  await postgres.start();
}

async function shrinkTo(folder: string, leftBytes: number): Promise<void> {
  const { blocks, bsize, bfree } = await statfs(folder);
  await run('mount', ['-o', `remount,size=${(blocks - bfree) * bsize + leftBytes}`, folder]);
}

/** A copy of the tables is put back after the shops have moved on; orders are read again, and shops compared. */
export async function restoreBackup({ world, traffic, notes }: Scene): Promise<void> {
  const { postgres } = world;
  const backup = join(world.folder, 'backup');
  await traffic.stop();
  await traffic.book.askAgain(world.webUrls);
  await postgres.stop('fast');
  await rm(backup, { recursive: true, force: true });
  await run('cp', ['-a', postgres.cluster, backup]);
  await postgres.start();
  const mark = { calls: traffic.book.calls.length, webhooks: traffic.book.webhooks.length };
  traffic.start();
  await sleep(2_500);
  await traffic.stop();
  for (const seat of world.seats) await world.kill(seat);
  await postgres.stop('immediate');
  await postgres.takeFrom(backup);
  await postgres.start();
  notes.push(`${traffic.book.calls.length - mark.calls} answers lost`);
  traffic.fallBackTo(mark);
  await world.startHosts();
  await letLeasesEnd(world);
  await compareShops(world);
}

/** As an operator would after a restore. */
async function compareShops({ api, shops }: CrashWorld): Promise<void> {
  for (const { name } of shops) {
    await eventually(async () => {
      const { status, body } = await api.post(`/v1/channels/${name}/reconcile?wait=30`, {});
      if (status !== 200) throw new Error(`reconcile was answered ${status} ${JSON.stringify(body)}`);
    }, 30_000);
  }
}
