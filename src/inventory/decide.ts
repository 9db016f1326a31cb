import {
  COUNTED_STATES,
  type CountedState,
  type EventType,
  type Level,
  type StockEvent,
  type StockState,
} from './level';
import type { Refusal } from './refusal';

/** No level may hold more over all its states; far below 2^53, so sums over locations stay exact. */
export const MAX_LEVEL_UNITS = 1_000_000_000_000;

/**
 * One change asked of one level, in units.
 * `state` and a signed quantity belong to ADJUST alone; `from` and `to` choose where a type leaves a choice.
 */
export interface Movement {
  readonly type: EventType;
  readonly quantityUnits: number;
  readonly from?: StockState;
  readonly to?: StockState;
  readonly state?: CountedState;
}

export type Decision = { readonly event: StockEvent } | { readonly refusal: Refusal };

/** The first entry of each list is the default. TRANSFER's two legs are chosen by the caller. */
const MOVES: Record<
  Exclude<EventType, 'ADJUST'>,
  { from: readonly StockState[]; to: readonly StockState[] }
> = {
  RESTOCK: { from: ['outside', 'on_order'], to: ['available'] },
  RESERVE: { from: ['available'], to: ['reserved'] },
  RELEASE: { from: ['reserved'], to: ['available'] },
  FULFILL: { from: ['reserved'], to: ['outside'] },
  RETURN: { from: ['outside'], to: ['quarantined', 'available'] },
  INSPECT: { from: ['quarantined'], to: ['available', 'damaged'] },
  DAMAGE: { from: ['available'], to: ['damaged'] },
  TRANSFER: { from: ['available', 'outside'], to: ['outside', 'in_transit'] },
  RECEIVE: { from: ['in_transit'], to: ['available'] },
  EXPECT: { from: ['outside'], to: ['on_order'] },
};

/** The states that ADJUST may correct: all but `reserved`, which belongs to reservations. */
export const ADJUSTABLE_STATES: readonly CountedState[] = [
  'available',
  'quarantined',
  'damaged',
  'in_transit',
  'on_order',
];

/** The choices a type leaves its caller, for validation at the edge. */
export function choicesOf(type: Exclude<EventType, 'ADJUST'>): {
  from: readonly StockState[];
  to: readonly StockState[];
} {
  return MOVES[type];
}

/**
 * Whether a level allows a movement, and the event it makes. Pure: the writer, the rebuild, the
 * simulation and the property tests all decide here.
 *
 * RESERVE never takes `available` below zero. ADJUST may, down to minus what is reserved: a count can
 * find fewer units than are promised, but not fewer than none.
 *
 * The most that a level may hold is checked where units come in. Moves within a level are never refused
 * for it: what was reserved can always be given back.
 */
export function decide(level: Level, movement: Movement): Decision {
  const event = movement.type === 'ADJUST' ? adjustment(movement) : move(movement);
  const missing = missingUnits(level, event);
  if (missing) return { refusal: missing };
  if (event.from === 'outside' && allUnits(level) + event.quantityUnits > MAX_LEVEL_UNITS) {
    return { refusal: { code: 'quantity-too-large', limit: MAX_LEVEL_UNITS } };
  }
  return { event };
}

function allUnits(level: Level): number {
  return COUNTED_STATES.reduce((sum, state) => sum + level[state], 0);
}

function adjustment(movement: Movement): StockEvent {
  const state = movement.state ?? 'available';
  const found = movement.quantityUnits > 0;
  return {
    type: 'ADJUST',
    from: found ? 'outside' : state,
    to: found ? state : 'outside',
    quantityUnits: Math.abs(movement.quantityUnits),
  };
}

function move(movement: Movement): StockEvent {
  const choice = MOVES[movement.type as Exclude<EventType, 'ADJUST'>];
  return {
    type: movement.type,
    from: movement.from ?? choice.from[0]!,
    to: movement.to ?? choice.to[0]!,
    quantityUnits: movement.quantityUnits,
  };
}

function missingUnits(level: Level, event: StockEvent): Refusal | undefined {
  if (event.from === 'outside') return undefined;
  const promised = event.type === 'ADJUST' && event.from === 'available' ? level.reserved : 0;
  const present = level[event.from] + promised;
  if (present >= event.quantityUnits) return undefined;
  return { code: 'insufficient-state', state: event.from, needed: event.quantityUnits, present };
}
