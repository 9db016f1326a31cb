import fc from 'fast-check';
import { BufferConfig, type BufferSettings, settingsOf } from '../config/buffer.config';
import type { BufferPolicy } from '../config/buffer-policy';
import { type BufferInputs, buffersOf, type Hold } from './apply-buffers';
import { smoothed } from './channel-measuring';
import { bySpecificity, mergeLayers } from './effective-policy';
import {
  type ChannelSignals,
  isSame,
  type Needs,
  needsOf,
  nextRise,
  NO_NEEDS,
  NO_SIGNALS,
  settle,
} from './needs';
import { countSale, HOUR_MS, NO_SALES, type SalesRate, type SalesSignals, signalsAt } from './sales-rate';
import { edgesOf, shareAt } from './time-window';

const NOW = Date.parse('2024-05-01T10:00:00Z');
const { rule: _rule, ...NOTHING } = new BufferConfig();
const policyOf = (settings: Partial<BufferSettings>) =>
  mergeLayers({ name: 'default', settings: { ...NOTHING, ...settings } }, []);
const BASE = policyOf(settingsOf({ rule: 'base' }));
const MEASURED: ChannelSignals = { syncP99Ms: 15_000, cancelPercent: 0, confirmationMs: 0 };
const selling = (hourUnits: number, usualPerHour = hourUnits, knownHours = 1_000): SalesSignals => ({
  hourUnits,
  usualPerHour,
  knownHours,
});

interface Situation {
  policy?: typeof BASE;
  sales?: SalesSignals;
  channel?: ChannelSignals;
  stale?: string;
  holds?: Hold[];
}

function inputsOf({
  policy = BASE,
  sales = NO_SALES,
  channel = MEASURED,
  stale,
  holds,
}: Situation): BufferInputs {
  const needs = [needsOf(policy, sales, channel)];
  return {
    policy,
    needs,
    channel,
    ...(stale !== undefined && { stale }),
    ...(holds && { holds }),
    nowMs: NOW,
  };
}

const applied = (available: number, situation: Situation) =>
  buffersOf(available, inputsOf(situation)).map(({ kind, units }) => [kind, units]);
const withheld = (available: number, situation: Situation) =>
  buffersOf(available, inputsOf(situation)).reduce((sum, { units }) => sum + units, 0);

describe('the base rule', () => {
  test.each([
    ['5 units where nothing else is more', 60, selling(3), [['static', 5]]],
    ['5 % where that is more', 200, selling(3), [['static', 10]]],
    [
      'expected sales in 2 × P99 where they are most, beyond what is withheld already',
      60,
      selling(1_200),
      [
        ['static', 5],
        ['velocity', 5],
      ],
    ],
    ['all of 4 units of a SKU that sells', 4, selling(3), [['static', 4]]],
    ['half of a slow mover', 4, selling(0, 0.01), [['static', 2]]],
    ['nothing of the last unit of a slow mover', 1, NO_SALES, []],
    ['5 units of a slow mover that there is plenty of', 60, NO_SALES, [['static', 5]]],
    [
      'more in a spike',
      100,
      selling(50, 2),
      [
        ['static', 5],
        ['spike', 10],
      ],
    ],
    ['no more for 9 times the usual', 100, selling(18, 2), [['static', 5]]],
    ['no more where nobody knows yet what is usual', 100, selling(50, 2, 23), [['static', 5]]],
  ] as const)('withholds %s', (_name, available, sales, expected) => {
    expect(applied(available, { sales })).toEqual(expected);
  });

  test('says why, with figures and the policy', () => {
    const [fixed, velocity] = buffersOf(60, inputsOf({ sales: selling(1_200) }));
    expect(fixed).toMatchObject({ policy: 'default', reason: '5 units (default)' });
    expect(velocity!.reason).toBe(
      '10 units expected to be sold in 2 × 15 s (P99 sync latency, measured) at 1200 an hour, 5 of them withheld already (default)',
    );
    expect(buffersOf(3, inputsOf({}))[0]!.reason).toBe(
      '5 units (default); no more, so that a slow mover keeps 50 % (2 units) on sale (default)',
    );
  });

  test('takes the assumed latency until one is measured, and never believes one of hours', () => {
    const needs = (channel: ChannelSignals) => needsOf(BASE, selling(60), channel).needs[0]!.amount;
    expect(needs(NO_SIGNALS)).toBe(1);
    expect(needs({ ...MEASURED, syncP99Ms: 120_000 })).toBe(4);
    expect(needs({ ...MEASURED, syncP99Ms: 36_000_000 })).toBe(20);
  });

  test('withholds more for a channel that cancels late, or tells late of its orders', () => {
    expect(applied(100, { sales: selling(60), channel: { ...MEASURED, cancelPercent: 3 } })).toEqual([
      ['static', 5],
      ['cancellation', 3],
    ]);
    expect(applied(100, { sales: selling(60), channel: { ...MEASURED, confirmationMs: 300_000 } })).toEqual([
      ['static', 5],
      ['confirmation', 5],
    ]);
    const set = policyOf({ cancelPercent: 8, confirmationSeconds: 600 });
    expect(applied(100, { policy: set, sales: selling(60) })).toEqual([
      ['confirmation', 10],
      ['cancellation', 8],
    ]);
  });

  test('does not keep an operator, a window or a channel that is away from withholding all', () => {
    const hold = { id: 7, units: 99, percent: 0, reason: 'recall', placedBy: 'api:ann', until: null };
    expect(buffersOf(2, inputsOf({ holds: [hold] }))).toMatchObject([
      { kind: 'static', units: 1 },
      { kind: 'hold', units: 1, policy: 'hold 7', reason: 'recall (by api:ann, until ended)' },
    ]);
    expect(applied(10, { stale: 'away' })).toEqual([
      ['static', 5],
      ['stale', 2],
    ]);
  });
});

describe('a window', () => {
  const window = {
    from: '2024-05-01T08:00:00Z',
    to: '2024-05-01T09:00:00Z',
    units: 0,
    percent: 40,
    releaseSteps: 4,
    releaseSeconds: 600,
  };

  test.each([
    ['07:59:59', 0],
    ['08:00:00', 1],
    ['08:59:59', 1],
    ['09:00:00', 0.75],
    ['09:10:00', 0.5],
    ['09:29:59', 0.25],
    ['09:30:00', 0],
  ])('at %s withholds %d of it', (time, share) => {
    expect(shareAt(window, Date.parse(`2024-05-01T${time}Z`))).toBe(share);
  });

  test('changes at its edges and nowhere else', () => {
    const edges = edgesOf(window);
    for (let at = Date.parse('2024-05-01T07:00:00Z'); at < NOW; at += 60_000) {
      const changes = shareAt(window, at) !== shareAt(window, at - 60_000);
      expect([at, changes]).toEqual([at, edges.includes(at)]);
    }
  });

  test('of several the one that withholds most counts, with its policy', () => {
    const policy = mergeLayers({ name: 'default', settings: NOTHING }, [
      {
        name: 'sale',
        settings: {},
        windows: [window, { ...window, to: '2024-05-01T11:00:00Z', percent: 10 }],
      },
    ]);
    expect(
      buffersOf(50, { ...inputsOf({ policy }), nowMs: Date.parse('2024-05-01T08:30:00Z') }),
    ).toMatchObject([{ kind: 'window', units: 20, policy: 'sale' }]);
    expect(buffersOf(50, { ...inputsOf({ policy }), nowMs: NOW })).toMatchObject([
      { kind: 'window', units: 5 },
    ]);
  });
});

describe('policies', () => {
  const named = (name: string, scope: Partial<BufferPolicy>): BufferPolicy => ({
    name,
    channel: null,
    tag: null,
    sku: null,
    settings: {},
    windows: null,
    ...scope,
  });

  test('the most specific counts for each figure, and the figure names it', () => {
    const policies = [
      named('sku', { sku: 'A', settings: { units: 9 } }),
      named('all', { settings: { units: 1, percent: 1, staleUnits: 1, spikePercent: 1 } }),
      named('tag', { tag: 't', settings: { units: 7, percent: 7 } }),
      named('shop', { channel: 'shop', settings: { units: 5, percent: 5, staleUnits: 5 } }),
    ].sort(bySpecificity);
    const merged = mergeLayers({ name: 'host', settings: NOTHING }, policies);
    expect(merged).toMatchObject({
      units: { value: 9, policy: 'sku' },
      percent: { value: 7, policy: 'tag' },
      staleUnits: { value: 5, policy: 'shop' },
      spikePercent: { value: 1, policy: 'all' },
      stalePercent: { value: 20, policy: 'host' },
    });
  });

  test('of two alike the first by name counts, however they are listed', () => {
    const alike = [named('b', { tag: 'y' }), named('a', { tag: 'x' })];
    expect(alike.sort(bySpecificity).at(-1)!.name).toBe('a');
    expect(alike.reverse().sort(bySpecificity).at(-1)!.name).toBe('a');
    expect(
      [named('t', { tag: 'x', channel: 'shop' }), named('u', { sku: 'A' })].sort(bySpecificity).at(-1)!.name,
    ).toBe('u');
  });
});

describe('a release', () => {
  const stored = (amount: number): Needs => ({
    needs: [{ kind: 'velocity', amount, policy: 'p', reason: 'r' }],
    isSlow: false,
  });

  test('goes step by step, each when it is due, and more is withheld at once', () => {
    const policy = policyOf({ releasePercent: 50, releaseSeconds: 60 });
    let now = { ...stored(12), releasedMs: NOW } as ReturnType<typeof settle>;
    const amounts: number[] = [];
    for (let second = 30; second <= 600; second += 30) {
      now = settle(now, { needs: [], isSlow: true }, policy, NOW + second * 1_000);
      amounts.push(now.needs[0]?.amount ?? 0);
    }
    expect(amounts.slice(0, 10)).toEqual([12, 6, 6, 3, 3, 1, 1, 0, 0, 0]);
    expect(now).toMatchObject({ needs: [], isSlow: true, isReleasing: false });
    expect(settle(now, stored(20), policy, NOW + 601_000)).toMatchObject({
      needs: [{ amount: 20 }],
      isSlow: false,
    });
  });

  test('always arrives at what is needed, never below, and says so', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.nat(1_000),
        fc.integer({ min: 1, max: 100 }),
        (from, to, releasePercent) => {
          const policy = policyOf({ releasePercent, releaseSeconds: 1 });
          const target = to === 0 ? NO_NEEDS : stored(to);
          let now = { ...stored(from), releasedMs: 0 } as ReturnType<typeof settle>;
          const amounts = [from];
          do {
            now = settle(now, target, policy, amounts.length * 1_000);
            amounts.push(now.needs[0]?.amount ?? 0);
          } while (now.isReleasing && amounts.length < 1_100);
          const isMonotone = amounts.slice(1).every((amount, at) => amount >= Math.min(to, amounts[at]!));
          expect([isMonotone, amounts.at(-1)]).toEqual([true, to]);
          expect(isSame(now, target)).toBe(true);
        },
      ),
    );
  });
});

describe('what is measured of a channel', () => {
  test.each([
    ['the first measurement', null, 900, 900],
    ['nothing where nothing was measured', 900, null, 900],
    ['a rise at once', 1_000, 9_000, 9_000],
    ['a fall by a fifth', 10_000, 500, 8_000],
    ['no less than was measured', 10_000, 9_500, 10_000],
    ['no noise', 1_000, 1_050, 1_000],
  ])('is %s', (_name, before, sample, after) => {
    expect(smoothed(before, sample, 100)).toBe(after);
  });
});

describe('a rate of sales', () => {
  const sell = (sales: [atMs: number, units: number][]) =>
    sales.reduce<SalesRate | undefined>((rate, [atMs, units]) => countSale(rate, units, atMs), undefined)!;

  test('of one unit an hour for weeks is one unit an hour', () => {
    const hourly = Array.from({ length: 24 * 28 }, (_, hour): [number, number] => [NOW + hour * HOUR_MS, 1]);
    const { hourUnits, usualPerHour } = signalsAt(sell(hourly), hourly.at(-1)![0] + HOUR_MS / 2);
    expect(hourUnits).toBeCloseTo(1.5, 1);
    expect(usualPerHour).toBeCloseTo(1, 1);
  });

  test('of a first sale is no rate to speak of', () => {
    expect(signalsAt(sell([[NOW, 1]]), NOW + 2 * HOUR_MS)).toMatchObject({
      hourUnits: 0,
      usualPerHour: expect.closeTo(0.044, 2) as number,
    });
  });

  test('forgets: an hour after two hours, half of what was usual after a week', () => {
    const rate = sell(Array.from({ length: 200 }, (_, hour): [number, number] => [NOW + hour * HOUR_MS, 3]));
    const last = NOW + 199 * HOUR_MS;
    expect(signalsAt(rate, last + HOUR_MS).hourUnits).toBe(3);
    expect(signalsAt(rate, last + 2 * HOUR_MS).hourUnits).toBe(0);
    const usual = signalsAt(rate, last + 2 * HOUR_MS).usualPerHour;
    expect(signalsAt(rate, last + (7 * 24 + 2) * HOUR_MS).usualPerHour).toBeLessThan(0.6 * usual);
  });
});

const percent = fc.double({ min: 0, max: 100, noNaN: true });
const anySettings = fc.record({
  units: fc.nat(50),
  percent,
  staleUnits: fc.nat(50),
  stalePercent: percent,
  syncLatencies: fc.double({ min: 0, max: 10, noNaN: true }),
  spikePercent: percent,
  cancelPercent: fc.oneof(percent, fc.constant('measured' as const)),
  confirmationSeconds: fc.oneof(fc.nat(3_600), fc.constant('measured' as const)),
  floorPercent: percent,
});
const anySales = fc.record({
  hourUnits: fc.double({ min: 0, max: 5_000, noNaN: true }),
  usualPerHour: fc.double({ min: 0, max: 5_000, noNaN: true }),
  knownHours: fc.nat(1_000),
});
const anyChannel = fc.record({
  syncP99Ms: fc.nat(1_000_000),
  cancelPercent: percent,
  confirmationMs: fc.nat(3_600_000),
});
const anyHold = fc.record({ units: fc.nat(100), percent }).map((hold): Hold => ({
  ...hold,
  id: 1,
  reason: 'recall',
  placedBy: 'ann',
  until: null,
}));
const anySituation = fc.record({
  policy: anySettings.map(policyOf),
  sales: anySales,
  channel: anyChannel,
  stale: fc.option(fc.constant('away'), { nil: undefined }),
  holds: fc.array(anyHold, { maxLength: 2 }),
});
const anyAvailable = fc.integer({ min: -100, max: 5_000 });

describe('of any stock, policy and signals', () => {
  test('what is withheld is whole, never below zero and never more than there is', () => {
    fc.assert(
      fc.property(anyAvailable, anySituation, (available, situation) => {
        const buffers = buffersOf(available, inputsOf(situation));
        for (const { units } of buffers) expect(Number.isSafeInteger(units) && units > 0).toBe(true);
        expect(withheld(available, situation)).toBeLessThanOrEqual(Math.max(0, available));
      }),
      { numRuns: 500 },
    );
  });

  test('the components sum to the total: the base is the largest of its three, the others come on top', () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        // Plenty, so that nothing is cut short.
        const available = 10_000_000;
        const { policy, sales, channel } = situation;
        const shareOf = (value: number) => Math.ceil((available * value) / 100);
        const needs = needsOf(policy, sales, channel);
        const amountOf = (kind: string) => needs.needs.find((need) => need.kind === kind)?.amount ?? 0;
        const cancel =
          policy.cancelPercent.value === 'measured' ? channel.cancelPercent : policy.cancelPercent.value;
        const asked =
          Math.max(policy.units.value, shareOf(policy.percent.value), amountOf('velocity')) +
          amountOf('confirmation') +
          shareOf(cancel) +
          shareOf(amountOf('spike'));
        const floor = needs.isSlow ? shareOf(policy.floorPercent.value) : 0;
        const byRule = Math.min(asked, available - floor);
        const stale = situation.stale
          ? Math.max(policy.staleUnits.value, shareOf(policy.stalePercent.value))
          : 0;
        const held = situation.holds.reduce(
          (sum, hold) => sum + Math.max(hold.units, shareOf(hold.percent)),
          0,
        );
        expect(withheld(available, situation)).toBe(Math.min(available, byRule + stale + held));
      }),
      { numRuns: 500 },
    );
  });

  test('more risk never withholds less', () => {
    const more = fc.record({
      signal: fc.constantFrom('hourUnits', 'syncP99Ms', 'cancelPercent', 'confirmationMs', 'stale', 'hold'),
      by: fc.nat(500),
    });
    fc.assert(
      fc.property(anyAvailable, anySituation, more, (available, situation, { signal, by }) => {
        const { sales, channel } = situation;
        const riskier = { ...situation };
        if (signal === 'hourUnits') riskier.sales = { ...sales, hourUnits: sales.hourUnits + by };
        else if (signal === 'stale') riskier.stale = 'away';
        else if (signal === 'hold') riskier.holds = [...situation.holds, { ...HOLD, units: by }];
        else riskier.channel = { ...channel, [signal]: channel[signal as keyof ChannelSignals]! + by };
        expect(withheld(available, riskier)).toBeGreaterThanOrEqual(withheld(available, situation));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a larger figure of the policy never withholds less, and a larger floor never more', () => {
    const figure = fc.constantFrom(
      'units',
      'percent',
      'staleUnits',
      'stalePercent',
      'syncLatencies',
      'spikePercent',
      'floorPercent',
    );
    fc.assert(
      fc.property(anyAvailable, anySituation, figure, fc.nat(50), (available, situation, name, by) => {
        const before = situation.policy[name];
        const larger = {
          ...situation,
          policy: { ...situation.policy, [name]: { ...before, value: Math.min(100, before.value + by) } },
        };
        const [less, more] = [situation, larger].map((each) => withheld(available, each)) as [number, number];
        if (name === 'floorPercent') expect(more).toBeLessThanOrEqual(less);
        else expect(more).toBeGreaterThanOrEqual(less);
      }),
      { numRuns: 1_000 },
    );
  });

  test('more stock never shows less', () => {
    fc.assert(
      fc.property(anyAvailable, anySituation, fc.nat(100), (available, situation, by) => {
        const shown = (units: number) => Math.max(0, units) - withheld(units, situation);
        // Each share is rounded up by itself, so that one unit more can be withheld for each of them.
        expect(shown(available + by)).toBeGreaterThanOrEqual(shown(available) - 6);
      }),
    );
  });

  test('below the rate that is told to matter, a sale asks for no more', () => {
    const steps = fc.array(
      fc.record({
        hour: fc.double({ min: 0, max: 2, noNaN: true }),
        usual: fc.double({ min: 0.5, max: 2, noNaN: true }),
      }),
      { maxLength: 20 },
    );
    const slowly = fc.record({
      hourUnits: fc.constant(0),
      usualPerHour: fc.double({ min: 0, max: 0.1, noNaN: true }),
      knownHours: fc.nat(99),
    });
    fc.assert(
      fc.property(
        anySituation,
        fc.option(slowly),
        steps,
        ({ policy, channel, ...situation }, slow, later) => {
          const sales = slow ?? situation.sales;
          const before = needsOf(policy, sales, channel);
          const raiseAt = nextRise(policy, sales, channel);
          const amount = ({ needs }: Needs, kind: string) =>
            needs.find((need) => need.kind === kind)?.amount ?? 0;
          for (const { hour, usual } of later) {
            const then = {
              hourUnits: raiseAt * hour,
              usualPerHour: sales.usualPerHour * usual,
              knownHours: 1_000,
            };
            if (Math.max(then.hourUnits, then.usualPerHour) >= raiseAt || !Number.isFinite(raiseAt)) continue;
            const after = needsOf(policy, then, channel);
            for (const kind of ['velocity', 'confirmation', 'spike'])
              expect(amount(after, kind)).toBeLessThanOrEqual(amount(before, kind));
            if (before.isSlow && policy.floorPercent.value > 0) expect(after.isSlow).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the same again is the same', () => {
    fc.assert(
      fc.property(anyAvailable, anySituation, (available, situation) => {
        expect(buffersOf(available, inputsOf(situation))).toEqual(
          buffersOf(available, inputsOf(structuredClone(situation))),
        );
      }),
    );
  });
});

const HOLD: Hold = { id: 2, units: 0, percent: 0, reason: 'count', placedBy: 'ann', until: null };
