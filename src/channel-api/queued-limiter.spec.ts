import { setTimeout as sleep } from 'node:timers/promises';
import type { BucketLimit } from './contract';
import type { LimitState } from './limit-state';
import type { LimitStore, Permit } from './limiter';
import { QueuedLimiter } from './queued-limiter';

const clock = {
  now: () => new Date(),
  sleep: (delayMs: number, signal?: AbortSignal) => sleep(delayMs, undefined, { signal }),
};

/** One state for several limiters, which takes its time, as a database does. Its clock counts parts of ms. */
class SlowStore implements LimitStore {
  updates = 0;
  private readonly states = new Map<string, LimitState>();
  private turn: Promise<unknown> = Promise.resolve();

  update<T>(
    _limits: readonly string[],
    change: (states: Map<string, LimitState>, nowMs: number) => T,
  ): Promise<T> {
    const done = this.turn.then(async () => {
      await sleep(1 + Math.random() * 4);
      this.updates++;
      const result = change(this.states, performance.now());
      await sleep(Math.random() * 4);
      return result;
    });
    this.turn = done;
    return done;
  }
}

/** The channel's own bucket. */
class Bucket {
  refused = 0;
  seen = 0;
  private tokens: number;
  private at = performance.now();

  constructor(private readonly limit: BucketLimit) {
    this.tokens = limit.burst;
  }

  arrive(): void {
    const now = performance.now();
    this.tokens = Math.min(this.limit.burst, this.tokens + ((now - this.at) / 1000) * this.limit.perSecond);
    this.at = now;
    this.seen++;
    if (this.tokens < 1) this.refused++;
    else this.tokens--;
  }
}

describe('limiters of three hosts over one store', () => {
  test.each([
    [{ name: 'api', perSecond: 300, burst: 100 }, 600, 0.8],
    [{ name: 'api', perSecond: 100, burst: 10 }, 120, 2],
  ])(
    'let the channel see no more than %j, and do not ask the store too often',
    async (limit, calls, share) => {
      const store = new SlowStore();
      const channel = new Bucket(limit);
      const limiters = [0, 1, 2].map(() => new QueuedLimiter([limit], store, clock));
      const costs = [{ limit: 'api', units: 1 }];
      let left = calls;
      const work = async (limiter: QueuedLimiter) => {
        while (left-- > 0) {
          const permit = (await limiter.take(costs, { maxWaitMs: 30_000, holdMs: 15_000 })) as Permit;
          await sleep(Math.random() * 20);
          channel.arrive();
          await sleep(Math.random() * 10);
          permit.release('answered');
          // Now and then nobody calls for a while, so that the bucket fills.
          if (Math.random() < 0.02) await sleep(300);
        }
      };
      await Promise.all(limiters.flatMap((limiter) => Array.from({ length: 8 }, () => work(limiter))));
      expect(channel).toMatchObject({ seen: calls, refused: 0 });
      expect(store.updates).toBeLessThan(calls * share);
      await Promise.all(limiters.map((limiter) => limiter.stop()));
    },
  );

  test('refuse whoever waits when they stop', async () => {
    const limiter = new QueuedLimiter([{ name: 'api', perSecond: 0.01, burst: 1 }], new SlowStore(), clock);
    const bounds = { maxWaitMs: 1_000_000, holdMs: 15_000 };
    await limiter.take([{ limit: 'api', units: 1 }], bounds);
    const waiting = expect(limiter.take([{ limit: 'api', units: 1 }], bounds)).rejects.toThrow(
      'shutting down',
    );
    await sleep(30);
    await limiter.stop();
    await waiting;
    await expect(limiter.take([{ limit: 'api', units: 1 }], bounds)).rejects.toThrow('shutting down');
  });
});
