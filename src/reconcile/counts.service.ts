import { createHash, randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import type { PlaceInTime } from '../http/page';
import { CatalogService } from '../inventory/catalog.service';
import { UnknownLocationError } from '../inventory/inventory.errors';
import { EMPTY_LEVEL, type Level } from '../inventory/level';
import { LedgerService } from '../inventory/ledger.service';
import { StockService } from '../inventory/stock.service';
import type { TaskRun } from '../jobs/task-run';
import { TasksService, type TaskView } from '../jobs/tasks.service';
import { adjustedState, type CountLine, judgeCount, unitsOf } from './count-lines';
import {
  type CountLineRow,
  CountRecords,
  type CountRow,
  type CountSummary,
  type ListedCount,
  type LineUpdate,
} from './count-records';
import { CountClosedError, NoSuchCountError } from './reconcile.errors';

const COUNT = 'count';
const LINES_AT_ONCE = 500;

/** A snapshot as it came in. */
export interface Snapshot {
  source: string;
  kind: 'full' | 'partial';
  takenAt: Date;
  reason: string;
  /** Of lines that name none; the first location in priority order when absent. */
  location?: string;
  lines: readonly CountLine[];
  receivedBy: string;
}

type KnownLine = CountLineRow & { skuId: number; locationId: number };

/**
 * Counts from a warehouse or an ERP. The ledger is compared as of the moment the count speaks of, and the
 * difference posted as having happened then: what happened since is kept.
 */
@Injectable()
export class CountsService implements OnModuleInit {
  private readonly log = new Logger('counts');
  private readonly records: CountRecords;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly stock: StockService,
    private readonly ledger: LedgerService,
    private readonly tasks: TasksService,
    private readonly config: Config,
  ) {
    this.records = new CountRecords(dataSource);
  }

  onModuleInit(): void {
    this.tasks.define(COUNT, (run) => this.compare(run));
  }

  /** Stores the snapshot and has it compared; undefined task where it was received before. Throws `UnknownLocationError`. */
  async receive(snapshot: Snapshot): Promise<{ id: string; task?: TaskView }> {
    const { lines, location, ...count } = snapshot;
    const hash = createHash('sha256')
      .update(JSON.stringify([count.kind, count.takenAt, location ?? null, lines]))
      .digest();
    const home = location ?? this.catalog.allLocations()[0]!.code;
    await this.catalog.locationId(home, 'location');
    const named = await this.withIds(lines.map((line) => ({ ...line, location: line.location ?? home })));
    const { id, created } = await this.records.create({ id: randomUUID(), ...count, hash }, named);
    // A host that was lost between the two leaves a count that nobody compares.
    if (!created && (await this.find(id)).finishedAt !== null) return { id };
    return { id, task: await this.tasks.join(COUNT, id, {}, count.receivedBy) };
  }

  /** Throws `NoSuchCountError`. */
  async summary(id: string): Promise<CountSummary> {
    const summary = await this.records.summary(id);
    if (!summary) throw new NoSuchCountError(id);
    return summary;
  }

  /** Newest first, of those received before the place given. */
  list(limit: number, before: PlaceInTime): Promise<ListedCount[]> {
    return this.records.summaries(limit, before);
  }

  async lines(id: string, status: string | null, afterLine: number, limit: number): Promise<CountLineRow[]> {
    await this.find(id);
    return this.records.lines(id, status, afterLine, limit);
  }

  /** Posts, or turns down, what waits for a person: these lines, or all. Throws `NoSuchCountError`, `CountClosedError`. */
  async decide(
    id: string,
    verdict: 'approve' | 'reject',
    lines: readonly number[] | null,
    by: string,
  ): Promise<TaskView> {
    await this.find(id);
    const decided = await this.records.decide(id, lines, verdict === 'approve' ? 'new' : 'rejected', by);
    if (decided === 0) throw new CountClosedError(id);
    return this.tasks.start(COUNT, id, {}, by);
  }

  private async find(id: string): Promise<CountRow> {
    const count = await this.records.find(id);
    if (!count) throw new NoSuchCountError(id);
    return count;
  }

  private async withIds(lines: readonly (CountLine & { location: string })[]) {
    const unknown = lines.filter(({ sku }) => this.catalog.knownSkuId(sku) === undefined);
    if (unknown.length > 0) await this.catalog.learn([...new Set(unknown.map(({ sku }) => sku))]);
    const places = new Map<string, number | null>();
    for (const code of new Set(lines.map(({ location }) => location)))
      places.set(code, await this.placeOf(code));
    return lines.map(({ line, sku, location, state, units }) => ({
      line,
      sku,
      location,
      skuId: this.catalog.knownSkuId(sku) ?? null,
      locationId: places.get(location)!,
      state,
      counted: units,
    }));
  }

  private async placeOf(code: string): Promise<number | null> {
    return this.catalog.locationId(code, 'location').catch((error: unknown) => {
      if (error instanceof UnknownLocationError) return null;
      throw error;
    });
  }

  private async compare(run: TaskRun): Promise<CountSummary> {
    const count = await this.find(run.subject);
    if (count.kind === 'full' && count.finishedAt === null) await this.addUncounted(count, run);
    const { lines: total } = await this.summary(count.id);
    for (let after = 0, done = 0; ;) {
      run.signal.throwIfAborted();
      const page = (await this.records.lines(count.id, 'new', after, LINES_AT_ONCE)) as KnownLine[];
      await this.comparePage(count, page);
      run.progress((done += page.length), total);
      if (page.length < LINES_AT_ONCE) break;
      after = page.at(-1)!.line;
    }
    await this.records.finish(count.id);
    const summary = await this.summary(count.id);
    this.log.log(
      `count of ${count.source}: ${JSON.stringify(summary.byStatus)}, ${summary.adjustedUnits} units adjusted`,
    );
    return summary;
  }

  /** A full snapshot says that what it does not name is not there. */
  private async addUncounted({ id, takenAt }: CountRow, { signal }: TaskRun): Promise<void> {
    for (let after = { skuId: 0, locationId: 0 }; ;) {
      signal.throwIfAborted();
      const found = await this.records.uncounted(id, after, LINES_AT_ONCE);
      const levels = await this.levelsAt(
        found.map(({ skuId }) => skuId),
        takenAt,
      );
      const missing = found.filter((each) => unitsOf('on_hand', levels(each)) !== 0);
      await this.records.addLines(
        id,
        missing.map(({ skuId, locationId }) => ({
          sku: this.catalog.skuCode(skuId),
          location: this.catalog.locationCode(locationId),
          skuId,
          locationId,
          state: 'on_hand' as const,
          counted: 0,
        })),
      );
      if (found.length < LINES_AT_ONCE) return;
      after = found.at(-1)!;
    }
  }

  /** Lines that carry a difference already were judged before a crash, or approved since. */
  private async comparePage(count: CountRow, page: readonly KnownLine[]): Promise<void> {
    const fresh = page.filter(({ difference }) => difference === null);
    const judged = await this.judge(count, fresh);
    await this.records.update(count.id, judged);
    const differences = new Map(judged.map(({ line, status, difference }) => [line, { status, difference }]));
    const due = page.flatMap((line) => {
      const { status = 'new', difference = line.difference } = differences.get(line.line) ?? {};
      return status === 'new' && difference ? [{ ...line, difference }] : [];
    });
    await this.post(count, due);
  }

  private async judge({ takenAt }: CountRow, lines: readonly KnownLine[]): Promise<LineUpdate[]> {
    const levels = await this.levelsAt(
      lines.map(({ skuId }) => skuId),
      takenAt,
    );
    const tags = await this.catalog.tagsOf(lines.map(({ skuId }) => skuId));
    return lines.map((line) => {
      const ledger = unitsOf(line.state, levels(line));
      const difference = line.counted - ledger;
      const verdict = judgeCount(ledger, difference, tags.get(line.skuId) ?? [], this.config.counts);
      // Noted before it is posted, so that whoever goes on after a crash posts the same.
      const status = verdict.status === 'adjusted' ? 'new' : verdict.status;
      return {
        line: line.line,
        ledger,
        difference,
        status,
        ...('note' in verdict && { note: verdict.note }),
      };
    });
  }

  private async post(count: CountRow, lines: readonly (KnownLine & { difference: number })[]): Promise<void> {
    if (lines.length === 0) return;
    const before = await this.levelsNow(lines);
    const posted = await Promise.all(lines.map((line) => this.adjust(count, line)));
    const after = await this.levelsNow(lines);
    await this.records.update(
      count.id,
      lines.map((line, index) => ({
        line: line.line,
        before: unitsOf(line.state, before(line)),
        after: unitsOf(line.state, after(line)),
        ...posted[index]!,
      })),
    );
  }

  private async adjust(
    { id, source, reason, takenAt }: CountRow,
    { line, skuId, locationId, state, difference }: KnownLine & { difference: number },
  ): Promise<Pick<LineUpdate, 'status' | 'note'>> {
    const { outcome } = await this.ledger.post({
      kind: 'move',
      type: 'ADJUST',
      skuId,
      locationId,
      quantityUnits: difference,
      state: adjustedState(state),
      reason,
      reference: `count ${id}`,
      occurredAt: takenAt.toISOString(),
      key: `count:${id}:${line}`,
      actor: `count:${source}`,
    });
    if (!('refused' in outcome)) return { status: 'adjusted' };
    return { status: 'refused', note: JSON.stringify(outcome.refused) };
  }

  private async levelsAt(skuIds: readonly number[], moment: Date) {
    return levelsIn(skuIds.length === 0 ? [] : await this.stock.levelsOfAsOf([...new Set(skuIds)], moment));
  }

  private async levelsNow(lines: readonly KnownLine[]) {
    return levelsIn(await this.stock.levelsOf([...new Set(lines.map(({ skuId }) => skuId))]));
  }
}

function levelsIn(rows: Awaited<ReturnType<StockService['levelsOf']>>) {
  const levels = new Map(
    rows.map(({ skuId, levels: each }) => [
      skuId,
      new Map(each.map(({ locationId, level }) => [locationId, level])),
    ]),
  );
  return ({ skuId, locationId }: { skuId: number; locationId: number }): Level =>
    levels.get(skuId)?.get(locationId) ?? EMPTY_LEVEL;
}
