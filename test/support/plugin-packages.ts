import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(__dirname, '../..');
const SAMPLE = join(ROOT, 'test/sample-plugin');
const run = promisify(execFile);

/** No test asks a registry on the network: what is not given by the test is not there. */
const NO_REGISTRY = 'http://127.0.0.1:9';

export interface CliAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the built `onhand` as a process, as an operator does. */
export async function onhand(
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<CliAnswer> {
  const options = { cwd, env: { ...cleanEnvironment(), npm_config_registry: NO_REGISTRY, ...env } };
  try {
    const { stdout, stderr } = await run(process.execPath, [join(ROOT, 'bin/onhand.js'), ...args], options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** Builds the sample plugin with the compiler, as its author does, and packs it. Answers the file. */
export async function packSample(folder: string): Promise<string> {
  const author = join(folder, 'author');
  await mkdir(author, { recursive: true });
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', SAMPLE, '--outDir', join(author, 'dist')]);
  await cp(join(SAMPLE, 'package.json'), join(author, 'package.json'));
  return pack(author, folder);
}

/** A plugin's package as a folder: the manifest, and files by their path. */
export async function writePackage(
  folder: string,
  manifest: object,
  files: Record<string, string>,
): Promise<string> {
  const all = { 'package.json': JSON.stringify(manifest), ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

export async function pack(folder: string, destination: string): Promise<string> {
  const args = ['pack', folder, '--ignore-scripts', '--pack-destination', destination, '--json'];
  const { stdout } = await run('npm', args, { cwd: destination, env: cleanEnvironment() });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(destination, filename);
}

/** An npm registry on this machine that has these packed packages and no others. */
export async function startRegistry(tarballs: Record<string, { version: string; file: string }>) {
  const contents = new Map<string, { version: string; content: Buffer }>();
  for (const [name, { version, file }] of Object.entries(tarballs))
    contents.set(name, { version, content: await readFile(file) });
  const server = createServer((request, response) => {
    const [, name = '', file] =
      /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
    const found = contents.get(name);
    if (!found)
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":"not_found"}');
    if (file !== undefined) return void response.end(found.content);
    const { version, content } = found;
    const dist = {
      integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
      tarball: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}/-/package.tgz`,
    };
    const packument = {
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { name, version, dist } },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** Every file and link below a folder with its bytes, and every folder: equal only when nothing was touched. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) return [path, 'folder'];
      if (entry.isSymbolicLink()) return [path, `link to ${await readlink(path)}`];
      return [path, (await readFile(path)).toString('base64')];
    }),
  );
  return Object.fromEntries(contents.sort(([a], [b]) => (a! < b! ? -1 : 1))) as Record<string, string>;
}

/** Without what npm sets for its own children, where the tests are run by npm. */
function cleanEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return Object.fromEntries(own) as Record<string, string>;
}
