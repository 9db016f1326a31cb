import type { QueryConfig } from 'pg';
import type { LedgerCommand, Outcome } from './commands';
import { COUNTED_STATES, type Level } from './level';
import type { LockedStock } from './ledger-reader';
import type { Reservation } from './reservation';
import { bytesArray, numberArray, textArray } from './sql-array';
import type { DraftEvent, DraftShortfall } from './stock-draft';

/** A command that was decided in this batch, with what it came to. */
export interface DecidedCommand {
  command: LedgerCommand;
  contentHash: Buffer;
  outcome: Outcome;
  events: readonly DraftEvent[];
  shortfalls: readonly DraftShortfall[];
  /** The traceparent it was posted in, where traces are collected. */
  trace?: string | undefined;
}

/** One level that the batch changed, as it is once the batch is committed. */
export interface ChangedLevel {
  skuId: number;
  locationId: number;
  level: Level;
}

/** All that a batch writes, ready to be sent at once. */
export interface PreparedBatch {
  statements: QueryConfig[];
  changed: ChangedLevel[];
  /** New ones, and those that changed. */
  reservations: Reservation[];
}

/**
 * The set-based statements that write a decided batch: events, levels, reservations, shortfalls and keys.
 * Prepared whole before anything is sent, so that a COMMIT sent behind them never commits a part. They
 * belong in the transaction that locked `stock`. `sender` signs the notification to other hosts.
 */
export function prepareBatch(
  stock: LockedStock,
  decided: readonly DecidedCommand[],
  sender: string,
): PreparedBatch {
  const changed = changedLevels(decided);
  const reservations = stock.takenReservations();
  const fresh = reservations.filter((each) => !stock.isStoredReservation(each.id));
  const stored = reservations.filter((each) => stock.isStoredReservation(each.id));
  const levelIsStored = (each: ChangedLevel) => stock.isStoredLevel(each.skuId, each.locationId);
  const newLevels = changed.filter((each) => !levelIsStored(each));
  const shortfalls = decided.flatMap((each) =>
    each.shortfalls.map((shortfall) => recordShortfall(shortfall, each.command.key, stock.now)),
  );
  const main: QueryConfig = {
    name: 'write-batch',
    text: WRITE_BATCH,
    values: [
      stock.now,
      ...eventColumns(decided),
      ...levelColumns(changed.filter(levelIsStored)),
      ...keyColumns(decided),
      ...reservationColumns(fresh),
      ...partColumns(fresh),
      notification(changed, sender),
    ],
  };
  return {
    statements: [
      ...(newLevels.length > 0 ? [insertLevels(newLevels, stock.now)] : []),
      ...(stored.length > 0 ? updateReservations(stored, stock.now) : []),
      ...shortfalls,
      main,
      ...noteTraces(decided),
    ],
    changed,
    reservations,
  };
}

/** The last event of a level in the batch carries the level as it stays. */
function changedLevels(decided: readonly DecidedCommand[]): ChangedLevel[] {
  const last = new Map<string, ChangedLevel>();
  for (const { events } of decided) {
    for (const { skuId, locationId, after } of events) {
      last.set(`${skuId}.${locationId}`, { skuId, locationId, level: after });
    }
  }
  return [...last.values()];
}

/** PostgreSQL refuses payloads of 8,000 bytes; a listener told `*` reads all levels again. */
const MAX_NOTIFICATION_BYTES = 7_900;

/** `<sender>:<sku>.<location>,…` for the other hosts' read models. */
function notification(changed: readonly ChangedLevel[], sender: string): string {
  const payload = `${sender}:` + changed.map((each) => `${each.skuId}.${each.locationId}`).join(',');
  return payload.length > MAX_NOTIFICATION_BYTES ? `${sender}:*` : payload;
}

const WRITE_BATCH = `
WITH events AS (
  INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity,
      available, reserved, quarantined, damaged, in_transit, on_order, version,
      counterpart_location_id, channel, order_id, line_id, reservation_id,
      command_key, content_hash, reference, reason, actor, occurred_at, recorded_at)
  SELECT e.sku, e.loc, e.type, e.f, e.t, e.qty,
      e.av, e.re, e.qu, e.da, e.tr, e.oo, e.version,
      e.counterpart, e.channel, e.order_id, e.line_id, e.reservation,
      e.key, e.hash, e.reference, e.reason, e.actor, coalesce(e.occurred, $1::timestamptz), $1::timestamptz
    FROM unnest($2::int[], $3::int[], $4::ledger_event_type[], $5::stock_state[], $6::stock_state[], $7::bigint[],
      $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
      $15::int[], $16::text[], $17::text[], $18::text[], $19::uuid[],
      $20::text[], $21::bytea[], $22::text[], $23::text[], $24::text[], $25::timestamptz[])
    AS e (sku, loc, type, f, t, qty, av, re, qu, da, tr, oo, version,
      counterpart, channel, order_id, line_id, reservation, key, hash, reference, reason, actor, occurred)
), changed AS (
  UPDATE levels SET available = l.av, reserved = l.re, quarantined = l.qu, damaged = l.da,
      in_transit = l.tr, on_order = l.oo, version = l.version, updated_at = $1::timestamptz
    FROM unnest($26::int[], $27::int[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[],
      $32::bigint[], $33::bigint[], $34::bigint[]) AS l (sku, loc, av, re, qu, da, tr, oo, version)
   WHERE levels.sku_id = l.sku AND levels.location_id = l.loc
), keys AS (
  INSERT INTO idempotency_keys (key, content_hash, outcome, recorded_at)
  SELECT k.key, k.hash, k.outcome::json, $1::timestamptz
    FROM unnest($35::text[], $36::bytea[], $37::text[]) AS k (key, hash, outcome)
), fresh AS (
  INSERT INTO reservations (id, reference, channel, order_id, revision, state, expires_at, created_at, updated_at)
  SELECT r.*, $1::timestamptz, $1::timestamptz
    FROM unnest($38::uuid[], $39::text[], $40::text[], $41::text[], $42::bigint[], $43::text[], $44::timestamptz[]) AS r
), parts AS (
  INSERT INTO reservation_lines (reservation_id, line, part, line_id, sku_id, location_id, quantity, reserved, fulfilled, released, returned)
  SELECT * FROM unnest($45::uuid[], $46::int[], $47::int[], $48::text[], $49::int[], $50::int[],
    $51::bigint[], $52::bigint[], $53::bigint[], $54::bigint[], $55::bigint[])
)
SELECT pg_notify('onhand_levels', $56)`;

function eventColumns(decided: readonly DecidedCommand[]): string[] {
  const rows: { event: DraftEvent; by: DecidedCommand }[] = [];
  for (const by of decided) for (const event of by.events) rows.push({ event, by });
  type Row = (typeof rows)[number];
  const numbers = (of: (row: Row) => number | undefined) => numberArray(rows.map(of));
  const texts = (of: (row: Row) => string | undefined) => textArray(rows.map(of));
  return [
    numbers((row) => row.event.skuId),
    numbers((row) => row.event.locationId),
    texts((row) => row.event.event.type),
    texts((row) => row.event.event.from),
    texts((row) => row.event.event.to),
    numbers((row) => row.event.event.quantityUnits),
    ...COUNTED_STATES.map((state) => numbers((row) => row.event.after[state])),
    numbers((row) => row.event.after.version),
    numbers((row) => row.event.counterpartLocationId),
    texts((row) => row.event.channel),
    texts((row) => row.event.orderId),
    texts((row) => row.event.lineId),
    texts((row) => row.event.reservationId),
    texts((row) => row.by.command.key),
    bytesArray(rows.map((row) => row.by.contentHash)),
    texts((row) => row.event.reference),
    texts((row) => row.event.reason),
    texts((row) => row.by.command.actor),
    texts((row) => row.event.occurredAt),
  ];
}

function levelColumns(changed: readonly ChangedLevel[]): string[] {
  return [
    numberArray(changed.map((each) => each.skuId)),
    numberArray(changed.map((each) => each.locationId)),
    ...COUNTED_STATES.map((state) => numberArray(changed.map((each) => each.level[state]))),
    numberArray(changed.map((each) => each.level.version)),
  ];
}

function keyColumns(decided: readonly DecidedCommand[]): string[] {
  return [
    textArray(decided.map((each) => each.command.key)),
    bytesArray(decided.map((each) => each.contentHash)),
    textArray(decided.map((each) => JSON.stringify(each.outcome))),
  ];
}

function reservationColumns(reservations: readonly Reservation[]): string[] {
  return [
    textArray(reservations.map((each) => each.id)),
    textArray(reservations.map((each) => each.reference)),
    textArray(reservations.map((each) => each.channel)),
    textArray(reservations.map((each) => each.orderId)),
    numberArray(reservations.map((each) => each.revision)),
    textArray(reservations.map((each) => each.state)),
    textArray(reservations.map((each) => each.expiresAt?.toISOString())),
  ];
}

function partColumns(reservations: readonly Reservation[]): string[] {
  const rows = reservations.flatMap((each) => each.parts.map((part) => ({ id: each.id, ...part })));
  return [
    textArray(rows.map((row) => row.id)),
    numberArray(rows.map((row) => row.line)),
    numberArray(rows.map((row) => row.part)),
    textArray(rows.map((row) => row.lineId)),
    numberArray(rows.map((row) => row.skuId)),
    numberArray(rows.map((row) => row.locationId)),
    numberArray(rows.map((row) => row.quantity)),
    numberArray(rows.map((row) => row.reserved)),
    numberArray(rows.map((row) => row.fulfilled)),
    numberArray(rows.map((row) => row.released)),
    numberArray(rows.map((row) => row.returned)),
  ];
}

/** Behind the events, whose trigger has locked these rows in its order. The last traces are enough to find the cause by. */
function noteTraces(decided: readonly DecidedCommand[]): QueryConfig[] {
  const traced = decided.flatMap(({ trace, events }) =>
    trace === undefined ? [] : events.map(({ skuId }) => ({ skuId, trace })),
  );
  if (traced.length === 0) return [];
  return [
    {
      name: 'note-traces',
      text: NOTE_TRACES,
      values: [numberArray(traced.map(({ skuId }) => skuId)), textArray(traced.map(({ trace }) => trace))],
    },
  ];
}

const NOTE_TRACES = `
  UPDATE dirty_listings d SET traces = (d.traces || t.traces)[greatest(1, cardinality(d.traces || t.traces) - 7):]
    FROM (SELECT c.listing_id, array_agg(DISTINCT s.trace) AS traces
            FROM unnest($1::int[], $2::text[]) AS s (sku, trace) JOIN listing_components c ON c.sku_id = s.sku
           GROUP BY c.listing_id) AS t
   WHERE d.listing_id = t.listing_id`;

/** Plain inserts: should another host have made the level meanwhile, the batch fails and is tried again. */
function insertLevels(levels: readonly ChangedLevel[], now: Date): QueryConfig {
  return {
    name: 'insert-levels',
    text: `INSERT INTO levels (sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at)
      SELECT l.*, $10::timestamptz FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[]) AS l`,
    values: [...levelColumns(levels), now],
  };
}

function updateReservations(reservations: readonly Reservation[], now: Date): QueryConfig[] {
  const [ids, , , , revisions, states, expiries] = reservationColumns(reservations);
  const update = {
    name: 'update-reservations',
    text: `UPDATE reservations SET revision = r.revision, state = r.state, expires_at = r.expires_at, updated_at = $5
      FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[]) AS r (id, revision, state, expires_at)
     WHERE reservations.id = r.id`,
    values: [ids, revisions, states, expiries, now],
  };
  const upsertLines = {
    name: 'upsert-reservation-lines',
    text: `INSERT INTO reservation_lines (reservation_id, line, part, line_id, sku_id, location_id, quantity, reserved, fulfilled, released, returned)
      SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::int[], $6::int[],
        $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
      ON CONFLICT (reservation_id, line, part) DO UPDATE SET quantity = excluded.quantity, reserved = excluded.reserved,
        fulfilled = excluded.fulfilled, released = excluded.released, returned = excluded.returned`,
    values: partColumns(reservations),
  };
  return [update, upsertLines];
}

/** What was short and is covered now stays on record with its last quantity, resolved. */
const RESTATE = `quantity = CASE WHEN excluded.quantity > 0 THEN excluded.quantity ELSE shortfalls.quantity END,
        state = CASE WHEN excluded.quantity > 0 THEN 'open' ELSE 'resolved' END,
        resolved_at = CASE WHEN excluded.quantity > 0 THEN NULL ELSE excluded.recorded_at END`;

const RECORD_ORDER_SHORTFALL = `
  INSERT INTO shortfalls (cause, sku_id, location_id, quantity, channel, order_id, line_id, reservation_id, command_key, recorded_at)
  VALUES ('order', $1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (channel, order_id, line_id, sku_id) WHERE cause = 'order' DO UPDATE SET ${RESTATE}`;

const RECORD_COUNT_SHORTFALL = `
  INSERT INTO shortfalls (cause, sku_id, location_id, quantity, command_key, recorded_at)
  VALUES ('count', $1, $2, $3, $4, $5)
  ON CONFLICT (sku_id, location_id) WHERE cause = 'count' AND state = 'open' DO UPDATE SET ${RESTATE}`;

function recordShortfall(shortfall: DraftShortfall, key: string, now: Date): QueryConfig {
  const { cause, skuId, locationId, quantityUnits, channel, orderId, lineId, reservationId } = shortfall;
  if (cause === 'count')
    return { text: RECORD_COUNT_SHORTFALL, values: [skuId, locationId, quantityUnits, key, now] };
  return {
    text: RECORD_ORDER_SHORTFALL,
    values: [skuId, locationId ?? null, quantityUnits, channel, orderId, lineId, reservationId, key, now],
  };
}
