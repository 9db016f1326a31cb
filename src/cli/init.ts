import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { JsonOption } from './options';
import { action, printNews, tell, UsageError } from './output';
import { loadConfig } from '../config/load-config';
import { readPins } from '../config/plugin-pins';
import { type Ask, type DraftChannel, draftChannel } from './init-channel';
import { configText, type DraftConfig, environmentText } from './init-yaml';
import { PACKAGE_ROOT } from '../version';

interface NamedChannel {
  name: string;
  plugin: string;
}

export interface InitFlags {
  file: string;
  channel: NamedChannel[];
  set: Map<string, Map<string, string>>;
  publicUrl?: string;
  database?: 'embedded' | 'own';
  redis?: boolean;
  yes?: boolean;
  force?: boolean;
  json?: boolean;
}

const CHANNEL_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const HELP = `
It asks for what it is not told by flags; with --yes it asks nothing. A channel's options are those of its plugin. Secrets are
never asked for: they are written as \${VARIABLE}, and .env.example names the variables. For example:

  onhand init --yes --channel shop=@onhand/generic-rest --set shop.baseUrl=https://shop.example/api`;

export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('write a commented onhand.yaml, and .env.example for its secrets')
    .option('--file <file>', 'where it is written', 'onhand.yaml')
    .option('--channel <name=plugin>', 'a channel; may be given several times', parseChannel, [])
    .option(
      '--set <channel.option=value>',
      "an option of a channel's plugin; may be given several times",
      parseSet,
      new Map(),
    )
    .option('--public-url <url>', 'how channels reach this host')
    .addOption(
      new Option('--database <which>', 'PostgreSQL that comes along, or your own').choices([
        'embedded',
        'own',
      ]),
    )
    .option('--redis', 'several hosts share a Redis')
    .option('--yes', 'ask nothing, and take the defaults')
    .option('--force', 'overwrite what is there')
    .addOption(new JsonOption('{file, environmentFile, channels, variables}'))
    .addHelpText('after', HELP)
    .action(
      action(async (flags: InitFlags) => {
        if (flags.yes) return init(flags, undefined);
        if (!process.stdin.isTTY)
          throw new UsageError('there is no terminal to ask on; use --yes with flags');
        const terminal = createInterface({ input: process.stdin, output: process.stderr });
        try {
          await init(flags, async (question, fallback) => {
            const answer = await terminal.question(
              `${question}${fallback === undefined ? '' : ` [${fallback}]`} `,
            );
            return answer.trim() || (fallback ?? '');
          });
        } finally {
          terminal.close();
        }
      }),
    );
}

/** Writes both files, and loads what it wrote. */
export async function init(flags: InitFlags, ask: Ask | undefined): Promise<void> {
  const file = resolve(flags.file);
  const environmentFile = join(dirname(file), '.env.example');
  if (!(await mayWrite([file, environmentFile], flags.force === true, ask))) return;
  const folder = dirname(file);
  const draft: DraftConfig = {
    publicUrl:
      flags.publicUrl ??
      ((await ask?.(
        'Address at which channels reach this host, such as https://stock.example.com (may be empty):',
        '',
      )) ||
        null),
    database:
      flags.database ??
      (/^y/i.test((await ask?.('Use a PostgreSQL of your own?', 'no')) ?? '') ? 'own' : 'embedded'),
    redis: flags.redis === true,
    channels: await channelsOf(flags, folder, ask),
  };
  await writeFile(file, configText(draft), { mode: 0o644 });
  await writeFile(environmentFile, environmentText(draft));
  const variables = draft.channels.flatMap((channel) => channel.variables);
  checkWritten(file, folder, variables);
  const answer = { file, environmentFile, channels: draft.channels.map(({ name }) => name), variables };
  tell(flags, answer, () => `Wrote ${file} and ${environmentFile}.`);
  const fill =
    variables.length > 0
      ? 'copy .env.example to .env, fill it in, and load it: set -a; . ./.env; set +a\nThen '
      : '';
  printNews(
    `\nNext: ${fill}run \`onhand doctor\`, and \`onhand start\`. New channels only observe until you set their mode.`,
  );
}

async function mayWrite(files: readonly string[], force: boolean, ask: Ask | undefined): Promise<boolean> {
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0 || force) return true;
  if (!ask) throw new UsageError(`${there.join(' and ')} exists; --force overwrites it`);
  if (/^y/i.test(await ask(`${there.join(' and ')} exists. Overwrite?`, 'no'))) return true;
  printNews('Nothing was written.');
  return false;
}

async function channelsOf(flags: InitFlags, folder: string, ask: Ask | undefined): Promise<DraftChannel[]> {
  const channels: DraftChannel[] = [];
  const add = async (channel: NamedChannel) => {
    const given = flags.set.get(channel.name) ?? new Map<string, string>();
    channels.push(await draftChannel({ ...channel, given }, folder, ask, printNews));
  };
  for (const channel of flags.channel) await add(channel);
  for (const name of flags.set.keys())
    if (!channels.some((channel) => channel.name === name))
      throw new UsageError(`--set names the channel ${name}; add it with --channel ${name}=PLUGIN`);
  if (!ask || flags.channel.length > 0) return channels;
  const plugins = await knownPlugins(folder);
  for (;;) {
    const name = await ask(
      `Name of ${channels.length === 0 ? 'a' : 'another'} channel, such as shop-uk (empty for no more):`,
      '',
    );
    if (name === '') return channels;
    if (!CHANNEL_NAME.test(name))
      printNews('  Lower-case letters, digits and dashes, not starting with a dash.');
    else await add({ name, plugin: await ask(`Its plugin: ${plugins.join(', ')}, or ./path:`, plugins[0]) });
  }
}

/** Plugins that were added here, and those that come along in a checkout. */
async function knownPlugins(folder: string): Promise<string[]> {
  const place = join(PACKAGE_ROOT, 'plugins');
  const folders = await readdir(place).catch(() => []);
  const names = await Promise.all(
    folders.map(async (name) => {
      const text = await readFile(join(place, name, 'package.json'), 'utf8').catch(() => '{}');
      return (JSON.parse(text) as { name?: string }).name ?? '';
    }),
  );
  return [...readPins(folder).keys(), ...names.filter(Boolean)];
}

/** With something in place of each variable. @throws ConfigError where what was answered does not fit. */
function checkWritten(file: string, folder: string, variables: readonly string[]): void {
  const stood = Object.fromEntries(variables.map((variable) => [variable, 'stand-in-of-onhand-init']));
  const own = { DATABASE_URL: 'postgres://localhost/onhand', REDIS_URL: 'redis://localhost', ...stood };
  loadConfig({ file, env: own, cwd: folder });
}

function parseChannel(text: string, before: NamedChannel[]): NamedChannel[] {
  const [, name, plugin] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && plugin !== undefined && CHANNEL_NAME.test(name))
    return [...before, { name, plugin }];
  throw new InvalidArgumentError('Expected name=plugin, such as shop=@onhand/generic-rest.');
}

function parseSet(text: string, before: Map<string, Map<string, string>>): Map<string, Map<string, string>> {
  const [, channel, option, value] = /^([^.=]+)\.([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (channel === undefined || option === undefined)
    throw new InvalidArgumentError(
      'Expected channel.option=value, such as shop.baseUrl=https://shop.example.',
    );
  return new Map(before).set(channel, new Map(before.get(channel)).set(option, value ?? ''));
}
