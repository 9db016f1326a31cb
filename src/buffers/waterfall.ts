import { type Level, physicalUnits } from '../inventory/level';

/** Units withheld from a channel, with the reason. */
export interface AppliedBuffer {
  kind: 'static' | 'stale';
  units: number;
  reason: string;
}

/** How one SKU of a listing comes to what can be sold of it; units throughout. */
export interface ComponentWaterfall {
  sku: string;
  unitsPerListing: number;
  physical: number;
  reserved: number;
  quarantined: number;
  damaged: number;
  available: number;
  buffers: AppliedBuffer[];
  /** `max(available − buffers, 0)`. */
  sellable: number;
  /** Whole listings that the sellable units make. */
  listings: number;
  /** Version of each level that went into it, by location code. */
  versions: Record<string, number>;
}

/** How a listing's published quantity came about. Stored with every push. */
export interface Waterfall {
  components: ComponentWaterfall[];
  /** The smallest of the components' listings, before the cap. */
  uncapped: number;
  cap: number | null;
  /** Where the cap comes from, such as `channel shop`; null where there is none. */
  capSource: string | null;
  quantity: number;
  computedAt: string;
}

export interface ComponentStock {
  sku: string;
  unitsPerListing: number;
  /** The SKU's levels at the locations that serve the channel, by location code. */
  levels: ReadonlyMap<string, Level>;
}

export interface BufferPolicy {
  units: number;
  percent: number;
  /** Where it is set, such as `channel shop`. */
  source: string;
  /** Where the percentage is set, if not there too. */
  percentSource?: string;
  /** On top, while the channel cannot be reached. */
  stale?: { units: number; percent: number; reason: string };
}

/** Most units of a listing to be shown. */
export interface CapPolicy {
  units: number;
  source: string;
}

/**
 * `floor(min over components of max(available − buffer, 0) / units)`, capped. Pure; the one place that
 * computes a published quantity.
 */
export function computeWaterfall(
  components: readonly ComponentStock[],
  policy: BufferPolicy,
  cap: CapPolicy | null,
  computedAt: Date,
): Waterfall {
  const explained = components.map((component) => explainComponent(component, policy));
  const uncapped = explained.length === 0 ? 0 : Math.min(...explained.map((each) => each.listings));
  return {
    components: explained,
    uncapped,
    cap: cap?.units ?? null,
    capSource: cap?.source ?? null,
    quantity: Math.min(uncapped, cap?.units ?? Infinity),
    computedAt: computedAt.toISOString(),
  };
}

function explainComponent(
  { sku, unitsPerListing, levels }: ComponentStock,
  policy: BufferPolicy,
): ComponentWaterfall {
  const all = [...levels.values()];
  const sum = (units: (level: Level) => number) => all.reduce((total, level) => total + units(level), 0);
  // A level below zero owes units that another location's stock must not be sold against.
  const available = sum((level) => level.available);
  const buffers = buffersOf(available, policy);
  const sellable = Math.max(0, available - buffers.reduce((total, buffer) => total + buffer.units, 0));
  return {
    sku,
    unitsPerListing,
    physical: sum(physicalUnits),
    reserved: sum((level) => level.reserved),
    quarantined: sum((level) => level.quarantined),
    damaged: sum((level) => level.damaged),
    available,
    buffers,
    sellable,
    listings: Math.floor(sellable / unitsPerListing),
    versions: Object.fromEntries([...levels].map(([location, level]) => [location, level.version])),
  };
}

/** Each the larger of so many units and so many percent of what is available; together never more than there is. */
function buffersOf(available: number, policy: BufferPolicy): AppliedBuffer[] {
  const { units, percent, source, percentSource = source, stale } = policy;
  const share = shareOf(available, percent);
  const withheld = Math.min(Math.max(units, share), Math.max(0, available));
  const reason =
    share > units
      ? `${percent} % of ${available} available (${percentSource})`
      : `${units} units (${source})`;
  const buffers: AppliedBuffer[] = [{ kind: 'static', units: withheld, reason }];
  if (stale) {
    const more = Math.max(stale.units, shareOf(available, stale.percent));
    const left = Math.max(0, available) - withheld;
    buffers.push({ kind: 'stale', units: Math.min(more, left), reason: stale.reason });
  }
  return buffers.filter((buffer) => buffer.units > 0);
}

function shareOf(available: number, percent: number): number {
  return Math.ceil((Math.max(0, available) * percent) / 100);
}
