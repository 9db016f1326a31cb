import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { OrderDocument, Page } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { poolOf } from '../database/pool';
import type { TaskRun } from '../jobs/task-run';
import { TasksService, type TaskView } from '../jobs/tasks.service';
import { differenceOf, type KnownOrder, type OrderDifference } from './compare-order';
import { OrderCatchUpService } from './order-catch-up.service';
import { noteExtra } from './extra-orders';
import { readAhead } from './read-ahead';
import { OrdersUnreadableError, ReconcileUnservedError } from './reconcile.errors';

const RECONCILE_ORDERS = 'reconcile-orders';
const DETAIL_LENGTH = 500;

/** What a comparison of order lists found. */
export interface OrderReport {
  id: string;
  channel: string;
  since: string;
  /** Orders that the channel listed, and those that are as ours. */
  listed: number;
  equal: number;
  missing: number;
  different: number;
  /** Known as the channel has them, but not settled with the ledger. */
  unsettled: number;
  /** Ours, changed in the window, and not listed by the channel. Left to a person. */
  extra: number;
  /** Items of the list that the plugin could not read; intake parks them. */
  unreadable: number;
  repaired: number;
}

/** Compares what orders a channel lists over a window with ours. What we lack is read again by intake. */
@Injectable()
export class OrderComparisonService implements OnModuleInit {
  private readonly log = new Logger('reconcile');
  private readonly pool: Pool;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly orders: OrderCatchUpService,
    private readonly tasks: TasksService,
  ) {
    this.pool = poolOf(dataSource);
  }

  onModuleInit(): void {
    this.tasks.define(RECONCILE_ORDERS, (run) => this.run(run));
  }

  /** Throws `UnknownChannelError`, `ReconcileUnservedError`, `OrdersUnreadableError`, `TaskBusyError`. */
  start(name: string, since: Date, repair: boolean, askedBy: string): Promise<TaskView> {
    this.served(name);
    return this.tasks.start(RECONCILE_ORDERS, name, { since: since.toISOString(), repair }, askedBy);
  }

  /** The newest first. */
  async differences(name: string, limit: number): Promise<object[]> {
    this.channels.get(name);
    return (await this.pool.query(DIFFERENCES, [name, limit])).rows as object[];
  }

  private served(name: string): ReadyChannel {
    const channel = this.channels.get(name);
    if (channel.state === 'failed') throw new ReconcileUnservedError(name, channel.error);
    if (!channel.capabilities.readsOrders) throw new OrdersUnreadableError(name);
    return channel;
  }

  private async run(run: TaskRun): Promise<OrderReport> {
    const channel = this.served(run.subject);
    const { since, repair } = run.params as { since: string; repair: boolean };
    const report: OrderReport = { ...emptyReport(run.id, channel.name, since), ...run.report };
    run.report = report;
    await this.readList(run, channel, report);
    const compared = { taskId: run.id, channel: channel.name, since, startedAt: run.startedAt };
    report.extra = await noteExtra(this.dataSource, compared);
    const isLacking = report.missing + report.different + report.unsettled > 0;
    if (repair && isLacking) report.repaired = await this.repair(run, channel, since);
    await this.pool.query(FORGET, [run.id]);
    const { listed, missing, different, unsettled, extra, repaired } = report;
    this.log.log(
      `${channel.name}: ${listed} orders since ${since}, ${missing} missing, ${different} different, ` +
        `${unsettled} unsettled, ${extra} extra; ${repaired} repaired`,
    );
    return report;
  }

  private async readList(run: TaskRun, { channel }: ReadyChannel, report: OrderReport): Promise<void> {
    const cursor = (run.checkpoint as { cursor: string } | null)?.cursor;
    const pages = channel.readOrders({ since: report.since, ...(cursor !== undefined && { cursor }) });
    for await (const { page } of readAhead(pages, () => Promise.resolve(new Date()), run.signal)) {
      await this.comparePage(run, report, page);
      run.progress(report.listed, null, 'orders listed');
      if (page.cursor !== undefined) await run.save({ cursor: page.cursor });
    }
  }

  private async comparePage(
    run: TaskRun,
    report: OrderReport,
    { items, unreadable = [] }: Page<OrderDocument>,
  ) {
    // A list that is still growing may name an order twice; what it said last counts.
    const listed = new Map(items.map((order) => [order.orderId, order]));
    const ids = [...listed.keys()];
    const { rows } = await this.pool.query<KnownOrder & { orderId: string }>(KNOWN, [run.subject, ids]);
    const known = new Map(rows.map((row) => [row.orderId, row]));
    const found = [...listed.values()].flatMap((order) => {
      const differs = differenceOf(order, known.get(order.orderId));
      return differs ? [{ orderId: order.orderId, revision: order.revision, ...differs }] : [];
    });
    await this.pool.query(MARK, [run.id, ids]);
    await this.pool.query(NOTE, [
      run.id,
      run.subject,
      JSON.stringify(found.map((each) => ({ ...each, detail: each.detail.slice(0, DETAIL_LENGTH) }))),
    ]);
    report.listed += listed.size;
    report.equal += listed.size - found.length;
    report.unreadable += unreadable.length;
    for (const { difference } of found) report[difference]++;
  }

  /** Intake reads the window once more, which is how it takes in anything that it missed. */
  private async repair(run: TaskRun, channel: ReadyChannel, since: string): Promise<number> {
    const { rows } = await this.pool.query<{ now: Date }>(REREAD, [channel.name, since]);
    if (!rows[0]) return 0;
    await this.orders.catchUp(channel, rows[0].now, run.signal);
    const repaired = await this.pool.query(REPAIRED, [run.id, channel.name]);
    return repaired.rowCount ?? 0;
  }
}

function emptyReport(id: string, channel: string, since: string): OrderReport {
  const counts: Record<OrderDifference | 'listed' | 'equal' | 'unreadable' | 'repaired', number> = {
    listed: 0,
    equal: 0,
    missing: 0,
    different: 0,
    unsettled: 0,
    extra: 0,
    unreadable: 0,
    repaired: 0,
  };
  return { id, channel, since, ...counts };
}

const KNOWN = `
  SELECT o.order_id AS "orderId", o.revision, o.document, r.revision AS "settledRevision"
    FROM orders o LEFT JOIN reservations r ON r.channel = o.channel AND r.order_id = o.order_id
   WHERE o.channel = $1 AND o.order_id = ANY($2::text[])`;

const MARK = `INSERT INTO order_marks (task_id, order_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`;

const NOTE = `
  INSERT INTO order_differences (task_id, channel, order_id, difference, detail, revision)
  SELECT $1, $2, n."orderId", n.difference, n.detail, n.revision
    FROM jsonb_to_recordset($3::jsonb) AS n ("orderId" text, difference text, detail text, revision bigint)
  ON CONFLICT (task_id, order_id) DO UPDATE SET difference = excluded.difference, detail = excluded.detail, revision = excluded.revision`;

const REREAD = `
  UPDATE order_polls SET reread_from = least(reread_from, $2::timestamptz) WHERE channel = $1 RETURNING clock_timestamp() AS now`;

const REPAIRED = `
  UPDATE order_differences d SET repaired_at = clock_timestamp()
    FROM orders o LEFT JOIN reservations r ON r.channel = o.channel AND r.order_id = o.order_id
   WHERE d.task_id = $1 AND d.repaired_at IS NULL AND d.difference <> 'extra' AND o.channel = $2 AND o.order_id = d.order_id
     AND o.revision >= d.revision AND coalesce(r.revision, o.revision) >= o.revision`;

/** Marks of runs that were cut off, too; and differences that nobody will ask for. */
const FORGET = `
  WITH marks AS (
    DELETE FROM order_marks m WHERE task_id = $1
        OR NOT EXISTS (SELECT FROM tasks t WHERE t.id = m.task_id AND t.state IN ('queued', 'running')))
  DELETE FROM order_differences WHERE found_at < clock_timestamp() - interval '90 days'`;

const DIFFERENCES = `
  SELECT task_id AS "taskId", order_id AS "orderId", difference, detail, found_at AS "foundAt", repaired_at AS "repairedAt"
    FROM order_differences WHERE channel = $1 ORDER BY found_at DESC, order_id LIMIT $2`;
