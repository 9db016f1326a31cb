import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { CaseResult } from '../channel-api/testing';
import { JsonOption } from './options';
import { action, EXIT, printAnswer, printJson, printNews, tell } from './output';
import { CONFIG_HELP, pluginsCommand, projectOf } from './plugins';

const CHECK_HELP = `
PLUGIN is a folder with a plugin that is being written, or an npm package that was added or is installed. Its
simulator, which it exports as "./simulator", is started for each case. The exit code is 1 when a case fails.`;

interface CheckFlags {
  config?: string;
  json?: boolean;
  only?: string;
}

/** What a plugin that hangs leaves behind must not keep the command. */
const LINGER_MS = 1_000;

export function addPluginAuthorCommands(program: Command): void {
  const plugins = pluginsCommand(program);

  plugins
    .command('check [plugin]')
    .description('run the contract suite against a plugin; this folder unless told')
    .option('--only <text>', 'run only the cases whose name or group has this text')
    .option('--config <file>', CONFIG_HELP)
    .addOption(
      new JsonOption('{plugin, version, passed, failed, skipped, cases: [{group, name, outcome, reason}]}'),
    )
    .addHelpText('after', CHECK_HELP)
    .action(action((plugin: string | undefined, flags: CheckFlags) => check(plugin ?? '.', flags)));

  plugins
    .command('create <name>')
    .description('write a new plugin that passes the contract suite, in a folder of its name')
    .addOption(new JsonOption('{folder, channel}'))
    .action(action(create));
}

async function create(name: string, flags: { json?: boolean }): Promise<void> {
  const { scaffoldPlugin } = await import('../channels/scaffold-plugin.js');
  const { folder, channel } = await scaffoldPlugin(name, process.cwd());
  tell(
    flags,
    { folder, channel },
    () => `Created ${folder}, a plugin for ${channel} that passes the contract suite:

  cd ${folder}
  npm run check    the contract suite, case by case
  npm test         the same with tests of your own

Then make its simulator speak as the channel documents, and the plugin follow it.`,
  );
}

async function check(plugin: string, { config, json, only = '' }: CheckFlags): Promise<void> {
  const { CONTRACT_CASES, runChannelContract } = await import('../channel-api/testing/index.js');
  const cases = CONTRACT_CASES.filter((one) => `${one.group}: ${one.name}`.includes(only));
  if (cases.length === 0) throw new InvalidArgumentError(`No case of the suite has ${JSON.stringify(only)}.`);
  const { loadPlugin } = await import('../channels/plugin-loader.js');
  const { loadSimulator } = await import('../replay/load-simulator.js');
  const [named, folder] = isFolder(plugin)
    ? [resolve(plugin), process.cwd()]
    : [plugin, projectOf({ config }).folder];
  const loaded = await loadPlugin(named, folder);
  const startSimulator = await loadSimulator(named, folder);
  if (!json) printAnswer(`${loaded.name} ${loaded.version}, channel API ${loaded.channelApi}`);
  let group = '';
  const tell = (result: CaseResult) => {
    if (json) return;
    if (result.group !== group) printAnswer(`\n${result.group}`);
    group = result.group;
    printAnswer(textOf(result));
  };
  const results = await runChannelContract({ plugin: loaded, startSimulator }, tell, cases);
  const count = (outcome: CaseResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  if (json) printJson({ plugin: loaded.name, version: loaded.version, ...counts, cases: results });
  else printAnswer(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (counts.failed > 0) {
    process.exitCode = EXIT.failed;
    if (!json) printNews('\nThe plugin breaks the contract: each failure says which rule, and what to do.');
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

function isFolder(plugin: string): boolean {
  return /^\.{0,2}(?:\/|$)/.test(plugin) || existsSync(resolve(plugin, 'package.json'));
}

function textOf({ name, outcome, reason = '' }: CaseResult): string {
  if (outcome === 'passed') return `  ✓ ${name}`;
  if (outcome === 'skipped') return `  - ${name} (skipped: ${reason})`;
  return `  ✗ ${name}\n${reason.replace(/^/gm, '      ')}`;
}
