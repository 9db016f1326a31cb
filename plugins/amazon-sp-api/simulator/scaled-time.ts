/**
 * Amazon's clock, run faster: whatever Amazon counts in seconds passes `scale` times as fast. Times of day stay
 * the real ones.
 */
export class ScaledTime {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(readonly scale: number) {
    if (!Number.isFinite(scale) || scale <= 0) throw new RangeError('timeScale must be a number above 0');
  }

  /** Real ms that so many of Amazon's seconds last. */
  ms(seconds: number): number {
    return (seconds * 1000) / this.scale;
  }

  /** Runs it after so many of Amazon's seconds; at once, before this returns, for none. */
  after(seconds: number, run: () => void): void {
    if (seconds <= 0) {
      run();
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, this.ms(seconds));
    this.timers.add(timer);
  }

  /** What was to happen later does not. */
  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
