import { createHash, type Hash } from 'node:crypto';

/** Whose code an event runs: a host of the simulation, or the world around it (null). */
export interface Owner {
  readonly name: string;
  /** A host that was killed: whatever was to happen in it does not. */
  isDead: boolean;
  /** A host that stands still: what was to happen in it happens once it goes on. */
  frozenUntilMs: number;
  /** By how much its wall clock is wrong. */
  skewMs: number;
  /** When its claim on what it is pushing to this shop ends, after which another host may push it. */
  claimEndsAtMs(shop: string): number;
}

export interface SimulatedEvent {
  atMs: number;
  readonly seq: number;
  readonly owner: Owner | null;
  readonly label: string;
  run(): void | Promise<void>;
  isOff: boolean;
}

/** Kept for the end of a failure's report. */
const KEPT_LINES = 400;
/** Ten times what a long run has. */
const MOST_EVENTS = 150_000;
/** The moment at which every simulation begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 5, 8);

const realImmediate = setImmediate;

/**
 * The order of all that happens: timers of hosts, statements, answers, deliveries, faults. One event runs at a time,
 * and the next one only when nothing is left to run of the one before; so the seed alone decides what comes when.
 */
export class Timeline {
  nowMs = 0;
  current: Owner | null = null;
  /** Events that ran. */
  count = 0;
  /** Told of what an event threw, which would have ended the process. */
  thrown: (error: unknown) => void = (error) => {
    throw error;
  };
  readonly lines: string[] = [];
  private readonly heap: SimulatedEvent[] = [];
  private readonly hash: Hash = createHash('sha256');
  private seq = 0;

  at(atMs: number, owner: Owner | null, label: string, run: () => void | Promise<void>): SimulatedEvent {
    const event = { atMs: Math.max(atMs, this.nowMs), seq: this.seq++, owner, label, run, isOff: false };
    this.push(event);
    return event;
  }

  in(delayMs: number, owner: Owner | null, label: string, run: () => void | Promise<void>): SimulatedEvent {
    return this.at(this.nowMs + delayMs, owner, label, run);
  }

  /** Runs the next event that comes before `untilMs`; false when there is none. */
  async step(untilMs: number): Promise<boolean> {
    for (;;) {
      const event = this.heap[0];
      if (!event || event.atMs > untilMs) return false;
      this.pop();
      if (event.isOff || event.owner?.isDead) continue;
      if (event.owner && event.owner.frozenUntilMs > event.atMs) {
        event.atMs = event.owner.frozenUntilMs;
        this.push(event);
        continue;
      }
      this.nowMs = event.atMs;
      this.current = event.owner;
      if (++this.count > MOST_EVENTS) throw new Error('the run does not come to an end');
      if (event.label !== '') this.note(event.label, event.owner);
      try {
        await event.run();
      } catch (error) {
        this.thrown(error);
      }
      await settled();
      this.current = null;
      return true;
    }
  }

  /** A line of the trace, which the trace's hash is made of. */
  note(label: string, owner: Owner | null = this.current): void {
    const line = `${this.nowMs.toFixed(3)} ${owner?.name ?? 'world'} ${label}`;
    this.hash.update(line);
    this.lines.push(line);
    if (this.lines.length > 2 * KEPT_LINES) this.lines.splice(0, KEPT_LINES);
  }

  digest(): string {
    return this.hash.copy().digest('hex').slice(0, 16);
  }

  private push(event: SimulatedEvent): void {
    const { heap } = this;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
}

/** Once every promise that could go on has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void realImmediate(resolve));
}
