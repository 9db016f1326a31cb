import { type Curve, type CurvePoint, grouped } from './growth-curve';

const WIDTH = 680;
const HEIGHT = 360;
const PLOT = { left: 76, right: WIDTH - 72, top: 74, bottom: HEIGHT - 56 };
/** Values further apart than this are told on a log axis; on a plain one the small ones would lie on the ground. */
const PLAIN_SPAN = 20;
const LABEL_HEIGHT = 15;

/** Grey, blue and orange that stand out on white and on GitHub's dark page alike; the background is the page's. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #768390 }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #768390; stroke-opacity: 0.3 }
  .line { fill: none; stroke-width: 2 }
  .ours { stroke: #2f81f7 } circle.ours, text.ours { fill: #2f81f7; stroke: none }
  .floor { stroke: #c9772b } circle.floor, text.floor { fill: #c9772b; stroke: none }
  path.floor { stroke-dasharray: 6 4 }`;

interface Scale {
  place: (value: number) => number;
  ticks: number[];
  isLog: boolean;
}

/** One SVG with ours and the floor as two lines; what grows is on a log axis. */
export function chartOf(curve: Curve): string {
  const { title, along, unit, floor, points } = curve;
  const across = acrossScale(points.map(({ at }) => at));
  const up = upScale(points.flatMap((point) => [point.ours, point.floor]));
  const middle = (PLOT.left + PLOT.right) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(`${title}, ${unit}, by ${along}`)}">`,
    `<style>${STYLE}\n</style>`,
    text('title', PLOT.left, 24, title),
    text('', PLOT.left, 44, `floor: ${floor}`),
    ...up.ticks.map((value) => upTick(value, up.place(value))),
    ...across.ticks.map((value) => text('', across.place(value), PLOT.bottom + 20, compact(value), 'middle')),
    text('', middle, HEIGHT - 10, `${along} (log)`, 'middle'),
    `<g transform="translate(16 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)">${text('', 0, 0, up.isLog ? `${unit} (log)` : unit, 'middle')}</g>`,
    ...linesOf(points, across, up, curve),
    '</svg>\n',
  ].join('\n');
}

function linesOf(points: readonly CurvePoint[], across: Scale, up: Scale, curve: Curve): string[] {
  const lines = (['floor', 'ours'] as const).map((which) => {
    const places = points.map((point) => [across.place(point.at), up.place(point[which])] as const);
    const path = places.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join(' ');
    const dots = points.map((point, index) => {
      const [x, y] = places[index]!;
      const other = up.place(point[which === 'ours' ? 'floor' : 'ours']);
      // The upper one of two values has its number above it, the lower one below, where there is room for it.
      const isUpper = y < other || (y === other && which === 'ours');
      const isLow = y > PLOT.bottom - LABEL_HEIGHT && y - other > 2 * LABEL_HEIGHT;
      const told = `${which} at ${grouped(point.at)} ${curve.along}: ${grouped(point[which])} ${curve.unit}`;
      return (
        `<circle class="${which}" cx="${x}" cy="${y}" r="4"><title>${escaped(told)}</title></circle>` +
        text(which, x, isUpper || isLow ? y - 9 : y + 18, compact(point[which]), 'middle')
      );
    });
    return [`<path class="line ${which}" d="${path}"/>`, ...dots];
  });
  return [...lines.flat(), ...lineNames(points.at(-1)!, up)];
}

/** At the ends of the lines, and never one over the other. */
function lineNames(last: CurvePoint, up: Scale): string[] {
  const [ours, floor] = [up.place(last.ours), up.place(last.floor)];
  const push = Math.max(0, (LABEL_HEIGHT - Math.abs(ours - floor)) / 2);
  const down = ours > floor ? 1 : -1;
  const x = PLOT.right + 26;
  return [
    text('ours', x, ours + 4 + push * down, 'ours'),
    text('floor', x, floor + 4 - push * down, 'floor'),
  ];
}

/** A log axis over the sizes, each of which is a tick of its own. */
function acrossScale(sizes: readonly number[]): Scale {
  const [least, most] = [Math.log(Math.min(...sizes)), Math.log(Math.max(...sizes))];
  // The first and the last point stand a little off the edges.
  const inset = 24;
  const width = PLOT.right - PLOT.left - 2 * inset;
  const share = (value: number) => (most === least ? 0.5 : (Math.log(value) - least) / (most - least));
  return {
    place: (value) => tenth(PLOT.left + inset + width * share(value)),
    ticks: [...sizes],
    isLog: true,
  };
}

function upScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const isLog = positive.length === values.length && Math.max(...values) / Math.min(...values) > PLAIN_SPAN;
  const height = PLOT.bottom - PLOT.top;
  if (isLog) {
    const from = Math.floor(Math.log10(Math.min(...values)));
    const to = Math.ceil(Math.log10(Math.max(...values)));
    const ticks = Array.from({ length: to - from + 1 }, (_, index) => Number(`1e${from + index}`));
    const share = (value: number) => (Math.log10(value) - from) / (to - from);
    return { place: (value) => tenth(PLOT.bottom - height * share(value)), ticks, isLog };
  }
  const step = niceStep(Math.max(...values, 0) / 4);
  const top = Math.max(1, Math.ceil(Math.max(...values, 0) / step)) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return { place: (value) => tenth(PLOT.bottom - (height * value) / top), ticks, isLog };
}

/** The next of 1, 2, 2.5 and 5, times a power of ten. */
function niceStep(atLeast: number): number {
  if (atLeast <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return [1, 2, 2.5, 5, 10].find((nice) => nice * power >= atLeast)! * power;
}

function upTick(value: number, y: number): string {
  const line = `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y}" y2="${y}"/>`;
  return line + text('', PLOT.left - 8, y + 4, compact(value), 'end');
}

function text(kind: string, x: number, y: number, content: string, anchor = 'start'): string {
  return `<text class="${kind}" x="${tenth(x)}" y="${tenth(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** 9511 → 9.51k. */
export function compact(value: number): string {
  const three = (scaled: number) => String(Number(scaled.toPrecision(3)));
  if (Math.abs(value) >= 1e6) return `${three(value / 1e6)}M`;
  return Math.abs(value) >= 1e3 ? `${three(value / 1e3)}k` : three(value);
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
