import { createHash } from 'node:crypto';
import type { CountedState, EventType, StockState } from './level';
import type { Refusal } from './refusal';
import type { ReservationState } from './reservation';

/** Who asks, and under which key. The key is unique for ever; the content's hash is kept beside it. */
export interface CommandEnvelope {
  key: string;
  actor: string;
}

/** What may be posted by itself; RESERVE, RELEASE and FULFILL belong to reservations. */
export const POSTABLE_TYPES = [
  'RESTOCK',
  'RETURN',
  'INSPECT',
  'ADJUST',
  'DAMAGE',
  'TRANSFER',
  'RECEIVE',
  'EXPECT',
] as const;

/** Any stock event that is not part of a reservation. Quantities in units; ISO times. */
export interface MoveCommand extends CommandEnvelope {
  kind: 'move';
  type: (typeof POSTABLE_TYPES)[number];
  skuId: number;
  locationId: number;
  quantityUnits: number;
  toLocationId?: number;
  from?: StockState;
  to?: StockState;
  state?: CountedState;
  reason?: string;
  reference?: string;
  occurredAt?: string;
}

export interface ReserveLine {
  skuId: number;
  quantityUnits: number;
  /** Taken from here alone; else from the first location in priority order that covers the line. */
  locationId?: number;
}

/** All lines or none, unless `partial`. With `ttlSeconds` a hold that expires by the database's clock. */
export interface ReserveCommand extends CommandEnvelope {
  kind: 'reserve';
  reservationId: string;
  reference?: string;
  lines: ReserveLine[];
  ttlSeconds?: number;
  partial: boolean;
}

export interface ReservationPartLine {
  skuId: number;
  quantityUnits: number;
  locationId?: number;
}

/** Without `lines`, all that is still open. */
export interface ReservationCommand extends CommandEnvelope {
  kind: 'confirm' | 'release' | 'fulfil' | 'expire';
  reservationId: string;
  lines?: ReservationPartLine[];
  occurredAt?: string;
}

/** One SKU of one line of a channel's order; counts in our units, so far. */
export interface OrderLineTarget {
  lineId: string;
  skuId: number;
  locationId?: number;
  ordered: number;
  cancelled: number;
  fulfilled: number;
  returned: number;
}

/** Brings the ledger to where a channel's order stands; posts only the difference. */
export interface SettleOrderCommand extends CommandEnvelope {
  kind: 'settle-order';
  channel: string;
  orderId: string;
  revision: number;
  /** Used when the order has no reservation yet. */
  reservationId: string;
  /** The lines whose SKU is mapped. */
  lines: OrderLineTarget[];
  /** Every line the order has, mapped or not; a line that was settled and is not named here is gone. */
  lineIds: string[];
  placedAt: string;
  updatedAt?: string;
  /** Where returned units go; quarantine when absent. */
  returnTo?: 'quarantined' | 'available';
}

export type LedgerCommand = MoveCommand | ReserveCommand | ReservationCommand | SettleOrderCommand;

/** A reservation as its command left it; also what a repeated request is answered with. */
export interface ReservationView {
  id: string;
  reference?: string;
  state: ReservationState;
  expiresAt?: string;
  lines: {
    line: number;
    skuId: number;
    /** Absent where nothing could be reserved and no location was asked for. */
    locationId?: number;
    quantity: number;
    reserved: number;
    fulfilled: number;
    released: number;
  }[];
}

export interface MoveView {
  type: EventType;
  skuId: number;
  quantity: number;
  recordedAt: string;
  /** One, or a TRANSFER's two legs: the level after the event. */
  legs: { locationId: number; version: number; available: number }[];
}

export interface SettlementView {
  reservationId?: string;
  reserved: number;
  released: number;
  fulfilled: number;
  returned: number;
  shortfall: number;
}

/** What a command came to. Plain JSON: it is stored under the key and answered again as it stands. */
export type Outcome =
  | { refused: Refusal }
  | { move: MoveView }
  | { reservation: ReservationView }
  | { settlement: SettlementView };

/** sha256 of what is asked, without who asks, under which key, or ids drawn for this attempt. */
export function contentHash(command: LedgerCommand): Buffer {
  const { key: _key, actor: _actor, ...content } = command;
  if (content.kind === 'reserve' || content.kind === 'settle-order') {
    const { reservationId: _drawn, ...asked } = content;
    return digest(asked);
  }
  return digest(content);
}

/** Commands are built by our own code with their fields in one order, so plain JSON is canonical. */
function digest(content: object): Buffer {
  return createHash('sha256').update(JSON.stringify(content)).digest();
}
