/** Why a command was not done. Recorded with its idempotency key, so the same request stays refused. */
export type Refusal =
  | { code: 'insufficient-stock'; lines: ShortLine[] }
  | { code: 'insufficient-state'; state: string; needed: number; present: number }
  | { code: 'quantity-too-large'; limit: number }
  | { code: 'reservation-not-found' }
  | { code: 'reservation-expired' }
  | { code: 'reservation-closed'; state: string }
  | { code: 'reservation-held' }
  | { code: 'exceeds-reservation'; lines: ExceedingLine[] }
  | { code: 'order-outdated'; revision: number };

/** A line that stock did not cover; `line` is its index in the command. */
export interface ShortLine {
  line: number;
  skuId: number;
  locationId?: number;
  requested: number;
  available: number;
}

/** A part of a release or fulfilment that the reservation does not have open. */
export interface ExceedingLine {
  skuId: number;
  locationId?: number;
  requested: number;
  open: number;
}
