import type { ChannelClock } from 'onhand/channel-api';
import type { ShopifyClient } from './shopify.client';
import { shortId } from './shopify.ids';
import { PAGE_SIZES } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';

/** Codes in one search. Longer ones are answered too, but how long they may be is not documented. */
const CODES_AT_ONCE = 40;
/** A search finds what is like a code too: `a-1` for `A-1`. It is not followed for ever. */
const MAX_PAGES = 20;
/** A merchant may give a SKU to another variant at any time; what was looked up is believed for so long. */
const BELIEVED_MS = 10 * 60_000;
const CODES_KEPT = 200_000;

/** What the shop has under one of our channel SKUs. */
export type Found =
  | { kind: 'item'; itemId: string }
  /** Nothing can be said of a SKU that stands for several things. */
  | { kind: 'duplicate'; variants: string[] };

interface Known {
  itemId: string;
  knownAt: number;
  /** The read of the inventory that it was met in. */
  read?: symbol;
}

/** A variant, with the item that its stock is kept under. */
export interface VariantNode {
  id: string;
  sku: string | null;
  barcode: string | null;
  displayName: string;
  inventoryItem: { id: string };
}

export interface PageInfo {
  hasNextPage: boolean;
  endCursor: string | null;
}

/**
 * Which inventory item a channel SKU is: by SKU or by barcode, letter for letter. Looked up when it is needed,
 * and learned from every read of the inventory.
 */
export class Catalogue {
  private readonly known = new Map<string, Known>();
  private readonly codesByItem = new Map<string, string>();

  constructor(
    private readonly client: ShopifyClient,
    private readonly mapBy: ShopifyOptions['mapBy'],
    private readonly clock: ChannelClock,
  ) {}

  /** The channel SKU of a variant, by what the options map by; undefined where it has none. */
  codeOf({ sku, barcode }: { sku?: string | null; barcode?: string | null }): string | undefined {
    const code = this.mapBy === 'sku' ? sku : barcode;
    return code === undefined || code === null || code === '' ? undefined : code;
  }

  /** Of an item that was met before; undefined where it was not. */
  codeOfItem(itemId: string): string | undefined {
    return this.codesByItem.get(itemId);
  }

  learn(code: string, itemId: string, read?: symbol): void {
    this.known.delete(code);
    if (this.known.size >= CODES_KEPT) this.forget(this.known.keys().next().value as string);
    this.known.set(code, { itemId, knownAt: this.clock.now().getTime(), read });
    this.codesByItem.set(itemId, code);
  }

  /** Learns from a read. False where the same read met another item under this code. */
  learnFromRead(code: string, itemId: string, read: symbol): boolean {
    const known = this.known.get(code);
    if (known?.read === read && known.itemId !== itemId) return false;
    if (known?.read !== read) this.learn(code, itemId, read);
    return true;
  }

  /** The shop does not know the item that was known under this code. */
  forget(code: string): void {
    const known = this.known.get(code);
    this.known.delete(code);
    if (known) this.codesByItem.delete(known.itemId);
  }

  /** Codes that the shop does not have are not in the answer. Throws what `ShopifyClient.run` throws. */
  async find(codes: readonly string[]): Promise<Map<string, Found>> {
    const found = new Map<string, Found>();
    const unknown: string[] = [];
    const since = this.clock.now().getTime() - BELIEVED_MS;
    for (const code of new Set(codes)) {
      const known = this.known.get(code);
      if (known && known.knownAt > since) found.set(code, { kind: 'item', itemId: known.itemId });
      else unknown.push(code);
    }
    for (let at = 0; at < unknown.length; at += CODES_AT_ONCE)
      for (const [code, each] of await this.lookUp(unknown.slice(at, at + CODES_AT_ONCE)))
        found.set(code, each);
    return found;
  }

  private async lookUp(codes: readonly string[]): Promise<Map<string, Found>> {
    const variants = new Map<string, VariantNode[]>(codes.map((code) => [code, []]));
    for (const variant of await this.search(codes)) {
      const code = this.codeOf(variant);
      if (code !== undefined) variants.get(code)?.push(variant);
    }
    const found = new Map<string, Found>();
    for (const [code, nodes] of variants) {
      const items = [
        ...new Set(nodes.map((node) => shortId(node.inventoryItem.id, 'InventoryItem', 'inventoryItem.id'))),
      ];
      if (items.length === 0) continue;
      if (items.length > 1) {
        found.set(code, { kind: 'duplicate', variants: nodes.map(({ displayName }) => displayName) });
        continue;
      }
      const itemId = items[0] as string;
      this.learn(code, itemId);
      found.set(code, { kind: 'item', itemId });
    }
    return found;
  }

  private async search(codes: readonly string[]): Promise<VariantNode[]> {
    const query = codes.map((code) => `${this.mapBy}:${quoted(code)}`).join(' OR ');
    const nodes: VariantNode[] = [];
    let after: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { productVariants }: { productVariants: { nodes: VariantNode[]; pageInfo: PageInfo } } =
        await this.client.run('Variants', { query, first: PAGE_SIZES.variants, after });
      nodes.push(...productVariants.nodes);
      after = productVariants.pageInfo.endCursor;
      if (!productVariants.pageInfo.hasNextPage) break;
    }
    return nodes;
  }
}

/** A phrase of the search syntax. https://shopify.dev/docs/api/usage/search-syntax */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
