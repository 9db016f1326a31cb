import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { ListingsService } from '../channels/listings.service';
import { inTransaction, poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import type { BufferRules } from './buffer-rules';
import { BufferRulesService } from './buffer-rules.service';
import {
  type BufferChange,
  type BufferRow,
  markScopeDirty,
  markSkusDirty,
  type RateRow,
  readNeeds,
  storeChanges,
  storeDue,
  tellChanged,
} from './buffer-rows';
import { measureChannels, type SignalChange } from './channel-measuring';
import { decideRate } from './decide-rate';
import { HOUR_MS } from './sales-rate';
import { countAllSales, countSales, dueRates, pageOfRates } from './sales-counting';

export interface RecalculationOrder {
  /** Counts the sales of the last weeks anew and looks at every SKU that sold. */
  full?: boolean;
  /** Looks at every SKU that sold, as after a change of policy. */
  all?: boolean;
  /** What it is done for, and by whom; both are kept with what changes. */
  cause?: string;
  actor?: string;
}

export interface RecalculationReport {
  /** SKUs × locations that were looked at. */
  looked: number;
  /** Buffers that are other than before, one for each channel. */
  changed: number;
  /** Of these, lowered. */
  released: number;
}

interface Progress {
  now: Date;
  counted: Date | null;
  edges: Date;
  rules: string | null;
}

/** SKUs × locations in one transaction. */
const AT_ONCE = 500;
const LEASE_SECONDS = 120;
/** What many SKUs are due for at the hour is spread over so long. */
const MOST_DUE_AT_ONCE = 20_000;

/**
 * Brings what is stored up to date with sales, channels, windows and rules, and marks the listings of what changed
 * dirty. Looks at what sold and at what is due, not at the catalogue. One at a time over all hosts.
 */
@Injectable()
export class RecalculationService {
  /** Since start, by channel: how often something was raised or released. */
  readonly counts = { raised: new Map<string, number>(), released: new Map<string, number>() };
  private readonly log = new Logger('buffers');
  private readonly pool: Pool;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly buffers: BufferRulesService,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
  ) {
    this.pool = poolOf(dataSource);
  }

  /** Undefined while another host, or another run, is at it. */
  async recalculate(order: RecalculationOrder = {}): Promise<RecalculationReport | undefined> {
    const lease = randomUUID();
    const claimed = await this.pool.query<Progress>(CLAIM, [lease, LEASE_SECONDS]);
    const progress = claimed.rows[0];
    if (!progress) return undefined;
    const run = new Run(lease, progress.now, order);
    try {
      await this.buffers.reload();
      await this.followTags(run);
      await this.followRules(progress, run);
      await this.passEdges(progress, run);
      await this.followSales(progress, run);
      await this.pool.query(FINISH, [
        lease,
        this.buffers.rules.isMoving ? progress.now : null,
        progress.now,
        this.buffers.rules.fingerprint,
      ]);
    } finally {
      await this.pool.query(
        `UPDATE buffer_progress SET lease = NULL, lease_until = '-infinity' WHERE lease = $1`,
        [lease],
      );
    }
    this.wakePushes(run.channels);
    return run.report;
  }

  /** SKUs that a policy for a tag concerns now, or no longer. */
  private async followTags(run: Run): Promise<void> {
    const retagged = this.buffers.takeRetagged();
    if (retagged.length === 0) return;
    await inTransaction(this.dataSource, (client) => markSkusDirty(client, retagged, null));
    run.isAll = true;
    this.allChannels(run);
  }

  /** Another file than the last host had. */
  private async followRules({ rules }: Progress, run: Run): Promise<void> {
    const { fingerprint } = this.buffers.rules;
    if (rules === null || rules === fingerprint) return;
    this.log.log('the rules in onhand.yaml have changed: every listing is computed anew');
    run.isAll = true;
    await inTransaction(this.dataSource, async (client) => {
      await markScopeDirty(client, { channel: null, tag: null });
      await client.query(NOTE, [null, null, 'onhand.yaml', 'policy', 'onhand.yaml']);
    });
    this.allChannels(run);
  }

  /** Windows that opened, closed or took a step, and holds that ended, since somebody last looked. */
  private async passEdges({ edges, now }: Progress, run: Run): Promise<void> {
    const policies = this.buffers.rules.edgesBetween(edges.getTime(), now.getTime());
    const ended = await this.pool.query<{ id: number; sku_id: number; channel: string | null }>(END_HOLDS, [
      now,
    ]);
    if (policies.length === 0 && ended.rows.length === 0) return;
    await inTransaction(this.dataSource, async (client) => {
      for (const { name, sku, channel, tag } of policies) {
        const skuId = sku === null ? undefined : this.buffers.skuIdOf(sku);
        if (skuId !== undefined) await markSkusDirty(client, [skuId], channel);
        else if (sku === null) await markScopeDirty(client, { channel, tag });
        await client.query(NOTE, [skuId ?? null, channel, name, 'window', 'host']);
      }
      for (const { id, sku_id: skuId, channel } of ended.rows) {
        await markSkusDirty(client, [skuId], channel);
        await client.query(NOTE, [skuId, channel, `hold ${id}`, 'hold ended', 'host']);
      }
    });
    this.allChannels(run);
  }

  private async followSales({ counted, now }: Progress, run: Run): Promise<void> {
    const { rules } = this.buffers;
    if (!rules.isMoving) return this.withholdNothing(run);
    const changes = await measureChannels(this.pool, counted ?? new Date(now.getTime() - HOUR_MS), now);
    await this.noteSignals(changes, run);
    run.isAll ||= counted === null || changes.some(({ latency }) => latency === 'rose');
    if (counted === null || run.order.full) await this.countAnew(now, run);
    const sold = counted === null || run.order.full ? [] : await this.count(counted, now);
    if (run.isAll) return this.lookAtAll(rules, run, false);
    if (changes.some(({ latency }) => latency === 'fell')) await this.lookAtAll(rules, run, true);
    await this.lookAt(sold, rules, run);
    await this.lookAt(await dueRates(this.pool, now, MOST_DUE_AT_ONCE), rules, run);
  }

  /** The last policy that looked at sales is gone. */
  private async withholdNothing(run: Run): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      const gone = await client.query<{ sku_id: number }>('DELETE FROM buffers RETURNING sku_id');
      await tellGone(client, gone.rows);
      if (gone.rows.length > 0) this.allChannels(run);
    });
  }

  /** Counts the sales of the last weeks where nobody has, for whoever asks what a policy would withhold. */
  async countSales(): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      const { rows } = await client.query<{ now: Date }>(
        'SELECT clock_timestamp() AS now FROM buffer_progress WHERE counted_until IS NULL FOR UPDATE',
      );
      if (rows[0]) await countAllSales(client, rows[0].now);
    });
  }

  private count(counted: Date, until: Date): Promise<RateRow[]> {
    return inTransaction(this.dataSource, (client) => countSales(client, counted, until));
  }

  /** What nobody has bought for weeks is forgotten, and with it what was withheld for it. */
  private async countAnew(until: Date, run: Run): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      if (run.order.full) await client.query('DELETE FROM sales_rates');
      await countAllSales(client, until);
      const gone = await client.query<{ sku_id: number }>(FORGET);
      await tellGone(client, gone.rows);
    });
  }

  private async noteSignals(changes: readonly SignalChange[], run: Run): Promise<void> {
    if (changes.length === 0) return;
    await inTransaction(this.dataSource, async (client) => {
      for (const { channel, before, after, cancellations } of changes) {
        await client.query(NOTE_SIGNALS, [channel, JSON.stringify(before), JSON.stringify(after)]);
        if (cancellations) await markScopeDirty(client, { channel, tag: null });
        run.channels.add(channel);
      }
    });
    await this.buffers.changed();
  }

  /** In pages, so that memory does not grow with the catalogue and other work goes on in between. */
  private async lookAtAll(rules: BufferRules, run: Run, held: boolean): Promise<void> {
    let after = { skuId: 0, locationId: 0 };
    for (;;) {
      const rates = await pageOfRates(this.pool, after, AT_ONCE, held);
      await this.lookAt(rates, rules, run);
      if (rates.length < AT_ONCE) return;
      after = rates.at(-1)!;
      await turn();
    }
  }

  private async lookAt(rates: readonly RateRow[], rules: BufferRules, run: Run): Promise<void> {
    for (let start = 0; start < rates.length; start += AT_ONCE) {
      await this.pool.query(RENEW, [run.lease, LEASE_SECONDS]);
      await this.settlePage(rates.slice(start, start + AT_ONCE), rules, run);
    }
  }

  private async settlePage(rates: readonly RateRow[], rules: BufferRules, run: Run): Promise<void> {
    const stored = groupRows(await readNeeds(this.pool, [...new Set(rates.map(({ skuId }) => skuId))]));
    const nowMs = run.now.getTime();
    const changes: BufferChange[] = [];
    const due: RateRow[] = [];
    for (const rate of rates) {
      const rows = stored.get(rate.skuId)?.get(rate.locationId) ?? NO_ROWS;
      const channels = this.listings.channelsOf([rate.skuId]);
      const decided = decideRate(rate, rows, channels, {
        rules,
        nowMs,
        signalsOf: (channel) => this.buffers.signalsOf(channel),
      });
      changes.push(...decided.changes);
      const { dueMs, raiseAt } = decided;
      if (dueMs !== rate.dueMs || raiseAt !== rate.raiseAt) due.push({ ...rate, dueMs, raiseAt });
      run.report.released += decided.released.length;
      for (const channel of decided.released) add(this.counts.released, channel);
      for (const channel of decided.raised) add(this.counts.raised, channel);
    }
    run.report.looked += rates.length;
    run.report.changed += changes.length;
    for (const { row } of changes) run.channels.add(row.channel);
    if (changes.length + due.length === 0) return;
    const { cause = 'sales', actor = 'host' } = run.order;
    await inTransaction(this.dataSource, async (client) => {
      await storeDue(client, due);
      await storeChanges(client, changes, cause, actor);
    });
  }

  private allChannels(run: Run): void {
    for (const { name } of this.buffers.channels) run.channels.add(name);
  }

  private wakePushes(channels: ReadonlySet<string>): void {
    for (const channel of channels) this.jobs.wake('push-listings', channel);
  }
}

/** One recalculation under way. */
class Run {
  readonly report: RecalculationReport = { looked: 0, changed: 0, released: 0 };
  /** Whose listings are dirty by it. */
  readonly channels = new Set<string>();
  /** Everything that sold is looked at. */
  isAll: boolean;

  constructor(
    readonly lease: string,
    readonly now: Date,
    readonly order: RecalculationOrder,
  ) {
    this.isAll = order.full === true || order.all === true;
  }
}

async function tellGone(client: PoolClient, rows: readonly { sku_id: number }[]): Promise<void> {
  const skuIds = [...new Set(rows.map((row) => row.sku_id))];
  await markSkusDirty(client, skuIds, null);
  await tellChanged(client, skuIds);
}

const NO_ROWS: readonly BufferRow[] = [];

function groupRows(rows: readonly BufferRow[]): Map<number, Map<number, BufferRow[]>> {
  const all = new Map<number, Map<number, BufferRow[]>>();
  for (const row of rows) {
    const places = all.get(row.skuId) ?? new Map<number, BufferRow[]>();
    const same = places.get(row.locationId) ?? [];
    same.push(row);
    all.set(row.skuId, places.set(row.locationId, same));
  }
  return all;
}

function add(counts: Map<string, number>, channel: string): void {
  counts.set(channel, (counts.get(channel) ?? 0) + 1);
}

const CLAIM = `
  UPDATE buffer_progress SET lease = $1, lease_until = clock_timestamp() + make_interval(secs => $2)
   WHERE lease_until <= clock_timestamp()
  RETURNING clock_timestamp() AS now, counted_until AS counted, edges_until AS edges, rules`;

const RENEW = `UPDATE buffer_progress SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE lease = $1`;

const FINISH = `UPDATE buffer_progress SET counted_until = $2, edges_until = $3, rules = $4 WHERE lease = $1`;

const END_HOLDS = `
  UPDATE buffer_holds SET ended_at = until, ended_by = 'host' WHERE ended_at IS NULL AND until <= $1
  RETURNING id, sku_id, channel`;

const FORGET = `
  DELETE FROM buffers b WHERE NOT EXISTS (SELECT FROM sales_rates r WHERE r.sku_id = b.sku_id AND r.location_id = b.location_id)
  RETURNING sku_id`;

const NOTE = `INSERT INTO buffer_changes (sku_id, channel, policy, cause, actor) VALUES ($1, $2, $3, $4, $5)`;

const NOTE_SIGNALS = `
  INSERT INTO buffer_changes (channel, before, after, cause) VALUES ($1, $2::jsonb, $3::jsonb, 'channel measured')`;
