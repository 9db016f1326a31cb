import { BreakerConfig } from './breaker.config';
import { BufferConfig, type BufferSettings } from './buffer.config';
import { List, Mapping, Nullable, OneOf, TextLike, TextList, WholeNumber } from './field-rules';
import { ShortfallConfig } from './shortfall.config';

/** `observe` computes and logs, `pilot` pushes tagged SKUs only, `live` pushes all. */
export type ChannelMode = 'observe' | 'pilot' | 'live';

const NPM_NAME_OR_PATH = /^(?:\.{0,2}\/\S.*|(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(?:\/[\w.-]+)*)$/;

/** One connected shop or marketplace account, and the plugin that serves it. */
export class ChannelConfig {
  @TextLike(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'a name of 1 to 63 lower-case letters, digits and dashes, not starting with a dash',
  )
  readonly name: string = '';

  /** npm package name, or an absolute path where the file gave a path. */
  @TextLike(
    NPM_NAME_OR_PATH,
    'an npm package name or a path starting with ./, such as "@onhand/generic-rest"',
  )
  readonly plugin: string = '';

  @OneOf('observe', 'pilot', 'live')
  readonly mode: ChannelMode = 'live';

  /** In pilot mode only SKUs with one of these tags are pushed. */
  @TextList('a list of SKU tags, such as [pilot]')
  readonly pilotTags: readonly string[] = [];

  /** Absolute path of the CSV that maps this channel's SKUs to ours. */
  @Nullable()
  @TextLike(/\S/, 'a path to a CSV file, relative to this file, such as ./listings.csv')
  readonly listings: string | null = null;

  /**
   * The channel's own location ids to our location codes. It has no prototype: ids come from outside,
   * and looking up `constructor` must find nothing.
   */
  @Mapping('a mapping of channel locations to location codes, such as { "gid-1": main }')
  readonly locations: Readonly<Record<string, string>> = {};

  /** Withheld units; what the channel does not set is taken from the `buffers` of the whole host. */
  @Mapping()
  readonly buffer: BufferConfig = new BufferConfig();

  /** The figures of `buffer` that the channel sets itself. */
  readonly ownBuffer: Partial<BufferSettings> = {};

  /** When the channel is taken to be away; what it does not set is taken from the host's `breaker`. */
  @Mapping()
  readonly breaker: BreakerConfig = new BreakerConfig();

  /** Most units shown on any listing; null for no cap. */
  @Nullable()
  @WholeNumber(0, 1_000_000_000)
  readonly cap: number | null = null;

  @WholeNumber(60, 86_400)
  readonly reconcileEverySeconds: number = 900;

  /** What is done about a quantity that the channel should not show: push it again, or only tell. */
  @OneOf('correct', 'report')
  readonly onDrift: 'correct' | 'report' = 'correct';

  /** How often orders are read, beside their webhooks; 0 for only when something asks for it. */
  @WholeNumber(0, 86_400)
  readonly pollOrdersEverySeconds: number = 300;

  /** How far back the very first poll reads; 0 for from then on. */
  @WholeNumber(0, 31_536_000)
  readonly pollOrdersLookbackSeconds: number = 0;

  /** Where returned units go: into quarantine until they are inspected, or back for sale. */
  @OneOf('quarantined', 'available')
  readonly returns: 'quarantined' | 'available' = 'quarantined';

  @Mapping()
  readonly shortfall: ShortfallConfig = new ShortfallConfig();

  /** For the plugin, which validates them. Text stays text, even where it came from a `${VAR}`. */
  @Mapping('a mapping of options for the plugin')
  readonly options: Readonly<Record<string, unknown>> = {};
}

/** The field decorator of a list of channels. */
export const ChannelList = (): PropertyDecorator => List('a list of channels, each starting with "- name:"');
