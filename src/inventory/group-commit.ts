import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionLoss, isRetryable, LedgerUnavailableError } from './inventory.errors';

interface Waiting<Command, Answer> {
  command: Command;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface GroupCommitOptions {
  /** Most commands one transaction takes. */
  maxBatch: number;
  /** How long a lost database is waited for before callers are told. */
  giveUpAfterMs: number;
}

/**
 * Commands that arrive while a transaction is in flight form the next one. `transact` answers each command
 * of its batch; when it throws, the whole batch was rolled back, or its commit's fate is unknown. Both are
 * safe to repeat because every command carries a key.
 */
export class GroupCommit<Command, Answer> {
  private readonly waiting: Waiting<Command, Answer>[] = [];
  private busy = false;
  private scheduled = false;
  private idle: (() => void)[] = [];

  constructor(
    private readonly transact: (commands: Command[]) => Promise<(Answer | Error)[]>,
    private readonly options: GroupCommitOptions,
  ) {}

  get depth(): number {
    return this.waiting.length;
  }

  post(command: Command): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ command, resolve, reject });
      this.schedule();
    });
  }

  /** Resolves once nothing waits and nothing is in flight. */
  async drained(): Promise<void> {
    if (!this.busy && this.waiting.length === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** Waits for the end of the event loop's turn, so that requests read together commit together. */
  private schedule(): void {
    if (this.busy || this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.commitWaiting();
    });
  }

  private async commitWaiting(): Promise<void> {
    this.busy = true;
    await this.commit(this.waiting.splice(0, this.options.maxBatch));
    this.busy = false;
    if (this.waiting.length > 0) this.schedule();
    else this.idle.splice(0).forEach((resolve) => resolve());
  }

  private async commit(batch: Waiting<Command, Answer>[]): Promise<void> {
    const deadline = Date.now() + this.options.giveUpAfterMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const answers = await this.transact(batch.map((each) => each.command));
        batch.forEach(({ resolve, reject }, index) => {
          const answer = answers[index]!;
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        });
        return;
      } catch (error) {
        if (isRetryable(error) && Date.now() < deadline) {
          await sleep(Math.min(1000, 2 ** attempt) * (0.5 + Math.random()));
        } else return this.giveUp(batch, error);
      }
    }
  }

  /** One command that the database cannot take must not fail its neighbours: each is tried alone. */
  private async giveUp(batch: Waiting<Command, Answer>[], error: unknown): Promise<void> {
    if (isConnectionLoss(error)) {
      const unavailable = new LedgerUnavailableError(error);
      batch.forEach(({ reject }) => reject(unavailable));
    } else if (batch.length === 1) batch[0]!.reject(error);
    else for (const each of batch) await this.commit([each]);
  }
}
