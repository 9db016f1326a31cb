import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type HostFlags, hostOf, JsonOption, withHostOptions } from './options';
import { action, EXIT, printNews, tell } from './output';
import { type Columns, table } from './table';
import { HostProblemError } from '../replay/host.errors';

interface ChannelFlags extends HostFlags {
  channel: string;
  json?: boolean;
}

interface ImportFlags extends ChannelFlags {
  partial?: boolean;
  dryRun?: boolean;
  createSkus?: boolean;
}

interface ImportReport {
  applied: boolean;
  counts: Record<string, number>;
  createdSkus: string[];
  rows: { line: number; channelSku: string; status: string; reason?: string; note?: string }[];
}

interface ListedListing {
  channelSku: string;
  components: { sku: string; units: number }[];
  origin: string;
  cap: number | null;
  bufferUnits: number | null;
  bufferPercent: number | null;
  quantity: number;
}

interface Suggestion {
  id: number;
  channelSku: string;
  title: string | null;
  sku: string;
  reasons: string[];
  score: number;
  alternatives: string[];
  sharedWith: string[];
}

interface Decided {
  id: number;
  status: string;
  channelSku?: string;
  sku?: string;
  reason?: string;
}

interface Unmapped {
  channelSku: string;
  title: string | null;
  barcode: string | null;
  lastSeenIn: string;
  lastSeenAt: string;
  parkedLines: number;
}

/** Rows that are as they should be are counted, not listed. */
const MOST_ROWS_TOLD = 100;
/** Reading a large channel or file takes longer than a second try would help. */
const ATTEMPTS = 1;

const FILE_HELP = `
The file is CSV with the columns channel_sku, sku and, where wanted, units, cap, buffer_units, buffer_percent.
Rows that share a channel_sku are one bundle. One wrong row keeps all from being written, unless --partial.
The exit code is 1 when a row is refused.`;

export function addListingCommands(program: Command): void {
  const listings = program.command('listings').description("map a channel's SKUs to ours");

  withChannel(
    listings.command('import <file>'),
    '{applied, counts, createdSkus, rows: [{line, channelSku, status, reason, note}]}',
  )
    .description('import listings from CSV, row by row')
    .option('--partial', 'write the good rows although others are refused')
    .option('--dry-run', 'write nothing, and tell what would be written')
    .option('--create-skus', 'create the SKUs that nobody has')
    .addHelpText('after', FILE_HELP)
    .action(action((file: string, flags: ImportFlags) => importFile(file, flags)));

  withChannel(
    listings.command('list'),
    '[{channelSku, components: [{sku, units}], origin, cap, bufferUnits, bufferPercent, quantity}]',
  )
    .description('list listings with what they are made of and what should be shown')
    .option('--sku <code>', 'those that hold this SKU')
    .action(
      action(async (flags: ChannelFlags & { sku?: string }) => {
        const query = flags.sku === undefined ? '' : `?${new URLSearchParams({ sku: flags.sku }).toString()}`;
        await tellAll<ListedListing>(flags, `listings${query}`, LISTING, 'No listings.');
      }),
    );

  withChannel(
    listings.command('unmapped'),
    '[{channelSku, title, barcode, lastSeenIn, lastSeenAt, parkedLines}]',
  )
    .description("list the channel's SKUs that nobody has mapped")
    .action(
      action((flags: ChannelFlags) => tellAll<Unmapped>(flags, 'unmapped', UNMAPPED, 'Nothing is unmapped.')),
    );

  withChannel(listings.command('ignore <channelSku...>'), '{changed, unknown}')
    .description('take SKUs that never will be mapped out of that list')
    .action(
      action(async (channelSkus: string[], flags: ChannelFlags) => {
        const answer = await hostOf(flags).post<{ changed: number; unknown: string[] }>(
          channelPath(flags, 'unmapped/ignore'),
          { channelSkus },
          { repeatable: true },
        );
        tell(flags, answer, () => `Ignored ${answer.changed}.`);
        if (answer.unknown.length > 0) printNews(`Not in the list: ${answer.unknown.join(', ')}`);
      }),
    );

  addSuggestionCommands(listings);
}

function addSuggestionCommands(listings: Command): void {
  withChannel(
    listings.command('suggest'),
    '[{id, channelSku, title, sku, reasons, score, alternatives, sharedWith}]',
  )
    .description('read the channel and propose what its unmapped SKUs are; maps nothing')
    .action(
      action(async (flags: ChannelFlags) => {
        const report = await hostOf(flags, undefined, ATTEMPTS).post<Record<string, number>>(
          channelPath(flags, 'suggestions'),
        );
        printNews(
          `Read ${report.read}; ${report.unmapped} unmapped, ${report.proposed} proposals, ${report.ambiguous} of them ambiguous.`,
        );
        await tellAll<Suggestion>(flags, 'suggestions', SUGGESTION, 'No proposals.');
        if (!flags.json && report.proposed! > 0)
          printNews(
            '\n`onhand listings confirm ID…` maps them, `onhand listings dismiss ID…` turns them down.',
          );
      }),
    );

  for (const [verb, what] of [
    ['confirm', 'map what was proposed, one unit each'],
    ['dismiss', 'turn proposals down; they are not made again'],
  ] as const) {
    withChannel(listings.command(`${verb} <id...>`), '[{id, status, channelSku, sku, reason}]')
      .description(what)
      .action(
        action(async (ids: string[], flags: ChannelFlags) => {
          const { items } = await hostOf(flags).post<{ items: Decided[] }>(
            channelPath(flags, `suggestions/${verb}`),
            { ids: ids.map(parseId) },
          );
          tell(flags, items, () => items.map(decidedLine).join('\n'));
          if (items.some(({ status }) => status === 'refused')) process.exitCode = EXIT.failed;
        }),
      );
  }
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const { partial = false, dryRun = false, createSkus = false } = flags;
  const query = new URLSearchParams({
    partial: String(partial),
    dryRun: String(dryRun),
    createSkus: String(createSkus),
  });
  const path = `${channelPath(flags, 'listings/import')}?${query.toString()}`;
  const content = await readFile(file);
  let report: ImportReport;
  try {
    report = await hostOf(flags).postCsv<ImportReport>(path, content);
  } catch (error) {
    if (!(error instanceof HostProblemError) || error.code !== 'listings-refused') throw error;
    report = error.answer as ImportReport;
  }
  tell(flags, report, () => reportText(report, dryRun));
  if (report.counts.refused! > 0) process.exitCode = EXIT.failed;
}

function reportText({ applied, counts, createdSkus, rows }: ImportReport, dryRun: boolean): string {
  const telling = rows.filter(({ reason, note }) => reason !== undefined || note !== undefined);
  const lines = telling.slice(0, MOST_ROWS_TOLD).map(({ line, channelSku, status, reason, note }) => {
    const said = [reason, note].filter(Boolean).join('; ');
    return `line ${line}: ${[status, channelSku].filter(Boolean).join(' ')}: ${said}`;
  });
  if (telling.length > MOST_ROWS_TOLD) lines.push(`and ${telling.length - MOST_ROWS_TOLD} more; see --json`);
  const counted = Object.entries(counts).flatMap(([status, count]) =>
    count > 0 ? [`${count} ${status}`] : [],
  );
  const verdict = dryRun ? 'Would be' : applied ? 'Imported' : 'NOTHING was imported';
  lines.push(`${verdict}: ${counted.join(', ')}.`);
  if (createdSkus.length > 0) lines.push(`New SKUs: ${createdSkus.length}.`);
  return lines.join('\n');
}

function withChannel(command: Command, shape: string): Command {
  return withHostOptions(command)
    .requiredOption('--channel <name>', "channel of the host's configuration")
    .addOption(new JsonOption(shape));
}

function channelPath({ channel }: ChannelFlags, rest: string): string {
  return `/v1/channels/${encodeURIComponent(channel)}/${rest}`;
}

async function tellAll<T>(
  flags: ChannelFlags,
  list: string,
  columns: Columns<T>,
  otherwise: string,
): Promise<void> {
  const items: T[] = [];
  for await (const item of hostOf(flags).items<T>(channelPath(flags, list))) items.push(item);
  tell(flags, items, () => (items.length === 0 ? otherwise : table(items, columns)));
}

const LISTING: Columns<ListedListing> = {
  'channel SKU': ({ channelSku }) => channelSku,
  'made of': ({ components }) =>
    components.map(({ sku, units }) => (units === 1 ? sku : `${units} × ${sku}`)).join(' + '),
  'should show': ({ quantity }) => quantity,
  cap: ({ cap }) => cap,
  buffer: ({ bufferUnits, bufferPercent }) =>
    [bufferUnits, bufferPercent === null ? null : `${bufferPercent} %`]
      .filter((part) => part !== null)
      .join(', '),
  origin: ({ origin }) => origin,
};

const UNMAPPED: Columns<Unmapped> = {
  'channel SKU': ({ channelSku }) => channelSku,
  title: ({ title }) => title,
  barcode: ({ barcode }) => barcode,
  'last seen in': ({ lastSeenIn }) => lastSeenIn,
  at: ({ lastSeenAt }) => lastSeenAt,
  'order lines that wait': ({ parkedLines }) => parkedLines,
};

const SUGGESTION: Columns<Suggestion> = {
  id: ({ id }) => id,
  'channel SKU': ({ channelSku }) => channelSku,
  title: ({ title }) => title,
  SKU: ({ sku }) => sku,
  score: ({ score }) => score,
  by: ({ reasons }) => reasons.join(', '),
  doubts: ({ sku, alternatives, sharedWith }) =>
    [
      ...(alternatives.length > 0 ? [`it may be ${alternatives.join(', ')} as well`] : []),
      ...(sharedWith.length > 0 ? [`${sku} is or may be ${sharedWith.join(', ')} as well`] : []),
    ].join('; '),
};

function decidedLine({ id, status, channelSku, sku, reason }: Decided): string {
  const what = channelSku === undefined ? '' : `  ${channelSku} → ${sku}`;
  return `${id}  ${status}${what}${reason === undefined ? '' : `: ${reason}`}`;
}

function parseId(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Expected the number of a proposal, not ${JSON.stringify(text)}.`);
}
