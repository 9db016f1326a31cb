import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { valid } from 'semver';
import { LENT_LIBRARIES } from '../channels/host-copies';
import { hashFiles } from '../channels/pinned-plugins';
import { isMapping } from '../config/field-rules';
import { isPackageName, type PluginPin } from '../config/plugin-pins';
import { PluginInstallError } from './install.errors';
import { runNpm } from './npm';
import { lendNpmSettings, type PackedPlugin } from './plugin-source';
import { integrityOf, readTarball } from './tarball';

/** A plugin with its dependencies, installed in a temporary folder. */
export interface StagedPlugin {
  readonly name: string;
  readonly folder: string;
  readonly pin: PluginPin;
}

/** Runs with two folders outside the project, to pack and to install in, and removes them whatever happens. */
export async function withStaging<T>(
  run: (staging: { work: string; folder: string }) => Promise<T>,
): Promise<T> {
  const place = await mkdtemp(join(tmpdir(), 'onhand-plugin-'));
  try {
    const staging = { work: join(place, 'work'), folder: join(place, 'plugin') };
    await mkdir(staging.work);
    return await run(staging);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * Unpacks a plugin into `folder` and installs its dependencies there: those of `lock` where there is one,
 * otherwise the newest that its package.json allows. Throws `PluginInstallError`.
 */
export async function stagePlugin(
  { tarball, source }: PackedPlugin,
  { folder, project, lock }: { folder: string; project: string; lock?: PluginPin['lock'] },
): Promise<StagedPlugin> {
  const files = readTarball(tarball);
  const manifest = readManifest(files.get('package.json')!);
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const written = await installDependencies(manifest, { folder, project, lock });
  await writeFile(join(folder, 'package.json'), files.get('package.json')!);
  const { name, version } = manifest;
  const integrity = integrityOf(tarball);
  const pin = { version, source, integrity, files: hashFiles(folder), ...(written && { lock: written }) };
  return { name, folder, pin };
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Record<string, unknown>;
  readonly peerDependencies: Record<string, unknown>;
  readonly bundled: readonly string[];
}

function readManifest(text: Buffer): Manifest {
  let read: unknown;
  try {
    read = JSON.parse(text.toString('utf8'));
  } catch {
    read = undefined;
  }
  const { name, version, ...rest } = isMapping(read) ? read : {};
  if (
    typeof name !== 'string' ||
    !isPackageName(name) ||
    typeof version !== 'string' ||
    valid(version) !== version
  ) {
    throw new PluginInstallError(
      'plugin-unusable',
      'The package cannot be installed: its package.json needs a name and a version that npm takes.',
    );
  }
  const bundled = rest.bundleDependencies ?? rest.bundledDependencies;
  return {
    name,
    version,
    dependencies: withoutLent(rest.dependencies),
    peerDependencies: withoutLent(rest.peerDependencies, rest.peerDependenciesMeta),
    bundled: Array.isArray(bundled) ? bundled.map(String) : [],
  };
}

/** Without what the host lends, for `onhand` is in no registry, and without peers that may be missing. */
function withoutLent(dependencies: unknown, meta?: unknown): Record<string, unknown> {
  const lent: readonly string[] = ['onhand', ...LENT_LIBRARIES];
  const isOptional = (name: string) =>
    isMapping(meta) && isMapping(meta[name]) && meta[name].optional === true;
  return Object.fromEntries(
    Object.entries(isMapping(dependencies) ? dependencies : {}).filter(
      ([name]) => !lent.includes(name) && !isOptional(name),
    ),
  );
}

/**
 * Lets npm install what the plugin needs at run time and does not bring. Optional packages are left out: they
 * differ from system to system, and one pin has to fit them all. Answers npm's lock; nothing for no packages.
 */
async function installDependencies(
  { name, version, dependencies, peerDependencies, bundled }: Manifest,
  { folder, project, lock }: { folder: string; project: string; lock?: PluginPin['lock'] },
): Promise<PluginPin['lock']> {
  const needed = Object.keys({ ...peerDependencies, ...dependencies });
  if (needed.every((each) => bundled.includes(each))) return undefined;
  const manifest = { name, version, dependencies, peerDependencies };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  if (lock) await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  await lendNpmSettings(project, folder);
  // A dependency that is a folder is copied, not linked: it would be on this machine alone.
  const options = ['--omit=dev', '--omit=optional', '--no-bin-links', '--install-links'];
  await runNpm([lock ? 'ci' : 'install', ...options], folder, `What ${name} ${version} needs`);
  const written: unknown = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
  for (const left of ['.npmrc', 'package-lock.json', 'node_modules/.package-lock.json'])
    await rm(join(folder, left), { force: true });
  return isMapping(written) ? written : undefined;
}
