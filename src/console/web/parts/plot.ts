import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { KpiHistory } from '../types';
import { kpiValue } from './kpi-words';

const MOST_DOTS = 60;

/** Draws the points as a line, and the aim as a dashed one. What is not known leaves a gap. */
export function draw(
  place: HTMLElement,
  { unit, points }: KpiHistory,
  aim: number | undefined,
  height: number,
) {
  const axis = {
    stroke: colourOf(place, '--quiet'),
    grid: { stroke: colourOf(place, '--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const times = points.map(({ at }) => Date.parse(at) / 1000);
  const values = points.map(({ value }) => value);
  const accent = colourOf(place, '--accent');
  // A point alone between gaps has no line to be seen by.
  const isSparse = values.filter((value) => value !== null).length <= MOST_DOTS;
  const line = { stroke: accent, width: 2, points: { show: isSparse, size: 5, fill: accent } };
  const series = [{}, { ...line, fill: colourOf(place, '--raised') }];
  const data: (number | null)[][] = [times, values];
  if (aim !== undefined) {
    series.push({
      stroke: colourOf(place, '--bad'),
      width: 1,
      dash: [6, 4],
      points: { show: false },
    } as object);
    data.push(times.map(() => aim));
  }
  return new UPlot(
    {
      width: Math.max(place.clientWidth, 100),
      height,
      series,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (_plot, _min, max) => [0, most(max, aim)] } },
      axes: [
        { ...axis, grid: { show: false } },
        { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => kpiValue(tick, unit)) },
      ],
    },
    data as UPlot.AlignedData,
    place,
  );
}

/** From nought, so that a small change looks small; with the aim in sight where it is near. */
function most(max: number, aim: number | undefined): number {
  const shown = aim !== undefined && aim < max * 4 ? Math.max(max, aim) : max;
  return shown > 0 ? shown * 1.1 : Math.max(aim ?? 0, 1);
}

/** As it is now, in the light or in the dark: a canvas knows nothing of the page's colours. */
function colourOf(place: HTMLElement, name: string): string {
  const probe = place.appendChild(document.createElement('span'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
