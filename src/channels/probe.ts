import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallOutcome, CheckResult } from '../channel-api';

/** A probe under way: its calls pass an open breaker, and what became of them decides. */
export interface Probe {
  channel: string;
  outcomes: CallOutcome[];
}

/** `unclear`: nothing was sent, because a limit held it back for one. */
export interface ProbeVerdict {
  verdict: 'answers' | 'away' | 'unclear';
  reason: string;
}

const probing = new AsyncLocalStorage<Probe>();
let underWay = 0;

/** The probe that the running code is part of. */
export function currentProbe(): Probe | undefined {
  return probing.getStore();
}

/**
 * Runs a channel's check as a probe and judges it by whether its calls were answered: a channel that answers
 * with a refusal is there all the same. A check that takes longer than `timeoutMs` proves nothing.
 */
export async function runProbe(
  channel: string,
  check: () => Promise<CheckResult>,
  timeoutMs: number,
): Promise<ProbeVerdict> {
  const probe: Probe = { channel, outcomes: [] };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  underWay++;
  try {
    const result = await Promise.race([probing.run(probe, check), late]);
    if (!result) return { verdict: 'unclear', reason: `the check took longer than ${timeoutMs / 1000} s` };
    return verdictOf(probe, result.ok, result.findings.find((finding) => !finding.ok)?.message);
  } catch (error) {
    return verdictOf(probe, false, (error as Error).message);
  } finally {
    clearTimeout(timer);
    underWay--;
    // Following every promise of the process costs all of it a little; only a probe needs it.
    if (underWay === 0) probing.disable();
  }
}

function verdictOf({ outcomes }: Probe, ok: boolean, finding = 'the check failed'): ProbeVerdict {
  const failed = outcomes.find(({ kind }) => kind === 'unanswered');
  if (failed) return { verdict: 'away', reason: failed.reason ?? finding };
  if (outcomes.length > 0 || ok) return { verdict: 'answers', reason: 'a probe was answered' };
  return { verdict: 'unclear', reason: finding };
}
