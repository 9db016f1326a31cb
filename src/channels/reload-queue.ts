const RETRY_AFTER_MS = 1_000;

/** Everything, or the rows with these ids. */
export type Stale = '*' | readonly number[];

/**
 * Reads again what changed, one read at a time, so that of two reads of a row the later one stays. What is
 * asked for while a read is under way is one more read.
 */
export class ReloadQueue {
  private readonly stale = new Set<number>();
  private isAllStale = false;
  private current: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;
  private isStopped = false;

  constructor(private readonly read: (which: Stale) => Promise<void>) {}

  /** Resolves when a read that began after this call has ended. What a failed read left is tried again soon. */
  reload(which: Stale): Promise<void> {
    if (which === '*') this.isAllStale = true;
    else for (const id of which) this.stale.add(id);
    if (this.queued) return this.queued;
    const queued = this.current.then(() => this.readStale());
    this.queued = queued;
    this.current = queued.catch(() => this.retryLater());
    return queued;
  }

  private async readStale(): Promise<void> {
    this.queued = undefined;
    const which: Stale = this.isAllStale ? '*' : [...this.stale];
    this.isAllStale = false;
    this.stale.clear();
    if (which.length === 0) return;
    try {
      await this.read(which);
    } catch (error) {
      if (which === '*') this.isAllStale = true;
      else for (const id of which) this.stale.add(id);
      throw error;
    }
  }

  /** Nothing is tried again from now on. */
  stop(): void {
    this.isStopped = true;
  }

  private retryLater(): void {
    if (!this.isStopped)
      setTimeout(() => void this.reload([]).catch(() => undefined), RETRY_AFTER_MS).unref();
  }
}
