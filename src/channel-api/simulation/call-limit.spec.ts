import { CallLimit, limitBreaches } from './call-limit';

const RATE = { perSecond: 2, burst: 3 };
const callsAt = (...times: number[]) => times.map((at) => ({ at, method: 'GET', path: '/', status: 200 }));
const breachesAt = (times: number[], toleranceMs?: number) =>
  limitBreaches(callsAt(...times), RATE, toleranceMs).map(({ call, earlyMs }) => [call.at, earlyMs]);

test('the burst passes at once, and then one call each time a token has come back', () => {
  expect(breachesAt([0, 0, 0, 500, 1_000, 1_500])).toEqual([]);
});

test('each call too many is a breach with how much too early it came, and takes no token', () => {
  expect(breachesAt([0, 0, 0, 0, 499, 500])).toEqual([
    [0, 500],
    [499, 1],
  ]);
});

test('calls are looked at in the order of their times, however the log has them', () => {
  expect(breachesAt([500, 0, 0, 0])).toEqual([]);
  expect(breachesAt([100, 0, 0, 0])).toEqual([[100, 400]]);
});

test('what came early within the tolerance is let pass and counted, so that it does not add up', () => {
  expect(breachesAt([0, 0, 0, 480], 20)).toEqual([]);
  expect(breachesAt([0, 0, 0, 480, 960, 1_440], 20)).toEqual([[960, 40]]);
});

test('an idle bucket fills to its burst and no further', () => {
  expect(breachesAt([0, 60_000, 60_000, 60_000, 60_000])).toEqual([[60_000, 500]]);
});

test('a limit tells how long a call has to wait', () => {
  const limit = new CallLimit(RATE);
  expect([0, 0, 0, 0, 400, 500].map((at) => limit.refuseForMs(at))).toEqual([0, 0, 0, 500, 100, 0]);
});
