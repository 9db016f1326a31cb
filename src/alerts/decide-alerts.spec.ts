import { decideAlerts, type StandingAlert } from './decide-alerts';
import type { Finding } from './finding';

const TIMES = { clearAfterSeconds: 300, reopenWithinSeconds: 3_600, remindEverySeconds: 7_200 };
const NOON = Date.parse('2026-01-01T12:00:00Z');
const at = (seconds: number) => new Date(NOON + seconds * 1000);

function finding(more: Partial<Finding> = {}): Finding {
  return {
    ...{
      key: 'queue-age:shop',
      rule: 'queue-age',
      severity: 'warning',
      channel: 'shop',
      subject: null,
      tags: [],
    },
    ...{ summary: '', value: 9, threshold: 5, raises: true, ...more },
  };
}

function alert(more: Partial<StandingAlert> = {}): StandingAlert {
  const base = { id: 1, key: 'queue-age:shop', rule: 'queue-age', state: 'open' as const };
  return { ...base, clearedAt: null, resolvedAt: null, toldAt: at(0), ...more };
}

const decide = (standing: StandingAlert[], findings: Finding[], seconds: number) =>
  decideAlerts(standing, findings, at(seconds), TIMES).map(({ kind, tell, ...more }) =>
    [kind, tell, 'again' in more && more.again ? 'again' : ''].filter(Boolean).join(' '),
  );

test.each<[string, StandingAlert[], Finding[], number, string[]]>([
  ['what is found opens an alert', [], [finding()], 0, ['open opened']],
  ['what is nearly enough opens none', [], [finding({ raises: false })], 0, []],
  ['what goes on is seen, and told no more', [alert()], [finding()], 60, ['see']],
  ['… nor while it is nearly over', [alert()], [finding({ raises: false })], 60, ['see']],
  ['an open alert is told again in time', [alert()], [finding()], 7_200, ['see reminded']],
  ['one that somebody acknowledged is not', [alert({ state: 'acknowledged' })], [finding()], 9_999, ['see']],
  ['what is gone is over only later', [alert()], [], 60, ['clear']],
  ['… and not before its time', [alert({ clearedAt: at(60) })], [], 359, []],
  ['… and then it is', [alert({ clearedAt: at(60) })], [], 360, ['resolve resolved']],
  [
    'nearly enough does not begin it again',
    [alert({ clearedAt: at(60) })],
    [finding({ raises: false })],
    360,
    ['resolve resolved'],
  ],
  [
    'what comes back meanwhile is the same alert, begun again',
    [alert({ clearedAt: at(60) })],
    [finding()],
    359,
    ['see again'],
  ],
  [
    'an acknowledged one is over by itself too',
    [alert({ state: 'acknowledged', clearedAt: at(0) })],
    [],
    300,
    ['resolve resolved'],
  ],
  [
    'what comes back soon after its end opens it again',
    [alert({ state: 'resolved', clearedAt: at(0), resolvedAt: at(300) })],
    [finding()],
    3_800,
    ['reopen opened'],
  ],
  [
    'what comes back long after is another alert',
    [alert({ state: 'resolved', clearedAt: at(0), resolvedAt: at(300) })],
    [finding()],
    3_900,
    ['open opened'],
  ],
  [
    'what a person resolved while it lasts stays resolved',
    [alert({ state: 'resolved', resolvedAt: at(10) })],
    [finding()],
    99_999,
    [],
  ],
  ['… until it has been gone', [alert({ state: 'resolved', resolvedAt: at(10) })], [], 60, ['clear']],
  [
    'other keys are other alerts',
    [alert()],
    [finding({ key: 'queue-age:other' })],
    60,
    ['open opened', 'clear'],
  ],
])('%s', (_fact, standing, findings, seconds, expected) => {
  expect(decide(standing, findings, seconds)).toEqual(expected);
});

test('a metric that flaps for an hour is one alert, told once', () => {
  let standing: StandingAlert[] = [];
  const told: string[] = [];
  let begun = 0;
  for (let seconds = 0; seconds < 3_600; seconds += 30) {
    const findings = Math.floor(seconds / 60) % 2 === 0 ? [finding()] : [];
    for (const change of decideAlerts(standing, findings, at(seconds), TIMES)) {
      if (change.tell) told.push(change.tell);
      if (change.kind === 'open') standing = [alert({ toldAt: at(seconds) })];
      if (change.kind === 'see') standing = [{ ...standing[0]!, clearedAt: null }];
      if (change.kind === 'clear') standing = [{ ...standing[0]!, clearedAt: at(seconds) }];
      begun += change.kind === 'open' || (change.kind === 'see' && change.again) ? 1 : 0;
    }
  }
  expect(told).toEqual(['opened']);
  expect(begun).toBe(30);
});
