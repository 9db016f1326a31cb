import type { StockDraft } from './stock-draft';

export interface Allocation {
  locationId: number;
  quantityUnits: number;
}

export interface AllocationPlan {
  parts: Allocation[];
  /** Units that no location covers. */
  shortUnits: number;
  /** What the locations asked had between them. */
  availableUnits: number;
}

/**
 * Where a line's units come from: the location named; else the first in priority order that covers it
 * all; else from each in turn. Levels already drawn down by earlier lines of the draft count as such.
 */
export function allocate(
  draft: StockDraft,
  skuId: number,
  quantityUnits: number,
  locationId?: number,
): AllocationPlan {
  const locations = locationId === undefined ? draft.locationsOf(skuId) : [locationId];
  const present = locations.map((id) => ({
    locationId: id,
    units: Math.max(0, draft.level(skuId, id).available),
  }));
  const availableUnits = present.reduce((sum, place) => sum + place.units, 0);
  const whole = present.find((place) => place.units >= quantityUnits);
  if (whole) {
    return { parts: [{ locationId: whole.locationId, quantityUnits }], shortUnits: 0, availableUnits };
  }
  const parts: Allocation[] = [];
  let missing = quantityUnits;
  for (const place of present) {
    const taken = Math.min(place.units, missing);
    if (taken > 0) parts.push({ locationId: place.locationId, quantityUnits: taken });
    missing -= taken;
  }
  return { parts, shortUnits: missing, availableUnits };
}
