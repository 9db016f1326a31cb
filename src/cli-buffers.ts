import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type HostFlags, hostOf, parseFactor, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';
import { policiesInYaml } from './config/policy-file';

type JsonFlags = HostFlags & { json?: boolean };

interface Buffer {
  kind: string;
  units: number;
  reason: string;
}

interface Explained {
  sku: string;
  sales: { location: string; hourUnits: number; usualPerHour: number }[];
  channels: { channel: string; syncP99Ms: number | null; cancelPercent: number; confirmationMs: number }[];
  items: {
    channel: string;
    channelSku: string;
    components: {
      sku: string;
      unitsPerListing: number;
      physical: number;
      reserved: number;
      quarantined: number;
      damaged: number;
      available: number;
      buffers: Buffer[];
      sellable: number;
    }[];
    uncapped: number;
    cap: number | null;
    capSource: string | null;
    quantity: number;
  }[];
}

interface Change {
  sku: string | null;
  location: string | null;
  channel: string | null;
  policy: string | null;
  after: { needs?: { kind: string; amount: number }[] } | null;
  cause: string;
  actor: string;
  changedAt: string;
}

interface DryRun {
  dryRun: boolean;
  listings: number;
  changes: number;
  unitsFrom: number;
  unitsTo: number;
  items: { channel: string; channelSku: string; from: number; to: number }[];
}

/** Changes over thousands of listings are computed in one request. */
const ATTEMPTS = 1;

const FILE_HELP = `
FILE is YAML with a list under "policies", as onhand.yaml has it under "buffers". Each has a name, one of channel, tag
and sku or none, and the figures that it sets; docs/buffers.md tells of them.`;

export function addBufferCommands(program: Command): void {
  const buffers = program.command('buffers').description('what is withheld from channels, and why');

  withHostOptions(buffers.command('explain <sku>'))
    .description('show how each published quantity of a SKU comes about')
    .option('--channel <name>', 'on this channel only')
    .option('--json', 'print JSON')
    .action(
      action(async (sku: string, { channel, ...flags }: JsonFlags & { channel?: string }) => {
        const query = new URLSearchParams({ sku, ...(channel !== undefined && { channel }) });
        const explained = await hostOf(flags).get<Explained>(`/v1/buffers?${query.toString()}`);
        if (flags.json) printJson(explained);
        else printAnswer(explanation(explained));
      }),
    );

  withHostOptions(buffers.command('history [sku]'))
    .description('show who or what changed what is withheld, newest first')
    .option('--json', 'print JSON')
    .action(
      action(async (sku: string | undefined, flags: JsonFlags) => {
        const query = sku === undefined ? '' : `?${new URLSearchParams({ sku }).toString()}`;
        const { items } = await hostOf(flags).get<{ items: Change[] }>(`/v1/buffers/history${query}`);
        if (flags.json) printJson(items);
        else printAnswer(items.length === 0 ? 'Nothing has changed.' : items.map(changeLine).join('\n'));
      }),
    );

  withHostOptions(buffers.command('recalculate'))
    .description('look at once what is to be withheld and released, rather than when the schedule says')
    .option('--full', 'count the sales of the last weeks anew and look at every SKU')
    .action(
      action(async ({ full = false, ...flags }: HostFlags & { full?: boolean }) => {
        const path = '/v1/buffers/recalculate';
        const report = await hostOf(flags, undefined, ATTEMPTS).post<Record<string, number>>(path, { full });
        printAnswer(
          `Looked at ${report.looked}; ${report.changed} changed, ${report.released} of them released.`,
        );
      }),
    );

  addPolicyCommands(buffers);
  addHoldCommands(buffers);
}

function addPolicyCommands(buffers: Command): void {
  withHostOptions(buffers.command('policies'))
    .description('list every policy, those of onhand.yaml too')
    .action(
      action(async (flags: HostFlags) => {
        const { items } = await hostOf(flags).get<{ items: Record<string, unknown>[] }>(
          '/v1/buffers/policies',
        );
        printJson(items);
      }),
    );

  withHostOptions(buffers.command('apply <file>'))
    .description('make or replace policies, all or none')
    .option('--dry-run', 'change nothing, and tell which listings would show what')
    .option('--json', 'print JSON')
    .addHelpText('after', FILE_HELP)
    .action(
      action(async (file: string, { dryRun = false, ...flags }: JsonFlags & { dryRun?: boolean }) => {
        const policies = policiesInYaml(await readFile(file, 'utf8'), file);
        const path = `/v1/buffers/policies?dryRun=${dryRun}`;
        const answer = await hostOf(flags, undefined, ATTEMPTS).post<DryRun>(path, { policies });
        if (flags.json) printJson(answer);
        else printAnswer(dryRun ? dryRunText(answer) : `${policies.length} policies are in force.`);
      }),
    );

  withHostOptions(buffers.command('remove <policy>'))
    .description('take a policy away')
    .action(
      action(async (name: string, flags: HostFlags) => {
        await hostOf(flags).delete(`/v1/buffers/policies/${encodeURIComponent(name)}`);
        printAnswer(`Removed ${name}.`);
      }),
    );
}

function addHoldCommands(buffers: Command): void {
  withHostOptions(buffers.command('hold <sku>'))
    .description('withhold units of a SKU by hand, on top of what policies withhold')
    .option('--channel <name>', 'from this channel only')
    .option('--location <code>', 'only where this location serves the channel')
    .option('--units <n>', 'units', parseUnits)
    .option('--percent <n>', 'percent of what is available; 100 for all', parseFactor)
    .requiredOption('--reason <text>', 'for those who find it')
    .option('--until <time>', 'ends by itself then, such as 2026-11-30T08:00:00Z')
    .action(
      action(async (sku: string, { url, apiKey, ...hold }: HostFlags & Record<string, unknown>) => {
        const placed = await hostOf({ url, apiKey }).post<{ id: number }>('/v1/buffers/holds', {
          sku,
          ...hold,
        });
        printAnswer(`Hold ${placed.id} is in force; \`onhand buffers end ${placed.id}\` ends it.`);
      }),
    );

  withHostOptions(buffers.command('holds'))
    .description('list the holds in force')
    .action(
      action(async (flags: HostFlags) => {
        printJson((await hostOf(flags).get<{ items: unknown[] }>('/v1/buffers/holds')).items);
      }),
    );

  withHostOptions(buffers.command('end <hold>'))
    .description('end a hold')
    .action(
      action(async (id: string, flags: HostFlags) => {
        await hostOf(flags).delete(`/v1/buffers/holds/${encodeURIComponent(id)}`);
        printAnswer(`Ended hold ${id}.`);
      }),
    );
}

function explanation({ sku, sales, channels, items }: Explained): string {
  const sold = sales.map(
    ({ location, hourUnits, usualPerHour }) =>
      `${sku} at ${location}: ${fixed(hourUnits)} sold in the last hour, usually ${fixed(usualPerHour)} an hour`,
  );
  const measured = channels.map(({ channel, syncP99Ms, cancelPercent, confirmationMs }) => {
    const latency = syncP99Ms === null ? 'not measured yet' : `${fixed(syncP99Ms / 1000)} s`;
    return `${channel}: P99 sync latency ${latency}, ${cancelPercent} % cancelled late, tells of orders after ${fixed(confirmationMs / 1000)} s`;
  });
  const listings = items.map((item) => waterfallText(item));
  const none = items.length === 0 ? [`No channel has a listing of ${sku}.`] : [];
  return [...sold, ...measured, ...none, ...listings.flatMap((text) => ['', text])].join('\n');
}

function waterfallText(item: Explained['items'][number]): string {
  const row = (label: string, units: number, why = '') =>
    `  ${label.padEnd(14)}${String(units).padStart(8)}${why && `  ${why}`}`;
  const components = item.components.flatMap((each) => [
    row('physical', each.physical, each.sku),
    ...(['reserved', 'quarantined', 'damaged'] as const).flatMap((state) =>
      each[state] === 0 ? [] : [row(state, -each[state])],
    ),
    row('available', each.available),
    ...each.buffers.map(({ kind, units, reason }) => row(kind, -units, reason)),
    row('sellable', each.sellable, each.unitsPerListing === 1 ? '' : `in packs of ${each.unitsPerListing}`),
  ]);
  const cap = item.cap === null ? [] : [row('cap', item.cap, item.capSource ?? '')];
  return [`${item.channel} ${item.channelSku}`, ...components, ...cap, row('shows', item.quantity)].join(
    '\n',
  );
}

function changeLine({ changedAt, sku, location, channel, policy, after, cause, actor }: Change): string {
  const what = [sku, location, channel, policy].filter((part) => part !== null).join(' ');
  const needs = after?.needs?.map(({ kind, amount }) => `${kind} ${amount}`).join(', ');
  return `${changedAt}  ${what}  ${needs === undefined ? '' : `→ ${needs || 'nothing'}  `}${cause} (${actor})`;
}

function dryRunText({ listings, changes, items, unitsFrom, unitsTo }: DryRun): string {
  const lines = items.map(({ channel, channelSku, from, to }) => `${channel} ${channelSku}  ${from} → ${to}`);
  if (changes > items.length) lines.push(`and ${changes - items.length} more`);
  lines.push(
    `Of ${listings} listings ${changes} would change, from ${unitsFrom} to ${unitsTo} units together.`,
  );
  return lines.join('\n');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(2)));
}

function parseUnits(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of units.');
}
