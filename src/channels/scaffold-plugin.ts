import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { PACKAGE_ROOT } from '../version';
import { ScaffoldError } from './channels.errors';

/** A plugin that works, shipped with this package; its names are replaced by the new one's. */
const TEMPLATE = join(PACKAGE_ROOT, 'templates/sample-shop');
const TEMPLATE_CHANNEL = 'sample-shop';

const PACKAGE_NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?(?:onhand-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;

export interface ScaffoldedPlugin {
  /** As one would type it from where it was created. */
  folder: string;
  channel: string;
}

/**
 * Writes a new plugin below `place`: named as its package, without the scope. It finds this installation's
 * channel API by a link. Throws `ScaffoldError`, and leaves nothing behind.
 */
export async function scaffoldPlugin(name: string, place: string): Promise<ScaffoldedPlugin> {
  const channel = PACKAGE_NAME.exec(name)?.[1];
  if (channel === undefined) {
    throw new ScaffoldError(
      `${JSON.stringify(name)} cannot name a plugin; use lower-case letters, digits and dashes, such as acme-shop or @you/onhand-acme-shop`,
    );
  }
  const folder = join(place, name.split('/').at(-1) as string);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new ScaffoldError(`${folder} is there already and not empty; choose another name or place`);
  }
  try {
    await copyTemplate(TEMPLATE, folder, channel);
    await finishManifest(folder, name);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder: relative(process.cwd(), folder) || '.', channel };
}

async function copyTemplate(from: string, to: string, channel: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, renamed(entry.name, channel))];
    if (entry.isDirectory()) await copyTemplate(source, target, channel);
    else await writeFile(target, renamed(await readFile(source, 'utf8'), channel));
  }
}

/** In files' names, and in their text as part of names, of classes and of sentences. */
function renamed(text: string, channel: string): string {
  const words = channel.split('-').map((word) => word[0]?.toUpperCase() + word.slice(1));
  return text
    .replaceAll(TEMPLATE_CHANNEL, channel)
    .replaceAll('SampleShop', words.join(''))
    .replaceAll('Sample Shop', words.join(' '));
}

/**
 * Onhand is linked where Node would not find this installation from the new folder by itself; npm keeps the link,
 * because package.json has it as a dependency for development.
 */
async function finishManifest(folder: string, name: string): Promise<void> {
  const file = join(folder, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  manifest.name = name;
  if (!findsThisInstallation(folder)) {
    manifest.devDependencies = { onhand: `file:${PACKAGE_ROOT}` };
    const bin = join(folder, 'node_modules/.bin');
    await mkdir(bin, { recursive: true });
    // A junction needs no rights of an administrator on Windows; elsewhere the kind is ignored.
    await symlink(PACKAGE_ROOT, join(folder, 'node_modules/onhand'), 'junction');
    if (process.platform !== 'win32') await symlink('../onhand/bin/onhand.js', join(bin, 'onhand'));
  }
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

function findsThisInstallation(folder: string): boolean {
  try {
    const found = createRequire(join(folder, 'package.json')).resolve('onhand/package.json');
    return dirname(realpathSync(found)) === realpathSync(PACKAGE_ROOT);
  } catch {
    return false;
  }
}
