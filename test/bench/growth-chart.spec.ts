import { chartOf, compact } from './growth-chart';
import type { Curve } from './growth-curve';

const CURVE: Curve = {
  name: 'skus-reservations',
  title: 'Reservations of "all & any" SKUs < 1M',
  along: 'SKUs',
  unit: 'per second',
  floor: 'one statement',
  points: [
    { at: 1_000, ours: 9_500, floor: 9_400, ratio: 1.01 },
    { at: 10_000, ours: 9_000, floor: 9_300, ratio: 0.97 },
    { at: 1_000_000, ours: 4_000, floor: 8_000, ratio: 0.5 },
  ],
};

/** Names of the elements, each closed where it has to be; throws on what is no XML. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const rest = svg.replace(
    /<(\/?)(\w+)((?:\s[\w-]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)\s*(\/?)>/g,
    (_, end, name, _with, empty) => {
      if (end) expect(open.pop()).toBe(name);
      else names.push(name as string);
      if (!end && !empty) open.push(name as string);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest.replace(/&#\d+;/g, '')).not.toMatch(/[<>&]/);
  return names;
}

function dotsOf(svg: string, line: 'ours' | 'floor') {
  const dots = svg.matchAll(new RegExp(`<circle class="${line}" cx="([\\d.]+)" cy="([\\d.]+)"`, 'g'));
  return [...dots].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, content]) => content);

test('a chart is well-formed, whatever its title has in it', () => {
  const names = elementsOf(chartOf(CURVE));
  expect(names[0]).toBe('svg');
  expect(names.filter((name) => name === 'path')).toHaveLength(2);
});

test('each point is on its line, further right the more there is and further up the larger it is', () => {
  const svg = chartOf(CURVE);
  const ours = dotsOf(svg, 'ours');
  const floor = dotsOf(svg, 'floor');
  expect([ours.length, floor.length]).toEqual([3, 3]);
  expect(ours.map(({ x }) => x)).toEqual(floor.map(({ x }) => x));
  // One decade and then two: the axis is a log one.
  const [first, second, third] = ours.map(({ x }) => x) as [number, number, number];
  expect((third - first) / (second - first)).toBeCloseTo(3, 1);
  // From 0 up: 4,000 stands half as high as 8,000 of the same size.
  const ground = 360 - 56;
  expect((ground - floor[2]!.y) / (ground - ours[2]!.y)).toBeCloseTo(2, 1);
  for (const { x, y } of ours) expect(svg).toContain(`${x} ${y}`);
});

test('axes name what they show, with every size and value', () => {
  const texts = textsOf(chartOf(CURVE));
  expect(texts).toEqual(expect.arrayContaining(['SKUs (log)', 'per second', '1k', '10k', '1M', '0']));
  expect(texts).toEqual(expect.arrayContaining(['9.5k', '9.4k', '4k', '8k', 'ours', 'floor']));
});

test('values that are far apart are on a log axis, and say so', () => {
  const points = [
    { at: 1, ours: 50, floor: 0.5, ratio: 100 },
    { at: 50, ours: 500, floor: 0.5, ratio: 1_000 },
  ];
  const svg = chartOf({ ...CURVE, unit: 'ms', points });
  expect(textsOf(svg)).toEqual(expect.arrayContaining(['ms (log)', '0.1', '1', '10', '100', '1k']));
  const [low, high] = dotsOf(svg, 'ours').map(({ y }) => y) as [number, number];
  expect(low - dotsOf(svg, 'floor')[0]!.y).toBeCloseTo(2 * (high - low), 0);
});

test('the number of a small value stands above it, off the ground', () => {
  const svg = chartOf({ ...CURVE, points: [{ at: 1, ours: 100, floor: 5.5, ratio: 18.2 }] });
  const [number] = [...svg.matchAll(/y="([\d.]+)" text-anchor="middle">5\.5</g)].map(([, y]) => Number(y));
  expect(number).toBeLessThan(dotsOf(svg, 'floor')[0]!.y);
});

test('one point, and points of nothing, are charts as well', () => {
  for (const points of [
    [{ at: 5, ours: 3, floor: 3, ratio: 1 }],
    [{ at: 5, ours: 0, floor: 0, ratio: NaN }],
  ]) {
    const svg = chartOf({ ...CURVE, points });
    elementsOf(svg);
    expect(svg).not.toMatch(/NaN|Infinity/);
    const names = [...svg.matchAll(/<text class="(ours|floor)" x="634" y="([\d.]+)"/g)].map(([, , y]) =>
      Number(y),
    );
    expect(Math.abs(names[0]! - names[1]!)).toBeGreaterThanOrEqual(15);
  }
});

test.each([
  [1_000_000, '1M'],
  [9_511, '9.51k'],
  [999, '999'],
  [0.4567, '0.457'],
  [0, '0'],
])('%d is told as %s', (value, told) => expect(compact(value)).toBe(told));
