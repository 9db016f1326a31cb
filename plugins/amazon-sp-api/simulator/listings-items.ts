import { randomUUID } from 'node:crypto';
import type { SimulatedShop } from 'onhand/channel-api';
import {
  type ApiCall,
  ApiRefusal,
  badRequest,
  type Handlers,
  listIn,
  numberIn,
  ok,
  pageToken,
  stateOfToken,
  timeIn,
} from './api-call';
import { type Catalogue, type CatalogueItem, compareTexts } from './catalogue';
import { type Issue, issuesOf, patched, patchesIn, unknownSku } from './submissions';

/** No search gives more SKUs than this, however far one pages: larger catalogues are read by report. */
const MOST_PAGED = 1_000;
const IDENTIFIERS = 20;
const DATA_SETS = [
  ...['summaries', 'attributes', 'issues', 'offers', 'fulfillmentAvailability'],
  ...['procurement', 'relationships', 'productTypes'],
];

/** The Listings Items API of 2021-08-01. */
export class ListingsItems {
  readonly handlers: Handlers = {
    getListingsItem: (call) => this.get(call),
    searchListingsItems: (call) => this.search(call),
    patchListingsItem: (call) => this.patch(call),
  };

  constructor(
    private readonly catalogue: Catalogue,
    private readonly shop: SimulatedShop,
    private readonly seller: { sellerId: string; marketplaceIds: readonly string[] },
    private readonly spoiled: ReadonlySet<string>,
  ) {}

  private get(call: ApiCall) {
    const marketplaceIds = this.marketplacesOf(call);
    const item = this.catalogue.get(call.parameters.sku as string);
    if (!item) {
      throw new ApiRefusal(
        404,
        'NOT_FOUND',
        `SKU '${call.parameters.sku}' not found in marketplace ${marketplaceIds[0]}`,
      );
    }
    return ok(this.wire(item, dataIn(call), marketplaceIds));
  }

  private search(call: ApiCall) {
    const { query } = call;
    const marketplaceIds = this.marketplacesOf(call);
    const pageSize = numberIn(query, 'pageSize', { least: 1, most: 20, absent: 10 });
    const sortBy = oneOf(query.get('sortBy') ?? 'lastUpdatedDate', ['sku', 'createdDate', 'lastUpdatedDate']);
    const order = oneOf(query.get('sortOrder') ?? 'DESC', ['ASC', 'DESC']);
    const sorted = sortedBy(this.found(query), sortBy);
    const found = order === 'DESC' ? [...sorted].reverse() : sorted;
    // The next page goes on after the last SKU of this one, wherever others have gone meanwhile.
    const after =
      query.get('pageToken') === null ? undefined : stateOfToken(query.get('pageToken') as string);
    const start = after ? placeAfter(found, after.sku as string, sortBy, order, Number(after.at)) : 0;
    const items = found.slice(start, Math.min(start + pageSize, MOST_PAGED));
    const hasMore = start + pageSize < Math.min(found.length, MOST_PAGED);
    const nextToken = pageToken({ sku: items.at(-1)?.sku, at: start + pageSize });
    return ok({
      numberOfResults: found.length,
      ...(hasMore ? { pagination: { nextToken } } : {}),
      items: items.map((item) => this.wire(item, dataIn(call), marketplaceIds)),
    });
  }

  private found(query: URLSearchParams): readonly CatalogueItem[] {
    const identifiers = listIn(query, 'identifiers');
    if (identifiers.length > 0 !== query.has('identifiersType')) {
      throw badRequest('identifiers and identifiersType go together.');
    }
    const updatedAfter = timeIn(query, 'lastUpdatedAfter') ?? -Infinity;
    const all =
      identifiers.length > 0
        ? this.identified(identifiers, query.get('identifiersType') as string)
        : this.catalogue.bySku();
    return updatedAfter === -Infinity ? all : all.filter(({ updatedMs }) => updatedMs >= updatedAfter);
  }

  private identified(identifiers: readonly string[], type: string): CatalogueItem[] {
    if (identifiers.length > IDENTIFIERS) throw badRequest(`At most ${IDENTIFIERS} identifiers.`);
    if (type === 'ASIN') {
      const asins = new Set(identifiers);
      return this.catalogue.bySku().filter(({ asin }) => asins.has(asin));
    }
    if (type !== 'SKU') throw badRequest('identifiersType must be SKU or ASIN here.');
    return [...new Set(identifiers)].sort(compareTexts).flatMap((sku) => this.catalogue.get(sku) ?? []);
  }

  private patch(call: ApiCall) {
    this.marketplacesOf(call);
    const { sku } = call.parameters as { sku: string };
    const patches = patchesIn(call.body);
    const mode = call.query.get('mode');
    if (mode !== null && mode !== 'VALIDATION_PREVIEW') throw badRequest('mode must be VALIDATION_PREVIEW.');
    const item = this.catalogue.get(sku);
    const issues = item ? issuesOf(patches) : [unknownSku()];
    if (item && issues.length === 0 && mode === null) {
      const submitted = patched(item.submitted, patches);
      this.catalogue.submit([{ item, submitted, pretend: call.pretend }], null);
    }
    return ok(this.submission(call, item, sku, issues));
  }

  private submission(
    { query }: ApiCall,
    item: CatalogueItem | undefined,
    sku: string,
    issues: Issue[],
  ): object {
    const accepted = query.has('mode') ? 'VALID' : 'ACCEPTED';
    const wantsIdentifiers = listIn(query, 'includedData').includes('identifiers');
    const [marketplaceId] = listIn(query, 'marketplaceIds');
    return {
      sku,
      status: issues.length > 0 ? 'INVALID' : accepted,
      submissionId: randomUUID().replaceAll('-', ''),
      issues,
      ...(wantsIdentifiers ? { identifiers: item ? [{ marketplaceId, asin: item.asin }] : [] } : {}),
    };
  }

  private wire(item: CatalogueItem, data: readonly string[], marketplaceIds: readonly string[]): object {
    const { sku } = item;
    const quantity = this.catalogue.effective(item);
    const parts: Record<string, unknown> = {
      summaries: marketplaceIds.map((marketplaceId) => this.summary(item, marketplaceId)),
      attributes: { fulfillment_availability: item.submitted },
      issues: [],
      offers: [],
      fulfillmentAvailability: [
        {
          fulfillmentChannelCode: item.fulfillmentChannel,
          ...(quantity === undefined ? {} : { quantity: this.spoiled.has(sku) ? 'plenty' : quantity }),
        },
      ],
      procurement: [],
      relationships: marketplaceIds.map((marketplaceId) => ({ marketplaceId, relationships: [] })),
      productTypes: marketplaceIds.map((marketplaceId) => ({ marketplaceId, productType: 'PRODUCT' })),
    };
    return { sku, ...Object.fromEntries(data.map((name) => [name, parts[name]])) };
  }

  private summary({ sku, asin, createdMs, updatedMs }: CatalogueItem, marketplaceId: string): object {
    return {
      marketplaceId,
      asin,
      productType: 'PRODUCT',
      conditionType: 'new_new',
      status: ['BUYABLE', 'DISCOVERABLE'],
      itemName: this.shop.item(sku)?.title ?? sku,
      createdDate: new Date(createdMs).toISOString(),
      lastUpdatedDate: new Date(updatedMs).toISOString(),
    };
  }

  /** The marketplaces of the call, once they and the seller are known to be the token's. */
  private marketplacesOf({ parameters, query }: ApiCall): string[] {
    if (parameters.sellerId !== this.seller.sellerId) {
      throw new ApiRefusal(403, 'Unauthorized', 'Access to requested resource is denied.');
    }
    const marketplaceIds = listIn(query, 'marketplaceIds');
    const isKnown = marketplaceIds.every((id) => this.seller.marketplaceIds.includes(id));
    if (marketplaceIds.length === 0 || !isKnown) throw badRequest('marketplaceIds are required.');
    return marketplaceIds;
  }
}

function dataIn({ query }: ApiCall): string[] {
  const data = listIn(query, 'includedData');
  if (data.some((name) => !DATA_SETS.includes(name))) throw badRequest('includedData names no data set.');
  return data.length > 0 ? data : ['summaries'];
}

function oneOf(text: string, allowed: readonly string[]): string {
  if (!allowed.includes(text)) throw badRequest(`${text} is none of ${allowed.join(', ')}.`);
  return text;
}

function sortedBy(items: readonly CatalogueItem[], sortBy: string): readonly CatalogueItem[] {
  if (sortBy === 'sku') return items;
  const time = (item: CatalogueItem) => (sortBy === 'createdDate' ? item.createdMs : item.updatedMs);
  return [...items].sort((a, b) => time(a) - time(b));
}

/** By SKU the page after a SKU is certain; by a time that changes meanwhile it is a place in a list. */
function placeAfter(
  found: readonly CatalogueItem[],
  sku: string,
  sortBy: string,
  order: string,
  at: number,
): number {
  if (sortBy !== 'sku') return at;
  const index = found.findIndex((item) => (order === 'DESC' ? item.sku < sku : item.sku > sku));
  return index === -1 ? found.length : index;
}
