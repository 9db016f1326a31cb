import {
  type ChannelHost,
  type InventoryQuery,
  isChannelError,
  type Page,
  type ShownInventory,
  type UnreadableItem,
  UntranslatableError,
} from 'onhand/channel-api';
import { readBulkLevels } from './shopify.bulk';
import type { Catalogue, PageInfo } from './shopify.catalogue';
import { QueryTooCostlyError, type ShopifyClient } from './shopify.client';
import type { DocumentName } from './shopify.documents';
import { globalId, shortId } from './shopify.ids';
import {
  availableIn,
  BULK,
  levelsAt,
  type LevelNode,
  type LevelPage,
  PAGED,
  type PlacedLevel,
} from './shopify.levels';
import { PAGE_SIZES, type Variables } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';

/** What the shop shows: page by page and location by location, or by a bulk operation where it has many variants. */
export class InventoryReader {
  constructor(
    private readonly client: ShopifyClient,
    private readonly catalogue: Catalogue,
    private readonly options: Pick<ShopifyOptions, 'bulkAbove'>,
    private readonly host: Pick<ChannelHost, 'log' | 'clock'>,
  ) {}

  /** Throws what `ShopifyClient.run` throws, and `UntranslatableError` on a cursor that is none of ours. */
  async *read({ cursor, channelSkus }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    if (channelSkus) {
      yield { items: await this.readSome(channelSkus) };
      return;
    }
    const read = new ReadTranslator(this.catalogue);
    for await (const { levels, cursor: next } of await this.levels(cursor)) {
      const page = read.translate(levels);
      yield next === undefined ? page : { ...page, cursor: next };
    }
    if (read.withoutCode > 0)
      this.host.log.info(
        `${read.withoutCode} levels are of variants without a SKU, which no listing can be mapped to`,
      );
    if (read.duplicates.size > 0)
      this.host.log.warn(
        `${read.duplicates.size} SKUs are on several variants, and cannot be pushed to until each is on one`,
        { skus: [...read.duplicates].slice(0, 20) },
      );
  }

  /** The ids of the shop's locations, in an order that does not change from read to read. */
  async locationIds(): Promise<string[]> {
    return (await this.locations()).map(({ id }) => id);
  }

  async locations(): Promise<{ id: string; name: string }[]> {
    const found: { id: string; name: string }[] = [];
    const nodes = eachPage<{ id: string; name: string }>(
      this.client,
      'Locations',
      'locations',
      PAGE_SIZES.locations,
    );
    for await (const page of nodes)
      for (const { id, name } of page.nodes) found.push({ id: shortId(id, 'Location', 'location.id'), name });
    return found.sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
  }

  private async readSome(channelSkus: readonly string[]): Promise<ShownInventory[]> {
    const places: { channelSku: string; itemId: string; locationId: string }[] = [];
    const found = await this.catalogue.find(channelSkus);
    if (found.size === 0) return [];
    for (const locationId of await this.locationIds())
      for (const [channelSku, each] of found)
        if (each.kind === 'item') places.push({ channelSku, itemId: each.itemId, locationId });
    const levels = await levelsAt(this.client, places);
    return places.flatMap(({ channelSku, locationId }, index) => {
      const units = levels[index];
      if (typeof units !== 'number' || !Number.isSafeInteger(units)) return [];
      return [{ channelSku, channelLocation: locationId, quantityUnits: Math.max(units, 0) }];
    });
  }

  private async levels(cursor: string | undefined): Promise<AsyncIterable<LevelPage>> {
    if (cursor?.startsWith(`${BULK}:`)) return readBulkLevels(this.client, this.host, cursor);
    if (cursor !== undefined) return this.pagedLevels(cursor);
    const { productVariantsCount } = await this.client.run<{
      productVariantsCount: { count: number } | null;
    }>('CatalogueSize', { limit: this.options.bulkAbove + 1 });
    const isLarge = (productVariantsCount?.count ?? 0) > this.options.bulkAbove;
    return isLarge ? readBulkLevels(this.client, this.host) : this.pagedLevels();
  }

  private async *pagedLevels(cursor?: string): AsyncGenerator<LevelPage> {
    const [kind, from, ...rest] = cursor?.split(':') ?? [PAGED];
    if (kind !== PAGED) throw new UntranslatableError('the cursor of the inventory read is not one of ours');
    const locations = await this.locationIds();
    const start = from === undefined ? 0 : locations.indexOf(from);
    if (start < 0)
      throw new UntranslatableError('the location that the read broke off at is gone; read anew');
    if (locations.length === 0) yield { levels: [] };
    for (const [offset, id] of locations.slice(start).entries()) {
      const next = locations[start + offset + 1];
      const after = offset === 0 ? rest.join(':') || null : null;
      const pages = eachPage<LevelNode>(
        this.client,
        'LocationLevels',
        'location.inventoryLevels',
        PAGE_SIZES.levels,
        {
          variables: { location: globalId('Location', id) },
          after,
        },
      );
      for await (const { nodes, endCursor } of pages) {
        const goOn = endCursor === undefined ? next && `${PAGED}:${next}:` : `${PAGED}:${id}:${endCursor}`;
        const levels = nodes.map((level) => ({ level, location: globalId('Location', id) }));
        yield goOn === undefined ? { levels } : { levels, cursor: goOn };
      }
    }
  }
}

/** Levels → what is shown, for one read. What cannot be understood is set aside and costs no other level. */
class ReadTranslator {
  withoutCode = 0;
  readonly duplicates = new Set<string>();
  private readonly read = Symbol('read');

  constructor(private readonly catalogue: Catalogue) {}

  translate(levels: readonly PlacedLevel[]): Page<ShownInventory> {
    const items: ShownInventory[] = [];
    const unreadable: UnreadableItem[] = [];
    for (const placed of levels) {
      try {
        const shown = this.shownBy(placed);
        if (shown) items.push(shown);
      } catch (error) {
        if (!isChannelError(error) || error.code !== 'untranslatable') throw error;
        const { id } = placed.level;
        unreadable.push({
          ...(typeof id === 'string' ? { id } : {}),
          reason: error.message,
          body: JSON.stringify(placed.level).slice(0, 10_000),
        });
      }
    }
    return unreadable.length === 0 ? { items } : { items, unreadable };
  }

  private shownBy({ level, location }: PlacedLevel): ShownInventory | undefined {
    const { item, quantities } = level;
    const itemId = shortId(item?.id, 'InventoryItem', 'item.id');
    const channelLocation = shortId(location, 'Location', 'location');
    const { variant, sku } = item ?? {};
    const code = this.catalogue.codeOf({ sku, barcode: variant?.barcode });
    if (code === undefined) {
      this.withoutCode += 1;
      return undefined;
    }
    const units = availableIn(Array.isArray(quantities) ? quantities : []);
    if (!Number.isSafeInteger(units))
      throw new UntranslatableError('quantities must have "available" as a whole number');
    if (!this.catalogue.learnFromRead(code, itemId, this.read)) {
      this.duplicates.add(code);
      throw new UntranslatableError('another variant has the same SKU; give each its own');
    }
    const { displayName: title, barcode } = variant ?? {};
    return {
      channelSku: code,
      channelLocation,
      // A shop that has sold more than it had shows nothing to buyers.
      quantityUnits: Math.max(units, 0),
      ...(title ? { title } : {}),
      ...(barcode ? { barcode } : {}),
    };
  }
}

interface Connection<Node> {
  nodes: Node[];
  pageInfo: PageInfo;
}

/**
 * The pages of a connection, of which `path` says where an answer has it; `endCursor` is absent on the last one.
 * A page that Shopify finds too costly is asked for in half the size, down to one node.
 */
export async function* eachPage<Node>(
  client: ShopifyClient,
  document: DocumentName,
  path: string,
  size: number,
  { variables = {}, after: from = null }: { variables?: Variables; after?: string | null } = {},
): AsyncGenerator<{ nodes: Node[]; endCursor?: string }> {
  let after = from;
  let first = size;
  for (;;) {
    let answer: unknown;
    try {
      answer = await client.run(document, { ...variables, first, after });
    } catch (error) {
      if (!(error instanceof QueryTooCostlyError) || first === 1) throw error;
      first = Math.ceil(first / 2);
      continue;
    }
    const connection = path
      .split('.')
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], answer) as
      Connection<Node> | undefined;
    const { nodes = [], pageInfo } = connection ?? {};
    if (!pageInfo?.hasNextPage || pageInfo.endCursor === null) {
      yield { nodes };
      return;
    }
    after = pageInfo.endCursor;
    yield { nodes, endCursor: after };
  }
}
