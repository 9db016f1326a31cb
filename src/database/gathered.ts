interface Waiting<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface GatheredOptions<Item> {
  /** Most items that one statement takes. */
  atOnce: number;
  /** Statements under way at a time. */
  sideBySide: number;
  /** The row that an item is about: a statement cannot write one row twice. */
  keyOf(item: Item): string;
}

/**
 * Does together what is asked for while the same work is under way: one statement for many rows, and one commit.
 * `work` answers in the order of its items. Where it throws, each item is tried alone, so that one which the
 * database cannot take does not fail its neighbours; so the work must do no harm when it is done twice.
 */
export class Gathered<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private running = 0;
  private scheduled = false;

  constructor(
    private readonly work: (items: Item[]) => Promise<Answer[]>,
    private readonly options: GatheredOptions<Item>,
  ) {}

  ask(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /** At the end of the event loop's turn, so that what was read from the wire together goes together. */
  private schedule(): void {
    if (this.scheduled || this.running >= this.options.sideBySide || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.running++;
      void this.answer(this.takeBatch()).then(() => {
        this.running--;
        this.schedule();
      });
      this.schedule();
    });
  }

  private takeBatch(): Waiting<Item, Answer>[] {
    const batch = new Map<string, Waiting<Item, Answer>>();
    this.waiting = this.waiting.filter((each) => {
      const key = this.options.keyOf(each.item);
      if (batch.size >= this.options.atOnce || batch.has(key)) return true;
      batch.set(key, each);
      return false;
    });
    return [...batch.values()];
  }

  private async answer(batch: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(answers[index]!));
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else await Promise.all(batch.map((each) => this.answer([each])));
    }
  }
}
