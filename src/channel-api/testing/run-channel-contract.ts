import { type ChannelContract, type ContractCase, missingAbilities, skipReason } from './contract-case';
import { CONTRACT_CASES } from './contract-cases';

export interface CaseResult {
  group: string;
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  reason?: string;
  durationMs: number;
}

/** Longer than any case takes on a slow machine: a plugin that never answers must not hold up the others. */
const CASE_WITHIN_MS = 60_000;

/**
 * Runs the suite, or the cases given, without a test framework, one case after the other, and tells of each as it ends. Rejects
 * where nothing can be run: the simulator does not start, or its `pluginOptions` do not fit the plugin.
 */
export async function runChannelContract(
  contract: ChannelContract,
  onResult: (result: CaseResult) => void,
  cases: readonly ContractCase[] = CONTRACT_CASES,
): Promise<CaseResult[]> {
  const missing = await missingAbilities(contract);
  const results: CaseResult[] = [];
  for (const one of cases) {
    const skipped = skipReason(one, missing);
    const result: CaseResult =
      skipped === undefined
        ? await runCase(one, contract)
        : { group: one.group, name: one.name, outcome: 'skipped', reason: skipped, durationMs: 0 };
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runCase(one: ContractCase, contract: ChannelContract): Promise<CaseResult> {
  const { group, name } = one;
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it did not end within ${CASE_WITHIN_MS / 1000} s`)),
      CASE_WITHIN_MS,
    );
  });
  try {
    await Promise.race([one.run(contract), late]);
    return { group, name, outcome: 'passed', durationMs: elapsedMs() };
  } catch (error) {
    return { group, name, outcome: 'failed', reason: reasonOf(error), durationMs: elapsedMs() };
  } finally {
    clearTimeout(timer);
  }
}

/** A rule's failure says all in its message; of anything else the author needs to know where it came from. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'AssertionError' ? error.message : (error.stack ?? error.message);
}
