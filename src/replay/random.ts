/** Numbers drawn from a seed: the same seed draws the same numbers on every platform. */
export class SeededRandom {
  private state: number;

  /** `stream` keeps two uses of one seed apart, so that turning one on does not change the other. */
  constructor(seed: number, stream = '') {
    this.state = [...stream].reduce(
      (mixed, letter) => Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193),
      seed | 0,
    );
  }

  /** 0 up to, and without, 1. */
  next(): number {
    // Mulberry32: its 32 bits of state are plenty for a few hundred thousand draws.
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of the list, each as likely as the others. Throws on an empty list. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from');
    return list[Math.floor(this.next() * list.length)]!;
  }

  /** One of the names, each as likely as its weight says. */
  pickWeighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights) as [Name, number][];
    let rest = this.next() * entries.reduce((total, [, weight]) => total + weight, 0);
    return (entries.find(([, weight]) => (rest -= weight) < 0) ?? entries.at(-1)!)[0];
  }

  /** A copy in random order. */
  shuffled<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let last = copy.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.next() * (last + 1));
      [copy[last], copy[other]] = [copy[other]!, copy[last]!];
    }
    return copy;
  }

  /** One whole number from a measured distribution. */
  draw(quantiles: Quantiles): number {
    return Math.round(valueAt(quantiles, this.next()));
  }

  /**
   * `count` whole numbers of a measured distribution, one from each of its `count` equal parts and in random
   * order: even a long tail then has the same weight for every seed.
   */
  drawAll(quantiles: Quantiles, count: number): number[] {
    const parts = Array.from({ length: count }, (_, part) => (part + this.next()) / count);
    return this.shuffled(parts.map((share) => Math.round(valueAt(quantiles, share))));
  }
}

/** A measured distribution: `value` is the one below which `share` (0 to 1) of all measurements lie. */
export type Quantiles = readonly (readonly [share: number, value: number])[];

/** The value at a share between two measured ones lies on the line between them. */
export function valueAt(quantiles: Quantiles, share: number): number {
  const above = Math.max(
    1,
    quantiles.findIndex(([measured]) => measured >= share),
  );
  const [lowShare, low] = quantiles[above - 1]!;
  const [highShare, high] = quantiles[above]!;
  return low + ((share - lowShare) / (highShare - lowShare)) * (high - low);
}
