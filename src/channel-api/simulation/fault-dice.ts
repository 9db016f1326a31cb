import type { SimulatorFaults } from '../simulator';

export const NO_FAULTS: Readonly<SimulatorFaults> = {
  fail: 0,
  throttle: 0,
  retryAfter: '1',
  html: 0,
  lie: 0,
  loseAnswer: 0,
  slow: 0,
  slowMs: 1_000,
  duplicate: 0,
  reorder: 0,
  delay: 0,
  delayUpToMs: 1_000,
  drop: 0,
};

/** Faults laid over those in force. Throws `RangeError` on one that is not known: it would change nothing, unseen. */
export function changedFaults(current: SimulatorFaults, change: Partial<SimulatorFaults>): SimulatorFaults {
  const unknown = Object.keys(change).find((name) => !Object.hasOwn(NO_FAULTS, name));
  if (unknown !== undefined) {
    throw new RangeError(
      `a simulator knows no fault "${unknown}"; it knows ${Object.keys(NO_FAULTS).join(', ')}`,
    );
  }
  return { ...current, ...change };
}

/** Draws faults from a seed: the same seed and the same calls misbehave the same way. */
export class FaultDice {
  constructor(private state: number) {}

  /** True about `rate` of the times; 0 and 1 are certain. */
  draw(rate: number): boolean {
    return this.next() < rate;
  }

  /** A number from 0 up to `most`. */
  upTo(most: number): number {
    return this.next() * most;
  }

  // Mulberry32: 32 bits of state are plenty for faults, and it is the same on every platform.
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
