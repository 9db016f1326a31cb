import { curvesOf, curvesText, Rounds } from './growth-curve';

const KIND = { name: 'skus-start', title: 'Start of a host', unit: 'seconds', floor: 'plain statements' };

function stepOf(at: number, ...pairs: [number, number][]) {
  const rounds = new Rounds();
  for (const [ours, floor] of pairs) rounds.add(KIND.name, ours, floor);
  return { at, rounds: rounds.pairs };
}

test('a point has medians, and the median of the ratios of its own rounds', () => {
  const [curve] = curvesOf(
    'SKUs',
    [KIND],
    [stepOf(1_000, [10, 1], [20, 4], [90, 3]), stepOf(10_000, [7, 3])],
  );
  expect(curve).toMatchObject({ name: 'skus-start', along: 'SKUs' });
  expect(curve!.points).toEqual([
    { at: 1_000, ours: 20, floor: 3, ratio: 10 },
    { at: 10_000, ours: 7, floor: 3, ratio: 2.33 },
  ]);
});

test('a curve is told as a table, a size a line', () => {
  const text = curvesText(curvesOf('SKUs', [KIND], [stepOf(1_000_000, [14.804, 2.2])]));
  expect(text).toContain('Start of a host, seconds   (floor: plain statements)');
  expect(text.split('\n')[2]!.trim().split(/ +/)).toEqual(['1,000,000', '14.8', '2.2', '6.73']);
});
