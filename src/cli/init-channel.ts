import { parse } from 'yaml';
import { loadPlugin } from '../channels/plugin-loader';
import { locatePlugin } from '../channels/plugin-location';
import { UsageError } from './output';
import { absolutePlugin } from '../config/channel-plugins';
import {
  isSecretOption,
  type OptionProblem,
  optionsOf,
  type PluginOption,
  problemsOf,
  setAt,
  valueAt,
} from './init-options';

/** A channel as it is to be written. */
export interface DraftChannel {
  name: string;
  plugin: string;
  options: readonly PluginOption[];
  /** With `${VARIABLE}` for secrets. */
  values: Record<string, unknown>;
  variables: readonly string[];
}

/** Asks a person; undefined where nobody can be asked. */
export type Ask = (question: string, fallback?: string) => Promise<string>;

/** Options that nobody gave a value, and nobody can be asked for. */
export class MissingOptionsError extends UsageError {
  override readonly code = 'options-missing';

  constructor(channel: string, problems: readonly OptionProblem[]) {
    const first = problems.filter(
      ({ path }, at) => problems.findIndex((other) => other.path.join() === path.join()) === at,
    );
    const lines = first.map(({ path, rule }) => `  --set ${channel}.${path.join('.')}=…   ${rule}`);
    super(`The channel ${channel} needs more:\n${lines.join('\n')}`);
  }
}

/** Long enough for every rule on the length of a secret. */
const STAND_IN = 'stand-in-for-a-secret-of-the-environment';
const MOST_QUESTIONS = 100;

/**
 * Loads the plugin, and asks for what it needs until it is content. Secrets are not asked for: they become variables.
 * @throws ChannelSetupError, MissingOptionsError
 */
export async function draftChannel(
  { name, plugin: named, given }: { name: string; plugin: string; given: ReadonlyMap<string, string> },
  folder: string,
  ask: Ask | undefined,
  tell: (text: string) => void,
): Promise<DraftChannel> {
  const target = absolutePlugin(named, folder);
  const plugin = await loadPlugin(target, folder);
  const options = optionsOf(plugin, locatePlugin(target, folder).root);
  const values: Record<string, unknown> = {};
  const secrets = new Map<string, string[]>();
  beginNeeded(options, values);
  for (const [path, text] of given) put(values, options, path.split('.'), text);
  for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
    const problems = problemsOf(plugin, values);
    const open = problems.filter(({ path }) => !fillSecret(path, { name, values, options, secrets }));
    if (problems.length === 0) break;
    if (open.length < problems.length) continue;
    const [first] = open;
    if (!ask || first!.path[0] === '') throw new MissingOptionsError(name, open);
    const { path, rule } = first!;
    const option = optionAt(options, path);
    if (valueAt(values, path) !== undefined) tell(`  ${path.join('.')} ${rule}`);
    const choices = option?.choices.length ? ` (${option.choices.join(', ')})` : '';
    put(
      values,
      options,
      path,
      await ask(
        `${[option?.about, `  ${path.join('.')}${choices}: ${rule}`].filter(Boolean).join('\n')}\n  `,
      ),
    );
  }
  hideSecrets(plugin, values, { name, options, secrets });
  for (const [variable, path] of secrets) setAt(values, path, inShape(options, path, `\${${variable}}`));
  return { name, plugin: named, options, values, variables: [...secrets.keys()] };
}

/** What has to be there as a mapping, so that what it needs is told by name. */
function beginNeeded(options: readonly PluginOption[], values: Record<string, unknown>): void {
  for (const { name, isNeeded, options: inner } of options) {
    if (!isNeeded || inner === null) continue;
    values[name] = {};
    beginNeeded(inner, values[name] as Record<string, unknown>);
  }
}

interface Filling {
  name: string;
  options: readonly PluginOption[];
  secrets: Map<string, string[]>;
}

/** True where the value is a secret, which is now a stand-in with a variable of its own. */
function fillSecret(
  path: string[],
  { name, values, options, secrets }: Filling & { values: Record<string, unknown> },
): boolean {
  const isOpen = valueAt(values, path) === undefined && optionAt(options, path)?.options === null;
  if (!isOpen || !isSecretOption({ options: Object } as never, values, path)) return false;
  secrets.set(variableOf(name, path), path);
  setAt(values, path, inShape(options, path, STAND_IN));
  return true;
}

/** What was given as a value, and the plugin calls a secret: it belongs into a variable as well. */
function hideSecrets(
  plugin: Parameters<typeof isSecretOption>[0],
  values: Record<string, unknown>,
  { name, options, secrets }: Filling,
): void {
  for (const path of leavesOf(options, [])) {
    const value = valueAt(values, path);
    if (value !== undefined && isSecretOption(plugin, values, path))
      secrets.set(variableOf(name, path), path);
  }
}

function leavesOf(options: readonly PluginOption[], above: string[]): string[][] {
  return options.flatMap(({ name, options: inner }) =>
    inner === null ? [[...above, name]] : leavesOf(inner, [...above, name]),
  );
}

function optionAt(options: readonly PluginOption[], path: readonly string[]): PluginOption | undefined {
  const [first, ...rest] = path;
  const found = options.find(({ name }) => name === first);
  return rest.length === 0 || found?.options == null ? found : optionAt(found.options, rest);
}

function inShape(options: readonly PluginOption[], path: readonly string[], value: string): unknown {
  return optionAt(options, path)?.isList ? [value] : value;
}

/** A list may be given with commas; numbers and truths as YAML has them, where the class does not hold a text. */
function put(
  values: Record<string, unknown>,
  options: readonly PluginOption[],
  path: readonly string[],
  text: string,
): void {
  const option = optionAt(options, path);
  if (option?.isList)
    setAt(
      values,
      path,
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    );
  else if (option && ['number', 'boolean'].includes(typeof option.fallback))
    setAt(values, path, parse(text) as unknown);
  else setAt(values, path, text);
}

function variableOf(channel: string, path: readonly string[]): string {
  const words = [channel, ...path].join('_').replace(/([a-z])([A-Z])/g, '$1_$2');
  return words.replace(/\W/g, '_').toUpperCase();
}
