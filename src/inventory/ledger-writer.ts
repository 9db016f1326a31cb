import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
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
}

/** One level that the batch changed, as it is once the batch is committed. */
export interface ChangedLevel {
  skuId: number;
  locationId: number;
  level: Level;
}

/**
 * Writes a decided batch with set-based statements: events, levels, reservations, shortfalls and keys.
 * Must run in the transaction that locked `stock`.
 */
export async function writeBatch(
  client: PoolClient,
  stock: LockedStock,
  decided: readonly DecidedCommand[],
): Promise<ChangedLevel[]> {
  const changed = changedLevels(decided);
  const reservations = stock.takenReservations();
  const fresh = reservations.filter((each) => !stock.isStoredReservation(each.id));
  const stored = reservations.filter((each) => stock.isStoredReservation(each.id));
  const levelIsStored = (each: ChangedLevel) => stock.isStoredLevel(each.skuId, each.locationId);
  const newLevels = changed.filter((each) => !levelIsStored(each));
  if (newLevels.length > 0) await insertLevels(client, newLevels, stock.now);
  if (stored.length > 0) await updateReservations(client, stored, stock.now);
  const shortfalls = decided.flatMap((each) =>
    each.shortfalls.map((shortfall) => ({ ...shortfall, key: each.command.key })),
  );
  for (const shortfall of shortfalls) await recordShortfall(client, shortfall, stock.now);
  await client.query({
    name: 'write-batch',
    text: WRITE_BATCH,
    values: [
      stock.now,
      ...eventColumns(decided),
      ...levelColumns(changed.filter(levelIsStored)),
      ...keyColumns(decided),
      ...reservationColumns(fresh),
      ...partColumns(fresh),
      notification(changed),
    ],
  });
  return changed;
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

/** Tells this process's notifications from other hosts'; process ids repeat between containers. */
export const SENDER = randomUUID();

/** `<sender>:<sku>.<location>,…` for the other hosts' read models. */
function notification(changed: readonly ChangedLevel[]): string {
  const payload = `${SENDER}:` + changed.map((each) => `${each.skuId}.${each.locationId}`).join(',');
  return payload.length > MAX_NOTIFICATION_BYTES ? `${SENDER}:*` : payload;
}

const WRITE_BATCH = `
WITH events AS (
  INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity,
      available, reserved, quarantined, damaged, in_transit, on_order, version,
      counterpart_location_id, channel, order_id, line_id, reservation_id,
      command_key, content_hash, reference, reason, actor, occurred_at, recorded_at)
  SELECT e.sku, e.loc, e.type::ledger_event_type, e.f::stock_state, e.t::stock_state, e.qty,
      e.av, e.re, e.qu, e.da, e.tr, e.oo, e.version,
      e.counterpart, e.channel, e.order_id, e.line_id, e.reservation,
      e.key, e.hash, e.reference, e.reason, e.actor, coalesce(e.occurred, $1::timestamptz), $1::timestamptz
    FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[],
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
  const rows = decided.flatMap((each) => each.events.map((event) => ({ ...each, ...event })));
  const numbers = (of: (row: (typeof rows)[number]) => number | undefined) => numberArray(rows.map(of));
  const texts = (of: (row: (typeof rows)[number]) => string | undefined) => textArray(rows.map(of));
  return [
    numbers((row) => row.skuId),
    numbers((row) => row.locationId),
    texts((row) => row.event.type),
    texts((row) => row.event.from),
    texts((row) => row.event.to),
    numbers((row) => row.event.quantityUnits),
    ...COUNTED_STATES.map((state) => numbers((row) => row.after[state])),
    numbers((row) => row.after.version),
    numbers((row) => row.counterpartLocationId),
    texts((row) => row.channel),
    texts((row) => row.orderId),
    texts((row) => row.lineId),
    texts((row) => row.reservationId),
    texts((row) => row.command.key),
    bytesArray(rows.map((row) => row.contentHash)),
    texts((row) => row.reference),
    texts((row) => row.reason),
    texts((row) => row.command.actor),
    texts((row) => row.occurredAt),
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

/** Plain inserts: should another host have made the level meanwhile, the batch fails and is tried again. */
async function insertLevels(client: PoolClient, levels: readonly ChangedLevel[], now: Date): Promise<void> {
  await client.query({
    name: 'insert-levels',
    text: `INSERT INTO levels (sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at)
      SELECT l.*, $10::timestamptz FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[]) AS l`,
    values: [...levelColumns(levels), now],
  });
}

async function updateReservations(
  client: PoolClient,
  reservations: readonly Reservation[],
  now: Date,
): Promise<void> {
  const [ids, , , , revisions, states, expiries] = reservationColumns(reservations);
  await client.query({
    name: 'update-reservations',
    text: `UPDATE reservations SET revision = r.revision, state = r.state, expires_at = r.expires_at, updated_at = $5
      FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[]) AS r (id, revision, state, expires_at)
     WHERE reservations.id = r.id`,
    values: [ids, revisions, states, expiries, now],
  });
  await client.query({
    name: 'update-reservation-lines',
    text: `INSERT INTO reservation_lines (reservation_id, line, part, line_id, sku_id, location_id, quantity, reserved, fulfilled, released, returned)
      SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::int[], $6::int[],
        $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
      ON CONFLICT (reservation_id, line, part) DO UPDATE SET quantity = excluded.quantity, reserved = excluded.reserved,
        fulfilled = excluded.fulfilled, released = excluded.released, returned = excluded.returned`,
    values: partColumns(reservations),
  });
}

const RECORD_ORDER_SHORTFALL = `
  INSERT INTO shortfalls (cause, sku_id, location_id, quantity, channel, order_id, line_id, reservation_id, command_key, recorded_at)
  VALUES ('order', $1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (channel, order_id, line_id, sku_id) WHERE cause = 'order' DO UPDATE
    SET quantity = CASE WHEN excluded.quantity > 0 THEN excluded.quantity ELSE shortfalls.quantity END,
        state = CASE WHEN excluded.quantity > 0 THEN 'open' ELSE 'resolved' END,
        resolved_at = CASE WHEN excluded.quantity > 0 THEN NULL ELSE excluded.recorded_at END`;

const RECORD_COUNT_SHORTFALL = `
  INSERT INTO shortfalls (cause, sku_id, location_id, quantity, command_key, recorded_at)
  VALUES ('count', $1, $2, $3, $4, $5)
  ON CONFLICT (sku_id, location_id) WHERE cause = 'count' AND state = 'open' DO UPDATE
    SET quantity = CASE WHEN excluded.quantity > 0 THEN excluded.quantity ELSE shortfalls.quantity END,
        state = CASE WHEN excluded.quantity > 0 THEN 'open' ELSE 'resolved' END,
        resolved_at = CASE WHEN excluded.quantity > 0 THEN NULL ELSE excluded.recorded_at END`;

async function recordShortfall(
  client: PoolClient,
  shortfall: DraftShortfall & { key: string },
  now: Date,
): Promise<void> {
  const { skuId, locationId, quantityUnits, channel, orderId, lineId, reservationId, key } = shortfall;
  if (shortfall.cause === 'count') {
    await client.query(RECORD_COUNT_SHORTFALL, [skuId, locationId, quantityUnits, key, now]);
  } else {
    await client.query(RECORD_ORDER_SHORTFALL, [
      skuId,
      locationId ?? null,
      quantityUnits,
      channel,
      orderId,
      lineId,
      reservationId,
      key,
      now,
    ]);
  }
}
