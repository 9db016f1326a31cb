/** What was counted in a span of time. Tallies of spans that do not overlap add up to the tally of all of them. */
export interface Tally {
  numerator: number;
  denominator: number;
  /** Of durations: how many in each bin, see `binOf`. */
  bins: Map<number, number>;
}

/**
 * Bins grow by 4 %, so that a duration is told by its bin to within 2 % of itself (as DDSketch does, Masson, Rim and Lee,
 * VLDB 2019), and those of many spans can be added, which percentiles cannot.
 */
const ACCURACY = 0.02;
export const BIN_BASE = (1 + ACCURACY) / (1 - ACCURACY);

export function emptyTally(): Tally {
  return { numerator: 0, denominator: 0, bins: new Map() };
}

/** How the tallies of two spans, or of two channels, become one: counts add up, of levels the highest stays. */
export type Combine = 'sum' | 'max';

export function combined(tallies: Iterable<Tally>, how: Combine): Tally {
  const total = emptyTally();
  for (const { numerator, denominator, bins } of tallies) {
    total.numerator = how === 'sum' ? total.numerator + numerator : Math.max(total.numerator, numerator);
    total.denominator += denominator;
    for (const [bin, count] of bins) total.bins.set(bin, (total.bins.get(bin) ?? 0) + count);
  }
  return total;
}

/** The share that was counted; null where there was nothing to count it of. */
export function ratioOf({ numerator, denominator }: Tally): number | null {
  return denominator === 0 ? null : numerator / denominator;
}

/** Bin 0 holds all up to 1 ms. */
export function binOf(durationMs: number): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(durationMs, 1)) / Math.log(BIN_BASE)));
}

/** Seconds within which `share` of the durations stayed, by nearest rank and to within 2 %; null where there are none. */
export function percentileOf({ bins }: Tally, share: number): number | null {
  const count = [...bins.values()].reduce((sum, each) => sum + each, 0);
  let left = Math.max(1, Math.ceil(share * count));
  for (const bin of [...bins.keys()].sort((a, b) => a - b)) {
    left -= bins.get(bin)!;
    if (left <= 0) return (2 * BIN_BASE ** bin) / (BIN_BASE + 1) / 1000;
  }
  return null;
}
