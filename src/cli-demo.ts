import type { Command } from 'commander';
import { type ReplayFlags, replayOptionsOf, withReplayOptions } from './cli-options';
import { JsonOption } from './cli-options';
import { action, printNews, ProgressLine, tell } from './cli-output';
import { FILE_HELP, interruptible, progressTeller, SUMMARY_SHAPE, tellSummary } from './cli-replay';
import { runDemo } from './replay/demo';
import type { DoubleBuyResult } from './replay/double-buy';
import { type DoubleBuyDemo, runDoubleBuyDemo } from './replay/double-buy-demo';

interface DemoFlags extends ReplayFlags {
  orders?: string;
  plugin: string;
  json?: boolean;
  keep?: boolean;
  doubleBuy?: boolean;
}

/** Enough for thousands of double buys in a minute or two. */
const DOUBLE_BUY_SKUS = 500;

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('a fortnight of a shop, on a host and a simulated channel that exist for the demo only')
    .option('--orders <file>', 'replay this CSV instead of a synthetic fortnight')
    .option('--plugin <package>', 'plugin whose simulator is the channel', '@onhand/generic-rest')
    .option(
      '--double-buy',
      'instead: two channels sell the last units of each SKU at once, with and without a buffer',
    )
    .addOption(new JsonOption(`${SUMMARY_SHAPE}; with --double-buy {withoutBuffer, withBaseRule}`))
    .option('--keep', 'keep the folder with configuration, log and database, and say where it is');
  withReplayOptions(command)
    .addHelpText('after', FILE_HELP)
    .addHelpText(
      'after',
      '\nThe exit code is 1 when the channel does not show what the ledger says, or the ledger is not sound.',
    )
    .action(
      action((flags: DemoFlags) =>
        interruptible((signal) => (flags.doubleBuy ? doubleBuyDemo(flags, signal) : demo(flags, signal))),
      ),
    );
}

async function doubleBuyDemo({ plugin, seed, json }: DemoFlags, signal: AbortSignal): Promise<void> {
  const options = { plugin, seed, skus: DOUBLE_BUY_SKUS };
  const told = await runDoubleBuyDemo(options, { onNews: printNews, signal });
  tell(
    { json },
    told,
    () => `\nTwo channels, the last units of ${DOUBLE_BUY_SKUS} SKUs\n\n${doubleBuyText(told)}`,
  );
}

function doubleBuyText({ withoutBuffer, withBaseRule }: DoubleBuyDemo): string {
  const line = (name: string, { doubleBuys, withinMs, orders, conflicts, ...rest }: DoubleBuyResult) =>
    `  ${name}  ${doubleBuys} double buys within ${withinMs} ms, ${orders} orders, ${conflicts} that stock did not cover: ` +
    `conflict rate ${rest.conflictPercent.toFixed(2)} %; ${rest.unsoldUnits} units not sold`;
  return [line('nothing withheld', withoutBuffer), line('base rule       ', withBaseRule)].join('\n');
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
