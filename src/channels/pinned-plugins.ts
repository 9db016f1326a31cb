import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Config } from '../config/config';
import { ConfigError } from '../config/config.errors';
import { type PluginPin, PINS_FILE, readPins } from '../config/plugin-pins';

/** Beside onhand.yaml; what is in it can be made anew from the pins, so it is not committed. */
export const PLUGINS_FOLDER = 'onhand_plugins';

const PUT_BACK =
  '`onhand plugins install` puts back what is pinned; `onhand plugins add <plugin> --replace` pins another.';

/**
 * Where a pinned plugin lies. The name says what is in it, so that another version never overwrites this one
 * under a running host, and rewriting the pins file alone moves from one to the other.
 */
export function pinnedFolder(folder: string, name: string, { version, files }: PluginPin): string {
  const content = Buffer.from(files.replace(/^sha512-/, ''), 'base64')
    .toString('hex')
    .slice(0, 12);
  return join(folder, PLUGINS_FOLDER, `${name.replace('/', '+')}@${version}-${content}`);
}

/** What is wrong with an installed plugin when held against its pin, with what to do; undefined for nothing. */
export function pinFault(folder: string, name: string, pin: PluginPin): string | undefined {
  const place = pinnedFolder(folder, name, pin);
  const installed = installedVersion(place);
  if (installed === undefined)
    return `${name} is pinned at ${pin.version}, but not installed in ${place}; run \`onhand plugins install\``;
  if (installed !== pin.version)
    return `${name} is pinned at ${pin.version}, but ${place} holds ${installed}. ${PUT_BACK}`;
  if (hashFiles(place) !== pin.files)
    return `the files of ${name} ${pin.version} in ${place} are not those that were pinned. ${PUT_BACK}`;
  return undefined;
}

/**
 * A host serves no channel with a plugin other than the pinned one. Checked before anything is started, over
 * all channels at once. @throws ConfigError
 */
export function requirePinnedPlugins(config: Config): void {
  const pins = readPins(config.folder);
  const used = new Set(config.channels.map((channel) => packageNameOf(channel.plugin)));
  const faults = [...pins]
    .filter(([name]) => used.has(name))
    .map(([name, pin]) => pinFault(config.folder, name, pin))
    .filter((fault) => fault !== undefined);
  if (faults.length > 0) {
    throw new ConfigError(
      join(config.folder, PINS_FILE),
      faults.map((fault) => ({ path: '', expected: `every plugin to be the one pinned: ${fault}` })),
      'No channel is served with another plugin than the one that was checked and pinned.',
    );
  }
}

/** `@acme/shop` of `@acme/shop/simulator`; a path stays as it is. */
export function packageNameOf(specifier: string): string {
  if (isAbsolute(specifier)) return specifier;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/**
 * One hash over every file below a folder: its path, its size and its bytes. Reading a plugin with its
 * dependencies takes milliseconds, and nothing less shows that a file was changed, added or taken away.
 */
export function hashFiles(folder: string): string {
  const hash = createHash('sha512');
  for (const path of pathsBelow(folder, '')) {
    const file = join(folder, path);
    // A link is hashed as such: what it leads to is not part of what was pinned.
    const isLink = lstatSync(file).isSymbolicLink();
    const content = isLink ? Buffer.from(readlinkSync(file)) : readFileSync(file);
    hash.update(`${path}\0${isLink ? 'link' : 'file'}\0${content.length}\0`).update(content);
  }
  return `sha512-${hash.digest('base64')}`;
}

/** With forward slashes and sorted by code unit, so that every system gives the same order. */
function pathsBelow(folder: string, below: string): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? pathsBelow(folder, path) : [path];
    })
    .sort();
}

function installedVersion(place: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as {
      version?: unknown;
    };
    return String(version);
  } catch {
    return undefined;
  }
}
