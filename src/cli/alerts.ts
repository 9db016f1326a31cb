import { type Command, Option } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, tell } from './output';
import { table } from './table';

interface Alert {
  id: number;
  severity: string;
  key: string;
  summary: string;
  state: string;
  count: number;
  firstAt: string;
  acknowledgedBy: string | null;
}

interface Rule {
  name: string;
  title: string;
  setting: string;
  enabled: boolean;
  threshold: number | null;
  severity: string;
  unresolved: number;
}

const ALERT =
  '{id, key, rule, severity, channel, subject, summary, value, threshold, state, count, firstAt, lastAt, …}';

export function addAlertCommands(program: Command): void {
  const alerts = program.command('alerts').description('what is worth attention, and what to do about it');

  withHostOptions(alerts.command('list'))
    .description('list alerts that are not resolved, newest first')
    .addOption(new Option('--state <state>', 'in this state').choices(['open', 'acknowledged', 'resolved']))
    .addOption(new JsonOption(`[${ALERT}]`))
    .action(
      action(async ({ state, ...flags }: JsonFlags & { state?: string }) => {
        const items = await alertsOf(flags, state);
        tell(flags, items, () => (items.length === 0 ? 'No alerts.' : items.map(alertText).join('\n')));
      }),
    );

  addChange(
    alerts,
    'ack',
    'acknowledge',
    'say that somebody sees to it: it is told no more until it is over',
  );
  addChange(alerts, 'resolve', 'resolve', 'say that it is over; it stays so for as long as it lasts');

  withHostOptions(alerts.command('rules'))
    .description('when an alert is raised, with the thresholds in force')
    .addOption(new JsonOption('[{name, title, unit, setting, enabled, threshold, severity, unresolved}]'))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Rule[] }>('/v1/alerts/rules');
        tell(flags, items, () => rulesText(items));
      }),
    );
}

function addChange(alerts: Command, name: string, path: string, description: string): void {
  withHostOptions(alerts.command(`${name} <id...>`))
    .description(description)
    .addOption(new JsonOption(`[${ALERT}]`))
    .action(
      action(async (ids: string[], flags: JsonFlags) => {
        const changed: Alert[] = [];
        for (const id of ids) {
          const at = `/v1/alerts/${encodeURIComponent(id)}/${path}`;
          changed.push(await hostOf(flags).post<Alert>(at, undefined, { repeatable: true }));
        }
        tell(flags, changed, () =>
          changed.map(({ id, key, state }) => `${id}  ${key} is ${state}.`).join('\n'),
        );
      }),
    );
}

/** Those of the state; without one, all that are not resolved. */
async function alertsOf(flags: JsonFlags, state: string | undefined): Promise<Alert[]> {
  const found: Alert[] = [];
  for (const each of state === undefined ? ['open', 'acknowledged'] : [state])
    for await (const alert of hostOf(flags).items<Alert>(`/v1/alerts?state=${each}`)) found.push(alert);
  return found.sort((a, b) => b.id - a.id);
}

/** No table: what a person needs is the summary, whole. */
function alertText({ id, severity, key, summary, state, count, firstAt, acknowledgedBy }: Alert): string {
  const by = acknowledgedBy === null ? '' : ` by ${acknowledgedBy}`;
  const times = count === 1 ? '' : `, ${count} times`;
  return `${id}  ${severity.toUpperCase()}  ${key}  ${state}${by} since ${firstAt}${times}\n  ${summary}`;
}

function rulesText(rules: readonly Rule[]): string {
  return table(rules, {
    rule: ({ name }) => name,
    severity: ({ enabled, severity }) => (enabled ? severity : 'off'),
    threshold: ({ threshold }) => threshold,
    now: ({ unresolved }) => unresolved || null,
    'raised when': ({ title }) => title,
    setting: ({ setting }) => setting,
  });
}
