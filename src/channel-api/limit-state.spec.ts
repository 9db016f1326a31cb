import fc from 'fast-check';
import type { BucketLimit, DailyQuota, RateLimit, RollingQuota } from './contract';
import {
  assertUsable,
  close,
  giveBack,
  heldUnits,
  isBucket,
  learn,
  leftUnits,
  type LimitState,
  newLimitState,
  refresh,
  setHeld,
  spend,
  take,
  waitMs,
} from './limit-state';

/** A call of one host, as times from its grant: to the channel, and back. */
interface Trip {
  host: number;
  /** After the host's call before it, in ms. */
  gapMs: number;
  thereMs: number;
  backMs: number;
  cost: number;
  /** The host dies after sending: nobody ever says that the call was answered. */
  dies: boolean;
}

interface Step {
  at: number;
  run(now: number): void;
}

const HOLD_MS = 2_000;

/** Hosts that share one state and send calls over a network which delays each at will; answers what the channel saw. */
function simulate(limit: RateLimit, trips: readonly Trip[]): { at: number; cost: number }[] {
  const state = newLimitState(limit, 0);
  const seen: { at: number; cost: number }[] = [];
  const active = new Map<number, number>();
  const steps: Step[] = [];
  const plan = (at: number, run: Step['run']) => void steps.push({ at, run });

  const report = (host: number, now: number, answered: number) => {
    refresh(limit, state, now);
    active.set(host, (active.get(host) ?? 0) - answered);
    setHeld(state, String(host), { units: active.get(host)!, until: now + HOLD_MS });
    spend(limit, state, now, answered);
  };
  const send = (now: number, { host, cost, thereMs, backMs, dies }: Trip) => {
    plan(now + thereMs, (at) => void seen.push({ at, cost }));
    if (!dies) plan(now + thereMs + backMs, (at) => report(host, at, cost));
    // Another process takes the dead one's place and knows nothing of its calls.
    else active.set(host, (active.get(host) ?? 0) - cost);
  };
  const ask = (now: number, trip: Trip) => {
    refresh(limit, state, now);
    const delayMs = waitMs(limit, state, now, trip.cost, trip.cost);
    if (delayMs > 0) return plan(now + delayMs, (at) => ask(at, trip));
    const name = trip.dies ? `dead ${steps.length} ${now}` : String(trip.host);
    take(limit, state, name, { units: trip.cost, until: now + HOLD_MS });
    active.set(trip.host, (active.get(trip.host) ?? 0) + trip.cost);
    send(now, trip);
  };
  const starts = new Map<number, number>();
  for (const trip of trips) {
    const at = (starts.get(trip.host) ?? 0) + trip.gapMs;
    starts.set(trip.host, at);
    plan(at, (now) => ask(now, trip));
  }
  while (steps.length > 0) {
    steps.sort((a, b) => a.at - b.at);
    const { at, run } = steps.shift()!;
    run(at);
  }
  return seen;
}

/** The calls that a token bucket of the channel's own refuses. Its clock runs at `pace` of ours. */
function refusedByBucket({ perSecond, burst }: BucketLimit, seen: { at: number; cost: number }[], pace = 1) {
  let [tokens, last] = [burst, 0];
  return seen.filter(({ at, cost }) => {
    tokens = Math.min(burst, tokens + (((at - last) * pace) / 1000) * perSecond);
    last = at;
    if (tokens < cost - 1e-6) return true;
    tokens -= cost;
    return false;
  });
}

const anyTrip = (most: number) =>
  fc.record({
    host: fc.nat(2),
    gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
    thereMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 900 })),
    backMs: fc.integer({ min: 0, max: 900 }),
    cost: fc.integer({ min: 1, max: most }),
    dies: fc.integer({ min: 0, max: 19 }).map((die) => die === 0),
  });

const anyTrips = (most: number) => fc.array(anyTrip(most), { minLength: 30, maxLength: 120 });

describe('what the channel sees of three hosts whose calls are delayed at will, some of which die', () => {
  const anyBucket = fc.record({
    name: fc.constant('api'),
    perSecond: fc.double({ min: 0.5, max: 50, noNaN: true }),
    burst: fc.integer({ min: 1, max: 12 }),
  });

  test('is never more than its token bucket holds, even when its clock is 1 % slower', () => {
    fc.assert(
      fc.property(anyBucket, fc.constantFrom(1, 0.99), anyTrips(3), (limit, pace, trips) => {
        const payable = trips.map((trip) => ({ ...trip, cost: Math.min(trip.cost, limit.burst) }));
        const seen = simulate(limit, payable);
        expect(seen).toHaveLength(trips.length);
        expect(refusedByBucket(limit, seen, pace)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('is never more than its quota in any window', () => {
    const anyQuota = fc.record({
      kind: fc.constant('rolling' as const),
      name: fc.constant('hour'),
      quota: fc.integer({ min: 3, max: 30 }),
      windowSeconds: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(anyQuota, anyTrips(3), (limit: RollingQuota, trips) => {
        const seen = simulate(limit, trips);
        expect(seen).toHaveLength(trips.length);
        for (const { at } of seen) {
          const window = seen.filter((each) => each.at > at - limit.windowSeconds * 1000 && each.at <= at);
          expect(window.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(limit.quota);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is never more than its daily quota, even when its midnight is half a minute off ours', () => {
    const day: DailyQuota = { kind: 'daily', name: 'day', quota: 20, resetsAtUtc: '00:00' };
    // Around midnight, for that is where it could go wrong.
    const midnight = 86_400_000;
    fc.assert(
      fc.property(anyTrips(3), fc.integer({ min: -30_000, max: 30_000 }), (trips, skewMs) => {
        const [first, ...rest] = trips.map((trip) => ({ ...trip, gapMs: trip.gapMs * 10 }));
        const started = [0, 1, 2].map((host) => ({ ...first!, host, gapMs: midnight - 60_000 }));
        const seen = simulate(day, [...started, ...rest]);
        const sums = new Map<number, number>();
        for (const { at, cost } of seen) {
          const date = Math.floor((at + skewMs) / midnight);
          sums.set(date, (sums.get(date) ?? 0) + cost);
        }
        expect(Math.max(...sums.values())).toBeLessThanOrEqual(day.quota);
      }),
      { numRuns: 50 },
    );
  });

  test('is nearly all that a bucket of some burst allows', () => {
    const limit = { name: 'api', perSecond: 50, burst: 20 };
    const trips = Array.from({ length: 300 }, (_, index): Trip => ({
      host: index % 3,
      gapMs: 0,
      thereMs: (index * 7) % 40,
      backMs: (index * 13) % 40,
      cost: 1,
      dies: false,
    }));
    const seconds = Math.max(...simulate(limit, trips).map(({ at }) => at)) / 1000;
    expect((300 - limit.burst) / seconds).toBeGreaterThan(0.9 * limit.perSecond);
  });
});

describe('a limit', () => {
  const API: BucketLimit = { name: 'api', perSecond: 10, burst: 5 };
  const WINDOW: RollingQuota = { kind: 'rolling', name: 'minute', quota: 10, windowSeconds: 60 };

  function fresh(limit: RateLimit, taken = 0): LimitState {
    const state = newLimitState(limit, 0);
    if (taken > 0) take(limit, state, 'me', { units: taken, until: 10_000 });
    return state;
  }

  test.each([
    [{ name: 'a', perSecond: 0, burst: 1 }, /perSecond/],
    [{ name: 'a', perSecond: NaN, burst: 1 }, /perSecond/],
    [{ name: 'a', perSecond: 1, burst: 0 }, /burst/],
    [{ kind: 'rolling', name: 'a', quota: 0, windowSeconds: 1 }, /quota/],
    [{ kind: 'rolling', name: 'a', quota: 1, windowSeconds: 0 }, /windowSeconds/],
    [{ kind: 'daily', name: 'a', quota: 1, resetsAtUtc: '24:00' }, /resetsAtUtc/],
  ] as [RateLimit, RegExp][])('that lets nothing pass is refused by name: %j', (limit, says) => {
    expect(() => assertUsable(limit)).toThrow(says);
    expect(() => assertUsable(limit)).toThrow(/limit "a"/);
  });

  test('closed after a 429 is empty until it opens, starts from nothing, and is not opened by a shorter closing', () => {
    const state = fresh(API);
    close(API, state, 0, 10_000);
    close(API, state, 0, 100);
    expect(waitMs(API, state, 0, 1, 1)).toBe(10_103);
    refresh(API, state, 10_000);
    expect(waitMs(API, state, 10_000, 1, 1)).toBe(103);
  });

  test('under a clock that is set back grants nothing and stays closed for no longer', () => {
    const state = fresh(API);
    state.at = state.closedAt = 1_000_000;
    state.tokens = 0;
    close(API, state, 1_000_000, 2_000);
    refresh(API, state, 400_000);
    expect(leftUnits(API, state)).toBe(0);
    expect(waitMs(API, state, 400_000, 1, 1)).toBe(2_103);
  });

  test('held by a host that is not heard of again is free after its time, and a quota counts it as spent', () => {
    for (const limit of [API, WINDOW]) {
      const state = fresh(limit, 5);
      refresh(limit, state, 9_999);
      expect(heldUnits(state)).toBe(5);
      refresh(limit, state, 10_000);
      expect(heldUnits(state)).toBe(0);
      refresh(limit, state, 12_000);
      expect(leftUnits(limit, state)).toBe(5);
    }
  });

  test('of a quota says when it is free again', () => {
    const state = fresh(WINDOW);
    spend(WINDOW, state, 0, 4);
    spend(WINDOW, state, 30_000, 6);
    expect(waitMs(WINDOW, state, 30_000, 1, 1)).toBe(1_250 + 60_000 - 30_000);
    expect(waitMs(WINDOW, state, 30_000, 5, 5)).toBe(31_250 + 60_000 - 30_000);
    refresh(WINDOW, state, 61_250);
    expect(waitMs(WINDOW, state, 61_250, 4, 4)).toBe(0);
  });

  test('of a day is free a minute after its reset, by the time of day that the channel taught', () => {
    const limit: DailyQuota = { kind: 'daily', name: 'day', quota: 10, resetsAtUtc: '07:00' };
    const noon = Date.parse('2025-06-01T12:00:00Z');
    const state = newLimitState(limit, noon);
    spend(limit, state, noon, 10);
    expect(waitMs(limit, state, noon, 1, 1)).toBe(19 * 3_600_000 + 60_000);
    learn(limit, state, noon, { resetsAt: '2025-06-01T15:30:00Z' });
    expect(state.learned.resetsAtUtc).toBe('15:30');
    const after = Date.parse('2025-06-01T15:31:00Z');
    refresh(limit, state, after);
    expect(leftUnits(limit, state)).toBe(10);
  });

  test('believes a rate and a burst that can be', () => {
    const state = fresh(API);
    expect(learn(API, state, 0, { perSecond: 20, burst: 8 })).toBe(true);
    expect(learn(API, state, 0, { perSecond: 20, burst: 8 })).toBe(false);
    refresh(API, state, 1_000);
    expect(leftUnits(API, state)).toBe(8);
  });

  test('with a smaller burst than was left has no more than that left', () => {
    const state = fresh(API);
    learn(API, state, 0, { burst: 2 });
    expect(leftUnits(API, state)).toBe(2);
  });

  test.each([0, -1, NaN, Infinity, 1e9, 0.001, '7' as unknown as number])(
    'does not believe %p',
    (nonsense) => {
      for (const limit of [API, WINDOW] as RateLimit[]) {
        const state = fresh(limit);
        const before = JSON.stringify(state);
        expect(learn(limit, state, 0, { perSecond: nonsense, burst: nonsense, quota: nonsense })).toBe(false);
        if (nonsense !== 0 && nonsense !== 0.001)
          learn(limit, state, 0, { remaining: nonsense, refunded: nonsense });
        learn(limit, state, 0, { resetsAt: 'soon' });
        expect(JSON.stringify(state)).toBe(before);
      }
    },
  );

  test('has no more left than the channel says, less what is under way, and never more than it thought', () => {
    const bucket = fresh(API, 1);
    learn(API, bucket, 0, { remaining: 3 });
    expect(bucket.tokens).toBe(2);
    learn(API, bucket, 0, { remaining: 5 });
    expect(bucket.tokens).toBe(2);
    const quota = fresh(WINDOW);
    learn(WINDOW, quota, 0, { remaining: 4 });
    expect(leftUnits(WINDOW, quota)).toBe(4);
    learn(WINDOW, quota, 0, { remaining: 9 });
    expect(leftUnits(WINDOW, quota)).toBe(4);
  });

  test('takes back what a call turned out not to cost, up to its burst', () => {
    const state = fresh(API, 4);
    setHeld(state, 'me', { units: 0, until: 0 });
    learn(API, state, 0, { refunded: 3 });
    expect(state.tokens).toBe(4);
    learn(API, state, 0, { refunded: 30 });
    expect(state.tokens).toBe(5);
  });

  test('has units that were taken and not used once more, and of what was used none', () => {
    const state = newLimitState(API, 0);
    const { tokens } = state;
    take(API, state, 'me', { units: 3, until: HOLD_MS });
    expect(state.tokens).toBe(tokens - 3);
    giveBack(API, state, 2);
    setHeld(state, 'me', { units: 1, until: HOLD_MS });
    expect(leftUnits(API, state)).toBe(tokens - 1);
    setHeld(state, 'me', { units: 0, until: 0 });
    expect(leftUnits(API, state)).toBe(tokens - 1);
  });

  test('is a bucket where nothing is said', () => {
    expect([API, { ...API, kind: 'bucket' as const }, WINDOW].map(isBucket)).toEqual([true, true, false]);
  });
});
