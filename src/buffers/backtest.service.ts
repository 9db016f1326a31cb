import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { BufferPolicy } from '../config/buffer-policy';
import { Config } from '../config/config';
import type { StockEvent } from './backtest';
import { type BacktestReport, BacktestRun } from './backtest-run';
import { BufferRules } from './buffer-rules';
import { BufferRulesService } from './buffer-rules.service';

export interface BacktestOrder {
  /** Policies that would be made beside, or in place of, those in force. */
  candidates: readonly { name: string; policies: readonly BufferPolicy[] }[];
  from: Date | null;
  to: Date | null;
  /** Taken for every channel's; as measured where it is null. */
  latencyMs: number | null;
}

interface EventRow {
  sku_id: number;
  at: number;
  channel: string | null;
  units: number;
}

const SKUS_AT_ONCE = 500;

/** Replays the ledger's own orders against policies. Reads, and changes nothing. */
@Injectable()
export class BacktestService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly buffers: BufferRulesService,
    private readonly config: Config,
  ) {}

  async backtest({ candidates, from, to, latencyMs }: BacktestOrder): Promise<BacktestReport> {
    const { rules } = this.buffers;
    const run = new BacktestRun({
      channels: this.config.channels.map(({ name, buffer }) => {
        const signals = this.buffers.signalsOf(name);
        const measuredMs = signals.syncP99Ms ?? buffer.assumedLatencySeconds * 1000;
        return { name, signals, latencyMs: latencyMs ?? measuredMs };
      }),
      candidates: [
        { name: 'nothing withheld', rules: BufferRules.none },
        { name: 'in force', rules },
        ...candidates.map(({ name, policies }) => ({ name, rules: rules.with(policies) })),
      ],
    });
    const served = this.config.channels.map(({ name }) => name);
    for (let after = 0; ;) {
      const skus: { id: number }[] = await this.dataSource.query(SKUS, [after, SKUS_AT_ONCE]);
      if (skus.length === 0) return run.report();
      const ids = skus.map(({ id }) => id);
      const rows: EventRow[] = await this.dataSource.query(EVENTS, [ids, to, served]);
      for (const [skuId, events] of bySku(rows))
        run.add({ skuId, events: since(events, from?.getTime() ?? 0) });
      after = ids.at(-1)!;
      await turn();
    }
  }
}

function bySku(rows: readonly EventRow[]): Map<number, StockEvent[]> {
  const all = new Map<number, StockEvent[]>();
  for (const { sku_id: skuId, at: atMs, channel, units } of rows) {
    const events = all.get(skuId) ?? [];
    events.push({ atMs, channel, units });
    all.set(skuId, events);
  }
  return all;
}

/** What came before is what there was to begin with. */
function since(events: readonly StockEvent[], fromMs: number): StockEvent[] {
  const before = events.filter(({ atMs }) => atMs < fromMs);
  if (before.length === 0) return [...events];
  const opening = before.reduce((sum, { channel, units }) => sum + (channel === null ? units : -units), 0);
  return [{ atMs: fromMs, channel: null, units: opening }, ...events.filter(({ atMs }) => atMs >= fromMs)];
}

const SKUS = 'SELECT id FROM skus WHERE id > $1 ORDER BY id LIMIT $2';

/**
 * When it happened, not when we heard of it. What the ledger could not cover was ordered as well, and stands among
 * the shortfalls. What was reserved without a channel takes stock as any other change does.
 */
const EVENTS = `
  SELECT sku_id, extract(epoch FROM occurred_at)::float8 * 1000 AS at,
         CASE WHEN type = 'RESERVE' AND channel = ANY($3) THEN channel END AS channel,
         CASE WHEN type = 'RESERVE' AND channel = ANY($3) THEN quantity WHEN to_state = 'available' THEN quantity ELSE -quantity END AS units
    FROM ledger
   WHERE sku_id = ANY($1::int[]) AND ($2::timestamptz IS NULL OR occurred_at <= $2)
     AND (from_state = 'available' OR to_state = 'available')
  UNION ALL
  SELECT s.sku_id, extract(epoch FROM o.placed_at)::float8 * 1000, s.channel, s.quantity
    FROM shortfalls s JOIN orders o ON o.channel = s.channel AND o.order_id = s.order_id
   WHERE s.sku_id = ANY($1::int[]) AND s.cause = 'order' AND s.channel = ANY($3) AND s.quantity > 0
     AND ($2::timestamptz IS NULL OR o.placed_at <= $2)
   ORDER BY 1, 2`;
