import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration, type ReplayFlags, replayOptionsOf, withReplayOptions } from './options';
import { JsonOption } from './options';
import { action, EXIT, printNews, ProgressLine, tell } from './output';
import { FILE_HELP, interruptible, progressTeller, SUMMARY_SHAPE, tellSummary } from './replay';
import { runDemo } from '../replay/demo';
import type { DoubleBuyResult } from '../replay/double-buy';
import { type LiveSight, type LiveSummary, runLiveDemo } from '../replay/live-demo';
import { type DoubleBuyDemo, runDoubleBuyDemo } from '../replay/double-buy-demo';

interface DemoFlags extends ReplayFlags {
  orders?: string;
  plugin: string;
  json?: boolean;
  keep?: boolean;
  doubleBuy?: boolean;
  live?: boolean;
  port: number;
  every: number;
  for?: number;
}

/** One of each kind that comes with the host. */
const LIVE_CHANNELS = {
  shop: '@onhand/generic-rest',
  shopify: '@onhand/shopify',
  amazon: '@onhand/amazon-sp-api',
  ebay: '@onhand/ebay',
};
const LIVE_SHAPE = '{orders, units, shipped, cancelled, returned, restocked, oversold, quiet, verified}';

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
    .addOption(
      new JsonOption(
        `${SUMMARY_SHAPE}; with --double-buy {withoutBuffer, withBaseRule}; with --live ${LIVE_SHAPE}`,
      ),
    )
    .option('--live', 'instead: four channels sell from one stock for as long as you look at the console')
    .option('--port <n>', 'with --live: port of the console; another where it is taken', parsePort, 3000)
    .option('--every <time>', 'with --live: mean pause between two orders', parseDuration, 700)
    .option('--for <time>', 'with --live: end after so long', parseDuration)
    .option('--keep', 'keep the folder with configuration, log and database, and say where it is');
  withReplayOptions(command)
    .addHelpText('after', FILE_HELP)
    .addHelpText(
      'after',
      '\nThe exit code is 1 when the channel does not show what the ledger says, or the ledger is not sound.',
    )
    .action(
      action((flags: DemoFlags) =>
        interruptible((signal) => {
          if (flags.live) return liveDemo(flags, signal);
          return flags.doubleBuy ? doubleBuyDemo(flags, signal) : demo(flags, signal);
        }),
      ),
    );
}

async function liveDemo({ seed, port, every, for: forMs, keep, json }: DemoFlags, signal: AbortSignal) {
  const line = new ProgressLine();
  try {
    const options = { channels: LIVE_CHANNELS, seed, port, everyMs: every, forMs, keep: keep === true };
    const told = await runLiveDemo(options, {
      onNews: (news) => line.say(news),
      onOpen: (sight) => line.say(sightText(sight)),
      onOrder: ({ orders, units, shipped, cancelled, returned }) =>
        line.show(
          () =>
            `${orders} orders of ${units} units; ${shipped} shipped, ${cancelled} cancelled, ${returned} returned`,
        ),
      signal,
    });
    line.end();
    tell({ json }, told, () => liveText(told));
    if (!told.verified || !told.quiet) process.exitCode = EXIT.failed;
  } finally {
    line.end();
  }
}

function sightText({ url, key, channels }: LiveSight): string {
  return `
  Open     ${url}
  Key      ${key}

  ${channels.join(', ')} sell the same stock now. Ctrl-C ends it and leaves nothing behind.
`;
}

function liveText({ orders, units, oversold, restocked, verified, quiet }: LiveSummary): string {
  const sold = `${orders} orders of ${units} units, ${restocked} units brought in, ${oversold} orders oversold.`;
  const sound = verified ? 'The ledger is sound' : 'The ledger is NOT sound; see `onhand verify`';
  return `${sold}\n${sound}, and ${quiet ? 'every channel was told of everything' : 'some channels were NOT told of everything'}.`;
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

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Expected a port from 1 to 65535.');
}
