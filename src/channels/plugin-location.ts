import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { isMapping } from '../config/field-rules';
import { readPins } from '../config/plugin-pins';
import { PACKAGE_ROOT } from '../version';
import { ChannelSetupError } from './channels.errors';
import { packageNameOf, pinFault, pinnedFolder } from './pinned-plugins';

/** Where a plugin's module lies, and the package it belongs to. */
export interface PluginLocation {
  /** As `onhand.yaml` names it; for messages. */
  readonly plugin: string;
  readonly file: string;
  /** The package's folder, with its links followed; the file's own where there is no package. */
  readonly root: string;
  /** package.json of the package; empty where there is none. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly isPinned: boolean;
}

/**
 * Finds a plugin by npm package name or by absolute path. A name that is pinned is taken from where the pin
 * says, once its files have been checked; any other is looked up as Node does, from the config's folder and
 * then from the host's own. Throws `ChannelSetupError`.
 */
export function locatePlugin(plugin: string, folder: string): PluginLocation {
  if (isAbsolute(plugin)) return locatePath(plugin);
  const name = packageNameOf(plugin);
  const pin = readPins(folder).get(name);
  if (pin === undefined) return locatePackage(plugin, folder);
  const fault = pinFault(folder, name, pin);
  if (fault !== undefined) throw new ChannelSetupError(fault);
  const file = entryOf(pinnedFolder(folder, name, pin), plugin.slice(name.length));
  if (file !== undefined) return located(plugin, file, true);
  throw notBuilt(plugin);
}

function locatePath(path: string): PluginLocation {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? entryOf(path, '') : resolveFrom(PACKAGE_ROOT, path);
  if (file !== undefined) return located(path, file, false);
  if (isFolder) throw notBuilt(path);
  throw new ChannelSetupError(
    `the plugin ${path} cannot be found; check the path, and that the plugin is built`,
  );
}

function notBuilt(plugin: string): ChannelSetupError {
  return new ChannelSetupError(
    `the plugin ${plugin} has no module to load; check that it is built, and that its package.json names the file`,
  );
}

function locatePackage(plugin: string, folder: string): PluginLocation {
  const name = packageNameOf(plugin);
  for (const place of [folder, PACKAGE_ROOT]) {
    const file = resolveFrom(place, plugin) ?? entryOfPackage(place, name, plugin.slice(name.length));
    if (file !== undefined) return located(plugin, file, false);
  }
  throw new ChannelSetupError(
    `the plugin ${plugin} cannot be found; run \`onhand plugins add ${name}\` in ${folder}`,
  );
}

function located(plugin: string, file: string, isPinned: boolean): PluginLocation {
  const root = packageRootOf(realpathSync(file));
  return { plugin, file, root, manifest: readManifest(root), isPinned };
}

function resolveFrom(place: string, specifier: string): string | undefined {
  try {
    return createRequire(join(place, 'package.json')).resolve(specifier);
  } catch {
    return undefined;
  }
}

/** A package whose exports are for `import` alone is there, but `require.resolve` does not see it. */
function entryOfPackage(place: string, name: string, subpath: string): string | undefined {
  const folders = createRequire(join(place, 'package.json')).resolve.paths(name) ?? [];
  const found = folders
    .map((folder) => join(folder, name))
    .find((folder) => existsSync(join(folder, 'package.json')));
  return found === undefined ? undefined : entryOf(found, subpath);
}

/** The module of a package's folder; `subpath` is empty or begins with a slash. */
export function entryOf(folder: string, subpath: string): string | undefined {
  const { exports } = readManifest(folder);
  if (exports === undefined) return resolveFrom(folder, join(folder, subpath));
  const target = targetOf(exports, `.${subpath}`);
  const file = target === undefined ? undefined : join(folder, target);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** The first condition, as written, that holds for a module loaded by `import()`. */
function targetOf(exports: unknown, subpath: string): string | undefined {
  if (typeof exports === 'string') return subpath === '.' ? exports : undefined;
  if (!isMapping(exports)) return undefined;
  const isByPath = Object.keys(exports).some((key) => key.startsWith('.'));
  if (isByPath) return conditional(exports[subpath]);
  return subpath === '.' ? conditional(exports) : undefined;
}

function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (!isMapping(target)) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    if (!['node', 'import', 'module-sync', 'default', 'require'].includes(condition)) continue;
    const found = conditional(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A package.json without a name only says what kind of modules a folder holds. */
function packageRootOf(file: string): string {
  let folder = dirname(file);
  while (typeof readManifest(folder).name !== 'string') {
    const parent = dirname(folder);
    if (parent === folder) return dirname(file);
    folder = parent;
  }
  return folder;
}

function readManifest(folder: string): Record<string, unknown> {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return isMapping(manifest) ? manifest : {};
  } catch {
    return {};
  }
}
