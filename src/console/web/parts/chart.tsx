import { useEffect, useRef, useState } from 'preact/hooks';
import type { KpiHistory } from '../types';
import { Count, OwnCount } from './basics';
import { isLevel, kpiLink, type KpiQuery, kpiValue, kpiWords } from './kpi-words';

const HEIGHT = 150;

/**
 * A figure over time. The picture is for eyes; the same points stand in a table below it, which is folded, and the
 * sentence before it says the most and the last of them.
 */
export function Chart({ of, aim, ...query }: { of: KpiHistory; aim?: number } & KpiQuery) {
  const { name, unit, points, stepSeconds } = of;
  const known = points.filter((point): point is { at: string; value: number } => point.value !== null);
  const last = known.at(-1);
  if (!last)
    return (
      <div class="chart none">
        <p class="quiet">No data in this time.</p>
      </div>
    );
  const most = known.reduce((best, point) => (point.value > best.value ? point : best), last);
  return (
    <>
      <Plot of={of} aim={aim} />
      <details class="quiet">
        <summary>
          Last <OwnCount of={last.value} text={kpiValue(last.value, unit)} as="opens" />, most{' '}
          <OwnCount of={most.value} text={kpiValue(most.value, unit)} as="opens" />; as a table
        </summary>
        <div class="scroll short" role="region" aria-label={`${kpiWords(name).name} over time`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col" class="number">
                  {kpiWords(name).name}
                </th>
              </tr>
            </thead>
            <tbody>
              {known.toReversed().map(({ at, value }) => (
                <tr key={at}>
                  <th scope="row">{new Date(at).toLocaleString()}</th>
                  <td class="number">
                    {isLevel(name) ? (
                      <OwnCount of={value} text={kpiValue(value, unit)} as="tally" />
                    ) : (
                      <Count
                        of={value}
                        text={kpiValue(value, unit)}
                        to={kpiLink(name, { ...query, from: at, to: endOf(at, stepSeconds) })}
                        names={`from ${new Date(at).toLocaleString()}: what it counts`}
                      />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

function endOf(at: string, seconds: number): string {
  return new Date(Date.parse(at) + seconds * 1000).toISOString();
}

/** Drawn by uPlot, which is fetched when the first chart is shown, and anew in the colours of light or dark. */
function Plot({ of, aim }: { of: KpiHistory; aim?: number }) {
  const place = useRef<HTMLDivElement>(null);
  const [turn, setTurn] = useState(0);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const again = () => setTurn((before) => before + 1);
    dark.addEventListener('change', again);
    return () => dark.removeEventListener('change', again);
  }, []);
  useEffect(() => {
    let plot: { destroy(): void; setSize(size: { width: number; height: number }): void } | undefined;
    let isGone = false;
    const watch = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width > 0) plot?.setSize({ width, height: HEIGHT });
    });
    import('./plot').then(
      ({ draw }) => {
        if (isGone || !place.current) return;
        plot = draw(place.current, of, aim, HEIGHT);
        watch.observe(place.current);
      },
      () => setFailed(true),
    );
    return () => {
      isGone = true;
      watch.disconnect();
      plot?.destroy();
    };
  }, [of, aim, turn]);
  if (failed) return <p class="quiet">The chart cannot be loaded; its figures are in the table.</p>;
  return <div class="chart" ref={place} role="img" aria-label={`Chart of ${kpiWords(of.name).name}`} />;
}
