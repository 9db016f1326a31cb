import type { SimulatedListing } from 'onhand/channel-api';
import type { IdSequence } from './ids';

export interface StockLocation {
  id: string;
  name: string;
}

/**
 * What is stocked of an item at a location, in units. On hand is what lies there: available and committed
 * (shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps/quantities-states).
 */
export interface StockLevel {
  readonly item: StockItem;
  readonly location: StockLocation;
  available: number;
  committed: number;
  updatedAt: number;
}

/** An inventory item with its variant and product; one of each, and no two need have different SKUs. */
export interface StockItem {
  readonly itemId: string;
  readonly variantId: string;
  readonly productId: string;
  readonly sku: string;
  title: string;
  barcode: string | undefined;
  /** By location; an item is not stocked where it has no level. */
  readonly levels: Map<string, StockLevel>;
}

export const QUANTITY_NAMES = ['available', 'on_hand', 'committed', 'incoming', 'reserved'] as const;

/** Shopify knows more names than these; of those that nothing here changes there are none. */
export function quantityOf(level: StockLevel, name: string): number | undefined {
  if (name === 'available') return level.available;
  if (name === 'committed') return level.committed;
  if (name === 'on_hand') return level.available + level.committed;
  return (QUANTITY_NAMES as readonly string[]).includes(name) ? 0 : undefined;
}

/** Items and their levels. Every change of what is available is told, whoever made it. */
export class Stock {
  readonly locations: readonly StockLocation[];
  /** In the order in which they were made. */
  readonly items: StockItem[] = [];
  private readonly bySku = new Map<string, StockItem[]>();
  private readonly byItemId = new Map<string, StockItem>();

  constructor(
    locationIds: readonly string[],
    private readonly ids: IdSequence,
    private readonly onAvailable: (level: StockLevel) => void,
  ) {
    this.locations = locationIds.map((id) => ({ id, name: `Location ${id}` }));
  }

  /** Makes what is not there, and sets by hand what is: a merchant typing a number. */
  list(listings: readonly SimulatedListing[]): void {
    for (const { channelSku, channelLocation, quantityUnits, title, barcode } of listings) {
      const item = this.bySku.get(channelSku)?.[0] ?? this.add(channelSku, title, barcode);
      item.title = title ?? channelSku;
      item.barcode = barcode;
      const location = this.location(channelLocation ?? (this.locations[0] as StockLocation).id);
      if (!location) throw new RangeError(`the simulated shop has no location ${channelLocation}`);
      this.setAvailable(this.activate(item, location), quantityUnits);
    }
  }

  /** A variant of its own, also where the SKU is taken: Shopify lets a shop have it many times. */
  add(sku: string, title = sku, barcode?: string): StockItem {
    const [itemId, variantId, productId] = [this.ids.next(), this.ids.next(), this.ids.next()];
    const item: StockItem = { itemId, variantId, productId, sku, title, barcode, levels: new Map() };
    this.items.push(item);
    this.byItemId.set(itemId, item);
    this.bySku.set(sku, [...(this.bySku.get(sku) ?? []), item]);
    return item;
  }

  location(id: string | undefined): StockLocation | undefined {
    return this.locations.find((location) => location.id === id);
  }

  item(itemId: string | undefined): StockItem | undefined {
    return itemId === undefined ? undefined : this.byItemId.get(itemId);
  }

  ofSku(sku: string): readonly StockItem[] {
    return this.bySku.get(sku) ?? [];
  }

  /** Stocks the item there from now on, with nothing; answers the level that is there already as it is. */
  activate(item: StockItem, location: StockLocation): StockLevel {
    const known = item.levels.get(location.id);
    if (known) return known;
    const level = emptyLevel(item, location);
    item.levels.set(location.id, level);
    return level;
  }

  setAvailable(level: StockLevel, units: number): void {
    this.move(level, units - level.available, 0);
  }

  /** What is shown to buyers: nothing below 0, at a location or over all of them. */
  shown(locationId?: string): Map<string, number> {
    const shown = new Map<string, number>();
    for (const { sku, levels } of this.items) {
      for (const level of levels.values()) {
        if (locationId !== undefined && level.location.id !== locationId) continue;
        shown.set(sku, (shown.get(sku) ?? 0) + Math.max(level.available, 0));
      }
    }
    return shown;
  }

  /** Promises units to an order. What is available falls below 0 where more is sold than there is. */
  commit(level: StockLevel | undefined, units: number): void {
    if (level) this.move(level, -units, units);
  }

  /** Ends a promise; the units go back on sale only where they are restocked. */
  release(level: StockLevel | undefined, units: number, restock: boolean): void {
    if (level) this.move(level, restock ? units : 0, -units);
  }

  /** Units come back from a buyer. */
  restock(level: StockLevel | undefined, units: number): void {
    if (level) this.move(level, units, 0);
  }

  private move(level: StockLevel, available: number, committed: number): void {
    level.available += available;
    level.committed += committed;
    level.updatedAt = Date.now();
    if (available !== 0) this.onAvailable(level);
  }
}

/** What a location would have of an item if it stocked it. */
export function emptyLevel(item: StockItem, location: StockLocation): StockLevel {
  return { item, location, available: 0, committed: 0, updatedAt: Date.now() };
}
