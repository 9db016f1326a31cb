import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getMetadataStorage } from 'class-validator';
import type { ChannelPlugin } from '../channel-api';
import { nestedTypeOf, PluginOptionsError, resolvePluginOptions } from '../channel-api/plugin-options';
import { type DocComments, readDocComments } from '../config/doc-comments';
import { isSecretPath } from '../config/redaction';

/** One option of a plugin, as its options class declares it. */
export interface PluginOption {
  name: string;
  /** What the class says of it; empty where it says nothing that could be read. */
  about: string;
  fallback: unknown;
  /** What it may be, where the class has a list of it. */
  choices: readonly string[];
  isList: boolean;
  /** Without it the class is not complete. */
  isNeeded: boolean;
  /** Options within it; null for a value. */
  options: readonly PluginOption[] | null;
}

/** The options of a plugin, in the order of its class. `root` is where its package lies. */
export function optionsOf(plugin: Pick<ChannelPlugin, 'options'>, root: string): PluginOption[] {
  return optionsOfClass(plugin.options, commentsIn(root), []);
}

function optionsOfClass(
  type: new () => object,
  comments: DocComments,
  above: readonly (new () => object)[],
): PluginOption[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const defaults = new type() as Record<string, unknown>;
  // Decorators run in the order in which the fields are written, and so do the rules.
  const names = [...new Set(rules.map(({ propertyName }) => propertyName))];
  return names.map((name) => {
    const own = rules.filter(({ propertyName }) => propertyName === name);
    const has = (rule: string) => own.some((one) => one.name === rule || one.type === rule);
    const nested = has('nestedValidation') && !has('isArray') ? nestedTypeOf(type, name) : undefined;
    const words: unknown = own.find((one) => one.name === 'isIn')?.constraints?.[0];
    return {
      name,
      about: comments.get(type.name)?.get(name) ?? '',
      fallback: nested === undefined ? defaults[name] : undefined,
      choices: Array.isArray(words) ? words.map(String) : [],
      isList: has('isArray'),
      isNeeded: defaults[name] === undefined && !has('conditionalValidation'),
      options:
        nested === undefined || above.includes(nested)
          ? null
          : optionsOfClass(nested, comments, [...above, nested]),
    };
  });
}

/** Plugins are flat, and their options are in `<channel>.options`; what was published has its declarations. */
function commentsIn(root: string): DocComments {
  const all = ['', 'dist'].flatMap((folder) =>
    filesIn(join(root, folder))
      .filter((name) => /\.options(?:\.d)?\.ts$/.test(name))
      .flatMap((name) => [...readDocComments(readFileSync(join(root, folder, name), 'utf8'))]),
  );
  return new Map(all);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** An option that is missing or wrong, and what it must be. */
export interface OptionProblem {
  path: string[];
  rule: string;
}

/** What is wrong with these values; nothing when the plugin takes them. */
export function problemsOf(plugin: ChannelPlugin<object>, values: object): OptionProblem[] {
  try {
    resolvePluginOptions(plugin, structuredClone(values));
    return [];
  } catch (error) {
    if (!(error instanceof PluginOptionsError)) throw error;
    return error.problems.map((line) => {
      const [, path = '', rule = line] = /^([\w.]+): (.*)$/s.exec(line) ?? [];
      return { path: path.split('.'), rule };
    });
  }
}

/** Whether a value there must not be seen: its name says so, or the plugin does. */
export function isSecretOption(
  plugin: ChannelPlugin<object>,
  values: object,
  path: readonly string[],
): boolean {
  if (isSecretPath(['options', ...path])) return true;
  const value = valueAt(values, path);
  if (typeof value !== 'string' || value === '') return false;
  try {
    return (plugin.secrets?.(resolvePluginOptions(plugin, structuredClone(values))) ?? []).includes(value);
  } catch {
    return false;
  }
}

export function valueAt(values: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    values,
  );
}

/** Sets a value in place, with the mappings that lead to it. */
export function setAt(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) values[first] = value;
  else {
    const inner = values[first];
    const mapping = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
    values[first] = mapping;
    setAt(mapping, rest, value);
  }
}
