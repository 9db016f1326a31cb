import type { LimitFacts } from './contract';
import type { HeldUnits } from './limit-state';
import type { LimitCost, LimitRefusal, Permit } from './limiter';
import { AHEAD_HOLD_MS, AHEAD_MS } from './units-ahead';

export interface Waiting {
  costs: readonly LimitCost[];
  since: number;
  deadline: number;
  holdMs: number;
  resolve(answer: Permit | LimitRefusal): void;
  reject(error: unknown): void;
}

export interface Active {
  costs: readonly LimitCost[];
  until: number;
}

/** What the store has not heard of yet. */
export interface Report {
  spent: LimitCost[];
  answered: Set<string>;
  closings: { limit: string; delayMs: number | undefined }[];
  facts: { limit: string; facts: LimitFacts }[];
  /** Taken ahead, and not wanted. */
  unused: LimitCost[];
}

/** All that one look at the store takes into account, as it was when the look began. */
export interface Round {
  waiting: readonly Waiting[];
  active: readonly Active[];
  /** Units taken ahead, of the limits that are looked at. */
  ahead: ReadonlyMap<string, number>;
  /** Limits that a call was made under since the look before. */
  wanted: readonly string[];
  report: Report;
}

export function limitsOf({ waiting, ahead, report }: Round): string[] {
  const costs = [...waiting.flatMap((each) => each.costs), ...report.spent, ...report.unused];
  const others = [...report.closings, ...report.facts];
  return [...new Set([...[...costs, ...others].map(({ limit }) => limit), ...ahead.keys()])].sort();
}

export function heldOf(
  active: readonly Active[],
  ahead: ReadonlyMap<string, number>,
  name: string,
  now: number,
): HeldUnits {
  let units = ahead.get(name) ?? 0;
  let until = units > 0 ? now + AHEAD_MS + AHEAD_HOLD_MS : 0;
  for (const each of active) {
    const cost = each.costs.find(({ limit }) => limit === name);
    if (!cost) continue;
    units += cost.units;
    until = Math.max(until, now + each.until - performance.now());
  }
  return { units, until };
}

export function emptyReport(): Report {
  return { spent: [], answered: new Set(), closings: [], facts: [], unused: [] };
}

export function isPending({ spent, closings, facts, unused }: Report): boolean {
  return spent.length + closings.length + facts.length + unused.length > 0;
}

export function merged(earlier: Report, later: Report): Report {
  return {
    spent: [...earlier.spent, ...later.spent],
    answered: new Set([...earlier.answered, ...later.answered]),
    closings: [...earlier.closings, ...later.closings],
    facts: [...earlier.facts, ...later.facts],
    unused: [...earlier.unused, ...later.unused],
  };
}
