import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUseError } from './database.errors';
import { HostLock } from './host-lock';
import { processIdentity } from './process-identity';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onhand-lock-'));
  path = join(folder, 'host.lock');
});

afterEach(() => rm(folder, { recursive: true }));

const leftBy = (owner: object) => writeFile(path, JSON.stringify({ machine: hostname(), ...owner }));

test('a lock holds until it is released, and leaves no other file behind', async () => {
  const lock = await HostLock.take(path, folder);
  await expect(HostLock.take(path, folder)).rejects.toThrow(`process ${process.pid}`);
  expect(await readdir(folder)).toEqual(['host.lock']);
  await lock.release();
  await (await HostLock.take(path, folder)).release();
  expect(await readdir(folder)).toEqual([]);
});

test('of many takers of a stale lock exactly one gets it', async () => {
  for (let round = 0; round < 50; round++) {
    await leftBy({ pid: process.pid, startedAt: 'a process of an earlier time' });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => HostLock.take(path, folder)));
    const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(
      outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])),
    ).toEqual(Array(7).fill(expect.any(DataDirectoryInUseError)));
    // The winner's lock is the one in the file, so releasing it leaves nothing.
    await taken[0]?.value.release();
    expect(await readdir(folder)).toEqual([]);
  }
});

test('the lock of a living process of this machine holds, that of a process with the same pid but another start does not', async () => {
  const parent = await processIdentity(process.ppid);
  await leftBy(parent as object);
  await expect(HostLock.take(path, folder)).rejects.toThrow(`process ${process.ppid}`);
  await leftBy({ pid: process.ppid, startedAt: 'another time' });
  await expect(HostLock.take(path, folder)).resolves.toBeInstanceOf(HostLock);
});

test('a host does not release a lock that another has taken since', async () => {
  const lock = await HostLock.take(path, folder);
  await leftBy({ pid: 1, startedAt: 'later' });
  await lock.release();
  expect(await readFile(path, 'utf8')).toContain('later');
});
