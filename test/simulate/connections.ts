import type { SeededRandom } from '../../src/replay/random';
import type { Moments } from './moments';
import type { SimulatedServer } from './sessions';
import type { SimulatedClient } from './simulated-client';
import type { Owner, Timeline } from './timeline';

/** All connections of one run. */
export class Connections {
  readonly open = new Set<SimulatedClient>();
  /** Sessions whose statement waits for a lock, oldest first. */
  private waiting: SimulatedClient[] = [];

  constructor(
    readonly timeline: Timeline,
    readonly server: SimulatedServer,
    readonly random: SeededRandom,
    readonly moments: Moments,
  ) {}

  /** Of a statement that was sent. */
  tell(client: SimulatedClient, text: string): void {
    const { moments } = this;
    moments.reached(client.owner, 'statement', client);
    if (text.startsWith('COMMIT')) moments.reached(client.owner, 'commit', client);
    if (text.includes('FOR UPDATE')) moments.reached(client.owner, 'lock', client);
  }

  /** Ms that a statement or its answer is under way: most are quick, a few are not. */
  latencyMs(): number {
    const draw = this.random.next();
    return draw < 0.95 ? 0.2 + draw : 2 + (draw - 0.95) * 800;
  }

  ofOwner(owner: Owner): SimulatedClient[] {
    return [...this.open].filter((each) => each.owner === owner);
  }

  /** A commit may have let others go on: each of them is known to wait, or done, before anything else happens. */
  async settleLocks(): Promise<void> {
    for (let again = this.waiting.length > 0; again;) {
      again = false;
      for (const client of [...this.waiting]) {
        if (!this.waiting.includes(client)) continue;
        this.waiting = this.waiting.filter((each) => each !== client);
        if (!(await client.lookAgain())) this.waiting.push(client);
        else again = true;
      }
    }
  }

  wait(client: SimulatedClient): void {
    this.waiting.push(client);
  }

  forget(client: SimulatedClient): void {
    this.open.delete(client);
    this.waiting = this.waiting.filter((each) => each !== client);
  }

  async deliverNotes(): Promise<void> {
    for (const note of await this.server.notifications()) {
      for (const client of this.open) if (client.listens.has(note.channel)) client.hear(note);
    }
  }
}
