import { Percent, WholeNumber } from './field-rules';

/** Units withheld from what a channel shows: always, and more of them while it is stale. The larger of each two counts. */
export class BufferConfig {
  @WholeNumber(0, 1_000_000_000)
  readonly units: number = 0;

  /** Percent of available units, 0 to 100, fractions allowed. */
  @Percent()
  readonly percent: number = 0;

  /** On top of that while the channel cannot be reached: what it sells meanwhile is not known. */
  @WholeNumber(0, 1_000_000_000)
  readonly staleUnits: number = 0;

  @Percent()
  readonly stalePercent: number = 20;
}
