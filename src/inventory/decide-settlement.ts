import { allocate } from './allocate';
import type { OrderLineTarget, SettlementView, SettleOrderCommand } from './commands';
import { giveBack, type TakenPart } from './decide-reservation';
import type { Refusal } from './refusal';
import { openUnits, type Reservation, type ReservationPart, settledState } from './reservation';
import type { StockDraft } from './stock-draft';

/**
 * Brings the ledger to where a channel's order stands. The order says how much was ordered, cancelled,
 * fulfilled and returned so far; only what the ledger lacks is posted. So a document that comes twice
 * changes nothing, and one older than what was settled is refused.
 *
 * The channel has already accepted the order: what stock does not cover becomes a shortfall, never a refusal.
 */
export function decideSettlement(
  draft: StockDraft,
  command: SettleOrderCommand,
): { refused: Refusal } | { settlement: SettlementView } {
  const reservation = draft.reservationOfOrder(command.channel, command.orderId) ?? freshReservation(command);
  if (reservation.revision !== undefined && reservation.revision > command.revision) {
    return { refused: { code: 'order-outdated', revision: reservation.revision } };
  }
  reservation.revision = command.revision;
  const total: SettlementView = {
    reservationId: reservation.id,
    reserved: 0,
    released: 0,
    fulfilled: 0,
    returned: 0,
    shortfall: 0,
  };
  const lines = [...command.lines, ...vanishedLines(reservation, command)].map((target) =>
    lineOf(reservation, target),
  );
  // What one line gives up is there for the next: an edit may move units from line to line.
  for (const line of lines) total.released += releaseExcess(draft, reservation, line, command);
  for (const line of lines) settleLine(draft, reservation, line, command, total);
  reservation.state =
    total.shortfall > 0 ? 'confirmed' : settledState({ ...reservation, state: 'confirmed' });
  draft.keep(reservation);
  return { settlement: total };
}

function freshReservation(command: SettleOrderCommand): Reservation {
  const { reservationId: id, channel, orderId } = command;
  return { id, channel, orderId, state: 'confirmed', parts: [] };
}

/** Lines that the order no longer has are wanted no more; what was shipped of them stays shipped. */
function vanishedLines(reservation: Reservation, command: SettleOrderCommand): OrderLineTarget[] {
  const present = new Set(command.lineIds);
  const gone = new Map<string, OrderLineTarget>();
  for (const part of reservation.parts) {
    const lineId = part.lineId!;
    if (present.has(lineId)) continue;
    const { skuId, fulfilled, returned } = part;
    const target = gone.get(`${lineId} ${skuId}`);
    if (target) {
      target.fulfilled += fulfilled;
      target.returned += returned;
    } else gone.set(`${lineId} ${skuId}`, { lineId, skuId, ordered: 0, cancelled: 0, fulfilled, returned });
  }
  return [...gone.values()];
}

/** One line as it stood before this settlement, and what the order wants of it. */
interface SettledLine {
  target: OrderLineTarget;
  parts: ReservationPart[];
  wantedUnits: number;
  wasShort: boolean;
}

function lineOf(reservation: Reservation, target: OrderLineTarget): SettledLine {
  const parts = reservation.parts.filter(
    (part) => part.lineId === target.lineId && part.skuId === target.skuId,
  );
  return {
    target,
    parts,
    wantedUnits: Math.max(target.ordered - target.cancelled, target.fulfilled),
    wasShort: sum(parts, (part) => part.quantity) > sum(parts, netUnits),
  };
}

/** Gives back what is promised beyond what is wanted, from the location tried last. Returns the units. */
function releaseExcess(
  draft: StockDraft,
  reservation: Reservation,
  { parts, wantedUnits }: SettledLine,
  command: SettleOrderCommand,
): number {
  const freed = takeUnits(parts.toReversed(), sum(parts, netUnits) - wantedUnits);
  giveBack(draft, reservation, freed, 'RELEASE', { occurredAt: command.updatedAt ?? command.placedAt });
  return sum(freed, (taken) => taken.units);
}

function settleLine(
  draft: StockDraft,
  reservation: Reservation,
  { target, parts, wantedUnits, wasShort }: SettledLine,
  command: SettleOrderCommand,
  total: SettlementView,
): void {
  const missing = wantedUnits - sum(parts, netUnits);
  if (missing > 0)
    total.reserved += reserveMore(draft, reservation, parts, target, missing, command.placedAt);
  const details = { occurredAt: command.updatedAt ?? command.placedAt };
  const shipped = takeUnits(parts, target.fulfilled - sum(parts, (part) => part.fulfilled));
  giveBack(draft, reservation, shipped, 'FULFILL', details);
  total.fulfilled += sum(shipped, (taken) => taken.units);
  const returns = { ...details, to: command.returnTo };
  total.returned += takeBack(draft, reservation, parts, target, returns);
  const shortUnits = Math.max(0, wantedUnits - sum(parts, netUnits));
  total.shortfall += shortUnits;
  restateQuantities(reservation, parts, target, shortUnits);
  if (shortUnits > 0 || wasShort) {
    const { channel, orderId } = command;
    const { lineId, skuId, locationId } = target;
    const reservationId = reservation.id;
    draft.shortfalls.push({
      cause: 'order',
      skuId,
      locationId,
      quantityUnits: shortUnits,
      channel,
      orderId,
      lineId,
      reservationId,
    });
  }
}

/** Units promised and not given back: open or shipped. */
function netUnits(part: ReservationPart): number {
  return part.reserved - part.released;
}

function reserveMore(
  draft: StockDraft,
  reservation: Reservation,
  parts: ReservationPart[],
  target: OrderLineTarget,
  units: number,
  occurredAt: string,
): number {
  const plan = allocate(draft, target.skuId, units, target.locationId);
  for (const { locationId, quantityUnits } of plan.parts) {
    const { channel, orderId, id: reservationId } = reservation;
    draft.post(
      target.skuId,
      locationId,
      { type: 'RESERVE', quantityUnits },
      {
        reservationId,
        channel,
        orderId,
        lineId: target.lineId,
        occurredAt,
      },
    );
    const part =
      parts.find((each) => each.locationId === locationId) ?? addPart(reservation, parts, target, locationId);
    part.reserved += quantityUnits;
  }
  return units - plan.shortUnits;
}

function addPart(
  reservation: Reservation,
  parts: ReservationPart[],
  target: OrderLineTarget,
  locationId: number,
): ReservationPart {
  const ofLine = reservation.parts.filter((part) => part.lineId === target.lineId);
  const line = ofLine[0]?.line ?? 1 + Math.max(-1, ...reservation.parts.map((part) => part.line));
  const { lineId, skuId } = target;
  const part = {
    line,
    part: ofLine.length,
    lineId,
    skuId,
    locationId,
    quantity: 0,
    reserved: 0,
    fulfilled: 0,
    released: 0,
    returned: 0,
  };
  reservation.parts.push(part);
  parts.push(part);
  return part;
}

/** Takes up to `units` of what is open, part by part. */
function takeUnits(parts: ReservationPart[], units: number): TakenPart[] {
  const taken: TakenPart[] = [];
  for (const part of parts) {
    const use = Math.min(openUnits(part), units - sum(taken, (each) => each.units));
    if (use > 0) taken.push({ part, units: use });
  }
  return taken;
}

/** Returned units come back where they were shipped from, to quarantine by default; never more than were shipped. */
function takeBack(
  draft: StockDraft,
  reservation: Reservation,
  parts: ReservationPart[],
  target: OrderLineTarget,
  details: { occurredAt: string; to?: 'quarantined' | 'available' },
): number {
  const before = sum(parts, (part) => part.returned);
  let missing = target.returned - before;
  for (const part of parts) {
    const units = Math.min(part.fulfilled - part.returned, missing);
    if (units <= 0) continue;
    const { channel, orderId, id: reservationId } = reservation;
    const refusal = draft.post(
      part.skuId,
      part.locationId,
      { type: 'RETURN', quantityUnits: units, to: details.to },
      {
        reservationId,
        channel,
        orderId,
        lineId: part.lineId,
        occurredAt: details.occurredAt,
      },
    );
    // Only a level that is full refuses; the order's next document tries again.
    if (refusal) continue;
    part.returned += units;
    missing -= units;
  }
  return sum(parts, (part) => part.returned) - before;
}

/** After a settlement the parts' quantities sum to what is wanted; the last one carries what is short. */
function restateQuantities(
  reservation: Reservation,
  parts: ReservationPart[],
  target: OrderLineTarget,
  shortUnits: number,
): void {
  for (const part of parts) part.quantity = netUnits(part);
  if (shortUnits === 0) return;
  const last = parts.at(-1) ?? addPart(reservation, parts, target, target.locationId ?? 0);
  last.quantity += shortUnits;
}

function sum<T>(items: readonly T[], units: (item: T) => number): number {
  return items.reduce((total, item) => total + units(item), 0);
}
