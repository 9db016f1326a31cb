import fc from 'fast-check';
import { type BareCommand, MemoryLedger } from '../../test/support/memory-ledger';
import type { OrderLineTarget, SettleOrderCommand } from './commands';
import { MAX_LEVEL_UNITS } from './decide';
import { openUnits } from './reservation';

const MUG = 1;
const CAP = 2;
/** In priority order, which is not the order of the ids. */
const [FRONT, BACK] = [2, 1] as const;

type Line = Partial<OrderLineTarget> & { ordered: number };

/** A document of order 1001 whose lines are mugs unless they say otherwise. */
function document(revision: number, lines: Record<string, Line>, more: Partial<SettleOrderCommand> = {}) {
  return {
    kind: 'settle-order',
    channel: 'shop',
    orderId: '1001',
    revision,
    reservationId: `drawn for ${revision}`,
    lines: Object.entries(lines).map(([lineId, line]) => ({
      lineId,
      skuId: MUG,
      cancelled: 0,
      fulfilled: 0,
      returned: 0,
      ...line,
    })),
    lineIds: Object.keys(lines),
    placedAt: '2024-05-01T10:00:00.000Z',
    ...more,
  } satisfies BareCommand;
}

describe('settling an order', () => {
  let ledger: MemoryLedger;

  beforeEach(() => {
    ledger = new MemoryLedger([FRONT, BACK]);
  });

  function settle(revision: number, lines: Record<string, Line>, more: Partial<SettleOrderCommand> = {}) {
    const { outcome } = ledger.post(document(revision, lines, more));
    return 'settlement' in outcome ? outcome.settlement : outcome;
  }

  function order() {
    return ledger.stock.reservationOfOrder('shop', '1001')!;
  }

  it('posts only what the ledger lacks', () => {
    ledger.restock(MUG, FRONT, 10);
    const nothing = { reserved: 0, released: 0, fulfilled: 0, returned: 0, shortfall: 0 };
    expect(settle(1, { a: { ordered: 4 } })).toMatchObject({ ...nothing, reserved: 4 });
    expect(settle(2, { a: { ordered: 6 } })).toMatchObject({ ...nothing, reserved: 2 });
    expect(settle(3, { a: { ordered: 5 } })).toMatchObject({ ...nothing, released: 1 });
    expect(settle(4, { a: { ordered: 5, fulfilled: 2 } })).toMatchObject({ ...nothing, fulfilled: 2 });
    expect(settle(5, { a: { ordered: 5, fulfilled: 2, cancelled: 3 } })).toMatchObject({
      ...nothing,
      released: 3,
    });
    expect(settle(6, { a: { ordered: 5, fulfilled: 2, cancelled: 3, returned: 1 } })).toMatchObject({
      ...nothing,
      returned: 1,
    });
    expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 8, reserved: 0, quarantined: 1 });
    expect(order().state).toBe('fulfilled');
  });

  it('changes nothing for a document that comes again', () => {
    ledger.restock(MUG, FRONT, 3);
    const lines = { a: { ordered: 5, fulfilled: 1, returned: 1 } };
    settle(1, lines);
    const events = ledger.events.length;
    expect(settle(1, lines)).toMatchObject({ reserved: 0, fulfilled: 0, returned: 0, shortfall: 2 });
    expect(ledger.events).toHaveLength(events);
  });

  it('refuses a document older than the one settled', () => {
    ledger.restock(MUG, FRONT, 10);
    settle(3, { a: { ordered: 2 } });
    expect(settle(2, { a: { ordered: 9 } })).toEqual({ refused: { code: 'order-outdated', revision: 3 } });
    expect(ledger.level(MUG, FRONT).reserved).toBe(2);
  });

  it('keeps one reservation per order, under the id drawn first', () => {
    ledger.restock(MUG, FRONT, 10);
    settle(1, { a: { ordered: 2 } });
    expect(settle(2, { a: { ordered: 3 } })).toMatchObject({ reservationId: 'drawn for 1' });
    ledger.post(document(1, { a: { ordered: 1 } }, { orderId: '1002', reservationId: 'of 1002' }));
    ledger.post(document(1, { a: { ordered: 1 } }, { channel: 'other', reservationId: 'of other' }));
    expect(ledger.stock.takenReservations().map(({ id }) => id)).toEqual([
      'drawn for 1',
      'of 1002',
      'of other',
    ]);
  });

  it('reserves nothing for an order that was cancelled before it was heard of', () => {
    ledger.restock(MUG, FRONT, 10);
    settle(2, { a: { ordered: 4, cancelled: 4 } });
    expect(order().state).toBe('released');
    expect(settle(1, { a: { ordered: 4 } })).toHaveProperty('refused');
    expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 10, reserved: 0 });
  });

  it('reserves and ships at once what it first hears of as shipped, also beyond what was ordered', () => {
    ledger.restock(MUG, FRONT, 10);
    expect(settle(1, { a: { ordered: 2, fulfilled: 3 } })).toMatchObject({
      reserved: 3,
      fulfilled: 3,
      shortfall: 0,
    });
    expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 7, reserved: 0 });
  });

  it('never takes back what was shipped when a later document counts less of it', () => {
    ledger.restock(MUG, FRONT, 10);
    settle(1, { a: { ordered: 3, fulfilled: 3, returned: 2 } });
    const events = ledger.events.length;
    settle(2, { a: { ordered: 3, fulfilled: 1, returned: 0 } });
    expect(ledger.events).toHaveLength(events);
  });

  describe('that stock does not cover', () => {
    it('records a shortfall and no refusal, and holds what there is', () => {
      ledger.restock(MUG, FRONT, 3);
      expect(settle(1, { a: { ordered: 5 } })).toMatchObject({ reserved: 3, shortfall: 2 });
      expect(ledger.openShortfalls).toEqual(new Map([['shop/1001/a|1', 2]]));
      expect(order()).toMatchObject({
        state: 'confirmed',
        parts: [{ quantity: 5, reserved: 3, locationId: FRONT }],
      });
    });

    it('is covered by the next document once stock has come', () => {
      expect(settle(1, { a: { ordered: 5 } })).toMatchObject({ reserved: 0, shortfall: 5 });
      expect(order().state).toBe('confirmed');
      ledger.restock(MUG, BACK, 5);
      expect(settle(2, { a: { ordered: 5 } })).toMatchObject({ reserved: 5, shortfall: 0 });
      expect(ledger.openShortfalls.size).toBe(0);
    });

    it('is no longer short when the order wants no more than there is', () => {
      ledger.restock(MUG, FRONT, 3);
      settle(1, { a: { ordered: 5 } });
      settle(2, { a: { ordered: 5, cancelled: 2 } });
      expect(ledger.openShortfalls.size).toBe(0);
      expect(ledger.level(MUG, FRONT).reserved).toBe(3);
    });

    it('mentions each shortfall once more when it is over, and then no more', () => {
      settle(1, { a: { ordered: 5 } });
      const over = ledger.post(document(2, { a: { ordered: 5, cancelled: 5 } }));
      expect(over.shortfalls).toMatchObject([{ cause: 'order', lineId: 'a', quantityUnits: 0 }]);
      expect(ledger.post(document(3, { a: { ordered: 5, cancelled: 5 } })).shortfalls).toEqual([]);
    });

    it('ships only what is held, and keeps the rest as shortfall', () => {
      ledger.restock(MUG, FRONT, 3);
      expect(settle(1, { a: { ordered: 5, fulfilled: 5 } })).toMatchObject({ fulfilled: 3, shortfall: 2 });
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 0, reserved: 0 });
      expect(order().state).toBe('confirmed');
    });
  });

  describe('whose lines change', () => {
    it('gives back a line that is gone, but keeps what of it was shipped', () => {
      ledger.restock(MUG, FRONT, 10);
      settle(1, { a: { ordered: 4, fulfilled: 1 }, b: { ordered: 2 } });
      expect(settle(2, { b: { ordered: 2 } })).toMatchObject({ released: 3, fulfilled: 0, returned: 0 });
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 7, reserved: 2 });
    });

    it('resolves the shortfall of a line that is gone', () => {
      settle(1, { a: { ordered: 4 } });
      settle(2, {}, { lineIds: [] });
      expect(ledger.openShortfalls.size).toBe(0);
      expect(order().state).toBe('released');
    });

    it('leaves alone a line that is there but is not mapped', () => {
      ledger.restock(MUG, FRONT, 10);
      settle(1, { a: { ordered: 4 } });
      expect(settle(2, {}, { lineIds: ['a'] })).toMatchObject({ released: 0 });
      expect(ledger.level(MUG, FRONT).reserved).toBe(4);
    });

    it('moves the last units from line to line without a shortfall, whichever line comes first', () => {
      ledger.restock(MUG, FRONT, 5);
      settle(1, { a: { ordered: 5 } });
      expect(settle(2, { b: { ordered: 5 } })).toMatchObject({ released: 5, reserved: 5, shortfall: 0 });
      expect(settle(3, { a: { ordered: 2 }, b: { ordered: 3 } })).toMatchObject({
        reserved: 2,
        shortfall: 0,
      });
      expect(settle(4, { a: { ordered: 1 }, b: { ordered: 4 } })).toMatchObject({
        reserved: 1,
        shortfall: 0,
      });
      expect(ledger.openShortfalls.size).toBe(0);
    });

    it('ends when the last open unit has gone, and opens again when more is ordered', () => {
      ledger.restock(MUG, FRONT, 10);
      settle(1, { a: { ordered: 2, fulfilled: 2 } });
      expect(order().state).toBe('fulfilled');
      settle(2, { a: { ordered: 3, fulfilled: 2 } });
      expect(order().state).toBe('confirmed');
    });
  });

  it('counts each SKU of a bundle by itself', () => {
    ledger.restock(MUG, FRONT, 10);
    ledger.restock(CAP, FRONT, 1);
    const bundle = [
      { lineId: 'a', skuId: MUG, ordered: 2, cancelled: 0, fulfilled: 0, returned: 0 },
      { lineId: 'a', skuId: CAP, ordered: 4, cancelled: 0, fulfilled: 0, returned: 0 },
    ];
    expect(settle(1, { a: { ordered: 0 } }, { lines: bundle })).toMatchObject({ reserved: 3, shortfall: 3 });
    expect(order().parts.map(({ line, part, skuId, quantity }) => [line, part, skuId, quantity])).toEqual([
      [0, 0, MUG, 2],
      [0, 1, CAP, 4],
    ]);
    expect(ledger.openShortfalls).toEqual(new Map([['shop/1001/a|2', 3]]));
  });

  describe('over two locations', () => {
    beforeEach(() => {
      ledger.restock(MUG, FRONT, 3);
      ledger.restock(MUG, BACK, 3);
      settle(1, { a: { ordered: 5 } });
    });

    it('gives back first what it took last', () => {
      settle(2, { a: { ordered: 5, cancelled: 3 } });
      expect(ledger.level(MUG, FRONT)).toMatchObject({ available: 1, reserved: 2 });
      expect(ledger.level(MUG, BACK)).toMatchObject({ available: 3, reserved: 0 });
    });

    it('ships first what it took first, and puts what returns in quarantine where it was shipped from', () => {
      settle(2, { a: { ordered: 5, fulfilled: 4 } });
      expect(ledger.level(MUG, FRONT).reserved).toBe(0);
      expect(ledger.level(MUG, BACK).reserved).toBe(1);
      expect(settle(3, { a: { ordered: 5, fulfilled: 4, returned: 9 } })).toMatchObject({ returned: 4 });
      expect(ledger.level(MUG, FRONT).quarantined).toBe(3);
      expect(ledger.level(MUG, BACK).quarantined).toBe(1);
    });
  });

  it('leaves for the next document what returns to a level that is full', () => {
    ledger.restock(MUG, FRONT, 2);
    settle(1, { a: { ordered: 2, fulfilled: 2 } });
    ledger.restock(MUG, FRONT, MAX_LEVEL_UNITS);
    const returned = { a: { ordered: 2, fulfilled: 2, returned: 2 } };
    expect(settle(2, returned)).toMatchObject({ returned: 0 });
    ledger.post({ kind: 'move', type: 'DAMAGE', skuId: MUG, locationId: FRONT, quantityUnits: 5 });
    ledger.post({
      kind: 'move',
      type: 'ADJUST',
      skuId: MUG,
      locationId: FRONT,
      quantityUnits: -5,
      state: 'damaged',
      reason: 'scrapped',
    });
    expect(settle(3, returned)).toMatchObject({ returned: 2 });
  });

  it('dates a reservation when the order was placed and the rest when it was changed, and names the order', () => {
    ledger.restock(MUG, FRONT, 9);
    const updatedAt = '2024-05-03T12:00:00.000Z';
    settle(1, { a: { ordered: 3, fulfilled: 2, returned: 1 } }, { updatedAt });
    settle(2, { a: { ordered: 3, fulfilled: 2, returned: 1, cancelled: 1 } }, { updatedAt });
    const own = ledger.events
      .slice(1)
      .map(({ event, occurredAt, channel, orderId, lineId }) => [
        event.type,
        occurredAt,
        `${channel} ${orderId} ${lineId}`,
      ]);
    const placedAt = '2024-05-01T10:00:00.000Z';
    expect(own).toEqual([
      ['RESERVE', placedAt, 'shop 1001 a'],
      ['FULFILL', updatedAt, 'shop 1001 a'],
      ['RETURN', updatedAt, 'shop 1001 a'],
      ['RELEASE', updatedAt, 'shop 1001 a'],
    ]);
  });
});

/** What must not depend on the order in which documents came: how much is where, and in which state. */
function endOf(documents: readonly BareCommand[]): unknown {
  const ledger = new MemoryLedger([FRONT, BACK]);
  for (const sku of [MUG, CAP]) for (const place of [FRONT, BACK]) ledger.restock(sku, place, 1_000);
  for (const each of documents) ledger.post(each);
  const { state, revision, parts } = ledger.stock.reservationOfOrder('shop', '1001')!;
  const lines: Record<string, { open: number; fulfilled: number; returned: number }> = {};
  for (const part of parts) {
    const line = (lines[`${part.lineId} ${part.skuId}`] ??= { open: 0, fulfilled: 0, returned: 0 });
    line.open += openUnits(part);
    line.fulfilled += part.fulfilled;
    line.returned += part.returned;
  }
  for (const [name, { open, fulfilled }] of Object.entries(lines))
    if (open + fulfilled === 0) delete lines[name];
  const levels = [MUG, CAP].flatMap((sku) =>
    [FRONT, BACK].map((place) => {
      const { version: _events, ...units } = ledger.level(sku, place);
      return units;
    }),
  );
  return { state, revision, lines, levels, shortfalls: [...ledger.openShortfalls] };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}

describe('the documents of one order', () => {
  const life = [
    document(1, { a: { ordered: 4 }, b: { skuId: CAP, ordered: 2 } }),
    document(2, { a: { ordered: 6 }, b: { skuId: CAP, ordered: 2 } }),
    document(3, { a: { ordered: 5 }, c: { skuId: CAP, ordered: 1 } }),
    document(4, { a: { ordered: 5, fulfilled: 2 }, c: { skuId: CAP, ordered: 1, fulfilled: 1 } }),
    document(5, {
      a: { ordered: 5, fulfilled: 2, cancelled: 3 },
      c: { skuId: CAP, ordered: 1, fulfilled: 1 },
    }),
    document(6, {
      a: { ordered: 5, fulfilled: 2, cancelled: 3, returned: 1 },
      c: { skuId: CAP, ordered: 1, fulfilled: 1 },
    }),
  ];

  it('end in one state in all 720 orders, each also delivered twice', () => {
    const expected = endOf(life);
    expect(expected).toMatchObject({
      state: 'fulfilled',
      revision: 6,
      lines: { 'a 1': { open: 0, fulfilled: 2, returned: 1 }, 'c 2': { open: 0, fulfilled: 1, returned: 0 } },
      levels: [{ available: 998, reserved: 0, quarantined: 1 }, { available: 1_000 }, { available: 999 }, {}],
      shortfalls: [],
    });
    const orders = permutations(life);
    expect(orders).toHaveLength(720);
    for (const delivered of orders) {
      expect(endOf(delivered)).toEqual(expected);
      expect(endOf(delivered.flatMap((each) => [each, each]))).toEqual(expected);
      expect(endOf([...delivered, ...delivered])).toEqual(expected);
    }
  });

  type StoryEnd = { levels: object[] } & Record<string, unknown>;
  const STORIES: [string, Record<string, Line>[], Partial<SettleOrderCommand>, StoryEnd][] = [
    [
      'an order cancelled before it was heard of, and whole',
      [{ a: { ordered: 3 } }, { a: { ordered: 3, cancelled: 3 } }],
      {},
      { state: 'released', lines: {}, levels: [{ available: 1_000, reserved: 0 }] },
    ],
    [
      'units refunded that never come back',
      [
        { a: { ordered: 3 } },
        { a: { ordered: 3, fulfilled: 3 } },
        // A refund without return: the channel counts nothing as cancelled or returned.
        { a: { ordered: 3, fulfilled: 3 } },
      ],
      {},
      { state: 'fulfilled', levels: [{ available: 997, reserved: 0, quarantined: 0 }] },
    ],
    [
      'a line that is taken out, put back and changed',
      [
        { a: { ordered: 2 }, b: { ordered: 1 } },
        { b: { ordered: 1 } },
        { a: { ordered: 7 }, b: { ordered: 1 } },
        { a: { ordered: 4 }, b: { ordered: 1, cancelled: 1 } },
      ],
      {},
      { lines: { 'a 1': { open: 4, fulfilled: 0, returned: 0 } }, levels: [{ available: 996, reserved: 4 }] },
    ],
    [
      'units that come back for sale, in parts, of what was shipped in parts',
      [
        { a: { ordered: 6, fulfilled: 2 } },
        { a: { ordered: 6, fulfilled: 4, returned: 1 } },
        { a: { ordered: 6, fulfilled: 4, cancelled: 1, returned: 3 } },
        { a: { ordered: 6, fulfilled: 5, cancelled: 1, returned: 4 } },
      ],
      { returnTo: 'available' },
      {
        state: 'fulfilled',
        lines: { 'a 1': { open: 0, fulfilled: 5, returned: 4 } },
        levels: [{ available: 999, reserved: 0, quarantined: 0 }],
      },
    ],
    [
      'an edit that moves units from one line to another, and one of another SKU',
      [
        { a: { ordered: 5 }, b: { ordered: 1 } },
        { a: { ordered: 1 }, b: { ordered: 5 } },
        { a: { ordered: 1, fulfilled: 1 }, b: { ordered: 5, cancelled: 2 }, c: { skuId: CAP, ordered: 2 } },
        {
          a: { ordered: 1, fulfilled: 1 },
          b: { ordered: 5, cancelled: 2, fulfilled: 3 },
          c: { skuId: CAP, ordered: 1 },
        },
      ],
      {},
      {
        lines: { 'a 1': { fulfilled: 1 }, 'b 1': { fulfilled: 3, open: 0 }, 'c 2': { open: 1 } },
        levels: [{ available: 996, reserved: 0 }, {}, { available: 999, reserved: 1 }, {}],
      },
    ],
    [
      'an order that wants more than there is, and then less',
      [
        { a: { ordered: 1_500 } },
        { a: { ordered: 1_500, cancelled: 700 } },
        { a: { ordered: 900, cancelled: 700 } },
      ],
      {},
      { lines: { 'a 1': { open: 200 } }, levels: [{ available: 800, reserved: 200 }], shortfalls: [] },
    ],
  ];

  it.each(STORIES)('%s end the same in every order, and delivered twice', (_story, documents, more, end) => {
    const life = documents.map((lines, index) => document(index + 1, lines, more));
    const expected = endOf(life) as { levels: object[] };
    expect({
      ...expected,
      levels: expected.levels.slice(0, end.levels.length),
    }).toMatchObject(end);
    for (const delivered of permutations(life)) {
      expect(endOf(delivered)).toEqual(expected);
      expect(endOf(delivered.flatMap((each) => [each, each]))).toEqual(expected);
      expect(endOf([...delivered, ...delivered])).toEqual(expected);
    }
  });

  it('whatever they say, end as the newest one has it, in any order and number', () => {
    const step = fc.record({ ordered: fc.nat(6), cancelled: fc.nat(3), shipped: fc.nat(2), back: fc.nat(1) });
    const lives = fc.array(fc.record({ a: fc.option(step), b: fc.option(step) }), {
      minLength: 1,
      maxLength: 5,
    });
    const deliveries = lives.map(documentsOf).chain((documents) =>
      fc.record({
        documents: fc.constant(documents),
        delivered: fc.array(fc.constantFrom(...documents), { maxLength: 12 }),
      }),
    );
    fc.assert(
      fc.property(deliveries, ({ documents, delivered }) => {
        const newest = documents.at(-1)!;
        expect(endOf([...delivered, newest])).toEqual(endOf([newest]));
        expect(endOf(documents)).toEqual(endOf([newest]));
      }),
      { numRuns: 300 },
    );
  });
});

interface Change {
  ordered: number;
  cancelled: number;
  shipped: number;
  back: number;
}

/** Cumulative documents: what was shipped and came back only grows, and a line that shipped does not vanish. */
function documentsOf(changes: readonly { a: Change | null; b: Change | null }[]): BareCommand[] {
  const soFar: Record<string, { fulfilled: number; returned: number }> = {};
  return changes.map((change, index) => {
    const lines: Record<string, Line> = {};
    for (const lineId of ['a', 'b'] as const) {
      const count = (soFar[lineId] ??= { fulfilled: 0, returned: 0 });
      const { ordered, cancelled, shipped, back } = change[lineId] ?? {
        ordered: 0,
        cancelled: 0,
        shipped: 0,
        back: 0,
      };
      count.fulfilled += shipped;
      count.returned = Math.min(count.fulfilled, count.returned + back);
      if (change[lineId] ?? count.fulfilled > 0)
        lines[lineId] = { ordered, cancelled: Math.min(cancelled, ordered), ...count };
    }
    return document(index + 1, lines);
  });
}
