import { decide, type Movement } from './decide';
import { EMPTY_LEVEL, evolve, type Level, type StockEvent } from './level';
import type { Refusal } from './refusal';
import type { Reservation } from './reservation';

/** A decided event with all the ledger stores of it but keys and times. */
export interface DraftEvent {
  skuId: number;
  locationId: number;
  event: StockEvent;
  after: Level;
  counterpartLocationId?: number;
  channel?: string;
  orderId?: string;
  lineId?: string;
  reservationId?: string;
  reference?: string;
  reason?: string;
  occurredAt?: string;
}

/** What a shortfall says: `quantity` 0 means that it is covered now. */
export interface DraftShortfall {
  cause: 'order' | 'count';
  skuId: number;
  locationId?: number;
  quantityUnits: number;
  channel?: string;
  orderId?: string;
  lineId?: string;
  reservationId?: string;
}

export type EventDetails = Omit<DraftEvent, 'skuId' | 'locationId' | 'event' | 'after'>;

/** Packs a SKU and a location into one map key; SKU ids are below 2^31 and location ids below 2^21. */
export function levelKey(skuId: number, locationId: number): number {
  return skuId * 0x200000 + locationId;
}

/** Levels and reservations as the transaction holds them locked; grows as commands are decided. */
export interface StockView {
  level(skuId: number, locationId: number): Level;
  /** Locations with a level for the SKU that serve orders, in priority order. */
  locationsOf(skuId: number): readonly number[];
  reservation(id: string): Reservation | undefined;
  reservationOfOrder(channel: string, orderId: string): Reservation | undefined;
  /** The database's clock, read once the locks were held. */
  readonly now: Date;
}

/**
 * One command's changes over a view, kept apart until the command is known to succeed: a refused command
 * leaves no trace for its neighbours in the same transaction.
 */
export class StockDraft {
  readonly events: DraftEvent[] = [];
  readonly levels = new Map<number, Level>();
  readonly reservations = new Map<string, Reservation>();
  readonly shortfalls: DraftShortfall[] = [];

  constructor(private readonly view: StockView) {}

  get now(): Date {
    return this.view.now;
  }

  level(skuId: number, locationId: number): Level {
    return this.levels.get(levelKey(skuId, locationId)) ?? this.view.level(skuId, locationId);
  }

  locationsOf(skuId: number): readonly number[] {
    return this.view.locationsOf(skuId);
  }

  /** Decides a movement and, if it is allowed, takes it into the draft. */
  post(skuId: number, locationId: number, movement: Movement, details: EventDetails): Refusal | undefined {
    const before = this.level(skuId, locationId);
    const decision = decide(before, movement);
    if ('refusal' in decision) return decision.refusal;
    const after = evolve(before, decision.event);
    this.levels.set(levelKey(skuId, locationId), after);
    this.events.push({ ...details, skuId, locationId, event: decision.event, after });
    this.noteCount(skuId, locationId, before, after);
    return undefined;
  }

  /** A copy that may be changed; `keep` stores it. */
  reservation(id: string): Reservation | undefined {
    return copyOf(this.reservations.get(id) ?? this.view.reservation(id));
  }

  reservationOfOrder(channel: string, orderId: string): Reservation | undefined {
    return copyOf(this.view.reservationOfOrder(channel, orderId));
  }

  keep(reservation: Reservation): void {
    this.reservations.set(reservation.id, reservation);
  }

  /** I3: whatever takes `available` below zero records by how much, and whatever brings it back closes that. */
  private noteCount(skuId: number, locationId: number, before: Level, after: Level): void {
    if (before.available >= 0 && after.available >= 0) return;
    const quantityUnits = Math.max(0, -after.available);
    this.shortfalls.push({ cause: 'count', skuId, locationId, quantityUnits });
  }
}

/** The empty level, for views. */
export function levelOrEmpty(level: Level | undefined): Level {
  return level ?? EMPTY_LEVEL;
}

function copyOf(reservation: Reservation | undefined): Reservation | undefined {
  return reservation && { ...reservation, parts: reservation.parts.map((part) => ({ ...part })) };
}
