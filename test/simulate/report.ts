import type { Plan } from './plan';
import type { RunResult } from './run';

const TRACE_LINES = 60;
const NAMED = 20;

export interface Tally {
  seeds: number;
  events: number;
  faults: number;
  simulatedMs: number;
  fewestEvents: number;
  fewestFaults: number;
  replayed: number;
}

export function emptyTally(): Tally {
  return {
    seeds: 0,
    events: 0,
    faults: 0,
    simulatedMs: 0,
    fewestEvents: Infinity,
    fewestFaults: Infinity,
    replayed: 0,
  };
}

export function count(tally: Tally, { events, faults, simulatedMs }: RunResult): void {
  tally.seeds++;
  tally.events += events;
  tally.faults += faults;
  tally.simulatedMs += simulatedMs;
  tally.fewestEvents = Math.min(tally.fewestEvents, events);
  tally.fewestFaults = Math.min(tally.fewestFaults, faults);
}

export function summary(tally: Tally, failed: readonly RunResult[], seconds: number): string {
  const { seeds, events, faults, simulatedMs, fewestEvents, fewestFaults, replayed } = tally;
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  const broken = failed.slice(0, NAMED).map(({ seed, violations }) => {
    return `  seed ${seed}: ${[...new Set(violations.map(({ invariant }) => invariant))].join(', ')}`;
  });
  return [
    `${seeds} seeds, ${events} events (${fewestEvents} or more each), ${faults} faults (${fewestFaults} or more each),`,
    `${hours} simulated hours, in ${seconds.toFixed(0)} s; ${replayed} of them replayed, with their traces compared.`,
    ...(failed.length === 0
      ? ['Every seed converged and kept every invariant.']
      : [`FAILED: ${failed.length} seeds`, ...broken]),
  ].join('\n');
}

/** What a person needs of a failed seed: what broke, how to see it again, and the fewest acts that break it. */
export function failure(
  result: RunResult,
  shrunk: { plan: Plan; result: RunResult; tries: number },
  commit: string,
): string {
  const replay = `npm run simulate -- --seed ${result.seed}`;
  const broken = result.violations.map(({ invariant, message }) => `  ${invariant}: ${message}`);
  const { plan, tries } = shrunk;
  return [
    `\nSeed ${result.seed} fails at commit ${commit}. See it again with: ${replay}`,
    ...new Set(broken),
    `Shrunk in ${tries} tries to ${plan.acts.length} acts, which end in ${shrunk.result.violations[0]?.invariant ?? 'nothing'}:`,
    ...plan.acts.map((act) => `  ${JSON.stringify(act)}`),
    `The end of its trace (ms, who, what):`,
    ...shrunk.result.lines.slice(-TRACE_LINES).map((line) => `  ${line}`),
  ].join('\n');
}
