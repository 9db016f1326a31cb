/** A channel's SKU and what it consists of. */
export interface ListingDraft {
  channelSku: string;
  /** Our SKU codes with units of each; more than one makes a bundle. */
  components: { sku: string; units: number }[];
  /** Most units of the listing to be shown; absent: the channel's cap. */
  cap?: number;
  /** Withheld units and percent; absent: the channel's. */
  bufferUnits?: number;
  bufferPercent?: number;
}

/** One row as it was written: a component of a listing, with what holds for the listing as a whole. */
export type RowFields = Partial<Record<RowField, unknown>>;
export type RowField = 'channelSku' | 'sku' | 'units' | 'cap' | 'bufferUnits' | 'bufferPercent';

/** Each field's name in a CSV header. */
export const CSV_COLUMNS: Readonly<Record<RowField, string>> = {
  channelSku: 'channel_sku',
  sku: 'sku',
  units: 'units',
  cap: 'cap',
  bufferUnits: 'buffer_units',
  bufferPercent: 'buffer_percent',
};

/** What it takes to be one of the rows of an import, told by `names`, which are a CSV's or JSON's. */
interface CheckedRow {
  channelSku: string;
  sku: string;
  units: number;
  settings: Pick<ListingDraft, (typeof SETTINGS)[number]>;
}

const SETTINGS = ['cap', 'bufferUnits', 'bufferPercent'] as const;
const OUR_CODE = /^(?!\s)[^\p{Cc}\p{Cs}]{1,100}(?<!\s)$/u;
/** A channel may have spaces at the ends of its SKUs, and orders will name them so. */
export const CHANNEL_SKU = /^[^\p{Cc}\p{Cs}]{1,200}$/u;
const MAX_UNITS = 1_000_000;
const MAX_QUANTITY = 1_000_000_000;

export function isChannelSku(value: unknown): value is string {
  return typeof value === 'string' && CHANNEL_SKU.test(value);
}

/**
 * Gathers rows into listings: rows that share a channel SKU are one bundle. What holds for the listing as a
 * whole may stand in any of its rows. Faults are kept by line; a listing with a faulty row is none.
 */
export class ListingRows {
  readonly faults = new Map<number, string>();
  /** Every row's line, with the channel SKU it names where it names one. */
  readonly lines: { line: number; channelSku: string }[] = [];
  private readonly listings = new Map<string, ListingDraft & { lines: number[] }>();
  private readonly spoiled = new Set<string>();

  constructor(private readonly names: Readonly<Record<RowField, string>>) {}

  add(line: number, fields: RowFields): void {
    const channelSku = isChannelSku(fields.channelSku) ? fields.channelSku : '';
    this.lines.push({ line, channelSku });
    const row = this.checked(fields);
    const fault = typeof row === 'string' ? row : this.merge(line, row);
    if (fault === undefined) return;
    this.faults.set(line, fault);
    if (channelSku !== '') this.spoiled.add(channelSku);
  }

  /** Listings all of whose rows are good, in the order of their first rows. */
  drafts(): (ListingDraft & { lines: number[] })[] {
    return [...this.listings.values()].filter(({ channelSku }) => !this.spoiled.has(channelSku));
  }

  private merge(line: number, { channelSku, sku, units, settings }: CheckedRow): string | undefined {
    const listing = this.listings.get(channelSku) ?? { channelSku, components: [], lines: [] };
    this.listings.set(channelSku, listing);
    if (listing.components.some((each) => each.sku === sku)) return `${channelSku} names ${sku} twice`;
    for (const setting of SETTINGS) {
      const value = settings[setting];
      if (!isGiven(value)) continue;
      if (listing[setting] !== undefined && listing[setting] !== value)
        return `${channelSku} has another ${this.names[setting]} in an earlier row`;
      listing[setting] = value;
    }
    listing.components.push({ sku, units });
    listing.lines.push(line);
    return undefined;
  }

  /** The row, or what is wrong with it. */
  private checked({ channelSku, sku, units = 1, ...settings }: RowFields): CheckedRow | string {
    const { names } = this;
    if (!isChannelSku(channelSku)) return `${names.channelSku} must be 1 to 200 printable characters`;
    if (typeof sku !== 'string' || !OUR_CODE.test(sku))
      return `${names.sku} must be 1 to 100 printable characters without spaces at its ends`;
    if (!isWhole(units, 1, MAX_UNITS)) return `${names.units} must be a whole number from 1 to ${MAX_UNITS}`;
    const { cap, bufferUnits, bufferPercent, ...unknown } = settings as Record<string, unknown>;
    for (const [name, value] of [
      [names.cap, cap],
      [names.bufferUnits, bufferUnits],
    ] as const) {
      if (isGiven(value) && !isWhole(value, 0, MAX_QUANTITY))
        return `${name} must be a whole number from 0 to ${MAX_QUANTITY}`;
    }
    if (isGiven(bufferPercent) && !isPercent(bufferPercent))
      return `${names.bufferPercent} must be a number from 0 to 100`;
    const [stranger] = Object.keys(unknown);
    if (stranger !== undefined) return `${stranger} is not a field of a row`;
    return {
      channelSku,
      sku,
      units,
      settings: { cap, bufferUnits, bufferPercent } as CheckedRow['settings'],
    };
  }
}

/** JSON has null for what a CSV leaves empty. */
function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isPercent(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}
