import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { type Wake, wakeId } from './wake';

/** Wakes closer together than this travel together, which costs the later ones at most as much time. */
const GATHER_MS = 10;

/**
 * Wakes on their way to other hosts. The first goes at once; those that come while it travels, or right
 * after, are gathered, each key once. A wake put here is always followed by a delivery that began after it.
 */
export class WakeOutbox {
  private pending = new Map<string, Wake>();
  private sending: Promise<void> | undefined;

  /** `deliver` sees to its own failures: what it rejects with is gone. */
  constructor(private readonly deliver: (wakes: Wake[]) => Promise<void>) {}

  /** Never throws and never waits. */
  put(wake: Wake): void {
    this.pending.set(wakeId(wake), wake);
    this.sending ??= this.send();
  }

  /** Resolves once nothing is on its way. */
  async empty(): Promise<void> {
    await this.sending;
  }

  private async send(): Promise<void> {
    // Whoever wakes a job goes on first.
    await turn();
    while (this.pending.size > 0) {
      const wakes = [...this.pending.values()];
      this.pending = new Map();
      await this.deliver(wakes).catch(() => undefined);
      await sleep(GATHER_MS);
    }
    this.sending = undefined;
  }
}
