import { WholeNumber } from './field-rules';

/** The log of who did what. */
export class ActivityConfig {
  /** Entries are kept for so long. */
  @WholeNumber(30, 36_500)
  readonly keepDays: number = 400;
}
