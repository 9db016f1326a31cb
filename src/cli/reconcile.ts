import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { hostOf, type JsonFlags, JsonOption, parseTime, withHostOptions } from './options';
import { action, printJson, printNews, tell } from './output';
import { type Cell, table } from './table';
import { follow } from './tasks';

interface Plan {
  listings: number;
  calls: number;
  minutes: number;
  limit: string;
  basis: string;
}

type Report = Record<string, unknown>;

/** The shape of a count as it is printed. */
const COUNT = '{id, source, takenAt, state, byStatus, accuracy, drift, …}';

export function addReconcileCommands(program: Command): void {
  withHostOptions(program.command('reconcile <channel>'))
    .description('compare what a channel shows with what it should; what drifted is pushed again')
    .option('--sku <channelSku...>', "these of the channel's SKUs only")
    .option('--plan', 'tell how many calls and minutes it will take, and do nothing')
    .addOption(
      new JsonOption(
        '{id, channel, listings, equal, inFlight, drifted, corrected, missing, unmapped, seconds, …}; with --plan {listings, calls, minutes, limit, basis}',
      ),
    )
    .action(
      action(async (channel: string, flags: JsonFlags & { sku?: string[]; plan?: boolean }) => {
        const path = `/v1/channels/${encodeURIComponent(channel)}/reconcile`;
        const plan = await hostOf(flags).get<Plan>(`${path}/plan`);
        if (flags.plan) {
          tell(flags, plan, () => planText(channel, plan));
          return;
        }
        if (!flags.sku) printNews(planText(channel, plan));
        const report = await follow<Report>(flags, path, flags.sku && { channelSkus: flags.sku });
        tell(flags, report, () => plainText(report));
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
    .addOption(
      new JsonOption(
        '{id, channel, since, listed, equal, missing, different, unsettled, extra, unreadable, repaired}',
      ),
    )
    .action(
      action(async (channel: string, flags: JsonFlags & { since?: string; repair: boolean }) => {
        const path = `/v1/channels/${encodeURIComponent(channel)}/orders/reconcile`;
        const report = await follow<Report>(flags, path, { since: flags.since, repair: flags.repair });
        tell(flags, report, () => plainText(report));
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
    .addOption(new JsonOption(COUNT))
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
        tell(flags, report, () => plainText(report));
      }),
    );

  withHostOptions(counts.command('list'))
    .description('list the last counts with what they came to')
    .addOption(new JsonOption(`[${COUNT}]`))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: CountSummary[] }>('/v1/counts');
        tell(flags, items, () => (items.length === 0 ? 'No counts yet.' : countsText(items)));
      }),
    );

  withHostOptions(counts.command('show <id>'))
    .description('show the lines of a count that are not equal: counted, by the ledger, before and after')
    .addOption(new JsonOption('{…the count, differing: [{line, sku, location, status, counted, ledger, …}]}'))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        const lines: Report[] = [];
        for await (const line of hostOf(flags).items<Report>(`/v1/counts/${encodeURIComponent(id)}/lines`))
          if (line.status !== 'equal') lines.push(line);
        const count = await hostOf(flags).get<Report>(`/v1/counts/${encodeURIComponent(id)}`);
        tell(flags, { ...count, differing: lines }, () =>
          [plainText(count), lines.length === 0 ? 'Every line is equal.' : linesText(lines)].join('\n\n'),
        );
      }),
    );

  for (const [verb, what] of [
    ['approve', 'post the lines of a count that wait for a person'],
    ['reject', 'turn them down; the ledger stays as it is'],
  ] as const) {
    withHostOptions(counts.command(`${verb} <id> [line...]`))
      .description(what)
      .addOption(new JsonOption(COUNT))
      .action(
        action(async (id: string, lines: string[], flags: JsonFlags) => {
          const body = lines.length === 0 ? {} : { lines: lines.map(Number) };
          const report = await follow<Report>(flags, `/v1/counts/${encodeURIComponent(id)}/${verb}`, body);
          tell(flags, report, () => plainText(report));
        }),
      );
  }
}

function addReportCommands(program: Command): void {
  withHostOptions(program.command('report').description('reports as CSV').command('settlement'))
    .description('units moved between two moments, for each SKU and channel, as CSV')
    .requiredOption('--from <time>', 'what happened after this moment', parseTime)
    .requiredOption('--to <time>', 'and until this one', parseTime)
    .addOption(new JsonOption('[{…an object for each row of the CSV, its columns as keys}]'))
    .action(
      action(async ({ from, to, ...flags }: JsonFlags & { from: string; to: string }) => {
        const query = new URLSearchParams({ from, to }).toString();
        const chunks = hostOf(flags).download(`/v1/reports/settlement?${query}`);
        if (flags.json) printJson(await rowsOf(chunks));
        else for await (const chunk of chunks) process.stdout.write(chunk);
      }),
    );

  withHostOptions(program.command('stranded'))
    .description('list reservations that nobody fulfils')
    .addOption(new JsonOption('[{reservationId, channel, orderId, reference, units, skus, reservedAt, …}]'))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Stranded[] }>(
          '/v1/stranded-reservations?limit=500',
        );
        tell(flags, items, () => (items.length === 0 ? 'No reservation is stranded.' : strandedText(items)));
      }),
    );
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

function strandedText(stranded: readonly Stranded[]): string {
  return table(stranded, {
    reserved: ({ reservedAt }) => reservedAt,
    reservation: ({ reservationId }) => reservationId,
    of: ({ channel, orderId, reference }) =>
      channel === null ? (reference ?? 'API') : `${channel} order ${orderId}`,
    units: ({ units }) => units,
    SKUs: ({ skus }) => skus.join(', '),
  });
}

/** A CSV with a header, as objects. */
async function rowsOf(chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  const { parse } = await import('csv-parse/sync');
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parse(Buffer.concat(parts), { columns: true, bom: true });
}

function planText(channel: string, { listings, calls, minutes, limit, basis }: Plan): string {
  return `Comparing ${listings} listings of ${channel} takes ${calls} calls (by ${basis}), about ${minutes} minutes at ${limit}.`;
}

function countsText(counts: readonly CountSummary[]): string {
  const percent = (share: number | null) => (share === null ? null : `${(share * 100).toFixed(2)} %`);
  return table(counts, {
    id: ({ id }) => id,
    source: ({ source }) => source,
    'taken at': ({ takenAt }) => takenAt,
    state: ({ state }) => state,
    lines: ({ byStatus }) =>
      Object.entries(byStatus)
        .map(([status, count]) => `${count} ${status}`)
        .join(', '),
    accuracy: ({ accuracy }) => percent(accuracy),
    drift: ({ drift }) => percent(drift),
  });
}

/** Rows of whatever fields they have. */
function linesText(lines: readonly Report[]): string {
  const fields = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  return table(
    lines,
    Object.fromEntries(fields.map((field) => [field, (line: Report) => cellOf(line[field])])),
  );
}

function cellOf(value: unknown): Cell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell);
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
