import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { isChannelError, isHeldBack } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { UnmappedService } from '../channels/unmapped.service';
import { Config } from '../config/config';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import type { TaskRun } from '../jobs/task-run';
import { TasksService, type TaskView } from '../jobs/tasks.service';
import { Comparison } from './comparison';
import { DriftRecords } from './drift-records';
import { OrderCatchUpService } from './order-catch-up.service';
import { readAhead } from './read-ahead';
import { planLine, planOf, type ReconcilePlan } from './reconcile-plan';
import { emptyReport, type ReconcileReport, reportLine } from './reconcile-report';
import { ReconcileUnservedError } from './reconcile.errors';

/** Of a whole channel, and of chosen SKUs, which may run beside it. */
export const RECONCILE = 'reconcile';
export const RECONCILE_SKUS = 'reconcile-skus';

/** Failures in a row, none of them on the first page, before a run is given up. */
const FAILURES_IN_A_ROW = 5;
const LONGEST_PAUSE_MS = 60_000;

interface Checkpoint {
  cursor: string;
}

/** Compares what a channel shows with what it should; what truly drifted is recorded, and pushed again. */
@Injectable()
export class ReconcileService implements OnModuleInit {
  private readonly log = new Logger('reconcile');
  private readonly records: DriftRecords;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly unmapped: UnmappedService,
    private readonly published: PublishedQuantityService,
    private readonly orders: OrderCatchUpService,
    private readonly jobs: JobsService,
    private readonly tasks: TasksService,
    private readonly config: Config,
  ) {
    this.records = new DriftRecords(poolOf(dataSource));
  }

  onModuleInit(): void {
    this.tasks.define(RECONCILE, (run) => this.run(run));
    this.tasks.define(RECONCILE_SKUS, (run) => this.run(run));
  }

  /** Throws `UnknownChannelError`, `ReconcileUnservedError`, `TaskBusyError`. */
  async start(name: string, channelSkus: readonly string[] | undefined, askedBy: string): Promise<TaskView> {
    this.served(name);
    if (!channelSkus) return this.tasks.start(RECONCILE, name, {}, askedBy);
    return this.tasks.start(RECONCILE_SKUS, name, { channelSkus }, askedBy);
  }

  /** Compares the channel on this host, or goes on where a host that was lost left off. Throws what it failed with. */
  async runHere(name: string, askedBy: string): Promise<void> {
    const task = await this.tasks.runHere(RECONCILE, name, {}, askedBy);
    if (task.state === 'failed') this.tasks.reportOf(task);
  }

  /** Throws `UnknownChannelError`, `ReconcileUnservedError`. */
  async plan(name: string): Promise<ReconcilePlan> {
    const channel = this.served(name);
    const { capabilities, config } = channel;
    const listings = this.listings.countOf(name);
    const places = capabilities.stockByLocation ? Math.max(1, Object.keys(config.locations).length) : 1;
    const tasks = await this.tasks.list(10, { kind: RECONCILE, subject: name });
    const last = tasks.find(({ state }) => state === 'done')?.report as ReconcileReport | undefined;
    return planOf(channel, listings, listings * places, last);
  }

  /** Tries once more what was left to a person. Answers the channel SKUs that were open. */
  async correct(name: string, channelSkus: readonly string[]): Promise<string[]> {
    this.channels.get(name);
    const open = await this.records.forgive(name, channelSkus);
    const ids = open.flatMap((channelSku) => this.listings.find(name, channelSku)?.id ?? []);
    await this.listings.markDirty(ids, { forced: true });
    this.jobs.wake('push-listings', name);
    return open;
  }

  /** Leaves these as the channel shows them. Answers the channel SKUs that were open. */
  accept(
    name: string,
    channelSkus: readonly string[],
    by: { actor: string; reason: string },
  ): Promise<string[]> {
    this.channels.get(name);
    return this.records.accept(name, channelSkus, by);
  }

  private served(name: string): ReadyChannel {
    const channel = this.channels.get(name);
    if (channel.state === 'failed') throw new ReconcileUnservedError(name, channel.error);
    return channel;
  }

  private async run(run: TaskRun): Promise<ReconcileReport> {
    const channel = this.served(run.subject);
    const channelSkus = run.params.channelSkus as string[] | undefined;
    const began = Date.now();
    if (!channelSkus && !run.checkpoint) this.log.log(planLine(await this.plan(run.subject)));
    const report = { ...emptyReport(run.id, channel.name), ...run.report };
    run.report = report;
    const earlierSeconds = report.seconds;
    const parts = { ...this.parts(), wakePush: () => this.jobs.wake('push-listings', channel.name) };
    const comparison = new Comparison(channel, report, parts, run.signal);
    const time = () => (report.seconds = earlierSeconds + Math.round((Date.now() - began) / 100) / 10);
    try {
      await this.readAll(run, channel, comparison, channelSkus);
      await comparison.settle();
      await comparison.noteMissing(run.startedAt, channelSkus ?? null);
      if (!channelSkus) await this.records.resolveUnfound(run.id, channel.name);
    } catch (error) {
      // What was found so far is kept; the channel is not asked for more.
      if (!run.signal.aborted) await comparison.settle({ withOrders: false }).catch(() => undefined);
      throw error;
    } finally {
      time();
    }
    this.log.log(reportLine(report));
    return report;
  }

  private parts() {
    const { listings, unmapped, published, orders, records } = this;
    const confirmWithinMs = this.config.push.confirmWithinSeconds * 1000;
    return { listings, unmapped, published, orders, records, confirmWithinMs };
  }

  /** A page that cannot be read is asked for again, after a pause, from the cursor before it. */
  private async readAll(
    run: TaskRun,
    { channel, name, capabilities }: ReadyChannel,
    comparison: Comparison,
    channelSkus: readonly string[] | undefined,
  ): Promise<void> {
    const total = channelSkus?.length ?? this.listings.countOf(name);
    let cursor = (run.checkpoint as Checkpoint | null)?.cursor;
    let failures = 0;
    const isSnapshot = capabilities.inventoryReads?.snapshot === true;
    const now = () => (isSnapshot ? Promise.resolve(run.startedAt) : this.records.now());
    for (let hasRead = false; ;) {
      try {
        const pages = channel.readInventory({
          ...(cursor !== undefined && { cursor }),
          ...(channelSkus && { channelSkus }),
        });
        for await (const read of readAhead(pages, now, run.signal)) {
          await comparison.compare(read);
          [hasRead, failures] = [true, 0];
          run.progress(comparison.report.listings, total);
          cursor = read.page.cursor;
          if (comparison.isDue) await comparison.settle();
          // Whoever goes on from here must not miss what waits for its verdict.
          if (cursor !== undefined && comparison.isSettled) await run.save({ cursor });
        }
        return;
      } catch (error) {
        run.signal.throwIfAborted();
        const isAway = isChannelError(error) && (error.code === 'channel-unavailable' || isHeldBack(error));
        if (!isAway || !hasRead || cursor === undefined || ++failures >= FAILURES_IN_A_ROW) throw error;
        const pauseMs = Math.min(LONGEST_PAUSE_MS, error.retryAfterMs ?? 1_000 * 2 ** failures);
        this.log.warn(`${name}: a page cannot be read (${error.message}); asking again in ${pauseMs} ms`);
        await sleep(pauseMs, undefined, { signal: run.signal });
      }
    }
  }
}
