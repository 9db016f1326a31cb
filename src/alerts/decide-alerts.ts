import type { Finding } from './finding';

/** An alert as it stands in the database, as far as decisions need it. */
export interface StandingAlert {
  id: number;
  key: string;
  rule: string;
  state: 'open' | 'acknowledged' | 'resolved';
  clearedAt: Date | null;
  resolvedAt: Date | null;
  toldAt: Date;
}

export interface AlertTimes {
  clearAfterSeconds: number;
  reopenWithinSeconds: number;
  remindEverySeconds: number;
}

/** What is to be done with an alert; `tell` is the event that receivers get. */
export type AlertChange =
  | { kind: 'open'; finding: Finding; tell: 'opened' }
  | { kind: 'reopen'; id: number; finding: Finding; tell: 'opened' }
  | { kind: 'see'; id: number; finding: Finding; again: boolean; tell: 'reminded' | null }
  | { kind: 'clear'; id: number; tell: null }
  | { kind: 'resolve'; id: number; tell: 'resolved' };

/**
 * What follows from what the rules found. Pure. `standing` holds, of each key, the newest alert: all that are not
 * resolved, that hold on, or were resolved not long ago.
 *
 * An alert is over once nothing of it was found for `clearAfterSeconds`; what comes back before is the same alert,
 * begun once more, and what comes back within `reopenWithinSeconds` of its end opens it again. One that a person
 * resolved while it held stays resolved for as long as it holds.
 */
export function decideAlerts(
  standing: readonly StandingAlert[],
  findings: readonly Finding[],
  now: Date,
  times: AlertTimes,
): AlertChange[] {
  const byKey = new Map(standing.map((alert) => [alert.key, alert]));
  const found = new Set(findings.map(({ key }) => key));
  return [
    ...findings.flatMap((finding) => decideFound(byKey.get(finding.key), finding, now, times)),
    ...standing.filter(({ key }) => !found.has(key)).flatMap((alert) => decideGone(alert, now, times)),
  ];
}

function decideFound(
  alert: StandingAlert | undefined,
  finding: Finding,
  now: Date,
  times: AlertTimes,
): AlertChange[] {
  if (!alert) return finding.raises ? [{ kind: 'open', finding, tell: 'opened' }] : [];
  const { id, state, clearedAt, resolvedAt, toldAt } = alert;
  if (state === 'resolved' && clearedAt === null) return [];
  if (state === 'resolved') {
    if (!finding.raises) return [];
    const isSame = secondsBetween(resolvedAt!, now) < times.reopenWithinSeconds;
    return [
      isSame ? { kind: 'reopen', id, finding, tell: 'opened' } : { kind: 'open', finding, tell: 'opened' },
    ];
  }
  // Too little to begin again, and not gone either: it goes on being over.
  if (clearedAt !== null && !finding.raises) return decideGone(alert, now, times);
  const { remindEverySeconds } = times;
  const isLate = remindEverySeconds > 0 && secondsBetween(toldAt, now) >= remindEverySeconds;
  const tell = state === 'open' && isLate ? 'reminded' : null;
  return [{ kind: 'see', id, finding, again: clearedAt !== null, tell }];
}

function decideGone({ id, state, clearedAt }: StandingAlert, now: Date, times: AlertTimes): AlertChange[] {
  const isOver = secondsBetween(clearedAt ?? now, now) >= times.clearAfterSeconds;
  if (state !== 'resolved' && isOver) return [{ kind: 'resolve', id, tell: 'resolved' }];
  return clearedAt === null ? [{ kind: 'clear', id, tell: null }] : [];
}

function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
