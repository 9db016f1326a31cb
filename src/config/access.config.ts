import { WholeNumber } from './field-rules';

/** How often callers may call this host. Each host counts by itself. */
export class AccessConfig {
  /** Of one API key or session, on average over ten seconds; 0 for no limit. */
  @WholeNumber(0, 1_000_000)
  readonly requestsPerSecond: number = 1_000;

  /** Wrong keys and failed sign-ins from one address, before it has to wait; 0 for no limit. */
  @WholeNumber(0, 1_000_000)
  readonly failuresPerMinute: number = 30;
}
