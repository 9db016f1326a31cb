import { type Command, InvalidArgumentError, Option } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, EXIT, tell } from './output';
import { table } from './table';

const WINDOWS = ['1h', '24h', '7d', '30d'];
const MOST_ENTRIES = 500;

interface Kpi {
  name: string;
  value: number | null;
  unit: 'ratio' | 'seconds' | 'count';
  aim: { max: number } | null;
  met: boolean | null;
}

interface Reading {
  at: string;
  windowSeconds: number;
  items: Kpi[];
}

interface Entry {
  at: string;
  actor: { kind: string; name: string };
  action: string;
  subject: string | null;
  channel: string | null;
  outcome: string;
  status: number | null;
  detail: Record<string, unknown> | null;
}

interface ActivityFlags extends JsonFlags {
  actor?: string;
  action?: string;
  channel?: string;
  refused?: boolean;
  limit: number;
}

export function addKpiCommands(program: Command): void {
  withHostOptions(program.command('kpis'))
    .description('show the key figures with their aims; ends with 1 where one is missed')
    .addOption(new Option('--window <time>', 'of the time up to now').choices(WINDOWS).default('24h'))
    .option('--channel <name>', 'of this channel only')
    .addOption(new JsonOption('{at, windowSeconds, items: [{name, value, unit, aim, met, events}]}'))
    .action(
      action(async (flags: JsonFlags & { window: string; channel?: string }) => {
        const { window, channel } = flags;
        const query = new URLSearchParams({ window, ...(channel !== undefined && { channel }) });
        const reading = await hostOf(flags).get<Reading>(`/v1/kpis?${query.toString()}`);
        tell(flags, reading, () => kpisText(reading.items));
        if (reading.items.some(({ met }) => met === false)) process.exitCode = EXIT.failed;
      }),
    );

  withHostOptions(program.command('activity'))
    .description('show who did what, newest first')
    .option('--actor <name>', 'name of the API key, or of the part of the host')
    .option('--action <action>', 'such as oversell.cancel, or oversell for all about oversells')
    .option('--channel <name>', 'on this channel only')
    .option('--refused', 'only what was refused')
    .option('--limit <n>', `so many entries, at most ${MOST_ENTRIES}`, parseLimit, 50)
    .addOption(
      new JsonOption('[{id, at, actor, action, subject, channel, outcome, status, requestId, detail}]'),
    )
    .action(
      action(async (flags: ActivityFlags) => {
        const { actor, action: what, channel, refused, limit } = flags;
        const query = new URLSearchParams({
          limit: String(limit),
          ...(actor !== undefined && { actor }),
          ...(what !== undefined && { action: what }),
          ...(channel !== undefined && { channel }),
          ...(refused && { outcome: 'refused' }),
        });
        const { items } = await hostOf(flags).get<{ items: Entry[] }>(`/v1/activity?${query.toString()}`);
        tell(flags, items, () => (items.length === 0 ? 'Nothing yet.' : items.map(entryLine).join('\n')));
      }),
    );
}

function kpisText(items: readonly Kpi[]): string {
  return table(items, {
    figure: ({ name }) => name,
    value: ({ value, unit }) => valueText(value, unit),
    'at most': ({ aim, unit }) => aim && valueText(aim.max, unit),
    aim: ({ met }) => (met === false ? 'MISSED' : met && 'met'),
  });
}

function valueText(value: number | null, unit: Kpi['unit']): string {
  if (value === null) return '–';
  if (unit === 'ratio') return `${trimmed(value * 100)} %`;
  return unit === 'seconds' ? `${trimmed(value)} s` : String(value);
}

/** Three figures tell enough. */
function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function entryLine({ at, actor, action: what, subject, channel, outcome, status, detail }: Entry): string {
  const where = channel === null || channel === subject ? '' : ` on ${channel}`;
  const how = outcome === 'done' ? '' : `  REFUSED (${status ?? 'by the channel'})`;
  const told = detail === null ? '' : `  ${JSON.stringify(detail)}`;
  return `${at}  ${what}${subject === null ? '' : ` ${subject}`}${where}  by ${actor.kind} ${actor.name}${how}${told}`;
}

function parseLimit(text: string): number {
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (limit >= 1 && limit <= MOST_ENTRIES) return limit;
  throw new InvalidArgumentError(`Expected a number from 1 to ${MOST_ENTRIES}.`);
}
