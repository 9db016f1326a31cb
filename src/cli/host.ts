import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { CONFIG_HELP, JsonOption } from './options';
import { action, tell } from './output';
import { describeConfig } from '../config/describe-config';
import { loadConfig } from '../config/load-config';
import { ROLE_EXPECTED, ROLE_TEXT } from '../config/role';

export function addHostCommands(program: Command): void {
  program
    .command('start')
    .description('start a host')
    .option('--config <file>', CONFIG_HELP)
    .option('--role <roles>', 'web, worker, scheduler or several with commas between; default all', parseRole)
    .action(
      action(async ({ config, role }: { config?: string; role?: string }) => {
        // Loaded here, so that the small commands need not wait for the whole host.
        const { runHost } = await import('../main.js');
        await runHost({ configFile: config, role });
      }),
    );

  program
    .command('config')
    .description('look at the configuration')
    .command('show')
    .description('print the configuration in force, without its secrets')
    .option('--config <file>', CONFIG_HELP)
    .addOption(new JsonOption('{…every setting of docs/configuration.md, secrets as [hidden]}'))
    .action(
      action(async ({ config, json }: { config?: string; json?: boolean }) => {
        const described = describeConfig(loadConfig({ file: config, env: process.env, cwd: process.cwd() }));
        tell({ json }, described, () => stringify(described).trimEnd());
      }),
    );
}

function parseRole(text: string): string {
  if (ROLE_TEXT.test(text)) return text;
  throw new InvalidArgumentError(`Expected ${ROLE_EXPECTED}.`);
}
