import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';

/** A count whose units differ from the ledger's by a larger share than this raises the alarm. */
const DRIFT_ALARM = 0.01;

/** Metric, label, value: as `READ` answers them. */
interface Row {
  name: GaugeName;
  label: string | null;
  cause: string | null;
  value: number;
}

const GAUGES = {
  onhand_drifts: ['Listings that their channel shows otherwise than it should', ['channel', 'cause']],
  onhand_drifts_escalated: ['Of these, corrected too often and left to a person', ['channel']],
  onhand_reconcile_age_seconds: ['Since the last whole comparison of the channel began', ['channel']],
  onhand_reconcile_drift_ratio: ['Share of listings that had drifted at the last comparison', ['channel']],
  onhand_count_accuracy: ['Share of lines of the last count that were right', ['source']],
  onhand_ledger_drift_ratio: ['Share of units by which the last count differed from the ledger', ['source']],
  onhand_ledger_drift_alarm: ['1 when that is more than 1 %', ['source']],
  onhand_count_lines_waiting: ['Lines of counts that wait for approval', []],
  onhand_verify_ok: ['1 when the last check of the ledger found nothing wrong', []],
  onhand_verify_age_seconds: ['Since the last check of the ledger', []],
  onhand_stranded_reservations: ['Reservations that nobody fulfils', []],
  onhand_stranded_units: ['Units that they hold', []],
  onhand_schedule_failed: ['1 when the last run of the recurring task failed', ['task']],
  onhand_schedule_overdue_seconds: ['How long the recurring task has been due', ['task']],
} as const;
type GaugeName = keyof typeof GAUGES;

/** What comparisons, counts and checks found last, from their tables: the same on every host. */
@Injectable()
export class ReconcileMetricsService {
  private readonly gauges = new Map<string, Gauge>();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  register(registry: Registry): void {
    for (const [name, [help, labels]] of Object.entries(GAUGES))
      this.gauges.set(name, new Gauge({ name, help, labelNames: [...labels], registers: [registry] }));
  }

  async read(): Promise<void> {
    const rows: Row[] = await this.dataSource.query(READ, [DRIFT_ALARM]);
    for (const gauge of this.gauges.values()) gauge.reset();
    for (const { name, label, cause, value } of rows) {
      const [first, second] = GAUGES[name][1] as readonly string[];
      const labels = { ...(first && { [first]: label ?? '' }), ...(second && { [second]: cause ?? '' }) };
      this.gauges.get(name)!.set(labels, Number(value));
    }
  }
}

const SINCE = (column: string) => `extract(epoch FROM clock_timestamp() - ${column})`;

const READ = `
  SELECT 'onhand_drifts' AS name, channel AS label, cause, count(*)::float8 AS value FROM drifts WHERE resolved_at IS NULL GROUP BY 2, 3
  UNION ALL
  SELECT 'onhand_drifts_escalated', channel, NULL, count(escalated_at) FROM drifts WHERE resolved_at IS NULL GROUP BY 2
  UNION ALL
  SELECT m.name, subject, NULL, m.value FROM (
      SELECT DISTINCT ON (subject) subject, started_at, report FROM tasks
       WHERE kind = 'reconcile' AND state = 'done' ORDER BY subject, asked_at DESC) t,
    LATERAL (VALUES ('onhand_reconcile_age_seconds', ${SINCE('started_at')}),
                    ('onhand_reconcile_drift_ratio', (report->>'drifted')::float8 / greatest(1, (report->>'listings')::float8))) AS m (name, value)
  UNION ALL
  SELECT m.name, source, NULL, m.value FROM (
      SELECT DISTINCT ON (source) source, accuracy, drift FROM counts
       WHERE finished_at > clock_timestamp() - interval '30 days' ORDER BY source, received_at DESC LIMIT 50) c,
    LATERAL (VALUES ('onhand_count_accuracy', accuracy), ('onhand_ledger_drift_ratio', drift),
                    ('onhand_ledger_drift_alarm', (drift > $1)::int)) AS m (name, value)
   WHERE m.value IS NOT NULL
  UNION ALL
  SELECT 'onhand_count_lines_waiting', NULL, NULL, count(*) FROM count_lines l JOIN counts c ON c.id = l.count_id
   WHERE c.state = 'waiting' AND l.status = 'waiting'
  UNION ALL
  SELECT m.name, NULL, NULL, m.value FROM (
      SELECT finished_at, (report->>'ok')::boolean AS ok FROM tasks
       WHERE kind = 'verify' AND state = 'done' ORDER BY asked_at DESC LIMIT 1) v,
    LATERAL (VALUES ('onhand_verify_ok', v.ok::int), ('onhand_verify_age_seconds', ${SINCE('v.finished_at')})) AS m (name, value)
  UNION ALL
  SELECT m.name, NULL, NULL, m.value FROM (SELECT count(*) AS n, coalesce(sum(units), 0) AS units FROM stranded_reservations) s,
    LATERAL (VALUES ('onhand_stranded_reservations', s.n), ('onhand_stranded_units', s.units)) AS m (name, value)
  UNION ALL
  SELECT m.name, task, NULL, m.value FROM (
      SELECT name AS task, (outcome = 'failed')::int AS failed, greatest(0, ${SINCE('greatest(due_at, lease_until)')}) AS overdue
        FROM schedule WHERE declared_at > clock_timestamp() - interval '15 minutes') t,
    LATERAL (VALUES ('onhand_schedule_failed', coalesce(t.failed, 0)), ('onhand_schedule_overdue_seconds', t.overdue)) AS m (name, value)`;
