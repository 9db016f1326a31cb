import type { SimulatorFaults } from 'onhand/channel-api';

export const NO_FAULTS: SimulatorFaults = {
  fail: 0,
  lie: 0,
  throttle: 0,
  retryAfter: '1',
  html: 0,
  delayMs: 0,
};

/** Draws faults from a seed: the same seed and the same calls misbehave the same way. */
export class FaultDice {
  constructor(private state: number) {}

  /** True about `rate` of the times; 0 and 1 are certain. */
  draw(rate: number): boolean {
    return this.next() < rate;
  }

  // Mulberry32: 32 bits of state are plenty for faults, and it is the same on every platform.
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** The shop's own limit, kept apart from the host's code so that one error cannot hide in both. */
export class ShopLimit {
  /** When the bucket would be full again, in ms. */
  private fullAt = 0;

  constructor(private readonly limit: { perSecond: number; burst: number } | undefined) {}

  /** Ms until a call would be taken; 0 when this one is. */
  refuseForMs(nowMs: number): number {
    if (!this.limit) return 0;
    const perCallMs = 1000 / this.limit.perSecond;
    const fullAt = Math.max(this.fullAt, nowMs) + perCallMs;
    const overMs = fullAt - nowMs - this.limit.burst * perCallMs;
    // Floating point: a call exactly on time must not be refused for a billionth of a ms.
    if (overMs > 1e-6) return overMs;
    this.fullAt = fullAt;
    return 0;
  }
}
