import type { PoolClient } from 'pg';
import { isoTime } from '../database/sql-time';
import type { AlertChange, StandingAlert } from './decide-alerts';

/** An alert as receivers are told of it, and as `GET /v1/alerts` answers it but for its link. */
export interface AlertRow {
  id: number;
  key: string;
  rule: string;
  severity: 'warning' | 'critical';
  channel: string | null;
  subject: string | null;
  summary: string;
  value: number | null;
  threshold: number | null;
  state: 'open' | 'acknowledged' | 'resolved';
  count: number;
  firstAt: string;
  lastAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
}

/** With what only the telling needs. */
export interface ToldAlert extends AlertRow {
  tags: string[];
  version: number;
}

/** Any two hosts that look at the same time: one of them waits. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('onhand alerts'))`;

/** In the caller's transaction, which is the only one to change alerts until it ends. */
export async function lockStanding(
  client: PoolClient,
  rules: readonly string[],
  reopenWithinSeconds: number,
): Promise<{ standing: StandingAlert[]; now: Date }> {
  await client.query(LOCK);
  const { rows } = await client.query<StandingAlert>(STANDING, [rules, reopenWithinSeconds]);
  const [clock] = (await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')).rows;
  return { standing: rows, now: clock!.now };
}

/** Writes what was decided; answers the alerts that receivers are to be told of, each with its event. */
export async function writeChanges(
  client: PoolClient,
  changes: readonly AlertChange[],
  now: Date,
): Promise<{ tell: string; alert: ToldAlert }[]> {
  if (changes.length === 0) return [];
  const rows = changes.map((change) => ({
    kind: change.kind,
    tell: change.tell,
    id: 'id' in change ? change.id : null,
    again: change.kind === 'see' && change.again,
    ...('finding' in change && change.finding),
  }));
  const told: { tell: string; alert: ToldAlert }[] = [];
  for (const text of [INSERT, UPDATE]) {
    const result = await client.query<ToldAlert & { tell: string | null }>(text, [JSON.stringify(rows), now]);
    for (const { tell, ...alert } of result.rows) if (tell !== null) told.push({ tell, alert });
  }
  return told;
}

export const ALERT_COLUMNS = `id, key, rule, severity, channel, subject, summary, value, threshold, state, count,
  ${isoTime('first_at')} AS "firstAt", ${isoTime('last_at')} AS "lastAt",
  ${isoTime('acknowledged_at')} AS "acknowledgedAt", acknowledged_by AS "acknowledgedBy",
  ${isoTime('resolved_at')} AS "resolvedAt", resolved_by AS "resolvedBy"`;

const STANDING = `
  SELECT DISTINCT ON (key) id, key, rule, state, cleared_at AS "clearedAt", resolved_at AS "resolvedAt", told_at AS "toldAt"
    FROM alerts
   WHERE rule = ANY($1) AND (state <> 'resolved' OR cleared_at IS NULL
         OR resolved_at > clock_timestamp() - make_interval(secs => $2))
   ORDER BY key, id DESC`;

const CHANGES = `jsonb_to_recordset($1::jsonb) AS c (kind text, tell text, id bigint, again boolean, key text, rule text, severity text,
  channel text, subject text, tags jsonb, summary text, value float8, threshold float8)`;

/** `tell` of the row's change, and the row as it is after it. */
const INSERT = `
  WITH added AS (
    INSERT INTO alerts (key, rule, severity, channel, subject, tags, summary, value, threshold, first_at, last_at, told_at)
    SELECT key, rule, severity, channel, subject, ARRAY(SELECT jsonb_array_elements_text(tags)), summary, value, threshold, $2, $2, $2
      FROM ${CHANGES} WHERE kind = 'open' ORDER BY key
    RETURNING *)
  SELECT 'opened' AS tell, tags, version, ${ALERT_COLUMNS} FROM added`;

const UPDATE = `
  WITH changed AS (
    UPDATE alerts a
       SET state = CASE c.kind WHEN 'reopen' THEN 'open' WHEN 'resolve' THEN 'resolved' ELSE a.state END,
           summary = coalesce(c.summary, a.summary), value = coalesce(c.value, a.value),
           threshold = coalesce(c.threshold, a.threshold), severity = coalesce(c.severity, a.severity),
           last_at = CASE WHEN c.kind IN ('see', 'reopen') THEN $2 ELSE a.last_at END,
           count = a.count + (c.kind = 'reopen' OR c.again)::int,
           cleared_at = CASE WHEN c.kind IN ('see', 'reopen') THEN NULL WHEN c.kind = 'clear' THEN $2 ELSE coalesce(a.cleared_at, $2) END,
           told_at = CASE WHEN c.tell IS NULL THEN a.told_at ELSE $2 END, version = a.version + (c.tell IS NOT NULL)::int,
           acknowledged_at = CASE WHEN c.kind = 'reopen' THEN NULL ELSE a.acknowledged_at END,
           acknowledged_by = CASE WHEN c.kind = 'reopen' THEN NULL ELSE a.acknowledged_by END,
           resolved_at = CASE c.kind WHEN 'reopen' THEN NULL WHEN 'resolve' THEN $2 ELSE a.resolved_at END,
           resolved_by = CASE c.kind WHEN 'reopen' THEN NULL WHEN 'resolve' THEN 'host' ELSE a.resolved_by END
      FROM ${CHANGES} WHERE c.id = a.id AND c.kind <> 'open'
    RETURNING a.*, c.tell)
  SELECT tell, tags, version, ${ALERT_COLUMNS} FROM changed`;
