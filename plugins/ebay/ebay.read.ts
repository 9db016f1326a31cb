import {
  ChannelProtocolError,
  ChannelRequestError,
  type InventoryQuery,
  type Page,
  type ShownInventory,
  UntranslatableError,
} from 'onhand/channel-api';
import type { EbayClient } from './ebay.client';
import { wordsOf } from './ebay.errors';
import { type Json, objectIn, partOf, partsOf, rowsIn, textIn } from './ebay.fields';
import type { EbayOffers } from './ebay.offers';
import type { EbayOptions } from './ebay.options';
import { translateItem, unreadableItem } from './ebay.translate';

const PAGE_SIZE = 200;
/** Of `bulk_get_inventory_item`. */
const ITEMS_BY_NAME = 25;
/** A list that goes on for longer is one without an end. */
const MAX_PAGES = 100_000;

/** What eBay shows: the items of the Inventory API, page by page or by name. */
export class EbayInventory {
  constructor(
    private readonly client: EbayClient,
    private readonly offers: EbayOffers,
    private readonly options: EbayOptions,
  ) {}

  read({ cursor, channelSkus }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    return channelSkus ? this.readNamed(channelSkus) : this.readAll(cursor);
  }

  /** Here, and not in `getOrders`, `offset` is the number of the page. */
  private async *readAll(cursor = '0'): AsyncGenerator<Page<ShownInventory>> {
    if (!/^\d{1,9}$/.test(cursor))
      throw new ChannelRequestError('the cursor is not a page number; read from the start');
    for (let page = Number(cursor); page < MAX_PAGES; page += 1) {
      const path = '/sell/inventory/v1/inventory_item';
      const query = { limit: String(PAGE_SIZE), offset: String(page) };
      const { inventoryItems, next } = await this.client.read({ method: 'GET', path, query });
      const rows = rowsIn(inventoryItems ?? [], 'inventoryItems');
      const translated = await this.translate(rows, this.options.readOffers === 'always');
      const isLast = rows.length === 0 || textIn(next) === undefined;
      yield { ...translated, ...(isLast ? {} : { cursor: String(page + 1) }) };
      if (isLast) return;
    }
    throw new ChannelProtocolError(`the list of inventory items goes on after ${MAX_PAGES} pages`);
  }

  private async *readNamed(channelSkus: readonly string[]): AsyncGenerator<Page<ShownInventory>> {
    const skus = [...new Set(channelSkus)];
    for (let at = 0; at < skus.length; at += ITEMS_BY_NAME) {
      const rows = await this.itemsNamed(skus.slice(at, at + ITEMS_BY_NAME));
      yield await this.translate(rows, true);
    }
  }

  private async itemsNamed(skus: readonly string[]): Promise<unknown[]> {
    const path = '/sell/inventory/v1/bulk_get_inventory_item';
    const json = { requests: skus.map((sku) => ({ sku })) };
    const response = await this.client.send({ method: 'POST', path, json });
    // Not one of them is there.
    if (response.status === 404) return [];
    if (response.status !== 200 && response.status !== 207)
      throw new ChannelProtocolError(`POST ${path} was not answered 200 or 207, but ${wordsOf(response)}`);
    const { responses } = partOf(response.json());
    return partsOf(rowsIn(responses, 'responses')).flatMap(({ statusCode, inventoryItem, sku }) =>
      statusCode === 200 ? [{ sku, ...partOf(inventoryItem) }] : [],
    );
  }

  /** Translates each row by itself: what cannot be understood is set aside and costs no other row. */
  private async translate(rows: readonly unknown[], withOffers: boolean): Promise<Page<ShownInventory>> {
    const items: ShownInventory[] = [];
    const unreadable: NonNullable<Page<ShownInventory>['unreadable']> = [];
    const parts: Json[] = [];
    for (const row of rows) {
      try {
        items.push(translateItem(row));
        parts.push(objectIn(row, 'the item'));
      } catch (error) {
        if (!(error instanceof UntranslatableError)) throw error;
        unreadable.push(unreadableItem(row, 'sku', error));
      }
    }
    const offers = withOffers
      ? await this.offers.readAll(items.map(({ channelSku }) => channelSku))
      : undefined;
    const shown = items.map((item) => {
      const quantities =
        offers?.get(item.channelSku)?.map(({ availableQuantity }) => availableQuantity) ?? [];
      return { ...item, quantityUnits: Math.min(item.quantityUnits, ...quantities) };
    });
    return { items: shown, ...(unreadable.length > 0 && { unreadable }) };
  }
}
