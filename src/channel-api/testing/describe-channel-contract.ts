import type { ChannelContract } from './connected-channel';
import { describePushes } from './push-suite';
import { describeReads } from './read-suite';
import { describeTrouble } from './trouble-suite';
import { describeWebhooks } from './webhook-suite';

/**
 * The suite every channel plugin passes, run against its own simulator. Call it at the top of the plugin's
 * `.contract.spec.ts`; it declares its tests with Jest's globals.
 */
export function describeChannelContract<Options extends object>(contract: ChannelContract<Options>): void {
  describe(`the channel contract, kept by ${contract.plugin.name}`, () => {
    describePushes(contract);
    describeReads(contract);
    describeWebhooks(contract);
    describeTrouble(contract);
  });
}
