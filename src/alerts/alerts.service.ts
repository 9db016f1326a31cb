import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { AlertSeverity } from '../config/alerts.config';
import { Config } from '../config/config';
import { inTransaction } from '../database/pool';
import { type PageOf, pageOf } from '../http/page';
import { KpisService } from '../monitor/kpis.service';
import { DeliveriesService } from '../outbound/deliveries.service';
import { ALERT_COLUMNS, type AlertRow, lockStanding, type ToldAlert, writeChanges } from './alert-records';
import { ALERT_RULES } from './alert-rules';
import { type AlertView, eventOf, viewOf } from './alert-view';
import { AlertResolvedError, RulesFailedError, UnknownAlertError } from './alerts.errors';
import { decideAlerts } from './decide-alerts';
import { evaluateRules, KPI_RULE } from './rule-evaluation';

/** A rule as `GET /v1/alerts/rules` tells it. */
export interface RuleView {
  name: string;
  title: string;
  unit: string;
  /** Its key under `alerts.rules`, or `alerts.kpis`. */
  setting: string;
  enabled: boolean;
  threshold: number | null;
  severity: AlertSeverity;
  /** Alerts of it that are not resolved. */
  unresolved: number;
}

/** What is worth a person's attention: found, told once, and kept until it is over. */
@Injectable()
export class AlertsService {
  private readonly log = new Logger('alerts');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
    private readonly deliveries: DeliveriesService,
    private readonly kpis: KpisService,
  ) {}

  /** Throws `RulesFailedError` once the other rules were looked at. */
  async evaluate(): Promise<void> {
    const { alerts } = this.config;
    const { rules, findings, failures } = await evaluateRules(this.dataSource, this.config, this.kpis);
    const receivers = await inTransaction(this.dataSource, async (client) => {
      const { standing, now } = await lockStanding(client, rules, alerts.reopenWithinSeconds);
      const told = await writeChanges(client, decideAlerts(standing, findings, now, alerts), now);
      for (const { tell, alert } of told)
        this.log.log(`${tell} ${alert.severity} ${alert.key}: ${alert.summary}`);
      return this.deliveries.add(
        client,
        told.map(({ tell, alert }) => eventOf(tell, alert, now)),
      );
    });
    this.deliveries.wake(receivers);
    await this.dataSource.query(PURGE, [alerts.keepDays, alerts.reopenWithinSeconds]);
    if (failures.length > 0) throw new RulesFailedError(failures);
  }

  /** Newest first. */
  async list(
    { state, rule }: { state?: AlertView['state']; rule?: string },
    limit: number,
    beforeId?: number,
  ): Promise<PageOf<AlertView>> {
    const rows: AlertRow[] = await this.dataSource.query(
      `SELECT ${ALERT_COLUMNS} FROM alerts
        WHERE ($1::text IS NULL OR state = $1) AND id < $2 AND ($4::text IS NULL OR rule = $4) ORDER BY id DESC LIMIT $3`,
      [state ?? null, beforeId ?? Number.MAX_SAFE_INTEGER, limit + 1, rule ?? null],
    );
    return pageOf(rows, limit, ({ id }) => id, viewOf);
  }

  /** Somebody sees to it: it is told no more until it is over. Throws `UnknownAlertError`, `AlertResolvedError`. */
  acknowledge(id: number, actor: string): Promise<AlertView> {
    return this.change(id, actor, 'acknowledged', ACKNOWLEDGE);
  }

  /** It needs nobody's attention, even while it lasts. Throws `UnknownAlertError`, `AlertResolvedError`. */
  resolve(id: number, actor: string): Promise<AlertView> {
    return this.change(id, actor, 'resolved', RESOLVE);
  }

  async rules(): Promise<RuleView[]> {
    const rows: { rule: string; count: number }[] = await this.dataSource.query(
      `SELECT rule, count(*)::int AS count FROM alerts WHERE state <> 'resolved' GROUP BY rule`,
    );
    const unresolved = (rule: string) => rows.find((row) => row.rule === rule)?.count ?? 0;
    const views = ALERT_RULES.map(({ name, title, unit, key }): RuleView => {
      const { max, severity } = this.config.alerts.rules[key];
      const setting = `alerts.rules.${key}`;
      return {
        name,
        title,
        unit,
        setting,
        enabled: max !== null,
        threshold: max,
        severity,
        unresolved: unresolved(name),
      };
    });
    const kpi = {
      ...{ name: KPI_RULE, title: 'A KPI of the last hour misses its aim', unit: 'count' },
      ...{ setting: 'alerts.kpis', enabled: true, threshold: null },
    };
    return [...views, { ...kpi, severity: 'warning', unresolved: unresolved(KPI_RULE) }];
  }

  /** Doing twice what is done already changes nothing, and is told nobody. */
  private async change(
    id: number,
    actor: string,
    state: AlertView['state'],
    sql: string,
  ): Promise<AlertView> {
    const { alert, receivers } = await inTransaction(this.dataSource, async (client) => {
      const before = await this.locked(client, id);
      if (before.state === state) return { alert: before, receivers: [] };
      if (before.state === 'resolved') throw new AlertResolvedError(id);
      const [changed] = (await client.query<ToldAlert>(sql, [id, actor])).rows;
      const events = [eventOf(state, changed!, new Date())];
      return { alert: changed!, receivers: await this.deliveries.add(client, events) };
    });
    this.deliveries.wake(receivers);
    const { tags: _tags, version: _version, ...row } = alert;
    return viewOf(row);
  }

  private async locked(client: PoolClient, id: number): Promise<ToldAlert> {
    const [row] = (
      await client.query<ToldAlert>(
        `SELECT tags, version, ${ALERT_COLUMNS} FROM alerts WHERE id = $1 FOR UPDATE`,
        [id],
      )
    ).rows;
    if (!row) throw new UnknownAlertError(id);
    return row;
  }
}

const ACKNOWLEDGE = `
  UPDATE alerts SET state = 'acknowledged', acknowledged_at = clock_timestamp(), acknowledged_by = $2, version = version + 1
   WHERE id = $1 RETURNING tags, version, ${ALERT_COLUMNS}`;

const RESOLVE = `
  UPDATE alerts SET state = 'resolved', resolved_at = clock_timestamp(), resolved_by = $2, version = version + 1
   WHERE id = $1 RETURNING tags, version, ${ALERT_COLUMNS}`;

/** Not before they can no longer be opened again, nor while what raised them lasts. */
const PURGE = `
  DELETE FROM alerts WHERE state = 'resolved' AND cleared_at IS NOT NULL
     AND resolved_at < clock_timestamp() - greatest(make_interval(days => $1), make_interval(secs => $2))`;
