import type { CallRate, SimulatorOptions } from 'onhand/channel-api';
import type { Operation } from './operations';

/** What is particular to Amazon; durations are in Amazon's seconds, which `timeScale` makes shorter. */
export interface AmazonSimulatorOptions extends SimulatorOptions {
  /** How many times faster than Amazon all of it runs: plans, tokens, feeds, reports. 1 unless told. */
  timeScale?: number;
  marketplaceIds?: readonly string[];
  /** A feed waits in its queue, and is processed, so long each; half a minute and one minute unless told. */
  feedQueuedSeconds?: number;
  feedProcessingSeconds?: number;
  /** From accepting a change of a quantity to buyers seeing it; 5 unless told. */
  appliesAfterSeconds?: number;
  /** Plans that this seller was given in place of the documented ones; `x-amzn-RateLimit-Limit` tells of them. */
  plans?: Partial<Record<Operation, CallRate>>;
  /** A call that comes so many real ms too early for its plan is let pass; none is unless told. */
  toleranceMs?: number;
  /** Usage plans are counted and not enforced. */
  unlimited?: boolean;
  /** Notifications are set up from the start, as `onhand doctor` asks for; they are unless told. */
  subscribed?: boolean;
  /** The plugin is told of stock at Amazon's warehouses, and of returns. */
  fba?: boolean;
  returns?: boolean;
}
