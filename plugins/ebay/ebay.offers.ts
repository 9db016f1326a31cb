import { type ChannelClock, ChannelProtocolError } from 'onhand/channel-api';
import type { EbayClient } from './ebay.client';
import { hasError, wordsOf } from './ebay.errors';
import { partOf, rowsIn, textIn } from './ebay.fields';

/** A published offer at a fixed price, and the listing that buyers see it in. */
export interface Offer {
  offerId: string;
  listingId: string;
  availableQuantity: number;
}

/** "This Offer is not available", which is also how eBay says that a SKU has none. */
export const NO_OFFER = 25713;
const NOT_FOUND = [25702, 25710, NO_OFFER, 25725];

/** Few enough that a restart does not use up the second's calls, and enough that a batch need not wait long. */
const AT_ONCE = 10;

/** Somebody may publish another offer of a SKU, and nothing tells of that. */
const KNOWN_FOR_MS = 86_400_000;

/**
 * Which offers a SKU has. A change of quantity names them, and `getOffers` gives them for one SKU a call: they are
 * kept for a day, or until eBay does not know one any more. That a SKU has none is not kept: it may soon.
 */
export class EbayOffers {
  private readonly known = new Map<string, { offers: Offer[]; until: number }>();

  constructor(
    private readonly client: EbayClient,
    private readonly clock: ChannelClock,
  ) {}

  /** Of each SKU, without asking again for those that are known. */
  async offersOf(skus: readonly string[]): Promise<ReadonlyMap<string, readonly Offer[]>> {
    const now = this.clock.now().getTime();
    const kept = (sku: string) => this.known.get(sku);
    const read = await this.readAll(skus.filter((sku) => !((kept(sku)?.until ?? 0) > now)));
    return new Map(skus.map((sku) => [sku, read.get(sku) ?? kept(sku)?.offers ?? []]));
  }

  /** Of each SKU, as they are now. */
  async readAll(skus: readonly string[]): Promise<ReadonlyMap<string, readonly Offer[]>> {
    const read = new Map<string, Offer[]>();
    const left = [...new Set(skus)];
    const work = async () => {
      for (let sku = left.pop(); sku !== undefined; sku = left.pop()) read.set(sku, await this.read(sku));
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, work));
    const until = this.clock.now().getTime() + KNOWN_FOR_MS;
    for (const [sku, offers] of read) {
      if (offers.length > 0) this.known.set(sku, { offers, until });
      else this.known.delete(sku);
    }
    return read;
  }

  forget(sku: string): void {
    this.known.delete(sku);
  }

  /** None where the SKU is not eBay's Inventory API's, or is nothing that it takes for a SKU. */
  private async read(sku: string): Promise<Offer[]> {
    const response = await this.client.send({
      method: 'GET',
      path: '/sell/inventory/v1/offer',
      query: { sku },
    });
    if (response.status === 404 || hasError(response, ...NOT_FOUND)) return [];
    // What is wrong with the SKU itself is said again, of that one alone, where it is pushed.
    if (response.status === 400) return [];
    if (response.status !== 200)
      throw new ChannelProtocolError(`getOffers was not answered 200, but ${wordsOf(response)}`);
    const { offers } = partOf(response.json());
    return rowsIn(offers ?? [], 'offers').flatMap(offerIn);
  }
}

/** An auction has a quantity of its own making, and what is not published cannot be changed in bulk. */
function offerIn(value: unknown): Offer[] {
  const { offerId, listing, status, format, availableQuantity } = partOf(value);
  const listingId = textIn(partOf(listing).listingId);
  if (status !== 'PUBLISHED' || format === 'AUCTION' || listingId === undefined) return [];
  const id = textIn(offerId);
  if (id !== undefined && Number.isSafeInteger(availableQuantity))
    return [{ offerId: id, listingId, availableQuantity: availableQuantity as number }];
  throw new ChannelProtocolError('an offer has no offerId or availableQuantity, which eBay documents');
}
