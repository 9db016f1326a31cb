import type { Command } from 'commander';
import { PLUGINS_FOLDER } from './channels/pinned-plugins';
import { action, printAnswer, printJson, printNews } from './cli-output';
import { type PluginProject, readPluginProject } from './config/channel-plugins';
import { PINS_FILE } from './config/plugin-pins';
import { type AddedPlugin, addPlugin, installPinned } from './install/add-plugin';
import { type ListedPlugin, listPlugins, unpinPlugin } from './install/installed-plugins';

interface ConfigFlag {
  config?: string;
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

  plugins
    .command('add <plugin>')
    .description(`install a plugin beside onhand.yaml and pin it in ${PINS_FILE}`)
    .option('--replace', 'take the place of another version of it')
    .option('--config <file>', CONFIG_HELP)
    .addHelpText('after', ADD_HELP)
    .action(
      action(async (plugin: string, { replace = false, ...flag }: ConfigFlag & { replace?: boolean }) => {
        const { folder, channels } = projectOf(flag);
        const added = await addPlugin(plugin, { cwd: process.cwd(), project: folder, replace });
        printNews(
          addedText(
            added,
            channels.some((channel) => channel.plugin === added.name),
          ),
        );
        printAnswer(`${added.name}@${added.pin.version}`);
      }),
    );

  plugins
    .command('install')
    .description(`install what ${PINS_FILE} pins and is not there, as after a fresh checkout`)
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async (flag: ConfigFlag) => {
        const names = await installPinned(projectOf(flag).folder);
        printAnswer(
          names.length === 0 ? 'Every pinned plugin is installed.' : `Installed ${names.join(', ')}.`,
        );
      }),
    );

  plugins
    .command('list')
    .description(
      'list plugins: those pinned, and those that channels name; exit code 1 where one has a problem',
    )
    .option('--json', 'print JSON')
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async ({ json, ...flag }: ConfigFlag & { json?: boolean }) => {
        const listed = await listPlugins(projectOf(flag));
        if (json) printJson(listed);
        else printAnswer(listed.length === 0 ? NO_PLUGINS : listed.map(pluginText).join('\n'));
        if (listed.some(({ problem }) => problem !== null)) process.exitCode = 1;
      }),
    );

  plugins
    .command('remove <name>')
    .description('remove a plugin and its pin; refused while a channel uses it')
    .option('--force', 'remove it all the same')
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async (name: string, { force = false, ...flag }: ConfigFlag & { force?: boolean }) => {
        const { version } = unpinPlugin(projectOf(flag), name, force);
        printAnswer(`Removed ${name} ${version}. Hosts that run with it are to be restarted.`);
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

function pluginText(listed: ListedPlugin): string {
  const { name, version, pinned, integrity, channels, channelApi, problem } = listed;
  const pin = pinned === null ? 'not pinned' : `pinned ${pinned}, files ${integrity}`;
  const facts = [
    version ?? 'version unknown',
    pin,
    ...(channelApi === null ? [] : [`channel API ${channelApi}`]),
    channels.length === 0 ? 'no channel' : `channels ${channels.join(', ')}`,
  ];
  return `${name}  ${facts.join('; ')}${problem === null ? '' : `\n  PROBLEM: ${problem}`}`;
}
