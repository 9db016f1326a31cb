import { type Measured, median, round } from './measure';

/** One figure beside its floor: medians over the rounds, and the median of the rounds' own ratios. */
export interface Figure {
  name: string;
  ours: Measured;
  floor: Measured;
  ratio: number;
  aim: string;
}

export function figure(name: string, pairs: [Measured, Measured][], aim: string): Figure {
  const middle = (of: (pair: [Measured, Measured]) => Measured): Measured => ({
    perSecond: median(pairs.map((pair) => of(pair).perSecond)),
    p50Ms: median(pairs.map((pair) => of(pair).p50Ms)),
    p99Ms: median(pairs.map((pair) => of(pair).p99Ms)),
  });
  const ratio = round(median(pairs.map(([ours, floor]) => ours.perSecond / floor.perSecond)));
  return { name, ours: middle(([ours]) => ours), floor: middle(([, floor]) => floor), ratio, aim };
}

export function table(figures: readonly Figure[]): string {
  const lines = figures.map(({ name, ours, floor, ratio, aim }) =>
    [
      name,
      `  ours   ${String(ours.perSecond).padStart(8)}/s   p50 ${ours.p50Ms} ms   p99 ${ours.p99Ms} ms`,
      `  floor  ${String(floor.perSecond).padStart(8)}/s   p50 ${floor.p50Ms} ms   p99 ${floor.p99Ms} ms`,
      `  ratio  ${ratio}   (aim: ${aim})`,
    ].join('\n'),
  );
  return `${lines.join('\n\n')}\n`;
}
