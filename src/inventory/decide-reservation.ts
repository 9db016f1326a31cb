import { allocate } from './allocate';
import type { ReservationCommand, ReservationView, ReserveCommand } from './commands';
import type { ExceedingLine, Refusal, ShortLine } from './refusal';
import { isTerminal, openUnits, type Reservation, type ReservationPart, settledState } from './reservation';
import type { StockDraft } from './stock-draft';

type Result = { refused: Refusal } | { reservation: ReservationView };

/** Reserves every line, or none (or, with `partial`, what there is). */
export function decideReserve(draft: StockDraft, command: ReserveCommand): Result {
  const parts: ReservationPart[] = [];
  const short: ShortLine[] = [];
  command.lines.forEach((line, index) => {
    const plan = allocate(draft, line.skuId, line.quantityUnits, line.locationId);
    if (plan.shortUnits > 0) {
      const { skuId, locationId, quantityUnits: requested } = line;
      short.push({ line: index, skuId, locationId, requested, available: plan.availableUnits });
    }
    for (const part of plan.parts) {
      draft.post(
        line.skuId,
        part.locationId,
        { type: 'RESERVE', quantityUnits: part.quantityUnits },
        {
          reservationId: command.reservationId,
          reference: command.reference,
        },
      );
    }
    parts.push(...partsOf(index, line.skuId, plan.parts, plan.shortUnits, line.locationId));
  });
  if (short.length > 0 && (!command.partial || draft.events.length === 0)) {
    return { refused: { code: 'insufficient-stock', lines: short } };
  }
  const expiresAt = command.ttlSeconds && new Date(draft.now.getTime() + command.ttlSeconds * 1000);
  const reservation: Reservation = {
    id: command.reservationId,
    reference: command.reference,
    state: expiresAt ? 'held' : 'confirmed',
    expiresAt: expiresAt || undefined,
    parts,
  };
  draft.keep(reservation);
  return { reservation: viewOf(reservation) };
}

/** The short units are asked for on the line's last part, so that the parts sum to what was asked. */
function partsOf(
  line: number,
  skuId: number,
  allocations: { locationId: number; quantityUnits: number }[],
  shortUnits: number,
  askedLocationId: number | undefined,
): ReservationPart[] {
  const parts = allocations.map((taken, part) => ({
    line,
    part,
    skuId,
    locationId: taken.locationId,
    quantity: taken.quantityUnits,
    reserved: taken.quantityUnits,
    fulfilled: 0,
    released: 0,
    returned: 0,
  }));
  const last = parts.at(-1);
  if (last) last.quantity += shortUnits;
  else {
    const locationId = askedLocationId ?? 0;
    parts.push({
      line,
      part: 0,
      skuId,
      locationId,
      quantity: shortUnits,
      reserved: 0,
      fulfilled: 0,
      released: 0,
      returned: 0,
    });
  }
  return parts;
}

/**
 * Confirms, releases, fulfils or expires. Confirm and expiry are decided under the reservation's lock by
 * the database's clock, so exactly one of them wins.
 */
export function decideReservation(draft: StockDraft, command: ReservationCommand): Result {
  const reservation = draft.reservation(command.reservationId);
  if (!reservation) return { refused: { code: 'reservation-not-found' } };
  const refused = refusalByState(draft.now, reservation, command.kind);
  if (refused) return { refused };
  if (command.kind === 'confirm') {
    reservation.state = reservation.state === 'held' ? 'confirmed' : reservation.state;
    reservation.expiresAt = undefined;
  } else if (command.kind === 'expire') {
    giveBack(draft, reservation, takeOpen(reservation), 'RELEASE', command);
    reservation.state = 'expired';
  } else {
    const taken = command.lines ? takeLines(reservation, command.lines) : takeOpen(reservation);
    if ('exceeding' in taken) {
      return { refused: { code: 'exceeds-reservation', lines: taken.exceeding } };
    }
    giveBack(draft, reservation, taken, command.kind === 'fulfil' ? 'FULFILL' : 'RELEASE', command);
    reservation.state = settledState(reservation);
  }
  draft.keep(reservation);
  return { reservation: viewOf(reservation) };
}

function refusalByState(
  now: Date,
  reservation: Reservation,
  kind: ReservationCommand['kind'],
): Refusal | undefined {
  const { state, expiresAt } = reservation;
  const due = state === 'held' && expiresAt !== undefined && expiresAt <= now;
  if (kind === 'expire') return due ? undefined : { code: 'reservation-closed', state };
  if (state === 'expired' || (due && kind === 'confirm')) return { code: 'reservation-expired' };
  if (kind === 'confirm') return isTerminal(state) ? { code: 'reservation-closed', state } : undefined;
  if (isTerminal(state)) return { code: 'reservation-closed', state };
  if (kind === 'fulfil' && state === 'held') return { code: 'reservation-held' };
  return undefined;
}

export interface TakenPart {
  part: ReservationPart;
  units: number;
}

export function takeOpen(reservation: Reservation): TakenPart[] {
  return reservation.parts
    .map((part) => ({ part, units: openUnits(part) }))
    .filter((taken) => taken.units > 0);
}

/** Spreads the asked units over the parts that hold them, in order; all asked lines or none. */
function takeLines(
  reservation: Reservation,
  lines: NonNullable<ReservationCommand['lines']>,
): TakenPart[] | { exceeding: ExceedingLine[] } {
  const open = new Map(reservation.parts.map((part) => [part, openUnits(part)]));
  const taken = new Map<ReservationPart, number>();
  const exceeding: ExceedingLine[] = [];
  for (const line of lines) {
    let missing = line.quantityUnits;
    for (const [part, units] of open) {
      if (part.skuId !== line.skuId) continue;
      if (line.locationId !== undefined && part.locationId !== line.locationId) continue;
      const use = Math.min(units, missing);
      missing -= use;
      open.set(part, units - use);
      if (use > 0) taken.set(part, (taken.get(part) ?? 0) + use);
    }
    if (missing > 0) {
      const { skuId, locationId, quantityUnits: requested } = line;
      exceeding.push({ skuId, locationId, requested, open: requested - missing });
    }
  }
  return exceeding.length > 0 ? { exceeding } : [...taken].map(([part, units]) => ({ part, units }));
}

/** Posts RELEASE or FULFILL for units taken from parts; what is reserved always covers what is open. */
export function giveBack(
  draft: StockDraft,
  reservation: Reservation,
  taken: TakenPart[],
  type: 'RELEASE' | 'FULFILL',
  details: { occurredAt?: string },
): void {
  for (const { part, units } of taken) {
    const refusal = draft.post(
      part.skuId,
      part.locationId,
      { type, quantityUnits: units },
      {
        reservationId: reservation.id,
        reference: reservation.reference,
        channel: reservation.channel,
        orderId: reservation.orderId,
        lineId: part.lineId,
        occurredAt: details.occurredAt,
      },
    );
    if (refusal) throw new BrokenLedgerError(reservation.id, refusal);
    if (type === 'FULFILL') part.fulfilled += units;
    else part.released += units;
  }
}

/** A level holds less than its reservations say: the projection and the reservations disagree. */
export class BrokenLedgerError extends Error {
  readonly code = 'ledger-broken';

  constructor(reservationId: string, refusal: Refusal) {
    super(
      `reservation ${reservationId} has open units that its level does not hold (${JSON.stringify(refusal)}); ` +
        'run `onhand verify`, then `onhand rebuild`',
    );
    this.name = 'BrokenLedgerError';
  }
}

export function viewOf(reservation: Reservation): ReservationView {
  return {
    id: reservation.id,
    reference: reservation.reference,
    state: reservation.state,
    expiresAt: reservation.expiresAt?.toISOString(),
    lines: reservation.parts.map((part) => ({
      line: part.line,
      skuId: part.skuId,
      locationId: part.locationId || undefined,
      quantity: part.quantity,
      reserved: part.reserved,
      fulfilled: part.fulfilled,
      released: part.released,
    })),
  };
}
