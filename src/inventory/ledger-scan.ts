import type { PoolClient } from 'pg';
import { EMPTY_LEVEL, evolve, type Level, sameLevel, type StockEvent } from './level';

export interface FoldedLevel {
  skuId: number;
  locationId: number;
  level: Level;
}

/** An event whose stored level is not what the rules make of its predecessor. */
export interface BrokenEvent {
  seq: number;
  skuId: number;
  locationId: number;
  expected: Level;
  stored: Level;
}

type ScanRow = [
  seq: number,
  skuId: number,
  locationId: number,
  type: StockEvent['type'],
  from: StockEvent['from'],
  to: StockEvent['to'],
  quantity: number,
  available: number,
  reserved: number,
  quarantined: number,
  damaged: number,
  inTransit: number,
  onOrder: number,
  version: number,
];

const PAGE_ROWS = 5_000;

/**
 * Folds the whole ledger through `evolve`, level by level, in bounded memory. Calls `folded` with each
 * finished level and `broken` with each event that does not follow from the one before it.
 * Runs in the caller's transaction, hence in one snapshot where that is REPEATABLE READ.
 */
export async function scanLedger(
  client: PoolClient,
  folded: (level: FoldedLevel) => void | Promise<void>,
  broken: (event: BrokenEvent) => void = () => undefined,
): Promise<{ events: number }> {
  await client.query(`
    DECLARE ledger_scan NO SCROLL CURSOR FOR
    SELECT seq, sku_id, location_id, type, from_state, to_state, quantity,
           available, reserved, quarantined, damaged, in_transit, on_order, version
      FROM ledger ORDER BY sku_id, location_id, version`);
  let current: FoldedLevel | undefined;
  let events = 0;
  for (;;) {
    const page = await client.query<ScanRow>({
      text: `FETCH ${PAGE_ROWS} FROM ledger_scan`,
      rowMode: 'array',
    });
    for (const row of page.rows) {
      const [seq, skuId, locationId, type, from, to, quantityUnits] = row;
      if (current?.skuId !== skuId || current.locationId !== locationId) {
        if (current) await folded(current);
        current = { skuId, locationId, level: EMPTY_LEVEL };
      }
      current.level = evolve(current.level, { type, from, to, quantityUnits });
      const stored = storedLevel(row);
      if (!sameLevel(current.level, stored))
        broken({ seq, skuId, locationId, expected: current.level, stored });
    }
    events += page.rows.length;
    if (page.rows.length < PAGE_ROWS) break;
  }
  if (current) await folded(current);
  await client.query('CLOSE ledger_scan');
  return { events };
}

function storedLevel(row: ScanRow): Level {
  const [, , , , , , , available, reserved, quarantined, damaged, in_transit, on_order, version] = row;
  return { available, reserved, quarantined, damaged, in_transit, on_order, version };
}
