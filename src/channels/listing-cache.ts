export interface ListingComponent {
  skuId: number;
  units: number;
}

/** `file`: from the channel's configured CSV. `api`: made by API or CLI. */
export type ListingOrigin = 'file' | 'api';

/** A channel's SKU mapped to ours: one SKU × units, or a bundle of several. */
export interface Listing {
  id: number;
  channel: string;
  channelSku: string;
  components: ListingComponent[];
  origin: ListingOrigin;
  /** Grows with every change of the mapping. */
  revision: number;
  /** Most units of it to be shown; null: the channel's cap. */
  cap: number | null;
  /** Withheld units and percent; null: the channel's. */
  bufferUnits: number | null;
  bufferPercent: number | null;
}

/** Listings in memory, found by id, by channel SKU, and by the SKUs they are made of. */
export class ListingCache {
  private readonly byId = new Map<number, Listing>();
  private readonly byChannelSku = new Map<string, Map<string, Listing>>();
  /** How many listings of each channel hold the SKU. */
  private readonly channelsBySku = new Map<number, Map<string, number>>();

  get(id: number): Listing | undefined {
    return this.byId.get(id);
  }

  find(channel: string, channelSku: string): Listing | undefined {
    return this.byChannelSku.get(channel)?.get(channelSku);
  }

  ofChannel(channel: string): Listing[] {
    return [...(this.byChannelSku.get(channel)?.values() ?? [])];
  }

  countOf(channel: string): number {
    return this.byChannelSku.get(channel)?.size ?? 0;
  }

  channelsOf(skuIds: Iterable<number>): Set<string> {
    const found = new Set<string>();
    for (const skuId of skuIds)
      for (const channel of this.channelsBySku.get(skuId)?.keys() ?? []) found.add(channel);
    return found;
  }

  /** In place of what was known of it. */
  set(listing: Listing): void {
    this.remove(listing.id);
    const { id, channel, channelSku, components } = listing;
    this.byId.set(id, listing);
    const listings = this.byChannelSku.get(channel) ?? new Map<string, Listing>();
    this.byChannelSku.set(channel, listings.set(channelSku, listing));
    for (const { skuId } of components) {
      const counts = this.channelsBySku.get(skuId) ?? new Map<string, number>();
      this.channelsBySku.set(skuId, counts.set(channel, (counts.get(channel) ?? 0) + 1));
    }
  }

  remove(id: number): void {
    const known = this.byId.get(id);
    if (!known) return;
    const { channel, channelSku, components } = known;
    this.byId.delete(id);
    this.byChannelSku.get(channel)?.delete(channelSku);
    for (const { skuId } of components) {
      const counts = this.channelsBySku.get(skuId);
      const left = (counts?.get(channel) ?? 0) - 1;
      if (left > 0) counts?.set(channel, left);
      else counts?.delete(channel);
      if (counts?.size === 0) this.channelsBySku.delete(skuId);
    }
  }
}
