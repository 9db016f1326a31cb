import { TokenBucket } from './token-bucket';

const LIMIT = { name: 'api', perSecond: 2, burst: 3 };

/** A clock that moves when someone sleeps, and by hand. */
function fakeClock(startMs = 1_000_000) {
  let nowMs = startMs;
  return {
    now: () => new Date(nowMs),
    sleep: async (delayMs: number) => {
      // Whoever has passed by now takes note of the time before it moves.
      await new Promise(setImmediate);
      nowMs += delayMs;
    },
    move: (byMs: number) => {
      nowMs += byMs;
    },
    elapsedMs: () => nowMs - startMs,
  };
}

describe('TokenBucket', () => {
  it('the burst passes at once, and the rest at the rate', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    const takenAtMs: number[] = [];
    for (let call = 0; call < 6; call += 1) {
      expect(await bucket.take(60_000)).toBe(0);
      takenAtMs.push(clock.elapsedMs());
    }
    expect(takenAtMs).toEqual([0, 0, 0, 500, 1_000, 1_500]);
  });

  it('simultaneous callers pass in the order they came, none above the rate', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    const passed: [number, number][] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map(async (caller) => {
        await bucket.take(60_000);
        passed.push([caller, clock.elapsedMs()]);
      }),
    );
    expect(passed).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 500],
      [4, 1_000],
    ]);
  });

  it('a caller whose turn is too far off is told how far, and takes no token', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    for (let call = 0; call < 3; call += 1) await bucket.take(0);
    expect(await bucket.take(499)).toBe(500);
    expect(clock.elapsedMs()).toBe(0);
    clock.move(500);
    expect(await bucket.take(0)).toBe(0);
  });

  it('the queue before a caller counts towards its turn', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    const results = await Promise.all([0, 1, 2, 3, 4].map(() => bucket.take(600)));
    expect(results).toEqual([0, 0, 0, 0, 1_000]);
  });

  it('an idle bucket fills to the burst and no further', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    clock.move(3_600_000);
    for (let call = 0; call < 3; call += 1) expect(await bucket.take(0)).toBe(0);
    expect(await bucket.take(0)).toBe(500);
  });

  it('a closed bucket is empty until it opens, and then starts from nothing', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    bucket.close(10_000);
    expect(await bucket.take(0)).toBe(10_500);
    clock.move(9_000);
    expect(await bucket.take(0)).toBe(1_500);
    clock.move(1_000);
    expect(await bucket.take(0)).toBe(500);
  });

  it('a bucket closed while callers wait holds them back too', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    for (let call = 0; call < 3; call += 1) await bucket.take(0);
    const waiting = [bucket.take(60_000), bucket.take(1_100)];
    bucket.close(5_000);
    const [first, second] = await Promise.all(waiting);
    expect(first).toBe(0);
    expect(clock.elapsedMs()).toBe(5_500);
    expect(second).toBe(500);
  });

  it('a shorter closing does not open a bucket that is closed for longer', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    bucket.close(10_000);
    bucket.close(100);
    expect(await bucket.take(0)).toBe(10_500);
  });

  it('a clock set back grants no tokens and closes for no longer than was asked', async () => {
    const clock = fakeClock();
    const bucket = new TokenBucket(LIMIT, clock);
    for (let call = 0; call < 3; call += 1) await bucket.take(0);
    bucket.close(2_000);
    clock.move(-600_000);
    expect(await bucket.take(0)).toBe(2_500);
    clock.move(2_500);
    expect(await bucket.take(0)).toBe(0);
    clock.move(-600_000);
    expect(await bucket.take(0)).toBe(500);
  });

  it.each([
    { name: 'api', perSecond: 0, burst: 1 },
    { name: 'api', perSecond: NaN, burst: 1 },
    { name: 'api', perSecond: 1, burst: 0 },
  ])('a limit that lets nothing pass is refused by name: $perSecond, $burst', (limit) => {
    expect(() => new TokenBucket(limit, fakeClock())).toThrow(/limit "api"/);
  });
});
