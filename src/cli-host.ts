import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { action, printAnswer, printJson } from './cli-output';
import { describeConfig } from './config/describe-config';
import { loadConfig } from './config/load-config';
import { ROLE_EXPECTED, ROLE_TEXT } from './config/role';

const CONFIG_HELP =
  'configuration file; default ONHAND_CONFIG, or onhand.yaml in this folder where there is one';

export function addHostCommands(program: Command): void {
  program
    .command('start')
    .description('start a host')
    .option('--config <file>', CONFIG_HELP)
    .option('--role <roles>', 'web, worker, scheduler or several with commas between; default all', parseRole)
    .action(
      action(async ({ config, role }: { config?: string; role?: string }) => {
        // Loaded here, so that the small commands need not wait for the whole host.
        const { runHost } = await import('./main.js');
        await runHost({ configFile: config, role });
      }),
    );

  program
    .command('config')
    .description('look at the configuration')
    .command('show')
    .description('print the configuration in force, without its secrets')
    .option('--config <file>', CONFIG_HELP)
    .option('--json', 'print JSON')
    .action(
      action(async ({ config, json }: { config?: string; json?: boolean }) => {
        const described = describeConfig(loadConfig({ file: config, env: process.env, cwd: process.cwd() }));
        if (json) printJson(described);
        else printAnswer(stringify(described).trimEnd());
      }),
    );
}

function parseRole(text: string): string {
  if (ROLE_TEXT.test(text)) return text;
  throw new InvalidArgumentError(`Expected ${ROLE_EXPECTED}.`);
}
