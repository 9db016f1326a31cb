import { parseOrders } from './order-file';
import { valueAt } from './random';
import { CATALOGUE, DOCUMENTS, LINES_PER_ORDER, WEEKDAY_WEIGHTS } from './retail-shape';
import { drawOrders } from './synthetic-orders';

const file = parseOrders(Buffer.from(drawOrders(11)), 'synthetic');
const linesOf = (kind: string) =>
  file.documents.flatMap(({ lines }) => lines.filter((line) => line.kind === kind));
const documentsOf = (kind: string) =>
  file.documents.filter(({ lines }) => lines.some((line) => line.kind === kind));

/** What the real file has, and how far from it a drawn one may be. */
function expectNear(actual: number, measured: number, tolerance: number): void {
  expect(actual).toBeGreaterThanOrEqual(measured * (1 - tolerance));
  expect(actual).toBeLessThanOrEqual(measured * (1 + tolerance));
}

test('one seed draws one text, another seed another', () => {
  expect(drawOrders(11)).toBe(drawOrders(11));
  expect(drawOrders(12)).not.toBe(drawOrders(11));
});

test('the file is of the real size', () => {
  expectNear(file.lines, 28_492, 0.03);
  expectNear(file.documents.length, 1_275, 0.02);
  expectNear(file.skus.size, 2_597, 0.01);
});

test('orders, returns and corrections come in their measured numbers', () => {
  const { orders, siteOrders, gifts, returns, corrections } = DOCUMENTS;
  expect(documentsOf('ordered')).toHaveLength(orders + siteOrders + gifts);
  expect(documentsOf('returned')).toHaveLength(returns);
  expect(documentsOf('corrected')).toHaveLength(corrections);
});

test('units per line have the measured quartiles and a long tail', () => {
  const units = linesOf('ordered')
    .map(({ quantityUnits }) => quantityUnits)
    .sort((a, b) => a - b);
  const at = (share: number) => units[Math.round(share * (units.length - 1))];
  expect([at(0.25), at(0.5), at(0.75)]).toEqual([1, 2, 6]);
  expectNear(at(0.99)!, 95, 0.2);
  expect(at(1)!).toBeGreaterThan(1_000);
});

test('lines per order follow the measured quantiles', () => {
  const sizes = documentsOf('ordered')
    .map(({ lines }) => lines.length)
    .sort((a, b) => a - b);
  expectNear(sizes[Math.round(0.5 * sizes.length)]!, valueAt(LINES_PER_ORDER, 0.5), 0.2);
  expectNear(sizes.at(-1)!, 674, 0.05);
});

test('a tenth of the SKUs has about 41 % of the lines, as measured', () => {
  const lines = new Map<string, number>();
  for (const { sku } of linesOf('ordered')) lines.set(sku, (lines.get(sku) ?? 0) + 1);
  const ranked = [...lines.values()].sort((a, b) => b - a);
  const top = ranked.slice(0, ranked.length / 10).reduce((sum, count) => sum + count, 0);
  expectNear(top / linesOf('ordered').length, 0.414, 0.1);
});

test('some SKUs differ from another one only in the case of a letter', () => {
  const codes = [...file.skus.keys()];
  expectNear(
    codes.length - new Set(codes.map((code) => code.toUpperCase())).size,
    CATALOGUE.differingInCase,
    0.1,
  );
});

test('nothing happens on Saturdays', () => {
  const days = new Set(file.documents.map(({ occurredAtMs }) => new Date(occurredAtMs).getUTCDay()));
  expect([...days].sort()).toEqual([0, 1, 2, 3, 4, 5].filter((day) => WEEKDAY_WEIGHTS[day]! > 0));
});

test('most returned units were sold before', () => {
  const sold = new Map<string, number>();
  let after = 0;
  for (const { lines } of file.documents) {
    for (const { kind, sku, quantityUnits } of lines) {
      if (kind === 'ordered') sold.set(sku, (sold.get(sku) ?? 0) + quantityUnits);
      if (kind === 'returned' && (sold.get(sku) ?? 0) >= quantityUnits) after += 1;
    }
  }
  expect(after / linesOf('returned').length).toBeGreaterThan(0.8);
});

test('charges are among the lines, to be left out', () => {
  expect(file.unusable).toMatchObject({
    DOT: DOCUMENTS.siteOrders,
    POST: expect.any(Number),
    M: expect.any(Number),
  });
});
