import type { Owner, Timeline } from './timeline';
import type { SimulatedClient } from './simulated-client';

/**
 * What a host is in the middle of: a statement or a commit that it sent, locks that it asked for and may have, an answer
 * of 2xx that it wrote, a call to a shop that it sent.
 */
export type Moment = 'statement' | 'commit' | 'lock' | 'answer' | 'call';

/** The host's `nth` such moment from now on. */
export interface Aim {
  moment: Moment;
  nth: number;
}

type Strike = (connection: SimulatedClient | undefined) => void | Promise<void>;

/**
 * Faults that wait for their host to be in the middle of something. Most of the time it is in the middle of nothing, and
 * a fault at any moment would meet a lock or an answer on its way once in a thousand times.
 */
export class Moments {
  private aimed: { owner: Owner; moment: Moment; left: number; strike: Strike }[] = [];

  constructor(private readonly timeline: Timeline) {}

  aim(owner: Owner, { moment, nth }: Aim, strike: Strike): void {
    this.aimed.push({ owner, moment, left: nth, strike });
  }

  /** What the host does now goes on its way, and the fault is what happens next. */
  reached(owner: Owner | null, moment: Moment, connection?: SimulatedClient): void {
    for (const each of this.aimed) {
      if (each.owner !== owner || each.moment !== moment || --each.left !== 0) continue;
      this.timeline.in(0, null, `strikes ${owner.name} at its ${moment}`, () => each.strike(connection));
    }
    this.aimed = this.aimed.filter(({ left }) => left > 0);
  }

  /** What has not struck by now does not any more. */
  forget(): void {
    this.aimed = [];
  }
}
