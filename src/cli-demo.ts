import type { Command } from 'commander';
import { type ReplayFlags, replayOptionsOf, withReplayOptions } from './cli-options';
import { action, ProgressLine } from './cli-output';
import { FILE_HELP, interruptible, progressTeller, tellSummary } from './cli-replay';
import { runDemo } from './replay/demo';

interface DemoFlags extends ReplayFlags {
  orders?: string;
  plugin: string;
  json?: boolean;
  keep?: boolean;
}

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('a fortnight of a shop, on a host and a simulated channel that exist for the demo only')
    .option('--orders <file>', 'replay this CSV instead of a synthetic fortnight')
    .option('--plugin <package>', 'plugin whose simulator is the channel', '@onhand/generic-rest')
    .option('--json', 'print the summary as one JSON object on standard output')
    .option('--keep', 'keep the folder with configuration, log and database, and say where it is');
  withReplayOptions(command)
    .addHelpText('after', FILE_HELP)
    .addHelpText(
      'after',
      '\nThe exit code is 1 when the channel does not show what the ledger says, or the ledger is not sound.',
    )
    .action(action((flags: DemoFlags) => interruptible((signal) => demo(flags, signal))));
}

async function demo(flags: DemoFlags, signal: AbortSignal): Promise<void> {
  const line = new ProgressLine();
  const options = {
    ...replayOptionsOf(flags),
    ordersFile: flags.orders,
    plugin: flags.plugin,
    keep: flags.keep === true,
  };
  try {
    const summary = await runDemo(options, {
      onProgress: progressTeller(line),
      onNews: (news) => line.say(news),
      signal,
    });
    line.end();
    tellSummary(summary, 'Onhand demo', flags.json === true);
  } finally {
    line.end();
  }
}
