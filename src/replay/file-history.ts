import type { StockEvent } from '../buffers/backtest';
import type { SkuHistory } from '../buffers/backtest-run';
import { openingStock } from './opening-stock';
import type { OrderFile } from './order-file';
import { SeededRandom } from './random';

const MINUTE_MS = 60_000;
const INSPECTED_AFTER_MS = 48 * 3_600_000;

export interface FileHistoryOptions {
  /** Buyers of the file are spread over these by its invoices. */
  channels: readonly string[];
  /** Opening stock as a factor of all that the file takes out. */
  opening: number;
  seed: number;
}

/**
 * The file's sales SKU by SKU, as the ledger would tell them. The file has minutes and no seconds, and one channel:
 * each invoice gets a second and a channel by the seed.
 */
export function historiesOf(file: OrderFile, { channels, opening, seed }: FileHistoryOptions): SkuHistory[] {
  const random = new SeededRandom(seed, 'backtest');
  const events = new Map<string, StockEvent[]>();
  const add = (sku: string, event: StockEvent) => events.set(sku, [...(events.get(sku) ?? []), event]);
  for (const { sku, quantity, occurredAt } of openingStock(file, opening))
    add(sku, { atMs: Date.parse(occurredAt), channel: null, units: quantity });
  for (const { occurredAtMs, lines } of file.documents) {
    const atMs = occurredAtMs + Math.floor(random.next() * MINUTE_MS);
    const channel = random.pick(channels);
    for (const { kind, sku, quantityUnits: units } of lines) {
      if (kind === 'ordered') add(sku, { atMs, channel, units });
      else if (kind === 'returned') add(sku, { atMs: atMs + INSPECTED_AFTER_MS, channel: null, units });
      else add(sku, { atMs, channel: null, units: -units });
    }
  }
  return [...events.values()].map((each, index) => ({
    skuId: index + 1,
    events: each.sort((a, b) => a.atMs - b.atMs),
  }));
}
