import type { ReadItem } from './amazon-sp-api.translate';

/** Where one SKU can be pushed to. */
export interface Place {
  /** One marketplace that lists it. Its quantity is one number for all of them. */
  marketplaceId: string;
  /** Amazon holds and counts it; our quantity would turn it into a listing that we ship. */
  byAmazon: boolean;
}

/**
 * What reads have told of each seller SKU. Amazon keys a quantity by seller and SKU, not by marketplace
 * (github.com/amzn/selling-partner-api-docs/issues/3167), yet a call names a marketplace in which the SKU is listed. So
 * each SKU is written through one marketplace only, and what two of them show can never be two numbers.
 */
export class Catalogue {
  private readonly places = new Map<string, Place>();

  constructor(private readonly marketplaceIds: readonly string[]) {}

  /** The first marketplace of the options that lists it is the one, whatever order they are read in. */
  learn({ channelSku, byAmazon }: ReadItem, marketplaceId: string): void {
    const known = this.places.get(channelSku);
    if (known && this.rank(known.marketplaceId) < this.rank(marketplaceId)) return;
    this.places.set(channelSku, { marketplaceId, byAmazon });
  }

  /** What was known led to a refusal: it is looked up anew. */
  forget(channelSku: string): void {
    this.places.delete(channelSku);
  }

  placeOf(channelSku: string): Place | undefined {
    return this.places.get(channelSku);
  }

  private rank(marketplaceId: string): number {
    return this.marketplaceIds.indexOf(marketplaceId);
  }
}
