import type { Wake } from '../../src/jobs/wake';
import type { SeededRandom } from '../../src/replay/random';
import type { Host } from './host';
import type { Timeline } from './timeline';

interface Use {
  take: ((wake: Wake) => void) | undefined;
  handBack: (wakes: Wake[]) => void;
}

/**
 * Bull and Redis as the hosts know them: a queue that hands each wake to one host, late, sometimes twice, and that
 * may lose all it holds at any moment or be away for a while.
 */
export class WakeQueue {
  isUp = true;
  private readonly takers = new Map<Host, Use>();
  private generation = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: SeededRandom,
  ) {}

  /** What a host is given as its `WakeQueueService`. */
  ofHost(host: Host): object {
    // `this` of an accessor is the object itself.
    const isUp = () => this.isUp;
    return {
      start: (use: Use) => void this.takers.set(host, use),
      add: (wakes: Wake[]) => this.add(wakes),
      counts: () => Promise.resolve(undefined),
      stopTaking: () => this.forget(host),
      close: () => Promise.resolve(),
      get isUp() {
        return isUp();
      },
    };
  }

  forget(host: Host): void {
    this.takers.delete(host);
  }

  /** FLUSHALL: what was waiting is gone, and nobody is told. */
  lose(awayMs: number): void {
    this.generation++;
    this.isUp = false;
    this.timeline.in(awayMs, null, 'redis is back', () => {
      this.isUp = true;
    });
  }

  private add(wakes: Wake[]): Promise<Wake[]> {
    if (!this.isUp) return Promise.resolve([...wakes]);
    for (const wake of wakes)
      for (let copies = this.random.chance(0.1) ? 2 : 1; copies > 0; copies--) this.post(wake);
    return Promise.resolve([]);
  }

  private post(wake: Wake): void {
    const { generation } = this;
    this.timeline.in(1 + this.random.next() * 20, null, '', () => {
      if (generation !== this.generation || this.takers.size === 0) return;
      const [host, { take }] = this.random.pick([...this.takers]);
      this.timeline.in(0, host, `takes ${wake.name} ${wake.key ?? ''}`, () => take?.(wake));
    });
  }
}
