import type { Command } from 'commander';
import { PLUGINS_FOLDER } from '../channels/pinned-plugins';
import { JsonOption } from './options';
import { action, EXIT, printNews, tell } from './output';
import { table } from './table';
import { type PluginProject, readPluginProject } from '../config/channel-plugins';
import { PINS_FILE } from '../config/plugin-pins';
import { type AddedPlugin, addPlugin, installPinned } from '../install/add-plugin';
import { type ListedPlugin, listPlugins, unpinPlugin } from '../install/installed-plugins';

interface ConfigFlag {
  config?: string;
  json?: boolean;
}

export const CONFIG_HELP =
  'configuration file, beside which plugins are installed; default ONHAND_CONFIG or onhand.yaml';

const ADD_HELP = `
PLUGIN is a package of npm's registry (@acme/shop, @acme/shop@1.2.0), a packed plugin (./shop-1.2.0.tgz) or a
folder (./shop), which is packed first. No script of the package runs. A plugin that you are writing needs no
adding: name its folder in onhand.yaml (plugin: ./shop), and it is loaded as it is, unpinned.

A plugin runs inside the host with all of its rights. Add only what you trust.`;

/** The command that all about plugins hangs from, whichever family is registered first. */
export function pluginsCommand(program: Command): Command {
  const found = program.commands.find((command) => command.name() === 'plugins');
  return found ?? program.command('plugins').description('install, look at and write channel plugins');
}

export function addPluginCommands(program: Command): void {
  const plugins = pluginsCommand(program);
  addAddCommand(plugins);

  plugins
    .command('install')
    .description(`install what ${PINS_FILE} pins and is not there, as after a fresh checkout`)
    .option('--config <file>', CONFIG_HELP)
    .addOption(new JsonOption('{installed: [name]}'))
    .action(
      action(async (flag: ConfigFlag) => {
        const names = await installPinned(projectOf(flag).folder);
        tell(flag, { installed: names }, () =>
          names.length === 0 ? 'Every pinned plugin is installed.' : `Installed ${names.join(', ')}.`,
        );
      }),
    );

  plugins
    .command('list')
    .description(
      'list plugins: those pinned, and those that channels name; exit code 1 where one has a problem',
    )
    .addOption(new JsonOption('[{name, version, pinned, integrity, channels, channelApi, problem}]'))
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async (flag: ConfigFlag) => {
        const listed = await listPlugins(projectOf(flag));
        tell(flag, listed, () => (listed.length === 0 ? NO_PLUGINS : pluginsText(listed)));
        if (listed.some(({ problem }) => problem !== null)) process.exitCode = EXIT.failed;
      }),
    );

  plugins
    .command('remove <name>')
    .description('remove a plugin and its pin; refused while a channel uses it')
    .option('--force', 'remove it all the same')
    .addOption(new JsonOption('{name, version, removed}'))
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async (name: string, { force = false, ...flag }: ConfigFlag & { force?: boolean }) => {
        const { version } = unpinPlugin(projectOf(flag), name, force);
        tell(
          flag,
          { name, version, removed: true },
          () => `Removed ${name} ${version}. Hosts that run with it are to be restarted.`,
        );
      }),
    );
}

function addAddCommand(plugins: Command): void {
  plugins
    .command('add <plugin>')
    .description(`install a plugin beside onhand.yaml and pin it in ${PINS_FILE}`)
    .option('--replace', 'take the place of another version of it')
    .addOption(new JsonOption('{name, version, source, integrity, files, channelApi, replaced, isNew}'))
    .option('--config <file>', CONFIG_HELP)
    .addHelpText('after', ADD_HELP)
    .action(
      action(async (plugin: string, { replace = false, ...flag }: ConfigFlag & { replace?: boolean }) => {
        const { folder, channels } = projectOf(flag);
        const added = await addPlugin(plugin, { cwd: process.cwd(), project: folder, replace });
        if (!flag.json)
          printNews(
            addedText(
              added,
              channels.some((channel) => channel.plugin === added.name),
            ),
          );
        const { name, pin, channelApi, replaced = null, isNew } = added;
        const { version, source, integrity, files } = pin;
        const answer = { name, version, source, integrity, files, channelApi, replaced, isNew };
        tell(flag, answer, () => `${name}@${pin.version}`);
      }),
    );
}

const NO_PLUGINS = 'No plugins yet; `onhand plugins add` adds one.';

export function projectOf({ config }: ConfigFlag): PluginProject {
  return readPluginProject({ file: config, env: process.env, cwd: process.cwd() });
}

function addedText({ name, pin, channelApi, replaced, isNew }: AddedPlugin, isUsed: boolean): string {
  if (!isNew) return `${name} ${pin.version} is pinned and installed already.`;
  const was = replaced === undefined ? 'Added' : `Replaced ${replaced} by`;
  const next = isUsed
    ? 'Restart the hosts for it to be used.'
    : `Name it in onhand.yaml, with a channel of its own:  plugin: "${name}"`;
  return [
    `${was} ${name} ${pin.version}, written for channel API ${channelApi}.`,
    `${PINS_FILE} pins it (${pin.integrity.slice(0, 24)}…): commit that file, and leave ${PLUGINS_FOLDER}/ out.`,
    next,
  ].join('\n');
}

function pluginsText(plugins: readonly ListedPlugin[]): string {
  const problems = plugins.flatMap(({ name, problem }) =>
    problem === null ? [] : [`${name}: PROBLEM: ${problem}`],
  );
  const rows = table(plugins, {
    name: ({ name }) => name,
    version: ({ version }) => version ?? 'unknown',
    pinned: ({ pinned }) => pinned ?? 'not pinned',
    files: ({ pinned, integrity }) => (pinned === null ? null : integrity),
    'channel API': ({ channelApi }) => channelApi,
    channels: ({ channels }) => channels.join(', '),
  });
  return [rows, ...problems].join('\n');
}
