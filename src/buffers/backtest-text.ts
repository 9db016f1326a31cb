import type { BacktestReport, CandidateReport } from './backtest-run';

type Column = [title: string, of: (candidate: CandidateReport) => string];

const COLUMNS: readonly Column[] = [
  ['policy', ({ name }) => name],
  ['order lines', ({ orders }) => count(orders)],
  ['oversold', ({ oversoldOrders }) => count(oversoldOrders)],
  ['share', ({ orders, oversoldOrders }) => `${((100 * oversoldOrders) / Math.max(orders, 1)).toFixed(2)} %`],
  ['units oversold', ({ oversold }) => count(oversold)],
  ['avoided', ({ oversellsAvoided }) => count(oversellsAvoided)],
  ['unit-hours withheld', ({ withheldUnitHours }) => count(Math.round(withheldUnitHours))],
  ['lines not sold', ({ lostOrders }) => count(lostOrders)],
  ['units not sold', ({ lost }) => count(lost)],
];

/** A table with a line for each policy, and what the figures mean. */
export function backtestText({ from, to, skus, events, latencies, candidates }: BacktestReport): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...candidates.map((each) => COLUMNS.map(([, of]) => of(each))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const told = Object.entries(latencies).map(([name, ms]) => `${name} ${ms / 1000} s`);
  return [
    `${count(skus)} SKUs, ${count(events)} events from ${from} to ${to}; sync latency: ${told.join(', ')}`,
    '',
    ...table,
    '',
    'oversold: order lines that the channel took and stock did not cover. avoided: units oversold less than in the',
    'first line. not sold: orders that were not placed because the channel showed fewer, although all of it was there.',
  ].join('\n');
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 30;
const TOP = 50;
const BOTTOM = 60;

/** An SVG: what each policy leaves oversold against what it keeps from being sold. */
export function backtestChart({ candidates }: BacktestReport): string {
  const mostX = niceCeiling(Math.max(...candidates.map(({ lost }) => lost), 1));
  const mostY = niceCeiling(Math.max(...candidates.map(({ oversold }) => oversold), 1));
  const x = (value: number) => LEFT + (value / mostX) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / mostY) * (HEIGHT - TOP - BOTTOM);
  const marks = [0, 0.25, 0.5, 0.75, 1];
  const grid = marks.flatMap((share) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share * mostY)}" y2="${y(share * mostY)}" stroke="#ddd"/>`,
    text(LEFT - 8, y(share * mostY) + 4, count(Math.round(share * mostY)), 'end'),
    text(x(share * mostX), HEIGHT - BOTTOM + 18, count(Math.round(share * mostX)), 'middle'),
  ]);
  const points = candidates.flatMap(({ name, lost, oversold }, at) => {
    const isRight = x(lost) > WIDTH / 2;
    return [
      `<circle cx="${x(lost)}" cy="${y(oversold)}" r="6" fill="hsl(${at * 67} 60% 45%)"/>`,
      text(x(lost) + (isRight ? -10 : 10), y(oversold) - 9, name, isRight ? 'end' : 'start'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 24, 'What a buffer costs and what it saves', 'start'),
    ...grid,
    text(WIDTH - RIGHT, HEIGHT - 12, 'units not sold although they were there →', 'end'),
    text(LEFT, TOP - 10, '↑ units oversold', 'start'),
    ...points,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${Math.round(x)}" y="${Math.round(y)}" text-anchor="${anchor}">${escaped}</text>`;
}

/** The next of 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value)!;
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
