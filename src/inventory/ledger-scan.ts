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

/** Told how many events a scan has read, and asked whether it is to go on. */
export interface LedgerWatch {
  onProgress?: (events: number) => void;
  signal?: AbortSignal;
}

/**
 * Folds the whole ledger through `evolve`, level by level, in bounded memory. Calls `folded` with each
 * finished level and `broken` with each event that does not follow from the one before it.
 * Runs in the caller's transaction, hence in one snapshot where that is REPEATABLE READ.
 */
export async function scanLedger(
  client: PoolClient,
  folded: (level: FoldedLevel) => void | Promise<void>,
  broken: (event: BrokenEvent) => void = () => undefined,
  watch: LedgerWatch = {},
): Promise<{ events: number }> {
  let current: FoldedLevel | undefined;
  const columns = `seq, sku_id, location_id, type, from_state, to_state, quantity,
    available, reserved, quarantined, damaged, in_transit, on_order, version`;
  let events = 0;
  for await (const rows of pagesOf<ScanRow>(client, columns, watch)) {
    for (const row of rows) {
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
    events += rows.length;
  }
  if (current) await folded(current);
  return { events };
}

/** The whole ledger, level by level. The next page is on its way while one is worked on. */
async function* pagesOf<Row extends unknown[]>(
  client: PoolClient,
  columns: string,
  { onProgress, signal }: LedgerWatch,
): AsyncGenerator<Row[]> {
  // All of it will be read: a plan that is quick to its first row would look up each one.
  await client.query(`SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '128MB'`);
  await client.query(
    `DECLARE ledger_scan NO SCROLL CURSOR FOR SELECT ${columns} FROM ledger ORDER BY sku_id, location_id, version`,
  );
  const fetch = () => client.query<Row>({ text: `FETCH ${PAGE_ROWS} FROM ledger_scan`, rowMode: 'array' });
  let events = 0;
  for (let asked = fetch(); ;) {
    const { rows } = await asked;
    signal?.throwIfAborted();
    const isLast = rows.length < PAGE_ROWS;
    if (!isLast) {
      asked = fetch();
      // Whoever works on this page may fail meanwhile; the next one is nobody's then.
      asked.catch(() => undefined);
    }
    yield rows;
    onProgress?.((events += rows.length));
    if (isLast) break;
  }
  await client.query('CLOSE ledger_scan');
}

function storedLevel(row: ScanRow): Level {
  const [, , , , , , , available, reserved, quarantined, damaged, in_transit, on_order, version] = row;
  return { available, reserved, quarantined, damaged, in_transit, on_order, version };
}
