import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type BacktestReport, BacktestRun } from '../buffers/backtest-run';
import { backtestChart, backtestText } from '../buffers/backtest-text';
import { BufferRules } from '../buffers/buffer-rules';
import { NO_SIGNALS } from '../buffers/needs';
import {
  type HostFlags,
  hostOf,
  JsonOption,
  parseDuration,
  parseFactor,
  parseSeed,
  withHostOptions,
} from './options';
import { action, printNews, tell } from './output';
import { FILE_HELP } from './replay';
import { policiesInYaml, readPolicyFile } from '../config/policy-file';
import { historiesOf } from '../replay/file-history';
import { readOrderFile } from '../replay/order-file';

interface BacktestFlags extends HostFlags {
  policy: string[];
  from?: string;
  to?: string;
  latency?: number;
  orders?: string;
  channels: number;
  opening: number;
  seed: number;
  svg?: string;
  json?: boolean;
}

const ATTEMPTS = 1;
const FILE_LATENCY_MS = 30_000;

const BACKTEST_HELP = `
Each --policy is a file as \`onhand buffers apply\` takes it, compared with what is in force and with nothing withheld.
With --orders no host is asked: the file's invoices are spread over --channels channels at random.`;

export function addBacktestCommand(program: Command): void {
  withHostOptions(program.command('backtest'))
    .description("what policies would have avoided, withheld and lost, on the ledger's own orders")
    .option('--policy <file>', 'policies to try, YAML; may be given several times', collect, [] as string[])
    .option('--from <time>', 'orders since, such as 2026-11-01T00:00:00Z')
    .option('--to <time>', 'orders until')
    .option(
      '--latency <time>',
      'sync latency of every channel, such as 15s; as measured when absent',
      parseDuration,
    )
    .option('--orders <file>', 'sales from this CSV instead of a host')
    .option('--channels <n>', 'with --orders: channels that its invoices are spread over', parseChannels, 2)
    .option(
      '--opening <factor>',
      'with --orders: opening stock as a factor of all that the file takes out',
      parseFactor,
      0.8,
    )
    .option('--seed <n>', 'with --orders: of all that is drawn at random', parseSeed, 1)
    .option('--svg <file>', 'draw what each policy costs and saves')
    .addOption(new JsonOption('{from, to, skus, events, latencies, candidates}'))
    .addHelpText('after', BACKTEST_HELP)
    .addHelpText('after', FILE_HELP)
    .action(action(backtest));
}

async function backtest(flags: BacktestFlags): Promise<void> {
  const report = flags.orders === undefined ? await onHost(flags) : await onFile(flags, flags.orders);
  if (flags.svg !== undefined) {
    await writeFile(flags.svg, backtestChart(report));
    printNews(`drew ${flags.svg}`);
  }
  tell(flags, report, () => backtestText(report));
}

async function onHost(flags: BacktestFlags): Promise<BacktestReport> {
  const { policy, from, to, latency } = flags;
  const candidates = await Promise.all(
    policy.map(async (file) => ({
      name: nameOf(file),
      policies: policiesInYaml(await readFile(file, 'utf8'), file),
    })),
  );
  return hostOf(flags, undefined, ATTEMPTS).post<BacktestReport>('/v1/buffers/backtest', {
    candidates,
    from,
    to,
    ...(latency !== undefined && { latencySeconds: latency / 1000 }),
  });
}

async function onFile(flags: BacktestFlags, orders: string): Promise<BacktestReport> {
  const { policy, latency = FILE_LATENCY_MS, channels: count, opening, seed } = flags;
  const channels = Array.from({ length: count }, (_, index) => `channel-${index + 1}`);
  const files = await Promise.all(
    policy.map(async (file) => ({
      name: nameOf(file),
      policies: readPolicyFile(await readFile(file, 'utf8'), file),
    })),
  );
  const run = new BacktestRun({
    channels: channels.map((name) => ({ name, latencyMs: latency, signals: NO_SIGNALS })),
    candidates: [
      { name: 'nothing withheld', rules: BufferRules.none },
      ...files.map(({ name, policies }) => ({ name, rules: BufferRules.none.with(policies) })),
    ],
  });
  for (const history of historiesOf(readOrderFile(orders), { channels, opening, seed })) run.add(history);
  return run.report();
}

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/, '');
}

function collect(file: string, files: string[]): string[] {
  return [...files, file];
}

function parseChannels(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of channels from 1 to 99.');
}
