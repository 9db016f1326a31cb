import type { OrderFile } from './order-file';
import type { EventDraft } from './timeline';

/** Before the first document, and before the farthest that shuffling can move it. */
const OPENED_BEFORE_MS = 24 * 3_600_000;

/**
 * One RESTOCK per SKU of all that the file ever takes out, so that no order is short whatever the order of
 * arrival; returns come on top. A `factor` below 1 leaves orders short on purpose. SKUs of which nothing is
 * left after rounding have none.
 */
export function openingStock(file: OrderFile, factor: number): EventDraft[] {
  const taken = new Map<string, number>();
  for (const { kind, sku, quantityUnits } of file.documents.flatMap((document) => document.lines)) {
    if (kind !== 'returned') taken.set(sku, (taken.get(sku) ?? 0) + quantityUnits);
  }
  const firstMs = file.documents.reduce((first, { occurredAtMs }) => Math.min(first, occurredAtMs), Infinity);
  const occurredAt = new Date(firstMs - OPENED_BEFORE_MS).toISOString();
  return [...taken]
    .map(([sku, units]) => ({ sku, quantity: Math.round(units * factor) }))
    .filter(({ quantity }) => quantity > 0)
    .map(({ sku, quantity }) => ({
      type: 'RESTOCK' as const,
      sku,
      quantity,
      reference: 'opening stock',
      occurredAt,
      idempotencyKey: `replay:${file.digest}:opening:${sku}`,
    }));
}
