import fc from 'fast-check';
import { ADJUSTABLE_STATES, choicesOf, decide, MAX_LEVEL_UNITS, type Movement } from './decide';
import {
  COUNTED_STATES,
  EMPTY_LEVEL,
  evolve,
  type EventType,
  type Level,
  physicalUnits,
  sameLevel,
} from './level';

/** Ten units in every state. */
const TEN: Level = {
  available: 10,
  reserved: 10,
  quarantined: 10,
  damaged: 10,
  in_transit: 10,
  on_order: 10,
  version: 7,
};

type Units = Partial<Omit<Level, 'version'>>;

function level(units: Units): Level {
  return { ...EMPTY_LEVEL, ...units };
}

/** The level after a movement that is allowed. */
function after(before: Level, movement: Movement): Level {
  const decision = decide(before, movement);
  if ('refusal' in decision) throw new Error(`refused: ${JSON.stringify(decision.refusal)}`);
  return evolve(before, decision.event);
}

describe('what each event moves', () => {
  const table: [name: string, movement: Movement, changed: Units][] = [
    ['RESTOCK from outside', { type: 'RESTOCK', quantityUnits: 3 }, { available: 13 }],
    [
      'RESTOCK of what was on order',
      { type: 'RESTOCK', quantityUnits: 3, from: 'on_order' },
      { on_order: 7, available: 13 },
    ],
    ['RESERVE', { type: 'RESERVE', quantityUnits: 3 }, { available: 7, reserved: 13 }],
    ['RELEASE', { type: 'RELEASE', quantityUnits: 3 }, { available: 13, reserved: 7 }],
    ['FULFILL leaves available alone', { type: 'FULFILL', quantityUnits: 3 }, { reserved: 7 }],
    ['RETURN waits in quarantine', { type: 'RETURN', quantityUnits: 3 }, { quarantined: 13 }],
    [
      'RETURN straight back on sale',
      { type: 'RETURN', quantityUnits: 3, to: 'available' },
      { available: 13 },
    ],
    ['INSPECT finds good units', { type: 'INSPECT', quantityUnits: 3 }, { quarantined: 7, available: 13 }],
    [
      'INSPECT finds broken units',
      { type: 'INSPECT', quantityUnits: 3, to: 'damaged' },
      { quarantined: 7, damaged: 13 },
    ],
    ['ADJUST finds more', { type: 'ADJUST', quantityUnits: 3 }, { available: 13 }],
    ['ADJUST finds less', { type: 'ADJUST', quantityUnits: -3 }, { available: 7 }],
    ...ADJUSTABLE_STATES.map((state): [string, Movement, Units] => [
      `ADJUST of ${state}`,
      { type: 'ADJUST', quantityUnits: -4, state },
      { [state]: 6 },
    ]),
    ['DAMAGE', { type: 'DAMAGE', quantityUnits: 3 }, { available: 7, damaged: 13 }],
    [
      'TRANSFER leaves one location',
      { type: 'TRANSFER', quantityUnits: 3, from: 'available', to: 'outside' },
      { available: 7 },
    ],
    [
      'TRANSFER is on its way to the other',
      { type: 'TRANSFER', quantityUnits: 3, from: 'outside', to: 'in_transit' },
      { in_transit: 13 },
    ],
    ['RECEIVE', { type: 'RECEIVE', quantityUnits: 3 }, { in_transit: 7, available: 13 }],
    ['EXPECT', { type: 'EXPECT', quantityUnits: 3 }, { on_order: 13 }],
  ];

  it.each(table)('%s', (_name, movement, changed) => {
    expect(after(TEN, movement)).toEqual({ ...TEN, ...changed, version: 8 });
  });

  it('every type is in the table', () => {
    const types: EventType[] = [
      ...(['RESTOCK', 'RESERVE', 'RELEASE', 'FULFILL', 'RETURN', 'INSPECT', 'ADJUST'] as const),
      ...(['DAMAGE', 'TRANSFER', 'RECEIVE', 'EXPECT'] as const),
    ];
    expect(new Set(table.map(([, { type }]) => type))).toEqual(new Set(types));
  });
});

describe('what is refused', () => {
  const table: [name: string, movement: Movement, state: string, present: number][] = [
    ['RESERVE beyond available', { type: 'RESERVE', quantityUnits: 11 }, 'available', 10],
    ['RELEASE beyond reserved', { type: 'RELEASE', quantityUnits: 11 }, 'reserved', 10],
    ['FULFILL beyond reserved', { type: 'FULFILL', quantityUnits: 11 }, 'reserved', 10],
    ['INSPECT beyond quarantine', { type: 'INSPECT', quantityUnits: 11 }, 'quarantined', 10],
    ['DAMAGE beyond available', { type: 'DAMAGE', quantityUnits: 11 }, 'available', 10],
    ['RECEIVE beyond transit', { type: 'RECEIVE', quantityUnits: 11 }, 'in_transit', 10],
    [
      'RESTOCK beyond what was on order',
      { type: 'RESTOCK', quantityUnits: 11, from: 'on_order' },
      'on_order',
      10,
    ],
    [
      'TRANSFER beyond available',
      { type: 'TRANSFER', quantityUnits: 11, from: 'available', to: 'outside' },
      'available',
      10,
    ],
    [
      'ADJUST to fewer damaged than none',
      { type: 'ADJUST', quantityUnits: -11, state: 'damaged' },
      'damaged',
      10,
    ],
  ];

  it.each(table)('%s', (_name, movement, state, present) => {
    expect(decide(TEN, movement)).toEqual({
      refusal: { code: 'insufficient-state', state, needed: 11, present },
    });
    const allowed = { ...movement, quantityUnits: Math.sign(movement.quantityUnits) * 10 };
    expect(decide(TEN, allowed)).toHaveProperty('event');
  });

  it('ADJUST may take available down to minus what is reserved, for a count finds no fewer units than none', () => {
    const promised = level({ available: 4, reserved: 6 });
    expect(after(promised, { type: 'ADJUST', quantityUnits: -10 })).toMatchObject({
      available: -6,
      reserved: 6,
    });
    expect(decide(promised, { type: 'ADJUST', quantityUnits: -11 })).toEqual({
      refusal: { code: 'insufficient-state', state: 'available', needed: 11, present: 10 },
    });
  });

  it('RESERVE, DAMAGE and TRANSFER cannot use what is owed below zero', () => {
    const owed = level({ available: -2, reserved: 6 });
    for (const type of ['RESERVE', 'DAMAGE', 'TRANSFER'] as const) {
      expect(decide(owed, { type, quantityUnits: 1, from: 'available' })).toEqual({
        refusal: { code: 'insufficient-state', state: 'available', needed: 1, present: -2 },
      });
    }
  });

  it('units that come in beyond the most a level holds, over all its states', () => {
    const full = level({ available: 1, reserved: MAX_LEVEL_UNITS - 3, quarantined: 1 });
    expect(decide(full, { type: 'RESTOCK', quantityUnits: 1 })).toHaveProperty('event');
    for (const type of ['RESTOCK', 'RETURN', 'EXPECT', 'ADJUST'] as const) {
      expect(decide(full, { type, quantityUnits: 2 })).toEqual({
        refusal: { code: 'quantity-too-large', limit: MAX_LEVEL_UNITS },
      });
    }
  });

  it('a full level still gives back, ships and inspects what it holds', () => {
    const full = level({ available: MAX_LEVEL_UNITS - 3, reserved: 2, quarantined: 1 });
    for (const type of ['RELEASE', 'FULFILL', 'INSPECT', 'RESERVE'] as const) {
      expect(decide(full, { type, quantityUnits: 1 })).toHaveProperty('event');
    }
  });
});

const units = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: MAX_LEVEL_UNITS / 10 }));
const levels: fc.Arbitrary<Level> = fc
  .record({
    ...Object.fromEntries(COUNTED_STATES.map((state) => [state, units])),
    owed: fc.nat(5),
    version: fc.nat(1_000_000),
  })
  .map((drawn) => {
    const { owed, ...drawnLevel } = drawn as unknown as Level & { owed: number };
    const available = owed > 3 ? -Math.min(owed, drawnLevel.reserved) : drawnLevel.available;
    return { ...drawnLevel, available };
  });

const movements: fc.Arbitrary<Movement> = fc.oneof(
  fc.record({
    type: fc.constant('ADJUST' as const),
    quantityUnits: fc.oneof(fc.integer({ min: -25, max: 25 }), fc.integer()).filter((n) => n !== 0),
    state: fc.constantFrom(...ADJUSTABLE_STATES),
  }),
  fc
    .constantFrom<Exclude<EventType, 'ADJUST'>[]>(
      ...(['RESTOCK', 'RESERVE', 'RELEASE', 'FULFILL', 'RETURN', 'INSPECT', 'DAMAGE'] as const),
      ...(['TRANSFER', 'RECEIVE', 'EXPECT'] as const),
    )
    .chain((type) =>
      fc.record({
        type: fc.constant(type),
        quantityUnits: fc.oneof(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1 })),
        from: fc.constantFrom(...choicesOf(type).from),
        to: fc.constantFrom(...choicesOf(type).to),
      }),
    )
    .filter(({ from, to }) => from !== to),
);

describe('any movement on any level', () => {
  it('leaves no state below zero but available, and that only by ADJUST and within what is reserved', () => {
    fc.assert(
      fc.property(levels, movements, (before, movement) => {
        const decision = decide(before, movement);
        if ('refusal' in decision) return;
        const next = evolve(before, decision.event);
        for (const state of COUNTED_STATES)
          if (state !== 'available') expect(next[state]).toBeGreaterThanOrEqual(0);
        if (next.available < Math.min(0, before.available)) expect(movement.type).toBe('ADJUST');
        if (movement.type === 'ADJUST') expect(next.available + next.reserved).toBeGreaterThanOrEqual(0);
        if (movement.type === 'RESERVE') expect(next.available).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes the units of a level by exactly what crosses its border, and the version by one', () => {
    const sum = (of: Level) => COUNTED_STATES.reduce((total, state) => total + of[state], 0);
    fc.assert(
      fc.property(levels, movements, (before, movement) => {
        const decision = decide(before, movement);
        if ('refusal' in decision) return;
        const { from, to, quantityUnits } = decision.event;
        const next = evolve(before, decision.event);
        const crossing = (from === 'outside' ? quantityUnits : 0) - (to === 'outside' ? quantityUnits : 0);
        expect(sum(next) - sum(before)).toBe(crossing);
        expect(next.version).toBe(before.version + 1);
        expect(quantityUnits).toBe(Math.abs(movement.quantityUnits));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused for the units it lacks and for nothing else', () => {
    fc.assert(
      fc.property(levels, movements, (before, movement) => {
        const decision = decide(before, movement);
        if (!('refusal' in decision)) return;
        const { refusal } = decision;
        expect(['insufficient-state', 'quantity-too-large']).toContain(refusal.code);
        if (refusal.code !== 'insufficient-state') return;
        const enough = Math.sign(movement.quantityUnits) * refusal.present;
        if (enough !== 0 && refusal.present > 0)
          expect(decide(before, { ...movement, quantityUnits: enough })).toHaveProperty('event');
      }),
      { numRuns: 1_000 },
    );
  });

  it('never changes the level it is given', () => {
    const frozen = Object.freeze({ ...TEN });
    after(frozen, { type: 'RESERVE', quantityUnits: 1 });
    expect(frozen).toEqual(TEN);
  });
});

describe('a level', () => {
  it('counts as physical what stands on the shelves: not what travels or is on order', () => {
    expect(
      physicalUnits(
        level({ available: 1, reserved: 2, quarantined: 4, damaged: 8, in_transit: 16, on_order: 32 }),
      ),
    ).toBe(15);
  });

  it.each([...COUNTED_STATES, 'version' as const])('differs from another in %s', (field) => {
    expect(sameLevel(TEN, { ...TEN })).toBe(true);
    expect(sameLevel(TEN, { ...TEN, [field]: TEN[field] + 1 })).toBe(false);
  });
});
