import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { hostOf, type JsonFlags, JsonOption, parseFactor, parseUnits, withHostOptions } from './options';
import { action, tell } from './output';
import { table } from './table';
import { policiesInYaml } from '../config/policy-file';

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

interface Policy extends Record<string, unknown> {
  name: string;
  channel?: string;
  tag?: string;
  sku?: string;
  windows?: unknown[];
  origin: string;
}

interface Hold {
  id: number;
  sku: string;
  location: string | null;
  channel: string | null;
  units: number | null;
  percent: number | null;
  reason: string;
  placedBy: string;
  placedAt: string;
  until: string | null;
}

/** The shape of a hold as it is printed. */
const HOLD = '{id, sku, location, channel, units, percent, reason, placedBy, placedAt, until}';

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
    .addOption(
      new JsonOption(
        '{sku, sales, channels, items: [{channel, channelSku, components, uncapped, cap, quantity}]}',
      ),
    )
    .action(
      action(async (sku: string, { channel, ...flags }: JsonFlags & { channel?: string }) => {
        const query = new URLSearchParams({ sku, ...(channel !== undefined && { channel }) });
        const explained = await hostOf(flags).get<Explained>(`/v1/buffers?${query.toString()}`);
        tell(flags, explained, () => explanation(explained));
      }),
    );

  withHostOptions(buffers.command('history [sku]'))
    .description('show who or what changed what is withheld, newest first')
    .addOption(new JsonOption('[{sku, location, channel, policy, after, cause, actor, changedAt}]'))
    .action(
      action(async (sku: string | undefined, flags: JsonFlags) => {
        const query = sku === undefined ? '' : `?${new URLSearchParams({ sku }).toString()}`;
        const { items } = await hostOf(flags).get<{ items: Change[] }>(`/v1/buffers/history${query}`);
        tell(flags, items, () => (items.length === 0 ? 'Nothing has changed.' : changesText(items)));
      }),
    );

  withHostOptions(buffers.command('recalculate'))
    .description('look at once what is to be withheld and released, rather than when the schedule says')
    .option('--full', 'count the sales of the last weeks anew and look at every SKU')
    .addOption(new JsonOption('{looked, changed, released}'))
    .action(
      action(async ({ full = false, ...flags }: JsonFlags & { full?: boolean }) => {
        const path = '/v1/buffers/recalculate';
        const report = await hostOf(flags, undefined, ATTEMPTS).post<Record<string, number>>(path, { full });
        tell(
          flags,
          report,
          () => `Looked at ${report.looked}; ${report.changed} changed, ${report.released} of them released.`,
        );
      }),
    );

  addPolicyCommands(buffers);
  addHoldCommands(buffers);
}

function addPolicyCommands(buffers: Command): void {
  withHostOptions(buffers.command('policies'))
    .description('list every policy, those of onhand.yaml too')
    .addOption(new JsonOption('[{name, channel, tag, sku, …its figures, windows, origin}]'))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Policy[] }>('/v1/buffers/policies');
        tell(flags, items, () => (items.length === 0 ? 'No policies.' : policiesText(items)));
      }),
    );

  withHostOptions(buffers.command('apply <file>'))
    .description('make or replace policies, all or none')
    .option('--dry-run', 'change nothing, and tell which listings would show what')
    .addOption(
      new JsonOption(
        '{dryRun, policies}; with --dry-run {dryRun, listings, changes, unitsFrom, unitsTo, items: [{channel, channelSku, from, to}]}',
      ),
    )
    .addHelpText('after', FILE_HELP)
    .action(
      action(async (file: string, { dryRun = false, ...flags }: JsonFlags & { dryRun?: boolean }) => {
        const policies = policiesInYaml(await readFile(file, 'utf8'), file);
        const path = `/v1/buffers/policies?dryRun=${dryRun}`;
        const answer = await hostOf(flags, undefined, ATTEMPTS).post<DryRun>(path, { policies });
        tell(flags, answer, () =>
          dryRun ? dryRunText(answer) : `${policies.length} policies are in force.`,
        );
      }),
    );

  withHostOptions(buffers.command('remove <policy>'))
    .description('take a policy away')
    .addOption(new JsonOption('{name, removed}'))
    .action(
      action(async (name: string, flags: JsonFlags) => {
        await hostOf(flags).delete(`/v1/buffers/policies/${encodeURIComponent(name)}`);
        tell(flags, { name, removed: true }, () => `Removed ${name}.`);
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
    .addOption(new JsonOption(HOLD))
    .action(
      action(async (sku: string, { url, apiKey, json, ...hold }: JsonFlags & Record<string, unknown>) => {
        const placed = await hostOf({ url, apiKey }).post<Hold>('/v1/buffers/holds', { sku, ...hold });
        tell(
          { json },
          placed,
          () => `Hold ${placed.id} is in force; \`onhand buffers end ${placed.id}\` ends it.`,
        );
      }),
    );

  withHostOptions(buffers.command('holds'))
    .description('list the holds in force')
    .addOption(new JsonOption(`[${HOLD}]`))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Hold[] }>('/v1/buffers/holds');
        tell(flags, items, () => (items.length === 0 ? 'No holds are in force.' : holdsText(items)));
      }),
    );

  withHostOptions(buffers.command('end <hold>'))
    .description('end a hold')
    .addOption(new JsonOption('{id, ended}'))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        await hostOf(flags).delete(`/v1/buffers/holds/${encodeURIComponent(id)}`);
        tell(flags, { id: Number(id), ended: true }, () => `Ended hold ${id}.`);
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

function changesText(changes: readonly Change[]): string {
  return table(changes, {
    at: ({ changedAt }) => changedAt,
    of: ({ sku, location, channel, policy }) =>
      [sku, location, channel, policy].filter((part) => part !== null).join(' '),
    'withheld now': ({ after }) =>
      after?.needs && (after.needs.map(({ kind, amount }) => `${kind} ${amount}`).join(', ') || 'nothing'),
    cause: ({ cause }) => cause,
    by: ({ actor }) => actor,
  });
}

function policiesText(policies: readonly Policy[]): string {
  return table(policies, {
    name: ({ name }) => name,
    for: ({ channel, tag, sku }) =>
      [channel && `channel ${channel}`, tag && `tag ${tag}`, sku && `SKU ${sku}`]
        .filter(Boolean)
        .join(', ') || 'everything',
    sets: ({ name: _name, channel: _channel, tag: _tag, sku: _sku, windows, origin: _origin, ...figures }) =>
      [
        ...Object.entries(figures).map(([figure, value]) => `${figure} ${String(value)}`),
        ...(windows?.length ? [`${windows.length} windows`] : []),
      ].join(', '),
    origin: ({ origin }) => origin,
  });
}

function holdsText(holds: readonly Hold[]): string {
  return table(holds, {
    id: ({ id }) => id,
    sku: ({ sku }) => sku,
    channel: ({ channel }) => channel ?? 'all',
    location: ({ location }) => location,
    withholds: ({ units, percent }) => (units === null ? `${percent} %` : `${units} units`),
    reason: ({ reason }) => reason,
    by: ({ placedBy }) => placedBy,
    until: ({ until }) => until,
  });
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
