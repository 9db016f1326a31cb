import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { inTransaction } from '../database/pool';
import { CatalogService } from './catalog.service';
import { contentHash, type LedgerCommand, type Outcome } from './commands';
import { decideCommand } from './decide-command';
import { GroupCommit } from './group-commit';
import { IdempotencyConflictError, LedgerClosedError } from './inventory.errors';
import { type LockedStock, lockStock } from './ledger-reader';
import { type ChangedLevel, type DecidedCommand, writeBatch } from './ledger-writer';
import { StockDraft } from './stock-draft';

export interface Posted {
  outcome: Outcome;
  /** The key was known: this is what it was answered then, and nothing was written. */
  duplicate: boolean;
}

export type CommitListener = (changed: readonly ChangedLevel[]) => void;

const GIVE_UP_AFTER_MS = 15_000;

/**
 * The only writer of stock. Commands posted while a transaction is in flight form the next one; each is
 * decided in arrival order on locked levels, and answered after the commit.
 */
@Injectable()
export class LedgerService implements OnApplicationShutdown {
  /** Counts since start, for metrics. */
  readonly counts = { batches: 0, commands: 0, duplicates: 0, refusals: 0, events: 0 };
  private readonly group: GroupCommit<LedgerCommand, Posted>;
  private readonly listeners: CommitListener[] = [];
  private closed = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    config: Config,
  ) {
    const { maxBatch, lanes } = config.ledger;
    this.group = new GroupCommit((commands) => this.transact(commands), {
      maxBatch,
      lanes,
      giveUpAfterMs: GIVE_UP_AFTER_MS,
    });
  }

  /** Commands waiting for a transaction. */
  get depth(): number {
    return this.group.depth;
  }

  /**
   * Decides one command and commits it. A refusal is an answer, not an error, and is recorded.
   * Throws `IdempotencyConflictError` (key known, content different), `LedgerUnavailableError` (database
   * lost; the command may have been done, so repeat it with its key), `LedgerClosedError`.
   */
  async post(command: LedgerCommand): Promise<Posted> {
    if (this.closed) throw new LedgerClosedError();
    return this.group.post(command);
  }

  /** Called after each commit with the levels it changed, before the callers are answered. */
  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** In-flight commands finish; the database is closed after this. */
  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    await this.group.drained();
  }

  private async transact(commands: LedgerCommand[]): Promise<(Posted | Error)[]> {
    const decided: DecidedCommand[] = [];
    let changed: ChangedLevel[] = [];
    const answers = await inTransaction(this.dataSource, async (client) => {
      const stock = await lockStock(client, commands, (id) => this.catalog.priorityOf(id));
      const found = commands.map((command) => this.answer(stock, command, decided));
      if (decided.length > 0) changed = await writeBatch(client, stock, decided);
      return found;
    });
    this.committed(answers, decided, changed);
    return answers;
  }

  /** The recorded answer, or a new decision, which the rest of the batch then sees. */
  private answer(stock: LockedStock, command: LedgerCommand, decided: DecidedCommand[]): Posted | Error {
    const hash = contentHash(command);
    const known = stock.keys.get(command.key);
    if (known) {
      if (!known.contentHash.equals(hash)) return new IdempotencyConflictError(command.key);
      return { outcome: known.outcome, duplicate: true };
    }
    try {
      const draft = new StockDraft(stock);
      const outcome = decideCommand(draft, command);
      const refused = 'refused' in outcome;
      if (!refused) stock.take(draft);
      const { events, shortfalls } = refused ? { events: [], shortfalls: [] } : draft;
      decided.push({ command, contentHash: hash, outcome, events, shortfalls });
      stock.keys.set(command.key, { contentHash: hash, outcome });
      return { outcome, duplicate: false };
    } catch (error) {
      return error as Error;
    }
  }

  private committed(
    answers: readonly (Posted | Error)[],
    decided: readonly DecidedCommand[],
    changed: readonly ChangedLevel[],
  ): void {
    this.counts.batches++;
    this.counts.commands += answers.length;
    this.counts.duplicates += answers.filter((each) => 'duplicate' in each && each.duplicate).length;
    this.counts.refusals += decided.filter((each) => 'refused' in each.outcome).length;
    this.counts.events += decided.reduce((sum, each) => sum + each.events.length, 0);
    if (changed.length > 0) for (const listener of this.listeners) listener(changed);
  }
}
