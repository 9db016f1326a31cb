import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  histories,
  LOCATIONS_IN_PRIORITY,
  settleOrder,
  SKUS,
  type Step,
} from '../../test/support/command-sequences';
import { type BareCommand, MemoryLedger, type Posted } from '../../test/support/memory-ledger';
import { type OracleAnswer, PLACES, StockOracle } from '../../test/support/stock-oracle';
import type { LedgerCommand } from './commands';
import { COUNTED_STATES, type Level, physicalUnits, sameLevel } from './level';
import { isTerminal, openUnits, type Reservation } from './reservation';

/** One history run through the rules and the oracle side by side. */
class Comparison {
  readonly ledger = new MemoryLedger(LOCATIONS_IN_PRIORITY);
  readonly oracle = new StockOracle(LOCATIONS_IN_PRIORITY);
  readonly reservationIds: string[] = [];
  posted: Posted | undefined;

  run(step: Step): void {
    if ('tickMs' in step) {
      this.oracle.nowMs += step.tickMs;
      this.ledger.stock.now = new Date(this.oracle.nowMs);
      return;
    }
    const command = this.commandOf(step);
    const before = this.allUnits();
    this.posted = this.ledger.post(command);
    const answer = this.oracle.apply({ ...command, key: 'k', actor: 'test' } as LedgerCommand);
    compareAnswers(this.posted, answer);
    this.compareLevels();
    this.checkEvents(this.posted);
    this.checkReservations();
    if (command.kind === 'move' && (command.type === 'TRANSFER' || command.type === 'RECEIVE'))
      assert.equal(this.allUnits(), before, 'a transfer neither makes nor loses units');
  }

  private commandOf(step: Exclude<Step, { tickMs: number }>): BareCommand {
    if ('order' in step) return settleOrder(step.order, step.revision, step.lines);
    if ('change' in step) {
      const { reservationIds: known } = this;
      const reservationId = known[step.reservation % Math.max(1, known.length)] ?? 'nobody';
      return { ...step.change, reservationId };
    }
    if (step.command.kind !== 'reserve') return step.command;
    const reservationId = `r${this.reservationIds.push(`r${this.reservationIds.length}`) - 1}`;
    return { ...step.command, reservationId };
  }

  private compareLevels(): void {
    for (const [sku, loc] of levelsThere()) {
      const level = this.ledger.level(sku, loc);
      const expected = Object.fromEntries(PLACES.map((place) => [place, this.oracle.count(sku, loc, place)]));
      const { version, ...units } = level;
      assert.deepEqual(
        units,
        { ...expected, reserved: this.oracle.reserved(sku, loc) },
        `level ${sku}@${loc}`,
      );
      assert.equal(physicalUnits(level), this.oracle.onShelves.get(`${sku}@${loc}`) ?? 0, 'physical units');
      assert(sameLevel(this.ledger.fold(sku, loc), level), 'the fold of the events is the level');
      assert.equal(version, this.ledger.events.filter((e) => e.skuId === sku && e.locationId === loc).length);
    }
    assert.deepEqual(this.ledger.openShortfalls, this.oracle.shortfalls);
  }

  /** I3, and each event's own copy of the level. */
  private checkEvents({ events }: Posted): void {
    for (const { event, after } of events) {
      if (event.type === 'RESERVE') assert(after.available >= 0, 'RESERVE leaves nothing below zero');
      for (const state of COUNTED_STATES) if (state !== 'available') assert(after[state] >= 0, state);
      assert(event.quantityUnits > 0);
    }
  }

  /** I2. */
  private checkReservations(): void {
    for (const reservation of this.ledger.stock.takenReservations()) {
      for (const part of reservation.parts) {
        const net = part.reserved - part.released;
        assert(net >= 0 && net <= part.quantity, 'what is reserved is at most what was asked');
        assert(openUnits(part) >= 0 && part.returned <= part.fulfilled);
      }
      if (isTerminal(reservation.state)) assert(reservation.parts.every((part) => openUnits(part) === 0));
    }
  }

  private allUnits(): number {
    return levelsThere()
      .map(([sku, loc]) => this.ledger.level(sku, loc))
      .reduce((sum, level) => sum + COUNTED_STATES.reduce((units, state) => units + level[state], 0), 0);
  }
}

function levelsThere(): [number, number][] {
  return SKUS.flatMap((sku) => LOCATIONS_IN_PRIORITY.map((loc): [number, number] => [sku, loc]));
}

function compareAnswers({ outcome, events }: Posted, answer: OracleAnswer): void {
  const refused = 'refused' in outcome ? outcome.refused : undefined;
  assert.deepEqual(plain(refused), plain(answer.refused));
  if ('settlement' in outcome) {
    const { reservationId: _id, ...moved } = outcome.settlement;
    assert.deepEqual(moved, answer.moved);
  }
  if ('reservation' in outcome) {
    const { state, lines } = outcome.reservation;
    assert.equal(state, answer.book!.state);
    const taken = lines.filter((line) => line.reserved > 0);
    const seen = taken.map((l) => [
      `${l.line} ${l.skuId}@${l.locationId}`,
      [l.reserved, l.fulfilled, l.released],
    ]);
    assert.deepEqual(Object.fromEntries(seen), countUnits(answer));
  }
  if ('move' in outcome) {
    const legs = events.map(({ locationId, after }) => ({ locationId, ...pick(after) }));
    assert.deepEqual(outcome.move.legs, legs);
  }
}

function pick({ version, available }: Level): { version: number; available: number } {
  return { version, available };
}

/** Units of a reservation by line, SKU and location: reserved, shipped, given back. */
function countUnits({ book }: OracleAnswer): Record<string, number[]> {
  const counts: Record<string, number[]> = {};
  for (const { line, sku, loc, fate } of book!.units) {
    const count = (counts[`${line} ${sku}@${loc}`] ??= [0, 0, 0]);
    count[0]!++;
    if (fate === 'shipped') count[1]!++;
    if (fate === 'given back') count[2]!++;
  }
  return counts;
}

/** Without the fields that are undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

describe('decideCommand', () => {
  it('agrees with a count of single units after every step of any history', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const comparison = new Comparison();
        for (const step of steps) comparison.run(step);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is put to the test by these histories: every event, refusal and end occurs in them', () => {
    const seen = new Set<string>();
    for (const steps of fc.sample(histories, { numRuns: 500, seed: 1 })) {
      const comparison = new Comparison();
      for (const step of steps) {
        comparison.run(step);
        const { outcome, events, shortfalls } = comparison.posted ?? {
          outcome: {},
          events: [],
          shortfalls: [],
        };
        if ('refused' in outcome) seen.add(outcome.refused.code);
        for (const { event } of events) seen.add(`${event.type} ${event.from} ${event.to}`);
        for (const { cause, quantityUnits } of shortfalls) seen.add(`${cause} short ${quantityUnits > 0}`);
      }
      const ends = comparison.ledger.stock.takenReservations().map((each: Reservation) => each.state);
      ends.forEach((state) => seen.add(state));
    }
    expect([...seen].sort()).toEqual(EVERYTHING);
  });
});

const EVERYTHING = [
  'ADJUST available outside',
  'ADJUST damaged outside',
  'ADJUST in_transit outside',
  'ADJUST on_order outside',
  'ADJUST outside available',
  'ADJUST outside damaged',
  'ADJUST outside in_transit',
  'ADJUST outside on_order',
  'ADJUST outside quarantined',
  'ADJUST quarantined outside',
  'DAMAGE available damaged',
  'EXPECT outside on_order',
  'FULFILL reserved outside',
  'INSPECT quarantined available',
  'INSPECT quarantined damaged',
  'RECEIVE in_transit available',
  'RELEASE reserved available',
  'RESERVE available reserved',
  'RESTOCK on_order available',
  'RESTOCK outside available',
  'RETURN outside available',
  'RETURN outside quarantined',
  'TRANSFER available outside',
  'TRANSFER outside in_transit',
  'confirmed',
  'count short false',
  'count short true',
  'exceeds-reservation',
  'expired',
  'fulfilled',
  'held',
  'insufficient-state',
  'insufficient-stock',
  'order short false',
  'order short true',
  'order-outdated',
  'released',
  'reservation-closed',
  'reservation-expired',
  'reservation-held',
  'reservation-not-found',
];
