import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { pipelinedPool } from '../database/pool';
import { currentTrace, traced } from '../telemetry/tracing';
import { CatalogService } from './catalog.service';
import { contentHash, type LedgerCommand, type Outcome } from './commands';
import { decideCommand } from './decide-command';
import { GroupCommit } from './group-commit';
import { IdempotencyConflictError, LedgerClosedError } from './inventory.errors';
import { type LockedStock, lockStock } from './ledger-reader';
import { type ChangedLevel, type DecidedCommand, type PreparedBatch, prepareBatch } from './ledger-writer';
import { StockDraft } from './stock-draft';

export interface Posted {
  outcome: Outcome;
  /** The key was known: this is what it was answered then, and nothing was written. */
  duplicate: boolean;
}

interface CommittedBatch {
  answers: (Posted | Error)[];
  decided: readonly DecidedCommand[];
  changed: readonly ChangedLevel[];
}

interface KeyedCommand {
  command: LedgerCommand;
  hash: Buffer;
  trace: string | undefined;
}

export type CommitListener = (changed: readonly ChangedLevel[]) => void;

/** What goes into the transaction of a batch beside it. It must not fail: the batch would fail with it. */
export type BatchCompanion = (batch: Omit<PreparedBatch, 'statements'>) => QueryConfig[];

const GIVE_UP_AFTER_MS = 15_000;

/**
 * The only writer of stock. Commands posted while a transaction is in flight form the next one; each is
 * decided in arrival order on locked levels, and answered after the commit.
 */
@Injectable()
export class LedgerService implements OnApplicationShutdown {
  /** Counts since start, for metrics. */
  readonly counts = { batches: 0, commands: 0, duplicates: 0, refusals: 0, events: 0 };
  /** Tells this host's notifications from other hosts'; process ids repeat between containers. */
  readonly sender = randomUUID();
  private readonly lanes: GroupCommit<KeyedCommand, Posted>[];
  private readonly pool: Pool;
  private readonly listeners: CommitListener[] = [];
  private readonly companions: BatchCompanion[] = [];
  private closed = false;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly catalog: CatalogService,
    config: Config,
  ) {
    const { maxBatch, lanes } = config.ledger;
    this.pool = pipelinedPool(dataSource, lanes);
    const options = { maxBatch, giveUpAfterMs: GIVE_UP_AFTER_MS };
    this.lanes = Array.from(
      { length: lanes },
      () => new GroupCommit((commands) => this.transact(commands), options),
    );
  }

  /** Commands waiting for a transaction. */
  get depth(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.depth, 0);
  }

  /**
   * Decides one command and commits it. A refusal is an answer, not an error, and is recorded.
   * Throws `IdempotencyConflictError` (key known, content different), `LedgerUnavailableError` (database
   * lost; the command may have been done, so repeat it with its key), `LedgerClosedError`.
   */
  async post(command: LedgerCommand): Promise<Posted> {
    if (this.closed) throw new LedgerClosedError();
    const lane = this.lanes[laneOf(command) % this.lanes.length]!;
    const hash = contentHash(command);
    return traced(
      () => ({ name: `ledger ${command.kind}` }),
      () => lane.post({ command, hash, trace: currentTrace() }),
    );
  }

  /** Called after each commit with the levels it changed, before the callers are answered. */
  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Has these statements committed with each batch: what must not be lost, as a listener's work may be. */
  accompany(companion: BatchCompanion): void {
    this.companions.push(companion);
  }

  /** In-flight commands finish; the database is closed after this. */
  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    await Promise.all(this.lanes.map((lane) => lane.drained()));
    await this.pool.end();
  }

  private async transact(commands: KeyedCommand[]): Promise<(Posted | Error)[]> {
    const client = await this.pool.connect();
    let result: CommittedBatch;
    try {
      result = await this.decideAndCommit(client, commands);
    } catch (error) {
      // What the connection was in the middle of is not known: it is ended, and its transaction with it.
      client.release(true);
      throw error;
    }
    client.release();
    this.committed(result);
    return result.answers;
  }

  /** Queries that need not wait for each other's answers are sent together, on a pipelined connection. */
  private async decideAndCommit(
    client: PoolClient,
    commands: readonly KeyedCommand[],
  ): Promise<CommittedBatch> {
    const begun = client.query('BEGIN');
    const asked = commands.map((each) => each.command);
    const locked = lockStock(client, asked, this.catalog);
    const [stock] = await Promise.all([locked, begun]);
    const decided: DecidedCommand[] = [];
    const answers = commands.map((each) => this.answer(stock, each, decided));
    const { statements, ...batch } = prepareBatch(stock, decided, this.sender);
    const beside = this.companions.flatMap((companion) => companion(batch));
    const all = decided.length > 0 ? [...statements, ...beside] : [];
    const sent = all.map((statement) => client.query(statement));
    await Promise.all([...sent, client.query('COMMIT')]);
    return { answers, decided, changed: batch.changed };
  }

  /** The recorded answer, or a new decision, which the rest of the batch then sees. */
  private answer(
    stock: LockedStock,
    { command, hash, trace }: KeyedCommand,
    decided: DecidedCommand[],
  ): Posted | Error {
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
      decided.push({ command, contentHash: hash, outcome, events, shortfalls, trace });
      stock.keys.set(command.key, { contentHash: hash, outcome });
      return { outcome, duplicate: false };
    } catch (error) {
      return error as Error;
    }
  }

  private committed({ answers, decided, changed }: CommittedBatch): void {
    this.counts.batches++;
    this.counts.commands += answers.length;
    this.counts.duplicates += answers.filter((each) => 'duplicate' in each && each.duplicate).length;
    this.counts.refusals += decided.filter((each) => 'refused' in each.outcome).length;
    this.counts.events += decided.reduce((sum, each) => sum + each.events.length, 0);
    if (changed.length > 0) for (const listener of this.listeners) listener(changed);
  }
}

/**
 * Commands for one SKU take one lane, where they share a transaction instead of waiting for each other's
 * locks; lanes overlap one's disk with the other's processor.
 */
function laneOf(command: LedgerCommand): number {
  if (command.kind === 'move') return command.skuId;
  if (command.kind === 'reserve' || command.kind === 'settle-order') return command.lines[0]?.skuId ?? 0;
  return Number.parseInt(command.reservationId.slice(-4), 16) || 0;
}
