import { createHash } from 'node:crypto';
import type { SimulatedListing, SimulatedShop } from 'onhand/channel-api';
import type { ScaledTime } from './scaled-time';
import { type Availability, submittedQuantity } from './submissions';

/** A listing of the seller; its effective quantity is the shop's. */
export interface CatalogueItem {
  sku: string;
  asin: string;
  /** `AMAZON_NA` and the like where Amazon keeps and ships it. */
  fulfillmentChannel: string;
  /** As it was submitted last, which is not what buyers see. */
  submitted: Availability[];
  createdMs: number;
  updatedMs: number;
}

/** One change of a quantity that was accepted, in the order in which it took effect. */
export interface AcceptedChange {
  sku: string;
  quantityUnits: number;
  /** The id of the feed it came with; null for a patch. */
  feedId: string | null;
  atMs: number;
  /** False for the lie: it was accepted, and never took effect. */
  applied: boolean;
}

const FBA_CHANNEL = 'AMAZON_NA';

/**
 * The seller's listings. What is submitted is stored at once and takes effect later, or, as sellers report,
 * never: then the attribute says one quantity and buyers see another.
 */
export class Catalogue {
  readonly accepted: AcceptedChange[] = [];
  private readonly items = new Map<string, CatalogueItem>();
  private sorted: CatalogueItem[] | undefined;

  constructor(
    private readonly shop: SimulatedShop,
    private readonly time: ScaledTime,
    /** Amazon's seconds from accepting a change to its taking effect. */
    private readonly appliesAfterSeconds: number,
    private readonly onQuantity: (sku: string, quantityUnits: number) => void,
  ) {}

  list(listings: readonly SimulatedListing[]): void {
    const nowMs = Date.now();
    for (const { channelSku: sku, quantityUnits } of listings) {
      const submitted = [{ fulfillment_channel_code: 'DEFAULT', quantity: quantityUnits }];
      const known = this.items.get(sku);
      if (known) Object.assign(known, { submitted, updatedMs: nowMs });
      else this.add(sku, 'DEFAULT', submitted, nowMs);
    }
  }

  /** Listings that Amazon fulfils have no quantity of the seller's. */
  listFba(skus: readonly string[]): void {
    for (const sku of skus) {
      if (!this.items.has(sku)) {
        this.add(sku, FBA_CHANNEL, [{ fulfillment_channel_code: FBA_CHANNEL }], Date.now());
      }
    }
  }

  get(sku: string): CatalogueItem | undefined {
    return this.items.get(sku);
  }

  /** By SKU, so that a page can go on after the last one of another. */
  bySku(): readonly CatalogueItem[] {
    this.sorted ??= [...this.items.values()].sort((a, b) => compareTexts(a.sku, b.sku));
    return this.sorted;
  }

  /** What buyers see; undefined where Amazon fulfils. */
  effective({ sku, fulfillmentChannel }: CatalogueItem): number | undefined {
    return fulfillmentChannel === 'DEFAULT' ? this.shop.item(sku)?.quantityUnits : undefined;
  }

  /** Stores submissions, and lets those take effect later that are no lie. */
  submit(
    changes: readonly { item: CatalogueItem; submitted: Availability[]; pretend: boolean }[],
    feedId: string | null,
  ): void {
    const nowMs = Date.now();
    const taking: { item: CatalogueItem; quantityUnits: number }[] = [];
    for (const { item, submitted, pretend } of changes) {
      Object.assign(item, { submitted, updatedMs: nowMs });
      const quantityUnits = submittedQuantity(submitted);
      if (quantityUnits === undefined) continue;
      this.accepted.push({ sku: item.sku, quantityUnits, feedId, atMs: nowMs, applied: !pretend });
      if (!pretend) taking.push({ item, quantityUnits });
    }
    if (taking.length > 0) this.time.after(this.appliesAfterSeconds, () => this.takeEffect(taking));
  }

  private takeEffect(changes: readonly { item: CatalogueItem; quantityUnits: number }[]): void {
    for (const { item, quantityUnits } of changes) {
      // A quantity on the seller's channel makes the seller fulfil what Amazon did.
      if (item.fulfillmentChannel !== 'DEFAULT') {
        item.fulfillmentChannel = 'DEFAULT';
        this.shop.list([{ channelSku: item.sku, quantityUnits: 0 }]);
      }
      const before = this.shop.item(item.sku)?.quantityUnits;
      this.shop.setQuantity({ channelSku: item.sku, quantityUnits }, false);
      if (before !== quantityUnits) this.onQuantity(item.sku, quantityUnits);
    }
  }

  private add(sku: string, fulfillmentChannel: string, submitted: Availability[], nowMs: number): void {
    const asin = `B0${createHash('sha256').update(sku).digest('hex').slice(0, 8).toUpperCase()}`;
    this.items.set(sku, { sku, asin, fulfillmentChannel, submitted, createdMs: nowMs, updatedMs: nowMs });
    this.sorted = undefined;
  }
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
