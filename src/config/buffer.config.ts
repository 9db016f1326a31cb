import { Percent, WholeNumber } from './field-rules';

/** Static buffer: units withheld from what a channel shows. The larger of the two counts. */
export class BufferConfig {
  @WholeNumber(0, 1_000_000_000)
  readonly units: number = 0;

  /** Percent of available units, 0 to 100, fractions allowed. */
  @Percent()
  readonly percent: number = 0;
}
