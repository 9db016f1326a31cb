import fc from 'fast-check';
import { BufferConfig, type BufferSettings, settingsOf } from '../config/buffer.config';
import { type BacktestChannel, backtestSku, type StockEvent } from './backtest';
import { backtestChart, backtestText } from './backtest-text';
import { BacktestRun } from './backtest-run';
import { BufferRules } from './buffer-rules';
import { mergeLayers } from './effective-policy';
import { NO_SIGNALS } from './needs';

const { rule: _rule, ...NOTHING } = new BufferConfig();
const START = Date.parse('2024-05-01T10:00:00Z');

function channels(latencyMs: number, settings: Partial<BufferSettings> = {}): BacktestChannel[] {
  const policy = mergeLayers({ name: 'p', settings: { ...NOTHING, ...settings } }, []);
  return ['a', 'b'].map((name) => ({
    name,
    latencyMs,
    policy,
    signals: { ...NO_SIGNALS, syncP99Ms: latencyMs },
  }));
}

/** Stock, then sales at these seconds, an hour later. */
function eventsOf(stock: number, ...sales: [second: number, channel: string, units: number][]): StockEvent[] {
  return [
    { atMs: START, channel: null, units: stock },
    ...sales.map(([second, channel, units]) => ({
      atMs: START + 3_600_000 + second * 1_000,
      channel,
      units,
    })),
  ];
}

describe('an order in a backtest', () => {
  test('of the last unit on a channel that has not heard is oversold, and of one that has is not placed', () => {
    const twice = eventsOf(1, [0, 'a', 1], [5, 'b', 1]);
    expect(backtestSku(twice, channels(10_000))).toMatchObject([
      { orders: 1, oversold: 0 },
      { orders: 1, oversold: 1, oversoldOrders: 1, sold: 0, lost: 0 },
    ]);
    expect(backtestSku(twice, channels(4_000))[1]).toMatchObject({ orders: 0, oversold: 0, lost: 0 });
  });

  test('on the channel that sold the last unit itself is not placed, however slow the sync is', () => {
    expect(backtestSku(eventsOf(1, [0, 'a', 1], [1, 'a', 1]), channels(60_000))[0]).toMatchObject({
      orders: 1,
      oversold: 0,
    });
  });

  test('of withheld units is lost, unless a bit more than is shown was never there', () => {
    const [shop] = backtestSku(eventsOf(10, [0, 'a', 8], [60, 'a', 20]), channels(1_000, { units: 5 }));
    expect(shop).toMatchObject({ orders: 0, lostOrders: 1, lost: 8 });
  });

  test('withheld units count for as long as they are withheld, on each channel', () => {
    const [a, b] = backtestSku(eventsOf(10, [0, 'a', 2], [3_600, 'a', 2]), channels(1_000, { units: 5 }));
    expect([a!.withheldUnitHours, b!.withheldUnitHours]).toEqual([10, 10]);
  });
});

const anyEvents = fc
  .array(
    fc.record({
      gap: fc.nat(120),
      channel: fc.constantFrom('a', 'b', null),
      units: fc.integer({ min: 1, max: 6 }),
    }),
    {
      maxLength: 60,
    },
  )
  .map((steps) => {
    let atMs = START;
    return [
      { atMs, channel: null, units: 40 } as StockEvent,
      ...steps.map(({ gap, channel, units }): StockEvent => ({
        atMs: (atMs += gap * 1_000),
        channel,
        units,
      })),
    ];
  });

test('no latency oversells nothing, all that is sold was there, and withholding all sells nothing', () => {
  fc.assert(
    fc.property(anyEvents, fc.nat(100_000), (events, latencyMs) => {
      const total = (found: ReturnType<typeof backtestSku>, key: 'sold' | 'oversold') =>
        found.reduce((sum, each) => sum + each[key], 0);
      expect(total(backtestSku(events, channels(0)), 'oversold')).toBe(0);
      const there = events.reduce((sum, { channel, units }) => sum + (channel === null ? units : 0), 0);
      expect(total(backtestSku(events, channels(latencyMs)), 'sold')).toBeLessThanOrEqual(there);
      expect(total(backtestSku(events, channels(latencyMs, { percent: 100 })), 'sold')).toBe(0);
    }),
  );
});

test('a report compares each policy with the first, as a table and as a chart', () => {
  const policy = (name: string, settings: Partial<BufferSettings>) =>
    BufferRules.none.with([{ name, channel: null, tag: null, sku: null, settings, windows: null }]);
  const run = new BacktestRun({
    channels: channels(10_000).map(({ name, latencyMs, signals }) => ({ name, latencyMs, signals })),
    candidates: [
      { name: 'nothing', rules: BufferRules.none },
      { name: 'base & more', rules: policy('base', settingsOf({ rule: 'base' })) },
      { name: 'all', rules: policy('all', { percent: 100 }) },
    ],
  });
  for (let skuId = 1; skuId <= 3; skuId++) run.add({ skuId, events: eventsOf(1, [0, 'a', 1], [5, 'b', 1]) });
  const report = run.report();
  expect(report.candidates).toMatchObject([
    { name: 'nothing', orders: 6, oversold: 3, oversellsAvoided: 0, lost: 0 },
    // The last unit of a slow mover stays on sale: what the floor costs.
    { name: 'base & more', orders: 6, oversold: 3, oversellsAvoided: 0, lost: 0 },
    { name: 'all', orders: 0, oversold: 0, oversellsAvoided: 3, lost: 6 },
  ]);
  expect(backtestText(report).split('\n')).toContainEqual(
    expect.stringMatching(/^nothing +6 +3 +50\.00 % +3 +0 +0 +0 +0$/),
  );
  const chart = backtestChart(report);
  expect(chart).toMatch(/^<svg [^>]+>/);
  expect(chart).toContain('base &amp; more</text>');
  expect(chart.match(/<circle/g)).toHaveLength(3);
});
