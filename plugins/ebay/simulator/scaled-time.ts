const DAY_MS = 86_400_000;
/** Midnight at eBay's, in winter, as hours of UTC: a caller that counts days of its own must not be right by chance. */
const DAY_BEGINS_AT_UTC_HOURS = 8;

/** eBay's time, run faster than ours: with a scale of 1,440 one of its days is a minute long. */
export class ScaledTime {
  /** Real ms of one of eBay's days. */
  readonly dayMs: number;

  constructor(private readonly timeScale: number) {
    if (!(timeScale > 0)) throw new RangeError('timeScale must be above 0');
    this.dayMs = DAY_MS / timeScale;
  }

  /** Real ms that something takes which takes eBay so many seconds. */
  msOf(seconds: number): number {
    return (seconds * 1000) / this.timeScale;
  }

  /** The calendar day of a moment, as a number that grows by one each midnight. */
  dayOf(atMs: number): number {
    return Math.floor((atMs - this.offsetMs) / this.dayMs);
  }

  /** When the day of a moment ends, in ms. */
  dayEnd(atMs: number): number {
    return (this.dayOf(atMs) + 1) * this.dayMs + this.offsetMs;
  }

  private get offsetMs(): number {
    return this.msOf(DAY_BEGINS_AT_UTC_HOURS * 3_600);
  }
}
