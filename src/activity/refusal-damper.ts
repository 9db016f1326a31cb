import type { ActivityEntry } from './activity';

const MOST_KINDS = 1_000;

/**
 * Lets the first of several refusals that are alike through, and tells of the others together once their time is up: a
 * script that asks for the wrong thing each second would bury what people did.
 */
export class RefusalDamper {
  private readonly kinds = new Map<string, { entry: ActivityEntry; more: number; timer: NodeJS.Timeout }>();

  constructor(
    private readonly withinMs: number,
    private readonly tell: (entry: ActivityEntry) => void,
  ) {}

  /** Answers whether the entry is to be written down now. */
  admits(entry: ActivityEntry): boolean {
    const { actor, action, subject, status } = entry;
    // Whoever tries many subjects does one thing many times.
    const about = this.kinds.size < MOST_KINDS ? subject : undefined;
    const kind = JSON.stringify([actor.kind, actor.id, actor.name, action, about, status]);
    const known = this.kinds.get(kind);
    if (known) {
      known.entry = entry;
      known.more++;
      return false;
    }
    const timer = setTimeout(() => this.end(kind).forEach(this.tell), this.withinMs).unref();
    this.kinds.set(kind, { entry, more: 0, timer });
    return true;
  }

  /** All that it has held back. */
  flush(): ActivityEntry[] {
    return [...this.kinds.keys()].flatMap((kind) => this.end(kind));
  }

  /** The entry for those that came after the first, if any did. */
  private end(kind: string): ActivityEntry[] {
    const { entry, more, timer } = this.kinds.get(kind)!;
    clearTimeout(timer);
    this.kinds.delete(kind);
    return more > 0 ? [{ ...entry, detail: { ...entry.detail, times: more } }] : [];
  }
}
