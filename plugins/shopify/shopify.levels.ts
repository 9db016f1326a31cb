import { isChannelError } from 'onhand/channel-api';
import { InvalidInputError, type ShopifyClient } from './shopify.client';
import { globalId } from './shopify.ids';
import { PAGE_SIZES } from './shopify.limits';

export interface QuantityNode {
  name: string;
  quantity: number;
}

/** What an item shows at a location, as pages and bulk results have it. */
export interface LevelNode {
  id?: unknown;
  quantities?: QuantityNode[];
  item?: {
    id?: unknown;
    sku?: string | null;
    variant?: { id: string; displayName?: string; barcode?: string | null } | null;
  };
}

/** A level, and the global id of the location that it is at. */
export interface PlacedLevel {
  level: LevelNode;
  location: unknown;
}

/** Levels as they were read, and where to go on. */
export interface LevelPage {
  levels: PlacedLevel[];
  cursor?: string;
}

/** A cursor is `p`, a location and Shopify's own cursor within it; or `b`, a bulk operation and a byte of its result. */
export const PAGED = 'p';
export const BULK = 'b';

interface LevelsAtAnswer {
  nodes: ({ id?: string; inventoryLevel?: { quantities: QuantityNode[] } | null } | null)[];
}

/**
 * What each item shows at its location, in the order asked: a number, which is below 0 where the shop has sold
 * more than it had; null where the location does not stock it; undefined where there is no such item or location.
 * Throws what `ShopifyClient.run` throws.
 */
export async function levelsAt(
  client: ShopifyClient,
  places: readonly { itemId: string; locationId: string }[],
): Promise<(number | null | undefined)[]> {
  const shown = new Map<string, number | null>();
  for (const locationId of new Set(places.map((place) => place.locationId))) {
    const itemIds = places.filter((place) => place.locationId === locationId).map(({ itemId }) => itemId);
    for (let at = 0; at < itemIds.length; at += PAGE_SIZES.items) {
      const some = itemIds.slice(at, at + PAGE_SIZES.items);
      for (const [itemId, units] of await levelsAtOne(client, some, locationId))
        shown.set(`${itemId} ${locationId}`, units);
    }
  }
  return places.map(({ itemId, locationId }) => shown.get(`${itemId} ${locationId}`));
}

async function levelsAtOne(
  client: ShopifyClient,
  itemIds: readonly string[],
  locationId: string,
): Promise<Map<string, number | null>> {
  const shown = new Map<string, number | null>();
  const location = globalId('Location', locationId);
  try {
    const items = itemIds.map((id) => globalId('InventoryItem', id));
    const { nodes } = await client.run<LevelsAtAnswer>('LevelsAt', { items, location });
    for (const [index, node] of nodes.entries()) {
      const level = node?.inventoryLevel;
      if (level !== undefined) shown.set(itemIds[index] as string, level && availableIn(level.quantities));
    }
  } catch (error) {
    // No location can have such an id: nothing is shown there.
    if (!isChannelError(error) || !(error instanceof InvalidInputError)) throw error;
  }
  return shown;
}

export function availableIn(quantities: readonly QuantityNode[]): number {
  return quantities.find(({ name }) => name === 'available')?.quantity ?? NaN;
}
