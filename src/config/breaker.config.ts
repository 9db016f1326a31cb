import { Percent, WholeNumber } from './field-rules';

/** When a channel that does not answer is left alone, and for how long. */
export class BreakerConfig {
  /** So many calls in a row without a usable answer open it. */
  @WholeNumber(1, 1_000)
  readonly failures: number = 5;

  /** Or such a share of the calls of the last `windowSeconds`, once there were `minCalls`. */
  @Percent()
  readonly failurePercent: number = 50;

  @WholeNumber(1, 3_600)
  readonly windowSeconds: number = 30;

  @WholeNumber(1, 100_000)
  readonly minCalls: number = 20;

  /** Wait before the first probe; doubles with each that fails. */
  @WholeNumber(1, 86_400)
  readonly openSeconds: number = 10;

  @WholeNumber(1, 86_400)
  readonly maxOpenSeconds: number = 300;

  /** A channel that has answered none of its calls for so long is stale, even where the breaker is closed. */
  @WholeNumber(60, 604_800)
  readonly staleAfterSeconds: number = 900;
}
