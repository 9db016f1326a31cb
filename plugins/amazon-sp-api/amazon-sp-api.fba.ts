import type { CountedStock, Page } from 'onhand/channel-api';
import { AmazonRefusal, type SpApiClient } from './amazon-sp-api.client';
import type { AmazonSpApiOptions, FbaOptions } from './amazon-sp-api.options';
import { objectOf, textOf, translateRows, unitsOf } from './amazon-sp-api.translate';
import type { WireSummaries } from './amazon-sp-api.wire';

/** Handed to the host at once. */
const COUNTS_PER_PAGE = 500;

/** Stock at Amazon's warehouses: read, counted, never pushed. */
export class FbaStock {
  constructor(
    private readonly client: SpApiClient,
    private readonly options: AmazonSpApiOptions & { fba: FbaOptions },
  ) {}

  /**
   * A token for the next page lives for 30 seconds, so all pages of a marketplace are read before the host is given the
   * first. In Europe marketplaces show one pool of units, so of a SKU that several of them show the largest number
   * counts, and not their sum: too few is safe, too many is not.
   */
  async *read(): AsyncGenerator<Page<CountedStock>> {
    const units = new Map<string, number>();
    const unreadable: NonNullable<Page<CountedStock>['unreadable']> = [];
    for (const marketplaceId of this.options.marketplaceIds) {
      const rows = await this.readMarketplace(marketplaceId);
      const summaries = translateRows(rows, 'sellerSku', translateSummary);
      unreadable.push(...summaries.unreadable);
      for (const { channelSku, quantityUnits } of summaries.items)
        units.set(channelSku, Math.max(quantityUnits, units.get(channelSku) ?? 0));
    }
    const { location: channelLocation } = this.options.fba;
    const counts = [...units].map(([channelSku, quantityUnits]) => ({
      channelSku,
      channelLocation,
      quantityUnits,
    }));
    for (let at = 0; at < counts.length; at += COUNTS_PER_PAGE)
      yield { items: counts.slice(at, at + COUNTS_PER_PAGE) };
    if (unreadable.length > 0) yield { items: [], unreadable };
  }

  /** Once more from the start where a token ended all the same: the host may have waited for its limits. */
  private async readMarketplace(marketplaceId: string): Promise<unknown[]> {
    try {
      return await this.readPages(marketplaceId);
    } catch (error) {
      if (!(error instanceof AmazonRefusal) || error.status !== 400) throw error;
      return this.readPages(marketplaceId);
    }
  }

  private async readPages(marketplaceId: string): Promise<unknown[]> {
    const rows: unknown[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.client.call<WireSummaries>({
        operation: 'getInventorySummaries',
        method: 'GET',
        path: '/fba/inventory/v1/summaries',
        query: {
          details: true,
          granularityType: 'Marketplace',
          granularityId: marketplaceId,
          marketplaceIds: [marketplaceId],
          nextToken,
        },
      });
      rows.push(...(page.payload?.inventorySummaries ?? []));
      nextToken = page.pagination?.nextToken || undefined;
    } while (nextToken !== undefined);
    return rows;
  }
}

function translateSummary(value: unknown): { channelSku: string; quantityUnits: number } {
  const summary = objectOf(value, 'summary');
  const details = objectOf(summary.inventoryDetails, 'inventoryDetails');
  return {
    channelSku: textOf(summary.sellerSku, 'sellerSku'),
    quantityUnits: unitsOf(details.fulfillableQuantity, 'inventoryDetails.fulfillableQuantity'),
  };
}
