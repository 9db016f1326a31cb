/** Where a unit can be. `outside` is the world beyond our shelves and is not counted. */
export type StockState =
  'outside' | 'available' | 'reserved' | 'quarantined' | 'damaged' | 'in_transit' | 'on_order';

export type CountedState = Exclude<StockState, 'outside'>;

export const COUNTED_STATES: readonly CountedState[] = [
  'available',
  'reserved',
  'quarantined',
  'damaged',
  'in_transit',
  'on_order',
];

export const EVENT_TYPES = [
  ...(['RESTOCK', 'RESERVE', 'RELEASE', 'FULFILL', 'RETURN', 'INSPECT'] as const),
  ...(['ADJUST', 'DAMAGE', 'TRANSFER', 'RECEIVE', 'EXPECT'] as const),
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The projection of the ledger for one SKU at one location, in units; `version` counts its events. */
export interface Level {
  readonly available: number;
  readonly reserved: number;
  readonly quarantined: number;
  readonly damaged: number;
  readonly in_transit: number;
  readonly on_order: number;
  readonly version: number;
}

export const EMPTY_LEVEL: Level = Object.freeze({
  available: 0,
  reserved: 0,
  quarantined: 0,
  damaged: 0,
  in_transit: 0,
  on_order: 0,
  version: 0,
});

/** The part of a ledger event that changes a level. */
export interface StockEvent {
  readonly type: EventType;
  readonly from: StockState;
  readonly to: StockState;
  readonly quantityUnits: number;
}

/** `physical = available + reserved + quarantined + damaged`: what stands on our shelves. */
export function physicalUnits(level: Level): number {
  return level.available + level.reserved + level.quarantined + level.damaged;
}

/** The level after an event. Total over any history that `decide` allowed; it checks nothing. */
export function evolve(level: Level, event: StockEvent): Level {
  const next = { ...level, version: level.version + 1 };
  if (event.from !== 'outside') next[event.from] -= event.quantityUnits;
  if (event.to !== 'outside') next[event.to] += event.quantityUnits;
  return next;
}

/** Events of one level that make the same move, added up by the database. */
export interface SummedMoves {
  type: EventType;
  from_state: StockState;
  to_state: StockState;
  quantity: number;
  events: number;
}

/** The level after so many like events: what `evolve` makes of each does not hang on those before it. */
export function evolveBySum(
  level: Level,
  { type, from_state, to_state, quantity, events }: SummedMoves,
): Level {
  const after = evolve(level, { type, from: from_state, to: to_state, quantityUnits: quantity });
  return { ...after, version: level.version + events };
}

export function sameLevel(a: Level, b: Level): boolean {
  return a.version === b.version && COUNTED_STATES.every((state) => a[state] === b[state]);
}
