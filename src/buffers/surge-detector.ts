/** Events of one level within this time … */
const WINDOW_MS = 10_000;
/** … that are worth a look before the next one is due. */
const SURGE_EVENTS = 20;

interface Seen {
  version: number;
  told: boolean;
}

/** Tells when a level changes much faster than usual. Forgets everything with each window, so it stays small. */
export class SurgeDetector {
  private readonly seen = new Map<string, Seen>();
  private since = -Infinity;

  /** True once for each level and window: so many events came in it. */
  note(skuId: number, locationId: number, version: number, nowMs: number): boolean {
    if (nowMs - this.since >= WINDOW_MS) {
      this.seen.clear();
      this.since = nowMs;
    }
    const key = `${skuId} ${locationId}`;
    const before = this.seen.get(key);
    // The event that is told of is one of the window's, too.
    if (!before) this.seen.set(key, { version: version - 1, told: false });
    else if (!before.told && version - before.version >= SURGE_EVENTS) return (before.told = true);
    return false;
  }
}
