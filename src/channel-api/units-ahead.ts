import type { LimitCost } from './limiter';

/** Units taken ahead are given back when nobody wanted them for so long. */
export const AHEAD_MS = 250;
/** A call drawn from them is over after this, so that the store need not be told whose they became. */
export const AHEAD_HOLD_MS = 20_000;

/**
 * Units that a host took from the store before anybody asked for them: the calls of the next moment need not ask
 * it one by one. They count as held from the start, as if their calls were under way.
 */
export class UnitsAhead {
  private readonly entries = new Map<string, { units: number; until: number }>();

  get names(): string[] {
    return [...this.entries.keys()];
  }

  unitsOf(limit: string): number {
    return this.entries.get(limit)?.units ?? 0;
  }

  /** Takes a call's units of all its limits, or of none. */
  draw(costs: readonly LimitCost[], holdMs: number): boolean {
    if (costs.length === 0 || holdMs > AHEAD_HOLD_MS) return false;
    const now = performance.now();
    for (const { limit, units } of costs) {
      const entry = this.entries.get(limit);
      if (!entry || entry.units < units || entry.until <= now) return false;
    }
    for (const { limit, units } of costs) this.entries.get(limit)!.units -= units;
    return true;
  }

  /** `askedAt` is when the store was asked, by `performance.now()`: a host that stood still since draws nothing. */
  add(limit: string, units: number, askedAt: number): void {
    this.entries.set(limit, { units: this.unitsOf(limit) + units, until: askedAt + AHEAD_MS });
  }

  /** What is to be given back: all that nobody wanted in time, or all of these limits. */
  takeBack(limits?: readonly string[]): LimitCost[] {
    const now = performance.now();
    return [...this.entries].flatMap(([limit, { units, until }]) => {
      if (limits ? !limits.includes(limit) : until > now) return [];
      this.entries.delete(limit);
      return units > 0 ? [{ limit, units }] : [];
    });
  }
}
