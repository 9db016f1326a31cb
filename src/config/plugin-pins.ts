import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { valid } from 'semver';
import { ConfigError, type ConfigFault } from './config.errors';
import { isMapping } from './field-rules';

/** Beside onhand.yaml, and committed with it. */
export const PINS_FILE = 'onhand.plugins.json';

/** One plugin as `onhand plugins add` found it. The host loads nothing else under its name. */
export interface PluginPin {
  readonly version: string;
  /** `npm` for the registry, or `file:` with a path relative to the pins file. */
  readonly source: string;
  /** Of the packed plugin, as npm writes it: `sha512-` and base64. */
  readonly integrity: string;
  /** Over every file installed, those of the plugin's dependencies too. */
  readonly files: string;
  /** npm's lock of the dependencies, so that every machine installs the same; absent where there are none. */
  readonly lock?: Readonly<Record<string, unknown>>;
}

export type PluginPins = ReadonlyMap<string, PluginPin>;

const FORMAT = 1;
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
const ADVICE =
  'Take the file back from version control, or remove it and run `onhand plugins add` for each plugin.';

/** npm's rule for names, which keeps a name from leading out of the folder it becomes part of. */
export function isPackageName(name: string): boolean {
  return PACKAGE_NAME.test(name) && name.length <= 214;
}

/** The pins of the folder that onhand.yaml lies in; none where there is no file. @throws ConfigError */
export function readPins(folder: string): PluginPins {
  const file = join(folder, PINS_FILE);
  const faults: ConfigFault[] = [];
  const plugins = pluginsOf(file, faults);
  for (const [name, pin] of Object.entries(plugins)) {
    const path = `plugins[${JSON.stringify(name)}]`;
    if (!isPackageName(name)) faults.push({ path, expected: 'the name of an npm package' });
    else if (!isMapping(pin)) faults.push({ path, expected: 'a mapping' });
    else faults.push(...fieldFaults(path, pin));
  }
  if (faults.length > 0) throw new ConfigError(file, faults, ADVICE);
  return new Map(Object.entries(plugins) as [string, PluginPin][]);
}

/** Writes the file whole or not at all; removes it where nothing is pinned any more. */
export function writePins(folder: string, pins: PluginPins): void {
  const file = join(folder, PINS_FILE);
  if (pins.size === 0) return rmSync(file, { force: true });
  const names = [...pins.keys()].sort();
  const plugins = Object.fromEntries(names.map((name) => [name, pins.get(name)]));
  const text = `${JSON.stringify({ format: FORMAT, plugins }, null, 2)}\n`;
  const draft = join(folder, `.${PINS_FILE}.${process.pid}`);
  try {
    const descriptor = openSync(draft, 'w');
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function pluginsOf(file: string, faults: ConfigFault[]): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') faults.push({ path: '', expected: 'a readable file', found: code });
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isMapping(value) && value.format === FORMAT && isMapping(value.plugins)) return value.plugins;
    faults.push({
      path: '',
      expected: `"format": ${FORMAT} and "plugins", as this version of Onhand writes`,
    });
  } catch {
    faults.push({ path: '', expected: 'JSON' });
  }
  return {};
}

function fieldFaults(path: string, pin: Record<string, unknown>): ConfigFault[] {
  const rules: [field: keyof PluginPin, expected: string, holds: (value: unknown) => boolean][] = [
    ['version', 'an exact version', (value) => typeof value === 'string' && valid(value) === value],
    ['source', '"npm" or "file:" and a path', (value) => /^npm$|^file:./.test(String(value))],
    ['integrity', '"sha512-" and its base64', (value) => SHA512.test(String(value))],
    ['files', '"sha512-" and its base64', (value) => SHA512.test(String(value))],
    ['lock', 'a mapping', (value) => value === undefined || isMapping(value)],
  ];
  return rules
    .filter(([field, , holds]) => !holds(pin[field]))
    .map(([field, expected]) => ({ path: `${path}.${field}`, expected }));
}
