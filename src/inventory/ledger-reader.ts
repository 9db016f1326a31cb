import type { PoolClient } from 'pg';
import type { LedgerCommand, Outcome } from './commands';
import { EMPTY_LEVEL, type Level } from './level';
import type { Reservation, ReservationPart, ReservationState } from './reservation';
import { numberArray, textArray } from './sql-array';
import { levelKey, type StockDraft, type StockView } from './stock-draft';

export interface RecordedKey {
  contentHash: Buffer;
  outcome: Outcome;
}

/** Which location a line takes its stock from by itself: the one with the smallest number, of those that serve orders. */
export interface LocationRanking {
  priorityOf(locationId: number): number;
  servesOrders(locationId: number): boolean;
}

/** What a batch holds locked, and takes on as its commands succeed. */
export class LockedStock implements StockView {
  now = new Date(0);
  readonly keys = new Map<string, RecordedKey>();
  private readonly levels = new Map<number, Level>();
  private readonly locations = new Map<number, number[]>();
  private readonly reservations = new Map<string, Reservation>();
  private readonly reservationIdsByOrder = new Map<string, string>();
  private readonly storedReservationIds = new Set<string>();
  private readonly storedLevels = new Set<number>();
  private readonly taken = new Set<string>();

  constructor(private readonly ranking: LocationRanking) {}

  level(skuId: number, locationId: number): Level {
    return this.levels.get(levelKey(skuId, locationId)) ?? EMPTY_LEVEL;
  }

  locationsOf(skuId: number): readonly number[] {
    return this.locations.get(skuId) ?? [];
  }

  reservation(id: string): Reservation | undefined {
    return this.reservations.get(id);
  }

  reservationOfOrder(channel: string, orderId: string): Reservation | undefined {
    const id = this.reservationIdsByOrder.get(orderKey(channel, orderId));
    return id === undefined ? undefined : this.reservations.get(id);
  }

  /** A level as the database has it. */
  loadLevel(skuId: number, locationId: number, level: Level): void {
    this.storedLevels.add(levelKey(skuId, locationId));
    this.addLevel(skuId, locationId, level);
  }

  /** A reservation as the database has it. */
  loadReservation(reservation: Reservation): void {
    this.storedReservationIds.add(reservation.id);
    this.addReservation(reservation);
  }

  isStoredLevel(skuId: number, locationId: number): boolean {
    return this.storedLevels.has(levelKey(skuId, locationId));
  }

  isStoredReservation(id: string): boolean {
    return this.storedReservationIds.has(id);
  }

  private addLevel(skuId: number, locationId: number, level: Level): void {
    this.levels.set(levelKey(skuId, locationId), level);
    if (!this.ranking.servesOrders(locationId)) return;
    const known = this.locations.get(skuId);
    if (!known) this.locations.set(skuId, [locationId]);
    else if (!known.includes(locationId)) {
      known.push(locationId);
      known.sort((a, b) => this.ranking.priorityOf(a) - this.ranking.priorityOf(b) || a - b);
    }
  }

  private addReservation(reservation: Reservation): void {
    this.reservations.set(reservation.id, reservation);
    if (reservation.channel) {
      this.reservationIdsByOrder.set(orderKey(reservation.channel, reservation.orderId!), reservation.id);
    }
  }

  /** A command succeeded: the next one of the batch sees what it did. */
  take(draft: StockDraft): void {
    for (const { skuId, locationId } of draft.events) {
      this.addLevel(skuId, locationId, draft.level(skuId, locationId));
    }
    for (const reservation of draft.reservations.values()) {
      this.taken.add(reservation.id);
      this.addReservation(reservation);
    }
  }

  /** Reservations that commands of this batch made or changed. */
  takenReservations(): Reservation[] {
    return [...this.taken].map((id) => this.reservations.get(id)!);
  }

  skusOfReservations(): number[] {
    return [...this.reservations.values()].flatMap((each) => each.parts.map((part) => part.skuId));
  }
}

function orderKey(channel: string, orderId: string): string {
  return `${channel}\n${orderId}`;
}

/**
 * Locks, in one order for everybody, all that a batch of commands touches: reservations by id, then levels
 * by SKU and location. Then reads the idempotency keys already used and the database's clock, both of which
 * are only true once the locks are held.
 */
export async function lockStock(
  client: PoolClient,
  commands: readonly LedgerCommand[],
  ranking: LocationRanking,
): Promise<LockedStock> {
  const stock = new LockedStock(ranking);
  await lockReservations(client, stock, commands);
  const skuIds = new Set(commands.flatMap(skusOf).concat(stock.skusOfReservations()));
  // Sent together, done in turn: the keys and the clock are read once the levels are locked.
  const [touched] = await Promise.all([
    lockLevels(client, stock, [...skuIds]),
    readKeys(client, stock, commands),
  ]);
  // Monotone per level even when the server's clock steps back.
  if (touched > stock.now) stock.now = touched;
  return stock;
}

function skusOf(command: LedgerCommand): number[] {
  if (command.kind === 'move') return [command.skuId];
  if (command.kind === 'reserve' || command.kind === 'settle-order')
    return command.lines.map((line) => line.skuId);
  return [];
}

// One look into an index for each order: `id = ANY(…) OR (channel, order_id) IN (…)` would read every reservation there is.
const LOCK_RESERVATIONS = `
  SELECT id, reference, channel, order_id, revision, state, expires_at
    FROM reservations
   WHERE id = ANY($1::uuid[] || ARRAY(
           SELECT (SELECT r.id FROM reservations r WHERE r.channel = o.channel AND r.order_id = o.order_id)
             FROM unnest($2::text[], $3::text[]) AS o (channel, order_id)))
   ORDER BY id FOR UPDATE`;

const READ_PARTS = `
  SELECT reservation_id, line, part, line_id, sku_id, location_id, quantity, reserved, fulfilled, released, returned
    FROM reservation_lines WHERE reservation_id = ANY($1::uuid[]) ORDER BY reservation_id, line, part`;

async function lockReservations(
  client: PoolClient,
  stock: LockedStock,
  commands: readonly LedgerCommand[],
): Promise<void> {
  const ids: string[] = [];
  const orders: { channel: string; orderId: string }[] = [];
  for (const command of commands) {
    if (command.kind === 'settle-order') orders.push(command);
    else if (command.kind !== 'move' && command.kind !== 'reserve') ids.push(command.reservationId);
  }
  if (ids.length + orders.length === 0) return;
  const found = await client.query({
    name: 'lock-reservations',
    text: LOCK_RESERVATIONS,
    values: [
      textArray(ids),
      textArray(orders.map((o) => o.channel)),
      textArray(orders.map((o) => o.orderId)),
    ],
  });
  if (found.rows.length === 0) return;
  const parts = await client.query({
    name: 'read-reservation-parts',
    text: READ_PARTS,
    values: [textArray(found.rows.map((row) => row.id))],
  });
  for (const row of found.rows) {
    const own = parts.rows.filter((part) => part.reservation_id === row.id);
    stock.loadReservation(reservationOf(row, own));
  }
}

interface ReservationRow {
  id: string;
  reference: string | null;
  channel: string | null;
  order_id: string | null;
  revision: number | null;
  state: ReservationState;
  expires_at: Date | null;
}

interface PartRow extends Omit<ReservationPart, 'skuId' | 'locationId' | 'lineId'> {
  sku_id: number;
  location_id: number;
  line_id: string | null;
}

/** Rows of `reservations` and `reservation_lines` as the rules see them. */
export function reservationOf(row: ReservationRow, parts: PartRow[]): Reservation {
  return {
    id: row.id,
    reference: row.reference ?? undefined,
    channel: row.channel ?? undefined,
    orderId: row.order_id ?? undefined,
    revision: row.revision ?? undefined,
    state: row.state,
    expiresAt: row.expires_at ?? undefined,
    parts: parts.map(
      ({ line, part, line_id, sku_id, location_id, quantity, reserved, fulfilled, released, returned }) => ({
        line,
        part,
        lineId: line_id ?? undefined,
        skuId: sku_id,
        locationId: location_id,
        quantity,
        reserved,
        fulfilled,
        released,
        returned,
      }),
    ),
  };
}

const LOCK_LEVELS = `
  SELECT l.sku_id, l.location_id, available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at
    FROM levels l
   WHERE sku_id = ANY($1::int[])
   ORDER BY sku_id, location_id FOR UPDATE`;

/** Returns the latest change of any of them. */
async function lockLevels(client: PoolClient, stock: LockedStock, skuIds: number[]): Promise<Date> {
  const found = await client.query({
    name: 'lock-levels',
    text: LOCK_LEVELS,
    values: [numberArray(skuIds)],
    rowMode: 'array',
  });
  let latest = new Date(0);
  for (const row of found.rows as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    Date,
  ][]) {
    const [
      skuId,
      locationId,
      available,
      reserved,
      quarantined,
      damaged,
      in_transit,
      on_order,
      version,
      updatedAt,
    ] = row;
    stock.loadLevel(skuId, locationId, {
      available,
      reserved,
      quarantined,
      damaged,
      in_transit,
      on_order,
      version,
    });
    if (updatedAt > latest) latest = updatedAt;
  }
  return latest;
}

const READ_KEYS = `
  SELECT clock_timestamp() AS now,
         (SELECT json_agg(json_build_array(key, encode(content_hash, 'hex'), outcome))
            FROM idempotency_keys WHERE key = ANY($1::text[])) AS used`;

async function readKeys(
  client: PoolClient,
  stock: LockedStock,
  commands: readonly LedgerCommand[],
): Promise<void> {
  const found = await client.query({
    name: 'read-keys',
    text: READ_KEYS,
    values: [textArray(commands.map((command) => command.key))],
  });
  const { now, used } = found.rows[0] as { now: Date; used: [string, string, Outcome][] | null };
  stock.now = now;
  for (const [key, hash, outcome] of used ?? []) {
    stock.keys.set(key, { contentHash: Buffer.from(hash, 'hex'), outcome });
  }
}
