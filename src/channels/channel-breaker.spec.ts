import type { CallOutcome } from '../channel-api';
import { BreakerConfig } from '../config/breaker.config';
import type { BreakerRow } from './breaker-records';
import { CallTally } from './call-tally';
import { ChannelBreaker } from './channel-breaker';
import { runProbe } from './probe';

const CLOSED: BreakerRow = {
  channel: 'shop',
  state: 'closed',
  held: false,
  since: new Date('2025-06-01T12:00:00Z'),
  reason: null,
  openings: 0,
  probe_in_ms: 0,
  probing_for_ms: 0,
  unheard_since: null,
  unheard_ms: null,
};
const OPEN: BreakerRow = { ...CLOSED, state: 'open', reason: 'refused', probe_in_ms: 4_000 };

const FAILED: CallOutcome = { kind: 'unanswered', reason: 'ECONNREFUSED' };
const ANSWERED: CallOutcome = { kind: 'answered' };
const THROTTLED: CallOutcome = { kind: 'throttled' };

function breakerWith(settings: Partial<BreakerConfig> = {}) {
  const tripped: string[] = [];
  const unheard: number[] = [];
  let heard = 0;
  let written: () => void = () => undefined;
  const breaker = new ChannelBreaker('shop', Object.assign(new BreakerConfig(), settings), {
    trip: (reason) => {
      tripped.push(reason);
      return new Promise((resolve) => (written = resolve));
    },
    unheard: (elapsedMs) => void unheard.push(elapsedMs),
    heard: () => void heard++,
  });
  breaker.adopt(CLOSED);
  const call = (outcome: CallOutcome) => breaker.admit('GET shop')(outcome);
  return { breaker, call, tripped, unheard, heard: () => heard, written: () => written() };
}

describe('a tally of calls', () => {
  const thresholds = { failures: 1_000, failurePercent: 50, windowSeconds: 10, minCalls: 10 };

  test('trips on the share that failed within the window, and not before there were enough', () => {
    const tally = new CallTally(thresholds);
    for (let second = 0; second < 4; second++) {
      tally.answered(second * 1_000);
      expect(tally.unanswered(second * 1_000, 'x')).toBeUndefined();
    }
    tally.answered(4_000);
    expect(tally.unanswered(4_000, 'reset')).toBe('5 of 10 calls failed within 10 s, the last: reset');
  });

  test('forgets what is older than the window', () => {
    const tally = new CallTally(thresholds);
    for (let call = 0; call < 9; call++) expect(tally.unanswered(0, 'x')).toBeUndefined();
    for (let call = 0; call < 9; call++) expect(tally.unanswered(20_000, 'x')).toBeUndefined();
    expect(tally.unanswered(20_000, 'x')).toBeDefined();
  });
});

describe('a breaker', () => {
  test('opens after so many failures in a row, and not when one was answered between', () => {
    const { call, tripped } = breakerWith({ failures: 3 });
    for (const outcome of [FAILED, FAILED, ANSWERED, FAILED, FAILED]) call(outcome);
    expect(tripped).toEqual([]);
    call(FAILED);
    expect(tripped).toEqual(['3 calls in a row failed, the last: ECONNREFUSED']);
  });

  test('is not opened by throttling, and throttling does not hide failures', () => {
    const { call, tripped } = breakerWith({ failures: 3 });
    for (let times = 0; times < 100; times++) call(THROTTLED);
    for (const outcome of [FAILED, THROTTLED, FAILED, THROTTLED]) call(outcome);
    expect(tripped).toEqual([]);
    call(FAILED);
    expect(tripped).toHaveLength(1);
  });

  test('opens once for calls that fail together, refuses until that is written down, and can be probed after', async () => {
    const { breaker, tripped, written } = breakerWith({ failures: 2 });
    const reports = Array.from({ length: 20 }, () => breaker.admit('GET shop'));
    for (const report of reports) report(FAILED);
    expect(tripped).toHaveLength(1);
    expect(() => breaker.admit('GET shop')).toThrow(/not sent: the breaker of shop is open/);
    breaker.adopt(OPEN);
    written();
    await new Promise(setImmediate);
    expect(breaker.isOpen).toBe(true);
    expect(breaker.probeInMs).toBeGreaterThan(3_000);
    expect(breaker.counts).toMatchObject({ unanswered: 20, refused: 1 });
  });

  test('lets calls on when its opening cannot be written down, and tries again with the next failures', async () => {
    const { breaker, call, tripped, written } = breakerWith({ failures: 2 });
    for (let round = 1; round <= 2; round++) {
      call(FAILED);
      call(FAILED);
      expect(tripped).toHaveLength(round);
      written();
      await new Promise(setImmediate);
      expect(breaker.isOpen).toBe(false);
    }
  });

  test('is told nothing by calls that were sent before it opened or closed', () => {
    const { breaker, tripped } = breakerWith({ failures: 2 });
    const late = [breaker.admit('GET shop'), breaker.admit('GET shop')];
    expect(breaker.adopt(OPEN)).toBe('opened');
    late[0]!(ANSWERED);
    expect(breaker.isOpen).toBe(true);
    expect(breaker.adopt(CLOSED)).toBe('closed');
    for (const report of late) report(FAILED);
    late[1]!(FAILED);
    expect(tripped).toEqual([]);
  });

  test('says how long to wait, why and since when', () => {
    const { breaker } = breakerWith();
    breaker.adopt(OPEN);
    expect(() => breaker.admit('GET shop/orders')).toThrow(
      'GET shop/orders not sent: the breaker of shop is open since 2025-06-01T12:00:00.000Z (refused); it is probed in 4 s',
    );
    breaker.adopt({ ...OPEN, held: true });
    expect(() => breaker.admit('GET shop')).toThrow(/a person holds it open/);
    expect(breaker.state).toMatchObject({ state: 'open', held: true, probeAt: null });
  });

  test('that a person holds closed does not open', () => {
    const { breaker, call, tripped } = breakerWith({ failures: 1 });
    breaker.adopt({ ...CLOSED, held: true });
    call(FAILED);
    expect(tripped).toEqual([]);
  });

  test('notes a long silence once, and the first answer after it', () => {
    jest.useFakeTimers();
    try {
      const { breaker, call, unheard, heard } = breakerWith({ staleAfterSeconds: 60 });
      call(THROTTLED);
      jest.advanceTimersByTime(29_000);
      call(THROTTLED);
      expect(unheard).toEqual([]);
      jest.advanceTimersByTime(2_000);
      call(THROTTLED);
      call(THROTTLED);
      expect(unheard).toEqual([31_000]);
      breaker.adopt({ ...CLOSED, unheard_since: new Date('2025-06-01T12:00:00Z'), unheard_ms: 31_000 });
      expect(breaker.staleness).toBeUndefined();
      jest.advanceTimersByTime(29_000);
      expect(breaker.staleness?.reason).toMatch(/has answered no call since 2025-06-01T12:00:00/);
      call(ANSWERED);
      expect(heard()).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a probe', () => {
  const ok = { ok: true, findings: [] };
  const failed = { ok: false, findings: [{ ok: false, message: 'wrong credentials' }] };

  function openBreaker() {
    const { breaker } = breakerWith();
    breaker.adopt(OPEN);
    return breaker;
  }

  test('passes the open breaker, and nothing beside it does', async () => {
    const breaker = openBreaker();
    const verdict = await runProbe(
      'shop',
      async () => {
        await new Promise(setImmediate);
        breaker.admit('GET shop')(ANSWERED);
        return ok;
      },
      1_000,
    );
    expect(verdict.verdict).toBe('answers');
    expect(() => breaker.admit('GET shop')).toThrow();
    const other = runProbe('other', async () => (breaker.admit('GET shop'), ok), 1_000);
    expect(await other).toMatchObject({
      verdict: 'unclear',
      reason: expect.stringContaining('not sent') as string,
    });
  });

  test.each([
    ['answers with a refusal', [ANSWERED], failed, 'answers'],
    ['answers with a 429', [THROTTLED], failed, 'answers'],
    ['fails in part', [ANSWERED, FAILED], failed, 'away'],
    ['fails, whatever the check makes of it', [FAILED], ok, 'away'],
    ['is not asked, because a limit holds the call back', [], failed, 'unclear'],
    ['needs no call', [], ok, 'answers'],
  ])('of a channel that %s', async (_name, outcomes, result, verdict) => {
    const breaker = openBreaker();
    const check = async () => {
      for (const outcome of outcomes) breaker.admit('GET shop')(outcome);
      return result;
    };
    expect(await runProbe('shop', check, 1_000)).toMatchObject({ verdict });
  });

  test('that does not come back, or throws, proves nothing', async () => {
    expect(await runProbe('shop', () => new Promise(() => undefined), 20)).toMatchObject({
      verdict: 'unclear',
    });
    expect(await runProbe('shop', () => Promise.reject(new Error('a bug')), 20)).toEqual({
      verdict: 'unclear',
      reason: 'a bug',
    });
  });
});
