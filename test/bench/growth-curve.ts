import { median } from './measure';

/** How a figure changes as something grows, beside its floor. */
export interface Curve {
  /** Of its chart's file. */
  name: string;
  title: string;
  /** What grows. */
  along: string;
  unit: string;
  /** What the floor is, in a few words. */
  floor: string;
  points: CurvePoint[];
}

export interface CurvePoint {
  /** How much there is of what grows. */
  at: number;
  /** Medians over the rounds. */
  ours: number;
  floor: number;
  /** The median of the rounds' own: ours by floor. */
  ratio: number;
}

export type CurveKind = Omit<Curve, 'along' | 'points'>;

/** Ours and the floor of one round. */
export type Pair = [ours: number, floor: number];

/** Of one size: each curve's rounds, by its name. */
export interface GrowthStep {
  at: number;
  rounds: ReadonlyMap<string, readonly Pair[]>;
}

/** Where curves are measured, and how long each point may take. */
export interface GrowthGround {
  folder: string;
  env: NodeJS.ProcessEnv;
  rounds: number;
  /** Of one measurement in a round. */
  durationMs: number;
  say: (line: string) => void;
}

/** Collects the rounds of one size. */
export class Rounds {
  readonly pairs = new Map<string, Pair[]>();

  add(name: string, ours: number, floor: number): void {
    const known = this.pairs.get(name) ?? [];
    this.pairs.set(name, [...known, [ours, floor]]);
  }
}

export function curvesOf(along: string, kinds: readonly CurveKind[], steps: readonly GrowthStep[]): Curve[] {
  return kinds.map((kind) => ({
    ...kind,
    along,
    points: steps.map(({ at, rounds }) => pointOf(at, rounds.get(kind.name) ?? [])),
  }));
}

function pointOf(at: number, pairs: readonly Pair[]): CurvePoint {
  return {
    at,
    ours: toThree(median(pairs.map(([ours]) => ours))),
    floor: toThree(median(pairs.map(([, floor]) => floor))),
    ratio: toThree(median(pairs.map(([ours, floor]) => ours / floor))),
  };
}

/** Three figures say all that a measurement does. */
function toThree(value: number): number {
  return Number(value.toPrecision(3));
}

export function curvesText(curves: readonly Curve[]): string {
  return curves.map(curveText).join('\n');
}

function curveText({ title, along, unit, floor, points }: Curve): string {
  const rows = points.map(({ at, ours, floor: least, ratio }) => [at, ours, least, ratio].map(grouped));
  const lines = [[along, 'ours', 'floor', 'ratio'], ...rows].map((cells) =>
    cells.map((cell) => cell.padStart(12)).join(''),
  );
  return [`${title}, ${unit}   (floor: ${floor})`, ...lines, ''].join('\n');
}

export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3, useGrouping: true });
}
