import fc from 'fast-check';
import type { OrderLineTarget } from '../../src/inventory/commands';
import { ADJUSTABLE_STATES } from '../../src/inventory/decide';
import type { BareCommand } from './memory-ledger';

export const SKUS = [1, 2, 3];
/** Priority is not the order of the ids, so that code that takes one for the other is caught. */
export const LOCATIONS_IN_PRIORITY = [2, 3, 1];

/**
 * One step of a random history: time passes, or a command is posted. `reservation` counts the reservations
 * made so far and picks one of them, so that a shrunk history still hits those it has.
 */
export type Step =
  | { tickMs: number }
  | { command: BareCommand }
  | { reservation: number; change: ReservationChange }
  | { order: string; revision: number; lines: OrderLine[] };

interface ReservationChange {
  kind: 'confirm' | 'release' | 'fulfil' | 'expire';
  lines?: { skuId: number; quantityUnits: number; locationId?: number }[];
}

type OrderLine = Omit<OrderLineTarget, 'skuId'> & { mapped: boolean };

/** What one unit of each order line consists of; L2 is a bundle, L1 and L3 sell the same SKU. */
const COMPONENTS: Record<string, { skuId: number; units: number }[]> = {
  L1: [{ skuId: 1, units: 1 }],
  L2: [
    { skuId: 2, units: 1 },
    { skuId: 3, units: 2 },
  ],
  L3: [{ skuId: 1, units: 1 }],
};

/** Unevenly drawn, so that some levels see much. */
const sku = fc.constantFrom(...SKUS, 1, 1, 1, 2);
const location = fc.constantFrom(...LOCATIONS_IN_PRIORITY, 2, 2, 3);
const maybeLocation = fc.option(location, { nil: undefined, freq: 2 });
const units = fc.integer({ min: 1, max: 6 });
const place = { skuId: sku, locationId: location, quantityUnits: units };

const moves: fc.Arbitrary<BareCommand> = fc.oneof(
  { weight: 4, arbitrary: move('RESTOCK', { from: fc.constantFrom('outside', 'on_order', undefined) }) },
  { weight: 1, arbitrary: move('RETURN', { to: fc.constantFrom('quarantined', 'available', undefined) }) },
  { weight: 1, arbitrary: move('INSPECT', { to: fc.constantFrom('available', 'damaged') }) },
  { weight: 1, arbitrary: move('DAMAGE') },
  { weight: 1, arbitrary: move('EXPECT') },
  { weight: 2, arbitrary: move('RECEIVE') },
  {
    weight: 2,
    arbitrary: move('TRANSFER', { toLocationId: location }).filter(
      (transfer) => transfer.kind === 'move' && transfer.toLocationId !== transfer.locationId,
    ),
  },
  {
    weight: 3,
    arbitrary: move('ADJUST', {
      quantityUnits: fc.constantFrom(-9, -6, -4, -3, -2, -1, -1, 1, 2, 4),
      state: fc.constantFrom(...ADJUSTABLE_STATES, 'available' as const, undefined),
      reason: fc.constant('count'),
    }),
  },
);

function move(type: string, more: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<BareCommand> {
  const fields = { kind: fc.constant('move'), type: fc.constant(type), ...place, ...more };
  return fc.record(fields) as fc.Arbitrary<BareCommand>;
}

const lines = fc.array(fc.record({ skuId: sku, quantityUnits: units, locationId: maybeLocation }), {
  minLength: 1,
  maxLength: 3,
});

const reserve: fc.Arbitrary<BareCommand> = fc.record({
  kind: fc.constant('reserve' as const),
  reservationId: fc.constant('drawn when posted'),
  lines,
  partial: fc.boolean(),
  ttlSeconds: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
});

const change: fc.Arbitrary<ReservationChange> = fc.record({
  kind: fc.constantFrom('confirm', 'release', 'fulfil', 'fulfil', 'expire'),
  lines: fc.option(lines, { nil: undefined, freq: 2 }),
});

const orderLine: fc.Arbitrary<Omit<OrderLine, 'lineId'>> = fc
  .record({
    locationId: fc.option(location, { nil: undefined, freq: 1 }),
    ordered: fc.nat(6),
    cancelled: fc.nat(6),
    fulfilled: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
    returned: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) }),
    mapped: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  })
  .map((line) => ({ ...line, cancelled: Math.min(line.cancelled, line.ordered) }));

const orderLines: fc.Arbitrary<OrderLine[]> = fc
  .tuple(...Object.keys(COMPONENTS).map(() => fc.option(orderLine, { nil: undefined, freq: 3 })))
  .map((drawn) =>
    drawn.flatMap((line, index) => (line ? [{ ...line, lineId: Object.keys(COMPONENTS)[index]! }] : [])),
  );

/** Random histories of all commands, over few SKUs, locations and orders, so that they get in each other's way. */
export const histories: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: moves.map((command) => ({ command })) },
    { weight: 5, arbitrary: reserve.map((command) => ({ command })) },
    { weight: 5, arbitrary: fc.record({ reservation: fc.nat(7), change }) },
    {
      weight: 5,
      arbitrary: fc.record({
        order: fc.constantFrom('A', 'B'),
        revision: fc.integer({ min: 1, max: 9 }),
        lines: orderLines,
      }),
    },
    { weight: 2, arbitrary: fc.record({ tickMs: fc.constantFrom(1000, 1500) }) },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
);

/** A channel's order document, as intake makes it into a command. */
export function settleOrder(order: string, revision: number, orderLines: OrderLine[]): BareCommand {
  return {
    kind: 'settle-order',
    channel: 'shop',
    orderId: order,
    revision,
    reservationId: `shop/${order}#`,
    lines: orderLines
      .filter((line) => line.mapped)
      .flatMap(({ lineId, locationId, ordered, cancelled, fulfilled, returned }) =>
        COMPONENTS[lineId]!.map(({ skuId, units: each }) => ({
          lineId,
          skuId,
          locationId,
          ordered: ordered * each,
          cancelled: cancelled * each,
          fulfilled: fulfilled * each,
          returned: returned * each,
        })),
      ),
    lineIds: orderLines.map((line) => line.lineId),
    placedAt: '2024-01-01T00:00:00.000Z',
  };
}
