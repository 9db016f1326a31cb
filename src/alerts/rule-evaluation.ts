import type { DataSource } from 'typeorm';
import type { Config } from '../config/config';
import { ALERT_RULES, type AlertRule, type RuleRow } from './alert-rules';
import { type Finding, spokenSeconds, spokenShare } from './finding';
import type { Kpi } from '../monitor/kpis';
import type { KpisService } from '../monitor/kpis.service';
import { CLEARS_BELOW } from './rule-queries';

export const KPI_RULE = 'kpi';

/** KPIs that a rule of their own looks at, by the rows behind them. */
const COVERED = [
  'push_queue_depth',
  'ledger_drift_ratio',
  'reconciliation_drift_ratio',
  'stranded_reservations',
  'oversells',
  'api_throttled_ratio',
];

export interface Evaluation {
  /** Rules that were looked at: what they did not find is over. */
  rules: string[];
  findings: Finding[];
  failures: string[];
}

/** Looks at everything that may be worth an alert. A rule that cannot be looked at is in nobody's way. */
export async function evaluateRules(
  dataSource: DataSource,
  config: Config,
  kpis: Pick<KpisService, 'readings'>,
): Promise<Evaluation> {
  const evaluation: Evaluation = { rules: [], findings: [], failures: [] };
  const look = async (rule: string, find: () => Promise<Finding[]>) => {
    try {
      evaluation.findings.push(...(await find()));
      evaluation.rules.push(rule);
    } catch (error) {
      evaluation.failures.push(`${rule}: ${(error as Error).message}`);
    }
  };
  for (const rule of ALERT_RULES)
    if (rule.query !== null) await look(rule.name, () => queried(dataSource, config, rule));
  const channels = config.channels.map(({ name }) => name);
  const readings = kpis.readings('1h', [undefined, ...channels]);
  await look(KPI_RULE, async () => kpiFindings((await readings)[0]!.items, config));
  await look('throttled', async () => throttledFindings((await readings).slice(1), channels, config));
  return evaluation;
}

/** A rule that is turned off finds nothing, so that what it raised is over. */
async function queried(dataSource: DataSource, config: Config, rule: AlertRule): Promise<Finding[]> {
  const { max } = config.alerts.rules[rule.key];
  if (max === null) return [];
  const about = rule.key === 'receiverFailingSeconds' ? config.receivers : config.channels;
  const names = rule.query!.includes('$2') ? [about.map(({ name }) => name)] : [];
  const rows: RuleRow[] = await dataSource.query(rule.query!, [max, ...names]);
  return rows.map((row) => findingOf(rule, config, row));
}

function findingOf(rule: AlertRule, config: Config, row: RuleRow): Finding {
  const { channel, subject, value, threshold, raises, tags = [] } = row;
  return {
    key: [rule.name, channel, subject].filter((part) => part !== null).join(':'),
    rule: rule.name,
    severity: config.alerts.rules[rule.key].severity,
    ...{ channel, subject, tags, value, threshold, raises },
    summary: rule.summary(row),
  };
}

function kpiFindings(figures: readonly Kpi[], { alerts: { kpis } }: Config): Finding[] {
  return figures.flatMap(({ name, value, unit, aim }) => {
    const max = Object.hasOwn(kpis, name) ? kpis[name]! : (aim?.max ?? null);
    if (COVERED.includes(name) || max === null || value === null || value <= max * CLEARS_BELOW) return [];
    const spoken = (figure: number) =>
      unit === 'ratio' ? spokenShare(figure) : unit === 'seconds' ? spokenSeconds(figure) : String(figure);
    const words = name.replaceAll('_', ' ');
    return {
      ...{ key: `${KPI_RULE}:${name}`, rule: KPI_RULE, severity: 'warning' as const },
      ...{ channel: null, subject: name, tags: [], value, threshold: max, raises: value > max },
      summary: `The KPI ${words} was ${spoken(value)} in the last hour, and ${spoken(max)} is the aim. See what it counts and since when under KPIs; docs/kpis.md tells what drives it.`,
    };
  });
}

function throttledFindings(
  readings: readonly { items: readonly Kpi[] }[],
  channels: readonly string[],
  config: Config,
): Finding[] {
  const rule = ALERT_RULES.find(({ key }) => key === 'throttledRatio')!;
  const { max } = config.alerts.rules.throttledRatio;
  return channels.flatMap((channel, index) => {
    const value = readings[index]?.items.find(({ name }) => name === 'api_throttled_ratio')?.value ?? null;
    if (max === null || value === null || value <= max * CLEARS_BELOW) return [];
    return findingOf(rule, config, { channel, subject: null, value, threshold: max, raises: value > max });
  });
}
