import type { Command } from 'commander';
import {
  type HostFlags,
  hostOf,
  JsonOption,
  type ReplayFlags,
  replayOptionsOf,
  withHostOptions,
  withReplayOptions,
} from './options';
import { action, ProgressLine, tell } from './output';
import { FILE_HELP, interruptible, progressTeller, SUMMARY_SHAPE, tellSummary } from './replay';
import { loadConfig } from '../config/load-config';
import { readyChannel } from '../replay/channel-status';
import { listingsCsv } from '../replay/listings-csv';
import { readOrderFile } from '../replay/order-file';
import { listSkus, replay } from '../replay/replay';
import { requireConnected, rulesOf, simulateChannel } from '../replay/running-channel';

interface OrdersFlags extends ReplayFlags, HostFlags {
  channel: string;
  config?: string;
  json?: boolean;
}

/** A host that starts again takes longer than a person at a prompt wants to wait for an answer. */
const ATTEMPTS = 8;

export function addOrdersCommands(program: Command): void {
  const orders = program.command('orders').description('feed sales from a CSV file through a running host');

  const command = orders
    .command('replay <file>')
    .description(
      'replay a file through a channel whose base URL is on this machine, with the simulator of its plugin',
    )
    .requiredOption('--channel <name>', "channel of the host's configuration")
    .option('--config <file>', "the host's configuration file; default ONHAND_CONFIG or onhand.yaml")
    .addOption(new JsonOption(SUMMARY_SHAPE));
  withReplayOptions(withHostOptions(command))
    .addHelpText('after', FILE_HELP)
    .addHelpText('after', REPLAY_HELP)
    .action(
      action((file: string, flags: OrdersFlags) =>
        interruptible((signal) => replayFile(file, flags, signal)),
      ),
    );

  orders
    .command('listings <file>')
    .description('print the listings.csv of a channel that sells every SKU of the file under its own code')
    .addOption(new JsonOption('[{channelSku, sku, units}]'))
    .action(
      action(async (path: string, flags: { json?: boolean }) => {
        const file = readOrderFile(path);
        const listings = [...file.skus.keys()].map((sku) => ({ channelSku: sku, sku, units: 1 }));
        tell(flags, listings, () => listingsCsv(file).trimEnd());
      }),
    );
}

const REPLAY_HELP = `
The channel needs a listing for every SKU (\`onhand orders listings FILE > listings.csv\`) and mode live. The same
file again posts nothing twice.`;

async function replayFile(path: string, flags: OrdersFlags, signal: AbortSignal): Promise<void> {
  const { channel, seed } = flags;
  const config = loadConfig({ file: flags.config, env: process.env, cwd: process.cwd() });
  const rules = rulesOf(config, channel);
  const file = readOrderFile(path);
  const host = hostOf(flags, signal, ATTEMPTS);
  await readyChannel(hostOf(flags, signal), channel);
  const simulator = await simulateChannel(config, channel, seed);
  const line = new ProgressLine();
  try {
    listSkus(simulator, file);
    line.say(`the channel ${channel} is simulated on ${simulator.url}`);
    await requireConnected(host, channel, simulator);
    const target = { host, simulator, channel, rules, onProgress: progressTeller(line), signal };
    const summary = await replay(file, replayOptionsOf(flags), target);
    line.end();
    tellSummary(summary, `Replayed through ${channel} of ${host.url}`, flags.json === true);
  } finally {
    line.end();
    await simulator.close();
  }
}
