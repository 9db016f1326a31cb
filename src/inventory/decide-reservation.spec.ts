import { MemoryLedger } from '../../test/support/memory-ledger';
import type { ReserveLine } from './commands';
import { BrokenLedgerError } from './decide-reservation';

const MUG = 1;
const CAP = 2;
/** In priority order, which is not the order of the ids. */
const [FRONT, BACK, FAR] = [2, 3, 1] as const;

describe('a reservation', () => {
  let ledger: MemoryLedger;

  beforeEach(() => {
    ledger = new MemoryLedger([FRONT, BACK, FAR]);
  });

  function reserve(lines: ReserveLine[], more: { partial?: boolean; ttlSeconds?: number } = {}) {
    const { outcome } = ledger.post({ kind: 'reserve', reservationId: 'r', lines, partial: false, ...more });
    return outcome;
  }

  function change(kind: 'confirm' | 'release' | 'fulfil' | 'expire', lines?: ReserveLine[]) {
    return ledger.post({ kind, reservationId: 'r', lines }).outcome;
  }

  function takenFrom() {
    return ledger.reservation('r').parts.map((part) => [part.line, part.locationId, part.reserved]);
  }

  describe('takes its units', () => {
    it('from the first location in priority order that covers the line, not from the first that has some', () => {
      ledger.restock(MUG, FAR, 9);
      ledger.restock(MUG, FRONT, 2);
      ledger.restock(MUG, BACK, 5);
      reserve([{ skuId: MUG, quantityUnits: 4 }]);
      expect(takenFrom()).toEqual([[0, BACK, 4]]);
    });

    it('split over locations, in priority order, only when none covers the line', () => {
      ledger.restock(MUG, FAR, 3);
      ledger.restock(MUG, BACK, 3);
      ledger.restock(MUG, FRONT, 2);
      reserve([{ skuId: MUG, quantityUnits: 6 }]);
      expect(takenFrom()).toEqual([
        [0, FRONT, 2],
        [0, BACK, 3],
        [0, FAR, 1],
      ]);
    });

    it('from the location named and no other', () => {
      ledger.restock(MUG, FRONT, 9);
      ledger.restock(MUG, FAR, 1);
      expect(reserve([{ skuId: MUG, quantityUnits: 2, locationId: FAR }])).toEqual({
        refused: {
          code: 'insufficient-stock',
          lines: [{ line: 0, skuId: MUG, locationId: FAR, requested: 2, available: 1 }],
        },
      });
      reserve([{ skuId: MUG, quantityUnits: 1, locationId: FAR }]);
      expect(takenFrom()).toEqual([[0, FAR, 1]]);
    });

    it('never from a location that owes units after a count', () => {
      ledger.restock(MUG, FRONT, 5);
      reserve([{ skuId: MUG, quantityUnits: 5 }]);
      ledger.post({
        kind: 'move',
        type: 'ADJUST',
        skuId: MUG,
        locationId: FRONT,
        quantityUnits: -2,
        reason: 'count',
      });
      ledger.restock(MUG, BACK, 3);
      const { outcome } = ledger.post({
        kind: 'reserve',
        reservationId: 'other',
        lines: [{ skuId: MUG, quantityUnits: 4 }],
        partial: false,
      });
      // Three at the back are three, whatever the front owes.
      expect(outcome).toMatchObject({ refused: { lines: [{ requested: 4, available: 3 }] } });
    });
  });

  it('counts two lines of one SKU together', () => {
    ledger.restock(MUG, FRONT, 5);
    const twice = [
      { skuId: MUG, quantityUnits: 3 },
      { skuId: MUG, quantityUnits: 3 },
    ];
    expect(reserve(twice)).toEqual({
      refused: {
        code: 'insufficient-stock',
        lines: [{ line: 1, skuId: MUG, locationId: undefined, requested: 3, available: 2 }],
      },
    });
    ledger.restock(MUG, FRONT, 1);
    reserve(twice);
    expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 0, reserved: 6 });
  });

  it('takes all lines or none: a refused one leaves no trace', () => {
    ledger.restock(MUG, FRONT, 5);
    const before = ledger.level(MUG, FRONT);
    const refused = reserve([
      { skuId: MUG, quantityUnits: 5 },
      { skuId: CAP, quantityUnits: 1 },
    ]);
    expect(refused).toMatchObject({ refused: { lines: [{ line: 1, skuId: CAP, available: 0 }] } });
    expect(ledger.level(MUG, FRONT)).toBe(before);
    expect(ledger.reservation('r')).toBeUndefined();
  });

  it('with partial takes what there is, and says what was asked', () => {
    ledger.restock(MUG, FRONT, 2);
    const lines = [
      { skuId: MUG, quantityUnits: 3 },
      { skuId: CAP, quantityUnits: 1 },
    ];
    expect(reserve(lines, { partial: true })).toEqual({
      reservation: {
        id: 'r',
        reference: undefined,
        state: 'confirmed',
        expiresAt: undefined,
        lines: [
          { line: 0, skuId: MUG, locationId: FRONT, quantity: 3, reserved: 2, fulfilled: 0, released: 0 },
          { line: 1, skuId: CAP, locationId: undefined, quantity: 1, reserved: 0, fulfilled: 0, released: 0 },
        ],
      },
    });
  });

  it('with partial is refused when there is nothing at all', () => {
    expect(reserve([{ skuId: MUG, quantityUnits: 3 }], { partial: true })).toHaveProperty('refused');
  });

  describe('that is a hold', () => {
    beforeEach(() => {
      ledger.restock(MUG, FRONT, 5);
      ledger.stock.now = new Date(10_000);
      reserve([{ skuId: MUG, quantityUnits: 5 }], { ttlSeconds: 60 });
    });

    it('expires its seconds after it was taken, to the millisecond', () => {
      expect(ledger.reservation('r')).toMatchObject({ state: 'held', expiresAt: new Date(70_000) });
      ledger.stock.now = new Date(69_999);
      expect(change('expire')).toEqual({ refused: { code: 'reservation-closed', state: 'held' } });
      ledger.stock.now = new Date(70_000);
      expect(change('expire')).toMatchObject({ reservation: { state: 'expired' } });
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 5, reserved: 0 });
    });

    it('is confirmed until the millisecond before, and then has no expiry', () => {
      ledger.stock.now = new Date(69_999);
      expect(change('confirm')).toMatchObject({ reservation: { state: 'confirmed' } });
      ledger.stock.now = new Date(70_000);
      expect(change('expire')).toEqual({ refused: { code: 'reservation-closed', state: 'confirmed' } });
      expect(ledger.reservation('r').expiresAt).toBeUndefined();
    });

    it('cannot be confirmed once due, whether or not expiry has come round', () => {
      ledger.stock.now = new Date(70_000);
      expect(change('confirm')).toEqual({ refused: { code: 'reservation-expired' } });
      change('expire');
      expect(change('confirm')).toEqual({ refused: { code: 'reservation-expired' } });
      expect(change('release')).toEqual({ refused: { code: 'reservation-expired' } });
    });

    it('ships nothing before it is confirmed', () => {
      expect(change('fulfil')).toEqual({ refused: { code: 'reservation-held' } });
      change('confirm');
      expect(change('fulfil')).toMatchObject({ reservation: { state: 'fulfilled' } });
    });

    it('gives back at expiry only what was not given back before', () => {
      change('release', [{ skuId: MUG, quantityUnits: 2 }]);
      ledger.stock.now = new Date(70_000);
      change('expire');
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 5, reserved: 0 });
      expect(ledger.reservation('r').parts).toMatchObject([{ reserved: 5, released: 5 }]);
    });
  });

  describe('that is confirmed', () => {
    beforeEach(() => {
      ledger.restock(MUG, FRONT, 3);
      ledger.restock(MUG, BACK, 3);
      reserve([{ skuId: MUG, quantityUnits: 5 }]);
    });

    it('ends fulfilled when its last unit has gone, some shipped and some given back', () => {
      expect(change('fulfil', [{ skuId: MUG, quantityUnits: 4 }])).toMatchObject({
        reservation: { state: 'confirmed' },
      });
      expect(change('release')).toMatchObject({ reservation: { state: 'fulfilled' } });
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 0, reserved: 0 });
      expect(ledger.level(MUG, BACK)).toMatchObject({ available: 2, reserved: 0 });
    });

    it('ends released when nothing was shipped', () => {
      expect(change('release')).toMatchObject({ reservation: { state: 'released' } });
    });

    it('ships from the location named', () => {
      change('fulfil', [{ skuId: MUG, quantityUnits: 2, locationId: BACK }]);
      expect(ledger.level(MUG, FRONT).reserved).toBe(3);
      expect(ledger.level(MUG, BACK).reserved).toBe(0);
    });

    it('ships or gives back no unit twice: all asked lines or none', () => {
      const asked = [
        { skuId: MUG, quantityUnits: 3 },
        { skuId: MUG, quantityUnits: 3 },
        { skuId: CAP, quantityUnits: 1 },
      ];
      for (const kind of ['fulfil', 'release'] as const) {
        expect(change(kind, asked)).toEqual({
          refused: {
            code: 'exceeds-reservation',
            lines: [
              { skuId: MUG, locationId: undefined, requested: 3, open: 2 },
              { skuId: CAP, locationId: undefined, requested: 1, open: 0 },
            ],
          },
        });
      }
      expect(ledger.level(MUG, FRONT).reserved + ledger.level(MUG, BACK).reserved).toBe(5);
    });

    it('is confirmed again without effect', () => {
      const events = ledger.events.length;
      expect(change('confirm')).toMatchObject({ reservation: { state: 'confirmed' } });
      expect(ledger.events).toHaveLength(events);
    });

    it.each(['confirm', 'release', 'fulfil', 'expire'] as const)('refuses to %s once it is over', (kind) => {
      change('fulfil');
      expect(change(kind)).toEqual({ refused: { code: 'reservation-closed', state: 'fulfilled' } });
    });
  });

  it.each(['confirm', 'release', 'fulfil', 'expire'] as const)('that nobody made cannot %s', (kind) => {
    expect(change(kind)).toEqual({ refused: { code: 'reservation-not-found' } });
  });

  describe('and a count below what is reserved', () => {
    beforeEach(() => {
      ledger.restock(MUG, FRONT, 5);
      reserve([{ skuId: MUG, quantityUnits: 4 }]);
    });

    function adjust(quantityUnits: number) {
      return ledger.post({
        kind: 'move',
        type: 'ADJUST',
        skuId: MUG,
        locationId: FRONT,
        quantityUnits,
        reason: 'count',
      });
    }

    it('makes available negative and records by how much, as long as it is', () => {
      expect(adjust(-3).shortfalls).toEqual([
        { cause: 'count', skuId: MUG, locationId: FRONT, quantityUnits: 2 },
      ]);
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: -2, reserved: 4 });
      expect(adjust(1).shortfalls).toMatchObject([{ quantityUnits: 1 }]);
    });

    it('is resolved by what brings available back, and not mentioned after that', () => {
      adjust(-3);
      expect(adjust(2).shortfalls).toEqual([
        { cause: 'count', skuId: MUG, locationId: FRONT, quantityUnits: 0 },
      ]);
      expect(adjust(2).shortfalls).toEqual([]);
    });

    it('is resolved by a reservation that is given back', () => {
      adjust(-3);
      const { shortfalls } = ledger.post({ kind: 'release', reservationId: 'r' });
      expect(shortfalls).toEqual([{ cause: 'count', skuId: MUG, locationId: FRONT, quantityUnits: 0 }]);
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 2, reserved: 0 });
    });

    it('down to zero records nothing', () => {
      expect(adjust(-1).shortfalls).toEqual([]);
    });
  });

  it('whose level holds less than it has open is an error that says what to do, and not a refusal', () => {
    ledger.restock(MUG, FRONT, 5);
    reserve([{ skuId: MUG, quantityUnits: 4 }]);
    const damaged = { ...ledger.level(MUG, FRONT), reserved: 3 };
    ledger.stock.loadLevel(MUG, FRONT, damaged);
    expect(() => change('fulfil')).toThrow(BrokenLedgerError);
    expect(() => change('fulfil')).toThrow(/onhand verify/);
  });
});

describe('a transfer', () => {
  it('is refused as a whole when the first location has too few, and says what it came to at both otherwise', () => {
    const ledger = new MemoryLedger([FRONT, BACK, FAR]);
    ledger.restock(MUG, FRONT, 5);
    const transfer = (quantityUnits: number) =>
      ledger.post({
        kind: 'move',
        type: 'TRANSFER',
        skuId: MUG,
        locationId: FRONT,
        toLocationId: BACK,
        quantityUnits,
      });
    expect(transfer(6).outcome).toMatchObject({
      refused: { code: 'insufficient-state', needed: 6, present: 5 },
    });
    expect(ledger.level(MUG, BACK).version).toBe(0);
    const { outcome, events } = transfer(4);
    expect(outcome).toMatchObject({
      move: {
        type: 'TRANSFER',
        quantity: 4,
        legs: [
          { locationId: FRONT, version: 2, available: 1 },
          { locationId: BACK, version: 1, available: 0 },
        ],
      },
    });
    expect(events.map((event) => event.counterpartLocationId)).toEqual([BACK, FRONT]);
    expect(ledger.level(MUG, BACK)).toMatchObject({ available: 0, in_transit: 4 });
    ledger.post({ kind: 'move', type: 'RECEIVE', skuId: MUG, locationId: BACK, quantityUnits: 4 });
    expect(ledger.level(MUG, BACK)).toMatchObject({ available: 4, in_transit: 0 });
  });
});
