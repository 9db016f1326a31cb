import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isPackageName, type PluginPin } from '../config/plugin-pins';
import { PluginInstallError } from './install.errors';
import { runNpm } from './npm';

/** A packed plugin, and where it came from as the pin says it. */
export interface PackedPlugin {
  readonly source: PluginPin['source'];
  readonly tarball: Buffer;
}

const REGISTRY_SPEC = /^((?:@[^@/\s]+\/)?[^@/\s]+)(?:@([\w.^~><=*+-]+))?$/;
const PATH_SPEC = /^\.{1,2}(?:[/\\]|$)|\.(?:tgz|tar\.gz)$/;

/**
 * Packs what a person named: a package of the registry, a packed file, or a folder. `cwd` is where they stand,
 * `project` where onhand.yaml lies, and `work` an empty folder to pack in. Throws `PluginInstallError`.
 */
export async function packPlugin(
  spec: string,
  { cwd, project, work }: { cwd: string; project: string; work: string },
): Promise<PackedPlugin> {
  if (isAbsolute(spec) || PATH_SPEC.test(spec)) {
    const path = resolve(cwd, spec);
    const source = `file:${relative(project, path).split(sep).join('/') || '.'}`;
    return { source, tarball: await packPath(path, work) };
  }
  const [, name = '', version] = REGISTRY_SPEC.exec(spec) ?? [];
  if (!isPackageName(name)) {
    throw new PluginInstallError(
      'plugin-not-found',
      `${JSON.stringify(spec)} is neither a package such as @acme/shop@1.2.0, nor a packed plugin such as ./shop-1.2.0.tgz, nor a folder such as ./shop. Plugins from git or other addresses are packed first.`,
    );
  }
  try {
    return {
      source: 'npm',
      tarball: await packFromRegistry(`${name}@${version ?? 'latest'}`, project, work),
    };
  } catch (error) {
    if (!(error instanceof PluginInstallError) || !existsSync(resolve(cwd, name))) throw error;
    throw new PluginInstallError(error.code, `${error.message} For the folder of that name write ./${name}.`);
  }
}

/** Packs what a pin names once more. Throws `PluginInstallError`. */
export async function packPinned(
  name: string,
  { source, version }: PluginPin,
  { project, work }: { project: string; work: string },
): Promise<Buffer> {
  if (source === 'npm') return packFromRegistry(`${name}@${version}`, project, work);
  return packPath(resolve(project, source.slice('file:'.length)), work);
}

async function packPath(path: string, work: string): Promise<Buffer> {
  if (!existsSync(path))
    throw new PluginInstallError('plugin-not-found', `There is nothing at ${path}. Check the path.`);
  if (!statSync(path).isDirectory()) return readFileSync(path);
  requireManifest(path);
  await runNpm(['pack', path, '--pack-destination', work], work, path);
  return readPacked(work);
}

/** npm would climb up to the next package.json, and pack another package than the one meant. */
function requireManifest(folder: string): void {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    if (typeof name === 'string' && typeof version === 'string') return;
  } catch {
    // The same is to be said of one that is no JSON.
  }
  throw new PluginInstallError(
    'plugin-unusable',
    `${folder} is no npm package: it needs a package.json with a name and a version.`,
  );
}

async function packFromRegistry(spec: string, project: string, work: string): Promise<Buffer> {
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'package.json'), '{}');
  await lendNpmSettings(project, work);
  await runNpm(['pack', spec, '--pack-destination', work], work, spec);
  return readPacked(work);
}

/** A registry or a proxy of the project's own holds where its plugins are fetched, too. */
export async function lendNpmSettings(project: string, folder: string): Promise<void> {
  const settings = join(project, '.npmrc');
  if (existsSync(settings)) await copyFile(settings, join(folder, '.npmrc'));
}

function readPacked(work: string): Buffer {
  const packed = readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (packed !== undefined) return readFileSync(join(work, packed));
  throw new PluginInstallError('npm-failed', 'npm packed nothing. Try again with a newer npm.');
}
