import { type Ability, type ChannelContract, missingAbilities, skipReason } from './contract-case';
import { CONTRACT_CASES } from './contract-cases';
import { expectEqual } from './expectations';

/** As Jest, Vitest and `node:test` have them. */
export interface TestFunctions {
  describe(name: string, declare: () => void): unknown;
  it: ((name: string, run: () => Promise<void>) => unknown) & {
    skip(name: string, run: () => Promise<void>): unknown;
  };
}

export interface DescribedContract<Options extends object> extends ChannelContract<Options> {
  /** What the channel cannot do: the cases that need it are shown as skipped. The suite checks the list. */
  without?: readonly Ability[];
}

/**
 * Declares the suite that every channel plugin passes, run against its own simulator. Uses the globals
 * `describe` and `it` unless it is given others.
 */
export function describeChannelContract<Options extends object>(
  described: DescribedContract<Options>,
  { describe, it }: TestFunctions = globalThis as unknown as TestFunctions,
): void {
  const { without = [] } = described;
  const contract = described as unknown as ChannelContract;
  const left = new Map(without.map((ability) => [ability, `the channel is without ${ability}`]));
  const groups = [...new Set(CONTRACT_CASES.map((one) => one.group))];
  describe(`the channel contract, kept by ${contract.plugin.name}`, () => {
    it('the suite leaves out what the channel cannot do, and nothing else', async () => {
      const missing = [...(await missingAbilities(contract)).keys()];
      const rule = 'Name in `without` what the capabilities and the simulator lack, and only that';
      expectEqual([...without].sort(), missing.sort(), rule);
    });
    for (const group of groups) {
      describe(group, () => {
        for (const one of CONTRACT_CASES.filter((each) => each.group === group)) {
          const declare = skipReason(one, left) === undefined ? it : it.skip;
          declare(one.name, () => one.run(contract));
        }
      });
    }
  });
}
