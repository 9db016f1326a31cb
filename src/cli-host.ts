import type { Command } from 'commander';
import { stringify } from 'yaml';
import { action, printAnswer, printJson } from './cli-output';
import { describeConfig } from './config/describe-config';
import { loadConfig } from './config/load-config';

const CONFIG_HELP =
  'configuration file; default ONHAND_CONFIG, or onhand.yaml in this folder where there is one';

export function addHostCommands(program: Command): void {
  program
    .command('start')
    .description('start a host')
    .option('--config <file>', CONFIG_HELP)
    .action(
      action(async ({ config }: { config?: string }) => {
        // Loaded here, so that the small commands need not wait for the whole host.
        const { runHost } = await import('./main.js');
        await runHost({ configFile: config });
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
