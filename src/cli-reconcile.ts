import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type HostFlags, hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson, printNews } from './cli-output';
import { follow, type JsonFlags } from './cli-tasks';

interface Plan {
  listings: number;
  calls: number;
  minutes: number;
  limit: string;
  basis: string;
}

type Report = Record<string, unknown>;

export function addReconcileCommands(program: Command): void {
  withHostOptions(program.command('reconcile <channel>'))
    .description('compare what a channel shows with what it should; what drifted is pushed again')
    .option('--sku <channelSku...>', "these of the channel's SKUs only")
    .option('--plan', 'tell how many calls and minutes it will take, and do nothing')
    .option('--json', 'print JSON')
    .action(
      action(async (channel: string, flags: JsonFlags & { sku?: string[]; plan?: boolean }) => {
        const path = `/v1/channels/${encodeURIComponent(channel)}/reconcile`;
        const plan = await hostOf(flags).get<Plan>(`${path}/plan`);
        if (flags.plan) {
          printOr(flags, plan, planText(channel, plan));
          return;
        }
        if (!flags.sku) printNews(planText(channel, plan));
        const report = await follow<Report>(flags, path, flags.sku && { channelSkus: flags.sku });
        printOr(flags, report, plainText(report));
      }),
    );

  const orders = program.commands.find((command) => command.name() === 'orders') ?? program.command('orders');
  withHostOptions(orders.command('reconcile <channel>'))
    .description("compare a channel's order list with ours, and read what we lack")
    .option(
      '--since <time>',
      'orders changed since then, such as 2026-11-20T00:00:00Z; default a day ago',
      parseTime,
    )
    .option('--no-repair', 'only tell')
    .option('--json', 'print JSON')
    .action(
      action(async (channel: string, flags: JsonFlags & { since?: string; repair: boolean }) => {
        const path = `/v1/channels/${encodeURIComponent(channel)}/orders/reconcile`;
        const report = await follow<Report>(flags, path, { since: flags.since, repair: flags.repair });
        printOr(flags, report, plainText(report));
      }),
    );

  addCountCommands(program);
  addReportCommands(program);
}

interface CountFlags extends JsonFlags {
  source: string;
  takenAt: string;
  full?: boolean;
  location?: string;
  reason?: string;
}

interface CountSummary extends Record<string, unknown> {
  id: string;
  source: string;
  takenAt: string;
  state: string;
  byStatus: Record<string, number>;
  accuracy: number | null;
  drift: number | null;
}

function addCountCommands(program: Command): void {
  const counts = program.command('counts').description('compare what was counted with the ledger');

  withHostOptions(counts.command('import <file>'))
    .description('take a CSV of sku,quantity (and location,state) as a count; the difference is posted')
    .requiredOption('--source <name>', 'who counted, such as wms-north')
    .requiredOption('--taken-at <time>', 'the moment it speaks of, such as 2026-11-21T06:00:00Z', parseTime)
    .option('--full', 'what it does not name at its locations is not there')
    .option('--location <code>', 'of lines that name none')
    .option('--reason <text>', 'stands in the ledger')
    .option('--json', 'print JSON')
    .action(
      action(async (file: string, flags: CountFlags) => {
        const { source, takenAt, full, location, reason } = flags;
        const query = new URLSearchParams({
          source,
          takenAt,
          kind: full ? 'full' : 'partial',
          ...(location !== undefined && { location }),
          ...(reason !== undefined && { reason }),
        });
        const content = await readFile(file);
        const report = await hostOf(flags).postCsv<Report>(`/v1/counts?${query.toString()}`, content);
        printOr(flags, report, plainText(report));
      }),
    );

  withHostOptions(counts.command('list'))
    .description('list the last counts with what they came to')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: CountSummary[] }>('/v1/counts');
        printOr(flags, items, items.length === 0 ? 'No counts yet.' : items.map(countLine).join('\n'));
      }),
    );

  withHostOptions(counts.command('show <id>'))
    .description('show the lines of a count that are not equal: counted, by the ledger, before and after')
    .action(
      action(async (id: string, flags: HostFlags) => {
        const lines: Report[] = [];
        for await (const line of hostOf(flags).items<Report>(`/v1/counts/${encodeURIComponent(id)}/lines`))
          if (line.status !== 'equal') lines.push(line);
        printJson({
          ...(await hostOf(flags).get<Report>(`/v1/counts/${encodeURIComponent(id)}`)),
          differing: lines,
        });
      }),
    );

  for (const [verb, what] of [
    ['approve', 'post the lines of a count that wait for a person'],
    ['reject', 'turn them down; the ledger stays as it is'],
  ] as const) {
    withHostOptions(counts.command(`${verb} <id> [line...]`))
      .description(what)
      .option('--json', 'print JSON')
      .action(
        action(async (id: string, lines: string[], flags: JsonFlags) => {
          const body = lines.length === 0 ? {} : { lines: lines.map(Number) };
          const report = await follow<Report>(flags, `/v1/counts/${encodeURIComponent(id)}/${verb}`, body);
          printOr(flags, report, plainText(report));
        }),
      );
  }
}

function addReportCommands(program: Command): void {
  withHostOptions(program.command('stock <sku>'))
    .description('show the levels of a SKU: now, as they were, or as we knew them')
    .option('--as-of <time>', 'what was true then, whenever we heard of it', parseTime)
    .option('--known-at <time>', 'what we knew then', parseTime)
    .option('--json', 'print JSON')
    .action(
      action(async (sku: string, flags: JsonFlags & { asOf?: string; knownAt?: string }) => {
        const { asOf, knownAt } = flags;
        const query = new URLSearchParams({ ...(asOf && { asOf }), ...(knownAt && { knownAt }) }).toString();
        const stock = await hostOf(flags).get<Stock>(
          `/v1/stock/${encodeURIComponent(sku)}${query && `?${query}`}`,
        );
        printOr(flags, stock, stockText(stock));
      }),
    );

  withHostOptions(program.command('report').description('reports as CSV').command('settlement'))
    .description('units moved between two moments, for each SKU and channel, as CSV')
    .requiredOption('--from <time>', 'what happened after this moment', parseTime)
    .requiredOption('--to <time>', 'and until this one', parseTime)
    .action(
      action(async ({ from, to, ...flags }: HostFlags & { from: string; to: string }) => {
        const query = new URLSearchParams({ from, to }).toString();
        for await (const chunk of hostOf(flags).download(`/v1/reports/settlement?${query}`))
          process.stdout.write(chunk);
      }),
    );

  withHostOptions(program.command('stranded'))
    .description('list reservations that nobody fulfils')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Stranded[] }>(
          '/v1/stranded-reservations?limit=500',
        );
        printOr(
          flags,
          items,
          items.length === 0 ? 'No reservation is stranded.' : items.map(strandedLine).join('\n'),
        );
      }),
    );
}

interface Stock {
  sku: string;
  total: Record<string, number>;
  locations: (Record<string, number> & { location: unknown })[];
}

interface Stranded {
  reservationId: string;
  channel: string | null;
  orderId: string | null;
  reference: string | null;
  units: number;
  skus: string[];
  reservedAt: string;
}

function strandedLine({
  reservationId,
  channel,
  orderId,
  reference,
  units,
  skus,
  reservedAt,
}: Stranded): string {
  const whose = channel === null ? (reference ?? 'API') : `${channel} order ${orderId}`;
  return `${reservedAt}  ${reservationId}  ${whose}  ${units} units of ${skus.join(', ')}`;
}

function stockText({ sku, total, locations }: Stock): string {
  const fields = ['physical', 'available', 'reserved', 'quarantined', 'damaged', 'inTransit', 'onOrder'];
  const row = (name: string, of: Record<string, unknown>) =>
    [name.padEnd(20), ...fields.map((field) => String(of[field] ?? 0).padStart(11))].join(' ');
  return [
    row(sku, Object.fromEntries(fields.map((field) => [field, field]))),
    ...locations.map((level) => row(`  ${String(level.location)}`, level)),
    row('  total', total),
  ].join('\n');
}

function planText(channel: string, { listings, calls, minutes, limit, basis }: Plan): string {
  return `Comparing ${listings} listings of ${channel} takes ${calls} calls (by ${basis}), about ${minutes} minutes at ${limit}.`;
}

function countLine({ id, source, takenAt, state, byStatus, accuracy, drift }: CountSummary): string {
  const percent = (share: number | null) => (share === null ? '-' : `${(share * 100).toFixed(2)} %`);
  const counts = Object.entries(byStatus).map(([status, count]) => `${count} ${status}`);
  return `${id}  ${source}  ${takenAt}  ${state}  ${counts.join(', ')}  accuracy ${percent(accuracy)}, drift ${percent(drift)}`;
}

function printOr(flags: { json?: boolean }, value: unknown, text: string): void {
  if (flags.json) printJson(value);
  else printAnswer(text);
}

function parseTime(text: string): string {
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw new InvalidArgumentError('Expected a time such as 2026-11-21T06:00:00Z.');
}

/** One line per field; nested values as JSON. */
function plainText(result: Record<string, unknown>): string {
  const entries = Object.entries(result).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  const width = Math.max(0, ...entries.map(([name]) => name!.length));
  return entries.map(([name, value]) => `${name!.padEnd(width)}  ${value}`).join('\n');
}
