import { useEffect, useState } from 'preact/hooks';

/** A moment, to the second, in the browser's own way. */
export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{new Date(at).toLocaleString()}</time>;
}

/** A moment by its distance from now, such as `3 min ago` and `in 2 h`; the moment itself is its title. */
export function Ago({ at }: { at: string }) {
  useTick();
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {distance((Date.parse(at) - Date.now()) / 1000)}
    </time>
  );
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { style: 'short', numeric: 'auto' });

function distance(seconds: number): string {
  const [unit, length] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return RELATIVE.format(Math.round(seconds / length), unit);
}

/** A length of time in the two units that matter: `0.4 s`, `12 s`, `3 min`, `2 h 10 min`, `4 d`. */
export function duration(seconds: number): string {
  if (seconds < 0.05) return '0 s';
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} d`;
}

const TICK_MS = 5_000;
const tickers = new Set<() => void>();
setInterval(() => !document.hidden && tickers.forEach((tick) => tick()), TICK_MS);

/** Draws anew every few seconds; one timer serves the whole page. */
export function useTick(): void {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const tick = () => setTurn((turn) => turn + 1);
    tickers.add(tick);
    return () => void tickers.delete(tick);
  }, []);
}
