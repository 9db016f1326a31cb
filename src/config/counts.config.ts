import { Mapping, Nullable, Percent, TextLike, WholeNumber } from './field-rules';

/** What is done with what a warehouse or an ERP counted. */
export class CountsConfig {
  /** Absolute path of a folder whose CSV files are taken as counts; null for none. */
  @Nullable()
  @TextLike(/\S/, 'a path to a folder, relative to this file, such as ./counts')
  readonly folder: string | null = null;

  @WholeNumber(1, 86_400)
  readonly watchEverySeconds: number = 30;

  /** A difference of no more units is noted and left. */
  @WholeNumber(0, 1_000_000)
  readonly toleranceUnits: number = 0;

  /** The same for SKUs with a tag, whose tolerance is the largest of its tags'. */
  @Mapping('a mapping of SKU tags to units, such as { screws: 25 }')
  readonly tolerances: Readonly<Record<string, number>> = {};

  /** A line that differs by more than both of these waits for a person. */
  @WholeNumber(0, 1_000_000_000)
  readonly approveAboveUnits: number = 100;

  @Percent()
  readonly approveAbovePercent: number = 10;
}

/** What this host looks after by itself, and how often. */
export class ChecksConfig {
  /** How often ledger, levels, reservations, inbox and pushes are checked against each other; 0 for never. */
  @WholeNumber(0, 2_592_000)
  readonly verifyEverySeconds: number = 86_400;

  /** How often reservations that nobody fulfils are looked for. */
  @WholeNumber(60, 86_400)
  readonly strandedEverySeconds: number = 900;

  /** A reservation open for longer is stranded. */
  @WholeNumber(1, 8_760)
  readonly strandedAfterHours: number = 48;
}
