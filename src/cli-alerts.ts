import type { Command } from 'commander';
import { hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';
import type { JsonFlags } from './cli-tasks';

interface Alert {
  id: number;
  severity: string;
  key: string;
  summary: string;
  state: string;
  count: number;
  firstAt: string;
  lastAt: string;
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

export function addAlertCommands(program: Command): void {
  const alerts = program.command('alerts').description('what is worth attention, and what to do about it');

  withHostOptions(alerts.command('list'))
    .description('list alerts that are not resolved, newest first')
    .option('--state <state>', 'open, acknowledged or resolved')
    .option('--json', 'print JSON')
    .action(
      action(async ({ state, ...flags }: JsonFlags & { state?: string }) => {
        const items = await alertsOf(flags, state);
        if (flags.json) printJson(items);
        else printAnswer(items.length === 0 ? 'No alerts.' : items.map(alertText).join('\n'));
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
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Rule[] }>('/v1/alerts/rules');
        if (flags.json) printJson(items);
        else printAnswer(items.map(ruleText).join('\n'));
      }),
    );
}

function addChange(alerts: Command, name: string, path: string, description: string): void {
  withHostOptions(alerts.command(`${name} <id...>`))
    .description(description)
    .option('--json', 'print JSON')
    .action(
      action(async (ids: string[], flags: JsonFlags) => {
        const changed: Alert[] = [];
        for (const id of ids)
          changed.push(
            await hostOf(flags).post<Alert>(`/v1/alerts/${encodeURIComponent(id)}/${path}`, undefined, {
              repeatable: true,
            }),
          );
        if (flags.json) printJson(changed);
        else printAnswer(changed.map(({ id, key, state }) => `${id}  ${key} is ${state}.`).join('\n'));
      }),
    );
}

/** Those of the state; without one, all that are not resolved. */
async function alertsOf(flags: JsonFlags, state: string | undefined): Promise<Alert[]> {
  const states = state === undefined ? ['open', 'acknowledged'] : [state];
  const pages = await Promise.all(
    states.map((each) =>
      hostOf(flags).get<{ items: Alert[] }>(`/v1/alerts?limit=500&state=${encodeURIComponent(each)}`),
    ),
  );
  return pages.flatMap(({ items }) => items).sort((a, b) => b.id - a.id);
}

function alertText({ id, severity, key, summary, state, count, firstAt, acknowledgedBy }: Alert): string {
  const by = acknowledgedBy === null ? '' : ` by ${acknowledgedBy}`;
  const times = count === 1 ? '' : `, ${count} times`;
  return `${id}  ${severity.toUpperCase()}  ${key}  ${state}${by} since ${firstAt}${times}\n  ${summary}`;
}

function ruleText({ name, title, setting, enabled, threshold, severity, unresolved }: Rule): string {
  const limit = threshold === null ? '' : ` (${threshold})`;
  const now = unresolved === 0 ? '' : `  ${unresolved} now`;
  return `${name.padEnd(22)} ${enabled ? severity.padEnd(8) : 'off     '}  ${title}${limit}  ${setting}${now}`;
}
