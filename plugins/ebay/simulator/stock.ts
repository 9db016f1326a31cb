import type { SimulatedItem, SimulatedListing, SimulatedShop } from 'onhand/channel-api';
import { inventoryRefusal } from './refusal';

/** The ids that eBay gives what is listed. */
export interface ListedItem {
  channelSku: string;
  offerId: string;
  listingId: string;
}

/** A quantity for an item: of its offer, of what may be shipped anywhere, or both. */
export interface WantedQuantities {
  offer?: number;
  shipTo?: number;
}

/**
 * Items and their offers. A buyer sees the smaller of the two quantities, which is what the shop keeps; by how
 * much the other is above it is kept here. A sale lowers both.
 */
export class EbayStock {
  private readonly listed = new Map<string, ListedItem>();
  private readonly byOffer = new Map<string, ListedItem>();
  private readonly byListing = new Map<string, ListedItem>();
  private readonly excess = new Map<string, Required<WantedQuantities>>();
  private readonly legacy = new Set<string>();
  /** SKUs of the Inventory API, in the order in which they were listed. */
  private readonly skus = new Set<string>();

  constructor(private readonly shop: SimulatedShop) {}

  list(listings: readonly SimulatedListing[]): void {
    for (const { channelSku } of listings) {
      this.idsOf(channelSku);
      this.excess.delete(channelSku);
      if (!this.legacy.has(channelSku)) this.skus.add(channelSku);
    }
  }

  /** A listing made by the Trading API: the Inventory API does not know it, and its id is all that names it. */
  listLegacy(listingIds: readonly string[]): void {
    for (const listingId of listingIds) {
      this.legacy.add(listingId);
      this.remember({ channelSku: listingId, offerId: '', listingId });
    }
  }

  isLegacy(channelSku: string): boolean {
    return this.legacy.has(channelSku);
  }

  /** Those of the Inventory API, from a place on. */
  page(start: number, limit: number): SimulatedItem[] {
    return [...this.skus].slice(start, start + limit).map((sku) => this.shop.item(sku)!);
  }

  get total(): number {
    return this.skus.size;
  }

  /** Undefined for what the Inventory API does not know, legacy listings included. */
  item(channelSku: string): SimulatedItem | undefined {
    return this.legacy.has(channelSku) ? undefined : this.shop.item(channelSku);
  }

  offer(offerId: string): ListedItem | undefined {
    return this.byOffer.get(offerId);
  }

  listing(listingId: string): ListedItem | undefined {
    return this.byListing.get(listingId);
  }

  /** Ids are given when a SKU is first heard of, be it in an order for what is listed no more. */
  idsOf(channelSku: string): ListedItem {
    const known = this.listed.get(channelSku);
    if (known) return known;
    const place = String(this.listed.size + 1).padStart(9, '0');
    return this.remember({ channelSku, offerId: `8${place}`, listingId: `110${place}` });
  }

  quantities(item: SimulatedItem): Required<WantedQuantities> {
    const { offer, shipTo } = this.excess.get(item.channelSku) ?? NO_EXCESS;
    return { offer: item.quantityUnits + offer, shipTo: item.quantityUnits + shipTo };
  }

  /** Sets what is given and leaves the other; a lie sets nothing. */
  set(item: SimulatedItem, wanted: WantedQuantities, pretend: boolean): void {
    const { offer, shipTo } = { ...this.quantities(item), ...wanted };
    const shown = Math.min(offer, shipTo);
    const { channelSku } = item;
    this.shop.setQuantity({ channelSku, quantityUnits: shown }, pretend);
    if (!pretend) this.excess.set(channelSku, { offer: offer - shown, shipTo: shipTo - shown });
  }

  private remember(item: ListedItem): ListedItem {
    this.listed.set(item.channelSku, item);
    this.byListing.set(item.listingId, item);
    if (item.offerId !== '') this.byOffer.set(item.offerId, item);
    return item;
  }
}

const NO_EXCESS = { offer: 0, shipTo: 0 };

/** Throws `EbayRefusal` (400, error 25709) on what is no quantity. */
export function quantityIn(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw inventoryRefusal(400, 25709, `Invalid value for ${field}.`);
}
