import { type Facts, judge, type LastPush, type Verdict } from './judge';

const READ_AT = new Date('2026-01-01T10:00:00Z');
const at = (secondsBefore: number) => new Date(READ_AT.getTime() - secondsBefore * 1000);

/** Ten was pushed, and applied, a minute before the channel was read; five was there before it. */
const APPLIED: LastPush = { state: 'applied', quantity: 10, previous: 5, answeredAt: at(60) };
const SETTLED: Facts = {
  dirty: false,
  parked: false,
  pushedUnits: 10,
  pushedAt: at(60),
  shownUnits: 10,
  shownAt: at(60),
  lastPush: APPLIED,
};

const CASES: [title: string, shown: number, facts: Partial<Facts>, verdict: Verdict][] = [
  ['as it should be', 10, { dirty: true }, 'equal'],
  ['to be pushed', 7, { dirty: true }, 'in-flight'],
  ['sent and not answered', 7, { lastPush: { ...APPLIED, state: 'sent', answeredAt: null } }, 'in-flight'],
  [
    'pushed while the page was read',
    5,
    { lastPush: { ...APPLIED, answeredAt: READ_AT }, pushedAt: READ_AT },
    'in-flight',
  ],
  ['accepted a while ago', 5, { lastPush: { ...APPLIED, state: 'accepted' } }, 'in-flight'],
  [
    'accepted so long ago that it is late',
    5,
    { lastPush: { ...APPLIED, state: 'accepted', answeredAt: at(601) } },
    'not-applied',
  ],
  ['given up as never shown', 7, { lastPush: { ...APPLIED, state: 'failed' } }, 'not-applied'],
  ['answered, and shown as it was before', 5, {}, 'not-applied'],
  ['answered, and shown as something else', 7, {}, 'channel-edit'],
  ['seen right since, and shown as it was before', 5, { shownAt: at(30) }, 'channel-edit'],
  ['seen wrong since, and shown as it was before', 5, { shownAt: at(30), shownUnits: 5 }, 'not-applied'],
  ['never told of the quantity', 10 - 1, { lastPush: { ...APPLIED, quantity: 9 } }, 'drift'],
  ['never told of anything', 0, { lastPush: null, pushedUnits: null, pushedAt: null }, 'drift'],
  ['refused for good', 7, { parked: true }, 'drift'],
];

test.each(CASES)('a listing that is %s is judged so', (_title, shownUnits, facts, verdict) => {
  const shown = { shownUnits, expectedUnits: 10, readAt: READ_AT, confirmWithinMs: 600_000 };
  expect(judge(shown, { ...SETTLED, ...facts })).toBe(verdict);
});
