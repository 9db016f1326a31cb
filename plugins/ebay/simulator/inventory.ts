import type { FaultDice, SimulatedItem, SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { EbayRefusal, inventoryRefusal } from './refusal';
import { asList, asObject, type JsonObject, jsonOf, numberIn, textIn } from './request-json';
import type { RevisionBook } from './revision-book';
import { type EbayStock, quantityIn } from './stock';

export interface InventoryTraits {
  /** eBay's contract says 1 in one place and 25 in another. */
  skusPerUpdate: number;
  /** How long a SKU is being changed; whoever changes it meanwhile meets error 25025. */
  updateTakesMs: number;
}

/** How often, 0 to 1, one entry of an update is refused for now while the others are taken. */
export interface EntryFaults {
  /** Error 25025: somebody else is changing the item. */
  concurrent: number;
  /** Error 25001: a system error. */
  system: number;
}

const PAGE = { standard: 25, least: 1, most: 200 };
const MOST_ENTRIES = 25;

/** The Inventory API: items, offers, and bulk changes of their quantities. */
export class InventoryApi {
  entryFaults: EntryFaults = { concurrent: 0, system: 0 };
  private readonly changing = new Set<string>();

  constructor(
    private readonly stock: EbayStock,
    private readonly revisions: RevisionBook,
    private readonly dice: FaultDice,
    private readonly traits: InventoryTraits,
    private readonly wire: { item(item: SimulatedItem): object; offer(item: SimulatedItem): object },
  ) {}

  /** `offset` is the number of the page, not of a record. */
  items({ path, query }: SimulatedRequest): SimulatedReply {
    const wrong = () => inventoryRefusal(400, 25706, 'You have provided invalid pagination values.');
    const limit = numberIn(query, 'limit', PAGE, wrong);
    const page = numberIn(query, 'offset', { standard: 0, least: 0, most: 1_000_000 }, wrong);
    const items = this.stock.page(page * limit, limit);
    const { total } = this.stock;
    const href = (offset: number) => `${path}?limit=${limit}&offset=${offset}`;
    return {
      status: 200,
      body: {
        href: href(page),
        limit,
        size: items.length,
        total,
        ...(page > 0 && { prev: href(page - 1) }),
        ...((page + 1) * limit < total && { next: href(page + 1) }),
        inventoryItems: items.map((item) => this.wire.item(item)),
      },
    };
  }

  item(sku: string): SimulatedReply {
    const item = this.stock.item(sku);
    if (!item)
      throw inventoryRefusal(404, 25702, `${sku} could not be found or is not available in the system.`);
    return { status: 200, body: this.wire.item(item) };
  }

  bulkGet(request: SimulatedRequest): SimulatedReply {
    const skus = asList(jsonOf(request).requests).map(({ sku }) => textIn(sku) ?? '');
    refuseTooMany(skus.length, MOST_ENTRIES);
    refuseRepeated(skus);
    return bulkReply(
      skus.map((sku) => {
        const item = this.stock.item(sku);
        if (item)
          return { statusCode: 200, sku, inventoryItem: this.wire.item(item), warnings: [], errors: [] };
        return entryError(sku, unknownSku(sku));
      }),
    );
  }

  /** Of one SKU: it has one offer at a fixed price. */
  offers({ path, query }: SimulatedRequest): SimulatedReply {
    const sku = query.get('sku') ?? '';
    const item = this.stock.item(sku);
    if (!item) throw inventoryRefusal(404, 25713, 'This Offer is not available : no offer for the SKU.');
    const offers = [this.wire.offer(item)];
    const href = `${path}?sku=${encodeURIComponent(sku)}`;
    return { status: 200, body: { href, limit: 100, size: offers.length, total: offers.length, offers } };
  }

  offer(offerId: string): SimulatedReply {
    const listed = this.stock.offer(offerId);
    const item = listed && this.stock.item(listed.channelSku);
    if (!item) throw inventoryRefusal(404, 25713, `This Offer is not available : ${offerId}.`);
    return { status: 200, body: this.wire.offer(item) };
  }

  async bulkUpdate(request: SimulatedRequest): Promise<SimulatedReply> {
    const entries = asList(jsonOf(request).requests);
    refuseTooMany(entries.length, this.traits.skusPerUpdate);
    const skus = entries.map((entry) => this.skuOf(entry));
    refuseRepeated(skus);
    const taken = skus.map((sku) => !this.changing.has(sku) && !this.dice.draw(this.entryFaults.concurrent));
    const mine = skus.filter((_, index) => taken[index]);
    for (const sku of mine) this.changing.add(sku);
    try {
      if (this.traits.updateTakesMs > 0) await pause(this.traits.updateTakesMs);
      const answers = entries.map((entry, index) =>
        taken[index]
          ? this.update(skus[index]!, entry, request.pretend)
          : [entryError(skus[index]!, CONCURRENT)],
      );
      // A call of which nothing was done is an error itself; in company it is one entry's status.
      if (taken.length > 0 && taken.every((each) => !each)) throw CONCURRENT;
      return bulkReply(answers.flat());
    } finally {
      for (const sku of mine) this.changing.delete(sku);
    }
  }

  /** One answer for each offer; one for the item where only its ship-to-home quantity was given. */
  private update(sku: string, entry: JsonObject, pretend: boolean): EntryAnswer[] {
    try {
      if (this.dice.draw(this.entryFaults.system)) throw SYSTEM;
      const item = this.stock.item(sku);
      if (!item) throw unknownSku(sku);
      const { offerId, listingId } = this.stock.idsOf(sku);
      const offers = asList(entry.offers);
      const wrong = offers.find((offer) => offer.offerId !== offerId);
      if (wrong)
        throw inventoryRefusal(404, 25713, `This Offer is not available : ${String(wrong.offerId)}.`);
      const shipTo = quantityIn(asObject(entry.shipToLocationAvailability).quantity, 'quantity');
      const offer = quantityIn(offers[0]?.availableQuantity, 'availableQuantity');
      if (!this.revisions.revise(listingId, sku, Date.now())) throw NO_MORE_REVISIONS;
      this.stock.set(
        item,
        { ...(shipTo !== undefined && { shipTo }), ...(offer !== undefined && { offer }) },
        pretend,
      );
      const done = { statusCode: 200, sku, warnings: [], errors: [] };
      return offers.length === 0 ? [done] : offers.map(() => ({ ...done, offerId }));
    } catch (error) {
      if (!(error instanceof EbayRefusal)) throw error;
      return [entryError(sku, error)];
    }
  }

  private skuOf(entry: JsonObject): string {
    const [offer] = asList(entry.offers);
    const offerId = textIn(offer?.offerId);
    return textIn(entry.sku) ?? (offerId === undefined ? '' : (this.stock.offer(offerId)?.channelSku ?? ''));
  }
}

interface EntryAnswer {
  statusCode: number;
  sku: string;
  offerId?: string;
  warnings: object[];
  errors: object[];
}

const CONCURRENT = inventoryRefusal(
  500,
  25025,
  'Concurrent access of Inventory or InventoryItemGroup. Please try again later',
);
const SYSTEM = inventoryRefusal(500, 25001, 'A system error has occurred.');
/** No page names the error of a listing changed too often; 25019 is the one for "cannot revise listing". */
const NO_MORE_REVISIONS = inventoryRefusal(
  400,
  25019,
  'Cannot revise listing. It was revised as often as one day allows; try again on the next calendar day.',
);

function unknownSku(sku: string): EbayRefusal {
  return inventoryRefusal(404, 25702, `${sku} could not be found or is not available in the system.`);
}

function entryError(sku: string, refusal: EbayRefusal): EntryAnswer {
  return { statusCode: refusal.status, sku, warnings: [], errors: [refusal.body] };
}

/** 207 as soon as one entry is refused. */
function bulkReply(responses: { statusCode: number }[]): SimulatedReply {
  const isMixed = responses.some(({ statusCode }) => statusCode !== 200);
  return { status: isMixed ? 207 : 200, body: { responses } };
}

function refuseTooMany(count: number, most: number): void {
  if (count === 0) throw inventoryRefusal(400, 25709, 'Invalid value for requests.');
  if (count > most)
    throw inventoryRefusal(400, 25727, `The number of InventoryItems in the request cannot exceed ${most}.`);
}

function refuseRepeated(skus: readonly string[]): void {
  if (new Set(skus).size < skus.length)
    throw inventoryRefusal(400, 25734, 'SKU should be unique in the request.');
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
