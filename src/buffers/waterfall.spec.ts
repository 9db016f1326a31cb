import fc from 'fast-check';
import { EMPTY_LEVEL, type Level } from '../inventory/level';
import { BufferConfig } from '../config/buffer.config';
import type { BufferInputs } from './apply-buffers';
import { mergeLayers } from './effective-policy';
import { NO_SIGNALS } from './needs';
import { type CapPolicy, type ComponentStock, computeWaterfall as compute } from './waterfall';

interface BufferPolicy {
  units: number;
  percent: number;
  source: string;
  percentSource?: string;
  stale?: { units: number; percent: number; reason: string };
}

type Stock = Omit<ComponentStock, 'buffer'>;

function inputsOf({ units, percent, source, percentSource = source, stale }: BufferPolicy): BufferInputs {
  const { rule: _rule, ...none } = new BufferConfig();
  const policy = mergeLayers({ name: source, settings: { ...none, units } }, [
    { name: percentSource, settings: { percent } },
    { name: source, settings: { staleUnits: stale?.units ?? 0, stalePercent: stale?.percent ?? 0 } },
  ]);
  return { policy, needs: [], channel: NO_SIGNALS, ...(stale && { stale: stale.reason }), nowMs: 0 };
}

/** With the buffer of a policy that looks at no sales. */
function computeWaterfall(
  components: readonly Stock[],
  policy: BufferPolicy,
  cap: CapPolicy | null,
  now: Date,
) {
  return compute(
    components.map((component) => ({ ...component, buffer: inputsOf(policy) })),
    cap,
    now,
  );
}

const NOW = new Date('2024-05-01T10:00:00Z');
const NO_BUFFER: BufferPolicy = { units: 0, percent: 0, source: 'channel shop' };

function stock(
  available: number,
  { units = 1, sku = 'A', ...level }: Partial<Level> & { units?: number; sku?: string } = {},
): Stock {
  return {
    sku,
    unitsPerListing: units,
    levels: new Map([['main', { ...EMPTY_LEVEL, ...level, available, version: 1 }]]),
  };
}

const capOf = (units: number | null) => (units === null ? null : { units, source: 'channel shop' });

const quantityOf = (components: Stock[], policy: Partial<BufferPolicy> = {}, cap: number | null = null) =>
  computeWaterfall(components, { ...NO_BUFFER, ...policy }, capOf(cap), NOW).quantity;

describe('a published quantity', () => {
  test('is what is available, where nothing is withheld', () => {
    expect(quantityOf([stock(7)])).toBe(7);
  });

  test.each([
    [12, 5, 2],
    [14, 5, 2],
    [15, 5, 3],
    [4, 5, 0],
    [0, 5, 0],
  ])('of %i units in packs of %i is %i', (available, units, quantity) => {
    expect(quantityOf([stock(available, { units })])).toBe(quantity);
  });

  test('of a bundle is that of its scarcest component', () => {
    const bundle = [stock(100, { units: 2 }), stock(9, { units: 3, sku: 'B' }), stock(50, { sku: 'C' })];
    expect(quantityOf(bundle)).toBe(3);
    expect(quantityOf([...bundle, stock(0, { sku: 'D' })])).toBe(0);
  });

  test('of a listing of nothing is nothing', () => {
    expect(quantityOf([])).toBe(0);
  });

  test.each([
    ['units where they are more', 100, { units: 8, percent: 5 }, 92, '8 units (channel shop)'],
    ['percent where they are more', 100, { units: 3, percent: 5 }, 95, '5 % of 100 available (channel shop)'],
    [
      'whole units of a percentage, rounded up',
      101,
      { percent: 5 },
      95,
      '5 % of 101 available (channel shop)',
    ],
    ['units where both are equal', 100, { units: 5, percent: 5 }, 95, '5 units (channel shop)'],
    ['a fraction of a percent', 1_000, { percent: 0.25 }, 997, '0.25 % of 1000 available (channel shop)'],
    ['all there is where there is less', 3, { units: 8 }, 0, '8 units (channel shop)'],
  ])('is less by %s', (_name, available, policy, quantity, reason) => {
    const waterfall = computeWaterfall([stock(available)], { ...NO_BUFFER, ...policy }, null, NOW);
    expect(waterfall.quantity).toBe(quantity);
    expect(waterfall.components[0]!.buffers).toEqual([
      { kind: 'static', units: available - quantity, policy: 'channel shop', reason },
    ]);
  });

  test('names where each of its buffers is set, and its cap', () => {
    const policy = { units: 2, percent: 10, source: 'listing S-1', percentSource: 'channel shop' };
    const reasonOf = (available: number) =>
      computeWaterfall([stock(available)], policy, null, NOW).components[0]!.buffers[0]!.reason;
    expect(reasonOf(10)).toBe('2 units (listing S-1)');
    expect(reasonOf(100)).toBe('10 % of 100 available (channel shop)');
    const capped = computeWaterfall([stock(9)], policy, { units: 4, source: 'listing S-1' }, NOW);
    expect(capped).toMatchObject({ cap: 4, capSource: 'listing S-1', quantity: 4 });
    expect(computeWaterfall([stock(9)], policy, null, NOW)).toMatchObject({ cap: null, capSource: null });
  });

  test.each([
    ['on top of the static one', 100, { units: 10 }, { units: 5, percent: 20 }, [10, 20]],
    ['in units where they are more', 100, {}, { units: 50, percent: 20 }, [50]],
    ['from what the static one leaves', 12, { units: 10 }, { units: 5, percent: 0 }, [10, 2]],
    ['from nothing', 8, { units: 10 }, { units: 5, percent: 50 }, [8]],
  ])('is less by a buffer %s while the channel is stale', (_name, available, policy, stale, withheld) => {
    const reason = 'the channel cannot be reached since yesterday';
    const waterfall = computeWaterfall(
      [stock(available)],
      { ...NO_BUFFER, ...policy, stale: { ...stale, reason } },
      null,
      NOW,
    );
    const { buffers } = waterfall.components[0]!;
    expect(buffers.map(({ units }) => units)).toEqual(withheld);
    expect(waterfall.quantity).toBe(available - withheld.reduce((sum, units) => sum + units, 0));
    for (const buffer of buffers.filter(({ kind }) => kind === 'stale')) expect(buffer.reason).toBe(reason);
  });

  test('is withheld nothing from where nothing is', () => {
    for (const available of [0, -4]) {
      const waterfall = computeWaterfall(
        [stock(available)],
        { ...NO_BUFFER, units: 5, percent: 5 },
        null,
        NOW,
      );
      expect(waterfall).toMatchObject({ quantity: 0, components: [{ available, buffers: [], sellable: 0 }] });
    }
  });

  test('is at most the cap, and tells what it would be without', () => {
    expect(computeWaterfall([stock(70)], NO_BUFFER, capOf(50), NOW)).toMatchObject({
      uncapped: 70,
      cap: 50,
      quantity: 50,
    });
    expect(computeWaterfall([stock(30)], NO_BUFFER, capOf(50), NOW)).toMatchObject({
      uncapped: 30,
      cap: 50,
      quantity: 30,
    });
    expect(quantityOf([stock(30)], {}, 0)).toBe(0);
  });

  test('is told with each step from the shelves on', () => {
    const level = { reserved: 4, quarantined: 3, damaged: 2, in_transit: 50, on_order: 60 };
    const waterfall = computeWaterfall(
      [stock(21, { ...level, units: 2 })],
      { ...NO_BUFFER, units: 2 },
      capOf(8),
      NOW,
    );
    expect(waterfall).toEqual({
      components: [
        {
          sku: 'A',
          unitsPerListing: 2,
          physical: 30,
          reserved: 4,
          quarantined: 3,
          damaged: 2,
          available: 21,
          buffers: [{ kind: 'static', units: 2, policy: 'channel shop', reason: '2 units (channel shop)' }],
          sellable: 19,
          listings: 9,
          versions: { main: 1 },
        },
      ],
      uncapped: 9,
      cap: 8,
      capSource: 'channel shop',
      quantity: 8,
      computedAt: '2024-05-01T10:00:00.000Z',
    });
  });

  test('sums locations, of which one that owes units takes them from the others', () => {
    const levels = new Map([
      ['main', { ...EMPTY_LEVEL, available: 10, reserved: 1, version: 7 }],
      ['north', { ...EMPTY_LEVEL, available: -4, reserved: 5, version: 2 }],
    ]);
    const waterfall = computeWaterfall([{ sku: 'A', unitsPerListing: 1, levels }], NO_BUFFER, null, NOW);
    expect(waterfall).toMatchObject({
      quantity: 6,
      components: [{ available: 6, reserved: 6, physical: 12, versions: { main: 7, north: 2 } }],
    });
  });
});

/** Levels as the ledger allows them: only `available` may be below zero, and by no more than is reserved. */
const anyLevel = fc
  .record({
    reserved: fc.nat(1_000),
    quarantined: fc.nat(50),
    damaged: fc.nat(50),
    over: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ reserved, over, ...rest }): Level => ({
    ...EMPTY_LEVEL,
    ...rest,
    reserved,
    available: over - reserved,
    version: 1,
  }));

const anyComponent = fc
  .record({ unitsPerListing: fc.integer({ min: 1, max: 50 }), levels: fc.array(anyLevel, { maxLength: 3 }) })
  .map(({ unitsPerListing, levels }): Stock => ({
    sku: 'A',
    unitsPerListing,
    levels: new Map(levels.map((level, index) => [`location ${index}`, level])),
  }));

const anyPolicy = fc.record({
  units: fc.nat(2_000),
  percent: fc.double({ min: 0, max: 100, noNaN: true }),
  source: fc.constant('x'),
  stale: fc.option(
    fc.record({
      units: fc.nat(2_000),
      percent: fc.double({ min: 0, max: 100, noNaN: true }),
      reason: fc.constant('away'),
    }),
    { nil: undefined },
  ),
});
const anyCap = fc.option(fc.nat(5_000));

const availableOf = ({ levels }: Stock) =>
  [...levels.values()].reduce((sum, level) => sum + level.available, 0);

describe('of any stock, buffer and cap', () => {
  const anyCase = [fc.array(anyComponent, { minLength: 1, maxLength: 4 }), anyPolicy, anyCap] as const;

  test('the quantity is a whole number from 0 to the cap, and never more than the units make', () => {
    fc.assert(
      fc.property(...anyCase, (components, policy, cap) => {
        const { quantity } = computeWaterfall(components, policy, capOf(cap), NOW);
        expect(Number.isSafeInteger(quantity)).toBe(true);
        expect(quantity).toBeGreaterThanOrEqual(0);
        if (cap !== null) expect(quantity).toBeLessThanOrEqual(cap);
        for (const component of components) {
          const units = Math.max(0, availableOf(component));
          expect(quantity).toBeLessThanOrEqual(Math.floor(units / component.unitsPerListing));
        }
      }),
    );
  });

  test('what is withheld is whole, never more than there is, and never less than was asked where there is enough', () => {
    fc.assert(
      fc.property(...anyCase, (components, policy, cap) => {
        const waterfall = computeWaterfall(components, policy, capOf(cap), NOW);
        waterfall.components.forEach(({ available, buffers, sellable }) => {
          const withheld = buffers.reduce((sum, { units }) => sum + units, 0);
          expect(Number.isSafeInteger(withheld)).toBe(true);
          expect(withheld).toBeLessThanOrEqual(Math.max(0, available));
          expect(sellable).toBe(Math.max(0, available) - withheld);
          const asked = Math.max(policy.units, (Math.max(0, available) * policy.percent) / 100);
          expect(withheld).toBeGreaterThanOrEqual(Math.min(asked, Math.max(0, available)));
        });
      }),
    );
  });

  test('more stock never shows less, and a larger buffer or smaller cap never shows more', () => {
    fc.assert(
      fc.property(...anyCase, fc.nat(500), (components, policy, cap, more) => {
        const quantity = computeWaterfall(components, policy, capOf(cap), NOW).quantity;
        const richer = components.map((component) => ({
          ...component,
          levels: new Map([...component.levels, ['more', { ...EMPTY_LEVEL, available: more }]]),
        }));
        expect(computeWaterfall(richer, policy, capOf(cap), NOW).quantity).toBeGreaterThanOrEqual(quantity);
        const larger = { ...policy, units: policy.units + more };
        expect(computeWaterfall(components, larger, capOf(cap), NOW).quantity).toBeLessThanOrEqual(quantity);
        const smaller = Math.max(0, (cap ?? quantity) - more);
        expect(computeWaterfall(components, policy, capOf(smaller), NOW).quantity).toBeLessThanOrEqual(
          quantity,
        );
      }),
    );
  });

  test('the waterfall adds up, from the shelves to the quantity', () => {
    fc.assert(
      fc.property(...anyCase, (components, policy, cap) => {
        const {
          components: explained,
          uncapped,
          quantity,
        } = computeWaterfall(components, policy, capOf(cap), NOW);
        for (const each of explained) {
          expect(each.physical - each.reserved - each.quarantined - each.damaged).toBe(each.available);
          expect(each.listings).toBe(Math.floor(each.sellable / each.unitsPerListing));
        }
        expect(uncapped).toBe(Math.min(...explained.map((each) => each.listings)));
        expect(quantity).toBe(Math.min(uncapped, cap ?? Infinity));
      }),
    );
  });
});
