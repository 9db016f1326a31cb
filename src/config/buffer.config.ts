import { List, NumberOrMeasured, NumberWithin, OneOf, Percent, WholeNumber } from './field-rules';
import type { BufferPolicy } from './buffer-policy';

/** `none` withholds what is set and nothing else; `base` is the field's rule, each figure of which can be set. */
export type BufferRule = 'none' | 'base';

/**
 * Units withheld from what a channel shows. The base is the largest of units, percent and the sales expected
 * while the channel does not know better; the rest comes on top. What a host does not set withholds nothing.
 */
export class BufferConfig {
  /** Where the figures start that are not set beside it. */
  @OneOf('none', 'base')
  readonly rule: BufferRule = 'none';

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

  /** Velocity: withhold what is expected to be sold during so many of the channel's P99 sync latencies; 0 is off. */
  @NumberWithin(0, 100)
  readonly syncLatencies: number = 0;

  /** Taken for the P99 until pushes have been measured. */
  @WholeNumber(1, 3_600)
  readonly assumedLatencySeconds: number = 30;

  /** Withheld on top during a spike, in percent of what is available; 5 to 15 is usual, 0 is off. */
  @Percent()
  readonly spikePercent: number = 0;

  /** An hour is a spike when it sells so many times what the SKU usually sells in one … */
  @NumberWithin(2, 1_000)
  readonly spikeTimes: number = 10;

  /** … and at least so many units. */
  @WholeNumber(1, 1_000_000)
  readonly spikeUnits: number = 10;

  /** Withheld on top for a channel whose orders are cancelled late: in percent, or as measured; 0 is off. */
  @NumberOrMeasured(0, 100, 'a number from 0 to 100, or measured')
  readonly cancelPercent: number | 'measured' = 0;

  /** Sales of so long are withheld on top because the channel tells of an order only then; 0 is off. */
  @NumberOrMeasured(0, 86_400, 'a number of seconds from 0 to 86400, or measured')
  readonly confirmationSeconds: number | 'measured' = 0;

  /** A slow mover keeps so many percent of what is available on sale, whatever units and percent say; 0 is off. */
  @Percent()
  readonly floorPercent: number = 0;

  /** A slow mover sells fewer units than this in a day. */
  @NumberWithin(0, 1_000_000)
  readonly slowPerDay: number = 2;

  /** What is withheld for sales or a spike goes down by this share of the difference … */
  @NumberWithin(1, 100)
  readonly releasePercent: number = 25;

  /** … each so many seconds. */
  @WholeNumber(1, 86_400)
  readonly releaseSeconds: number = 60;
}

/** All figures of a buffer; `rule` is resolved into them. */
export type BufferSettings = Omit<BufferConfig, 'rule'>;

/** The `buffers` of the whole host, which its channels and policies start from. */
export class HostBufferConfig extends BufferConfig {
  /** How often it is looked whether anything is to be withheld or released. */
  @WholeNumber(1, 3_600)
  readonly everySeconds: number = 60;

  /** For a channel, a tag, a SKU or all; the most specific one counts, figure by figure. */
  @List('a list of policies, each starting with "- name:"')
  readonly policies: readonly BufferPolicy[] = [];
}

const NONE: Partial<BufferSettings> = {
  units: 0,
  percent: 0,
  syncLatencies: 0,
  spikePercent: 0,
  cancelPercent: 0,
  confirmationSeconds: 0,
  floorPercent: 0,
};

/**
 * `base`: max(5 units, 5 %, expected sales in 2 × P99 of the sync latency), which is the rule of thumb of those
 * who sell on several marketplaces; more in a spike and for channels that cancel or tell late; half of a slow
 * mover's stock stays on sale.
 */
const BASE: Partial<BufferSettings> = {
  units: 5,
  percent: 5,
  syncLatencies: 2,
  spikePercent: 10,
  cancelPercent: 'measured',
  confirmationSeconds: 'measured',
  floorPercent: 50,
};

/** The figures that are written, on top of those of the rule that is named with them. */
export function settingsOf({
  rule,
  ...written
}: Partial<Omit<BufferConfig, 'rule'>> & { rule?: BufferRule }): Partial<BufferSettings> {
  if (rule === undefined) return written;
  return { ...(rule === 'base' ? BASE : NONE), ...written };
}
