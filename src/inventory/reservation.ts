/** `held` has an expiry; `fulfilled`, `released` and `expired` are terminal. */
export type ReservationState = 'held' | 'confirmed' | 'fulfilled' | 'released' | 'expired';

/** What one line took from one location; counts are units so far. */
export interface ReservationPart {
  line: number;
  part: number;
  lineId?: string;
  skuId: number;
  /** 0 where nothing could be taken and no location was asked for. */
  locationId: number;
  quantity: number;
  reserved: number;
  fulfilled: number;
  released: number;
  returned: number;
}

export interface Reservation {
  id: string;
  reference?: string;
  channel?: string;
  orderId?: string;
  revision?: number;
  state: ReservationState;
  expiresAt?: Date;
  parts: ReservationPart[];
}

/** Units that are promised and neither shipped nor given back. */
export function openUnits(part: ReservationPart): number {
  return part.reserved - part.fulfilled - part.released;
}

export function isTerminal(state: ReservationState): boolean {
  return state === 'fulfilled' || state === 'released' || state === 'expired';
}

/** The state once parts have changed: terminal when nothing is open any more. */
export function settledState(reservation: Reservation): ReservationState {
  if (reservation.parts.some((part) => openUnits(part) > 0)) return reservation.state;
  return reservation.parts.some((part) => part.fulfilled > 0) ? 'fulfilled' : 'released';
}
