import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { growChannels } from './growth-channels';
import { chartOf } from './growth-chart';
import type { Curve, GrowthGround } from './growth-curve';
import { growEvents } from './growth-events';
import { growSkus } from './growth-skus';

const SIZES = {
  skus: [1_000, 10_000, 100_000, 1_000_000],
  channels: [1, 5, 20, 50],
  events: [1_000_000, 3_000_000, 10_000_000],
};
const QUICK_SIZES: typeof SIZES = { skus: [1_000, 5_000], channels: [1, 4], events: [50_000, 100_000] };

const GROWS = { skus: growSkus, channels: growChannels, events: growEvents };

export type Grown = keyof typeof SIZES;
export const GROWN = Object.keys(SIZES) as Grown[];

/** Of how many rounds each point is the median, and how long one measurement in a round took. */
export interface Growth {
  rounds: number;
  seconds: number;
  curves: Curve[];
}

/** What each figure becomes as SKUs, channels and events grow. */
export async function benchGrowth(
  ground: Omit<GrowthGround, 'rounds' | 'durationMs'>,
  { quick, grown }: { quick: boolean; grown: readonly Grown[] },
): Promise<Growth> {
  const sizes = quick ? QUICK_SIZES : SIZES;
  const pace = quick ? { rounds: 1, durationMs: 1_000 } : { rounds: 3, durationMs: 2_000 };
  const curves: Curve[] = [];
  for (const each of grown) curves.push(...(await GROWS[each]({ ...ground, ...pace }, sizes[each])));
  return { rounds: pace.rounds, seconds: pace.durationMs / 1000, curves };
}

/** One SVG for each curve. */
export function writeCharts(folder: string, curves: readonly Curve[]): void {
  mkdirSync(folder, { recursive: true });
  for (const curve of curves) writeFileSync(join(folder, `${curve.name}.svg`), chartOf(curve));
}
