import { schedule } from './acts';
import { heal } from './heal';
import { checkInvariants } from './invariants';
import type { Plan } from './plan';
import type { SimulatedServer } from './sessions';
import { type Violation, World } from './world';

export interface RunResult {
  seed: number;
  events: number;
  faults: number;
  /** Of the whole trace: the same plan makes the same one. */
  digest: string;
  simulatedMs: number;
  violations: Violation[];
  /** The end of the trace. */
  lines: string[];
}

/** Runs one plan from an empty database to the check of its invariants. */
export async function runPlan(plan: Plan, server: SimulatedServer): Promise<RunResult> {
  const world = await World.create(plan, server);
  const uncaught = (error: unknown) =>
    world.violate(
      'process',
      `what nobody caught would have ended the host: ${(error as Error)?.stack ?? error}`,
    );
  world.timeline.thrown = uncaught;
  process.on('unhandledRejection', uncaught);
  try {
    const { timeline } = world;
    const counted = schedule(world, plan.acts, timeline.nowMs);
    await world.runFor(plan.durationMs);
    await heal(world);
    if (!world.violations.some(({ invariant }) => invariant === 'liveness')) await checkInvariants(world);
    return {
      seed: plan.seed,
      events: timeline.count,
      faults: counted.faults,
      digest: timeline.digest(),
      simulatedMs: timeline.nowMs,
      violations: world.violations,
      lines: timeline.lines,
    };
  } finally {
    process.off('unhandledRejection', uncaught);
    await world.end();
  }
}
