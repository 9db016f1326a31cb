import { type OrderFile, parseOrders } from './order-file';
import { openingStock } from './opening-stock';
import { drawOrders } from './synthetic-orders';
import { type Step, timelineOf, type TimelineOptions } from './timeline';

const OPTIONS: TimelineOptions = { seed: 1, duplicateShare: 0, shuffleWithinMs: 0, nowMs: Date.UTC(2026, 0) };
const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,Country';

const small = parseOrders(
  Buffer.from(
    [
      HEADER,
      '1,22086,CHAIN,3,2010-12-01T08:00:00Z,2,UK',
      'C2,22086,CHAIN,-2,2010-12-01T09:00:00Z,2,UK',
      '3,22087,damages,-5,2010-12-01T10:00:00Z,0,UK',
      '4,POST,POSTAGE,1,2010-12-01T11:00:00Z,18,UK',
    ].join('\n'),
  ),
  'small.csv',
);
const large = parseOrders(Buffer.from(drawOrders(5)), 'synthetic');

function stepsOf(file: OrderFile, options: Partial<TimelineOptions> = {}): Step[] {
  return timelineOf(file, { ...OPTIONS, ...options }).steps;
}

test('an order is shipped after 24 hours, a return inspected after 48, a correction posted at once', () => {
  const told = stepsOf(small).map((step) => [
    step.occurredAt,
    step.kind,
    step.kind === 'post' ? step.events[0] : step.document,
  ]);
  const digest = small.digest;
  expect(told).toEqual([
    ['2010-12-01T08:00:00.000Z', 'place', '1'],
    [
      '2010-12-01T09:00:00.000Z',
      'post',
      {
        type: 'RETURN',
        sku: '22086',
        quantity: 2,
        to: 'quarantined',
        reference: 'C2',
        occurredAt: '2010-12-01T09:00:00.000Z',
        idempotencyKey: `replay:${digest}:C2:0`,
      },
    ],
    [
      '2010-12-01T10:00:00.000Z',
      'post',
      {
        type: 'ADJUST',
        sku: '22087',
        quantity: -5,
        reason: 'damages',
        reference: '3',
        occurredAt: '2010-12-01T10:00:00.000Z',
        idempotencyKey: `replay:${digest}:3:0`,
      },
    ],
    ['2010-12-02T08:00:00.000Z', 'ship', '1'],
    [
      '2010-12-03T09:00:00.000Z',
      'post',
      {
        type: 'INSPECT',
        sku: '22086',
        quantity: 2,
        to: 'available',
        reference: 'C2',
        occurredAt: '2010-12-03T09:00:00.000Z',
        idempotencyKey: `replay:${digest}:C2:0:inspected`,
      },
    ],
  ]);
});

test('steps are sent in the order of their time, shuffled or not', () => {
  for (const shuffleWithinMs of [0, 3_600_000]) {
    const times = stepsOf(large, { shuffleWithinMs }).map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
});

test('shuffling moves documents by at most the bound and leaves the times at which things happened', () => {
  const bound = 600_000;
  const moved = stepsOf(large, { shuffleWithinMs: bound }).map(
    (step) => step.atMs - Date.parse(step.occurredAt),
  );
  expect(Math.max(...moved)).toBeLessThanOrEqual(bound);
  expect(Math.min(...moved)).toBeGreaterThanOrEqual(-bound);
  expect(Math.max(...moved)).toBeGreaterThan(bound * 0.9);
  expect(Math.min(...moved)).toBeLessThan(-bound * 0.9);
});

test('shuffling changes the order of documents, and the steps of one document stay in order', () => {
  const options = { shuffleWithinMs: 12 * 3_600_000 };
  const placed = (steps: Step[]) => steps.flatMap((step) => (step.kind === 'place' ? [step.document] : []));
  expect(placed(stepsOf(large, options))).not.toEqual(placed(stepsOf(large)));
  const seen = new Set<string>();
  for (const step of stepsOf(large, options)) {
    if (step.kind === 'ship') expect(seen).toContain(step.document);
    seen.add(step.document);
  }
});

test('one seed shuffles and repeats in one way, another seed in another', () => {
  const options = { shuffleWithinMs: 60_000, duplicateShare: 0.1 };
  expect(stepsOf(large, options)).toEqual(stepsOf(large, options));
  expect(stepsOf(large, { ...options, seed: 2 })).not.toEqual(stepsOf(large, options));
});

test('the asked share of webhooks is sent again, each once and after the first', () => {
  const steps = stepsOf(large, { duplicateShare: 0.1 });
  const repeats = steps.filter((step) => step.kind === 'repeat');
  const webhooks = steps.filter((step) => step.kind === 'place' || step.kind === 'ship');
  expect(repeats.length / webhooks.length).toBeCloseTo(0.1, 1);
  expect(new Set(repeats.map((step) => `${step.of} ${step.document}`)).size).toBe(repeats.length);
  for (const repeat of repeats) {
    const first = webhooks.find(({ kind, document }) => kind === repeat.of && document === repeat.document)!;
    expect(repeat.atMs).toBeGreaterThanOrEqual(first.atMs);
  }
});

test('keys are unique, and neither seed nor shuffling changes them', () => {
  const keysOf = (steps: Step[]) =>
    steps.flatMap((step) => (step.kind === 'post' ? step.events : [])).map((event) => event.idempotencyKey);
  const keys = keysOf(stepsOf(large));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keysOf(stepsOf(large, { seed: 9, shuffleWithinMs: 60_000 })).sort()).toEqual([...keys].sort());
});

test('what would happen after now is left out and counted', () => {
  const nowMs = Date.UTC(2010, 11, 2, 12);
  const { steps, inFuture } = timelineOf(small, { ...OPTIONS, nowMs });
  expect(steps.map(({ kind }) => kind)).toEqual(['place', 'post', 'post', 'ship']);
  expect(inFuture).toBe(1);
});

test('opening stock covers every prefix of the timeline, however it is shuffled', () => {
  for (const seed of [1, 2, 3]) {
    const available = new Map(openingStock(large, 1).map(({ sku, quantity }) => [sku, quantity]));
    const take = (sku: string, units: number) => available.set(sku, (available.get(sku) ?? 0) - units);
    for (const step of stepsOf(large, { seed, shuffleWithinMs: 12 * 3_600_000 })) {
      if (step.kind === 'place') step.lines.forEach((line) => take(line.channelSku, line.quantityUnits));
      if (step.kind === 'post')
        step.events
          .filter(({ type }) => type === 'ADJUST')
          .forEach((event) => take(event.sku, -event.quantity));
    }
    // Without a single return: they come on top.
    expect([...available.values()].filter((units) => units !== 0)).toEqual([]);
  }
});

test('opening stock of a smaller factor leaves orders short, and is posted before the first document', () => {
  const [all, less] = [openingStock(large, 1), openingStock(large, 0.8)];
  const units = (events: typeof all) => events.reduce((sum, { quantity }) => sum + quantity, 0);
  expect(units(less) / units(all)).toBeCloseTo(0.8, 1);
  const first = Math.min(...stepsOf(large, { shuffleWithinMs: 12 * 3_600_000 }).map(({ atMs }) => atMs));
  expect(Date.parse(all[0]!.occurredAt)).toBeLessThan(first);
});
