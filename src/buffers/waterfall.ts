import { type Level, physicalUnits } from '../inventory/level';
import { type AppliedBuffer, type BufferInputs, buffersOf } from './apply-buffers';

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
  buffer: BufferInputs;
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
  cap: CapPolicy | null,
  computedAt: Date,
): Waterfall {
  const explained = components.map(explainComponent);
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

function explainComponent({ sku, unitsPerListing, levels, buffer }: ComponentStock): ComponentWaterfall {
  const all = [...levels.values()];
  const sum = (units: (level: Level) => number) => all.reduce((total, level) => total + units(level), 0);
  // A level below zero owes units that another location's stock must not be sold against.
  const available = sum((level) => level.available);
  const buffers = buffersOf(available, buffer);
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
