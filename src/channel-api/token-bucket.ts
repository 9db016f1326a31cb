import type { ChannelClock, RateLimit } from './contract';

/**
 * A token bucket that makes callers wait in the order they came. It trusts the clock as little as it can:
 * a clock set back neither grants tokens nor keeps the bucket closed for longer than was asked.
 */
export class TokenBucket {
  private tokens: number;
  private refilledAt: number;
  private closedAt: number;
  private closedForMs = 0;
  private waiting = 0;
  private tail: Promise<unknown> = Promise.resolve();

  /** Throws `RangeError` when the limit could never let a call pass. */
  constructor(
    private readonly limit: RateLimit,
    private readonly clock: ChannelClock,
  ) {
    if (!(limit.perSecond > 0) || !(limit.burst >= 1)) {
      throw new RangeError(`limit "${limit.name}": perSecond must be above 0 and burst at least 1`);
    }
    this.tokens = limit.burst;
    this.refilledAt = this.closedAt = clock.now().getTime();
  }

  /**
   * Takes a token as soon as it is the caller's turn and answers 0. Answers the ms to wait, with no token
   * taken, when that turn is further off than `maxWaitMs`: a caller that holds a lease must not sleep past it.
   */
  async take(maxWaitMs: number): Promise<number> {
    const expectedMs = this.waitMs(this.waiting + 1);
    if (expectedMs > maxWaitMs) return expectedMs;
    const deadline = this.now() + maxWaitMs;
    this.waiting += 1;
    const turn = this.tail.then(() => this.takeInTurn(deadline));
    this.tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.waiting -= 1;
    }
  }

  /** After a 429: empties the bucket and keeps it closed for `delayMs`. Never shortens an earlier closing. */
  close(delayMs: number): void {
    this.refill();
    this.tokens = Math.min(this.tokens, 0);
    if (delayMs <= this.closedMs()) return;
    this.closedAt = this.now();
    this.closedForMs = delayMs;
  }

  private async takeInTurn(deadline: number): Promise<number> {
    for (;;) {
      const waitMs = this.waitMs(1);
      if (waitMs === 0) {
        this.tokens -= 1;
        return 0;
      }
      if (this.now() + waitMs > deadline) return waitMs;
      await this.clock.sleep(waitMs);
    }
  }

  /** Ms until `count` tokens could have been taken one after the other. */
  private waitMs(count: number): number {
    this.refill();
    const missing = Math.max(count - this.tokens, 0);
    return this.closedMs() + Math.ceil((missing / this.limit.perSecond) * 1000);
  }

  private refill(): void {
    const now = this.now();
    this.closedAt = Math.min(this.closedAt, now);
    const openAt = this.closedAt + this.closedForMs;
    if (now >= openAt) {
      // What passed while it was closed is not refilled: a burst right after a 429 would earn the next one.
      const elapsedMs = Math.max(now - Math.max(this.refilledAt, openAt), 0);
      this.tokens = Math.min(this.tokens + (elapsedMs / 1000) * this.limit.perSecond, this.limit.burst);
      this.closedForMs = 0;
    }
    this.refilledAt = now;
  }

  private closedMs(): number {
    return Math.max(this.closedAt + this.closedForMs - this.now(), 0);
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}
