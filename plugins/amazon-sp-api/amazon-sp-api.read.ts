import {
  ChannelProtocolError,
  type InventoryQuery,
  type Page,
  type ShownInventory,
} from 'onhand/channel-api';
import { AmazonRefusal, segment, type SpApiClient } from './amazon-sp-api.client';
import type { Catalogue } from './amazon-sp-api.catalogue';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import { LISTINGS_REPORT, type Reports } from './amazon-sp-api.reports';
import { type ReadItem, translateItem, translateReportRow, translateRows } from './amazon-sp-api.translate';
import type { WireItem, WireItemPage } from './amazon-sp-api.wire';

/** Most that searchListingsItems takes and gives at once. */
const SKUS_AT_ONCE = 20;
/** Of a report's rows, which come all at once. */
const ROWS_PER_PAGE = 500;

/**
 * Where a read goes on: in which marketplace of the options, and there after which page of a search, or after how
 * many rows of which report.
 */
interface Place {
  marketplace: number;
  pageToken?: string;
  report?: { documentId: string; row: number };
}

/** What Amazon shows: the effective quantities, by search or, of a large catalogue, by report. */
export class InventoryReader {
  constructor(
    private readonly client: SpApiClient,
    private readonly reports: Reports,
    private readonly catalogue: Catalogue,
    private readonly options: AmazonSpApiOptions,
  ) {}

  async *read({ cursor, channelSkus }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    if (channelSkus) {
      yield* this.readSome(channelSkus);
      return;
    }
    // A SKU that several marketplaces list has one quantity, and is told once.
    const told = new Set<string>();
    for (let place: Place | undefined = placeOf(cursor); place;) {
      const { rows, unreadable, next } = await this.readAt(place);
      const items = rows.flatMap(({ shown }) => {
        if (!shown || told.has(shown.channelSku)) return [];
        told.add(shown.channelSku);
        return [shown];
      });
      yield { items, unreadable, ...(next && { cursor: textOf(next) }) };
      place = next;
    }
  }

  /** Looks up where SKUs are listed and who ships them; those that nobody lists stay unknown. */
  async learn(channelSkus: readonly string[]): Promise<void> {
    for await (const page of this.readSome(channelSkus)) void page;
  }

  private async *readSome(channelSkus: readonly string[]): AsyncGenerator<Page<ShownInventory>> {
    // A list is sent with commas, so a SKU that has one is asked for by itself.
    const listed = channelSkus.filter((sku) => !sku.includes(','));
    for (let at = 0; at < listed.length; at += SKUS_AT_ONCE) {
      yield await this.readFew(listed.slice(at, at + SKUS_AT_ONCE));
    }
    for (const sku of channelSkus.filter((each) => each.includes(','))) yield await this.readOne(sku);
  }

  private async readFew(channelSkus: readonly string[]): Promise<Page<ShownInventory>> {
    const page: Page<ShownInventory> & { unreadable: object[] } = { items: [], unreadable: [] };
    let missing: readonly string[] = channelSkus;
    for (const marketplaceId of this.options.marketplaceIds) {
      if (missing.length === 0) break;
      const answer = await this.search(marketplaceId, { identifiersType: 'SKU', identifiers: missing });
      const { items, unreadable } = this.translated(answer.items, marketplaceId);
      const wanted = new Set(missing);
      const found = items.filter(({ channelSku }) => wanted.has(channelSku));
      page.items.push(...found.flatMap(({ shown }) => shown ?? []));
      page.unreadable.push(...unreadable);
      const known = new Set(found.map(({ channelSku }) => channelSku));
      missing = missing.filter((sku) => !known.has(sku));
    }
    return page;
  }

  private async readOne(channelSku: string): Promise<Page<ShownInventory>> {
    for (const marketplaceId of this.options.marketplaceIds) {
      const item = await this.get(channelSku, marketplaceId);
      if (!item) continue;
      const { items, unreadable } = this.translated([item], marketplaceId);
      return { items: items.flatMap(({ shown }) => shown ?? []), unreadable };
    }
    return { items: [] };
  }

  private async get(channelSku: string, marketplaceId: string): Promise<WireItem | undefined> {
    const sku = segment(channelSku);
    if (sku === undefined) return undefined;
    try {
      return await this.client.call<WireItem>({
        operation: 'getListingsItem',
        method: 'GET',
        path: `/listings/2021-08-01/items/${this.options.sellerId}/${sku}`,
        query: { marketplaceIds: [marketplaceId], includedData: ['summaries', 'fulfillmentAvailability'] },
      });
    } catch (error) {
      if (error instanceof AmazonRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  private async readAt(place: Place): Promise<ReadPage> {
    const marketplaceId = this.options.marketplaceIds[place.marketplace]!;
    if (place.report) return this.readReport(place, place.report);
    const answer = await this.search(marketplaceId, {
      // New listings come last, so that none moves from a page that is to come to one that was read.
      sortBy: 'createdDate',
      sortOrder: 'ASC',
      pageToken: place.pageToken,
    });
    const isLarge = answer.numberOfResults > this.options.read.reportFromListings;
    if (isLarge && place.pageToken === undefined) {
      const documentId = await this.reports.make(LISTINGS_REPORT, [marketplaceId]);
      return this.readReport(place, { documentId, row: 0 });
    }
    const { items: rows, unreadable } = this.translated(answer.items, marketplaceId);
    const pageToken = answer.pagination?.nextToken;
    return { rows, unreadable, next: pageToken ? { ...place, pageToken } : this.after(place) };
  }

  private async readReport(
    { marketplace }: Place,
    { documentId, row }: { documentId: string; row: number },
  ): Promise<ReadPage> {
    const marketplaceId = this.options.marketplaceIds[marketplace]!;
    const { rows, isLast } = await this.reports.rows(LISTINGS_REPORT, documentId, {
      from: row,
      count: ROWS_PER_PAGE,
    });
    const { items, unreadable } = translateRows(rows, 'seller-sku', translateReportRow);
    for (const item of items) this.catalogue.learn(item, marketplaceId);
    const report = { documentId, row: row + ROWS_PER_PAGE };
    return { rows: items, unreadable, next: isLast ? this.after({ marketplace }) : { marketplace, report } };
  }

  private after({ marketplace }: Place): Place | undefined {
    return marketplace + 1 < this.options.marketplaceIds.length
      ? { marketplace: marketplace + 1 }
      : undefined;
  }

  private async search(
    marketplaceId: string,
    query: Record<string, string | readonly string[] | undefined>,
  ): Promise<WireItemPage> {
    const answer = await this.client.call<WireItemPage>({
      operation: 'searchListingsItems',
      method: 'GET',
      path: `/listings/2021-08-01/items/${this.options.sellerId}`,
      query: {
        // One at a time: of several, Amazon answers the first (github.com/amzn/selling-partner-api-docs/issues/2362).
        marketplaceIds: [marketplaceId],
        includedData: ['summaries', 'fulfillmentAvailability'],
        pageSize: SKUS_AT_ONCE,
        ...query,
      },
    });
    if (Array.isArray(answer.items)) return answer;
    throw new ChannelProtocolError('searchListingsItems answered without a list of items');
  }

  private translated(rows: readonly unknown[], marketplaceId: string) {
    const translated = translateRows(rows, 'sku', translateItem);
    for (const item of translated.items) this.catalogue.learn(item, marketplaceId);
    return translated;
  }
}

interface ReadPage {
  rows: ReadItem[];
  unreadable: Page<unknown>['unreadable'];
  next: Place | undefined;
}

function textOf({ marketplace, pageToken, report }: Place): string {
  if (report) return `${marketplace} report ${report.row} ${report.documentId}`;
  return pageToken === undefined ? `${marketplace}` : `${marketplace} page ${pageToken}`;
}

function placeOf(cursor: string | undefined): Place {
  const [, marketplace, kind, rest = ''] = /^(\d+)(?: (page|report) (.*))?$/s.exec(cursor ?? '0') ?? [];
  const place = { marketplace: Number(marketplace ?? 0) };
  if (kind === 'page') return { ...place, pageToken: rest };
  if (kind !== 'report') return place;
  const [row, ...documentId] = rest.split(' ');
  return { ...place, report: { row: Number(row), documentId: documentId.join(' ') } };
}
