import {
  type ApiCall,
  type Handlers,
  invalidInput,
  listIn,
  ok,
  pageToken,
  stateOfToken,
  timeIn,
} from './api-call';
import { compareTexts } from './catalogue';
import type { ScaledTime } from './scaled-time';

/** Units at Amazon's warehouses; what is not named is 0. */
export interface FbaStock {
  sku: string;
  fulfillableUnits: number;
  reservedUnits?: number;
  unfulfillableUnits?: number;
  inboundUnits?: number;
}

export interface FbaItem extends Required<FbaStock> {
  changedMs: number;
}

const PAGE = 50;
/** https://developer-docs.amazon.com/sp-api/docs/fbainventory-api-v1-reference */
const TOKEN_LIVES_SECONDS = 30;

/** The FBA Inventory API, v1: read-only, by marketplace, with page tokens that expire. */
export class FbaInventory {
  readonly handlers: Handlers = { getInventorySummaries: (call) => this.summaries(call) };
  private readonly items = new Map<string, FbaItem>();

  constructor(
    private readonly marketplaceIds: readonly string[],
    private readonly time: ScaledTime,
    private readonly onChange: (item: FbaItem) => void,
  ) {}

  stock(items: readonly FbaStock[]): void {
    for (const given of items) {
      const others = { reservedUnits: 0, unfulfillableUnits: 0, inboundUnits: 0 };
      const item = { ...others, ...given, changedMs: Date.now() };
      this.items.set(item.sku, item);
      this.onChange(item);
    }
  }

  /** Units on sale; undefined for a SKU that Amazon does not keep. */
  fulfillable(sku: string): number | undefined {
    return this.items.get(sku)?.fulfillableUnits;
  }

  /** An order that Amazon fulfils takes units off sale; never below 0. */
  sell(sku: string, units: number): void {
    const item = this.items.get(sku);
    if (!item) return;
    const sold = Math.min(units, item.fulfillableUnits);
    this.stock([
      { ...item, fulfillableUnits: item.fulfillableUnits - sold, reservedUnits: item.reservedUnits + sold },
    ]);
  }

  private summaries({ query, nowMs }: ApiCall) {
    const marketplaceId = query.get('granularityId') ?? '';
    const isKnown = this.marketplaceIds.includes(marketplaceId);
    if (query.get('granularityType') !== 'Marketplace' || !isKnown) throw invalidInput('granularity');
    if (listIn(query, 'marketplaceIds').join() !== marketplaceId) throw invalidInput('marketplaceIds');
    const found = this.found(query);
    const token = query.get('nextToken');
    const after = token === null ? '' : this.placeOf(token, query, nowMs);
    const rest = found.filter(({ sku }) => compareTexts(sku, after) > 0);
    const page = rest.slice(0, PAGE);
    const state = { after: page.at(-1)?.sku, start: query.get('startDateTime'), at: nowMs };
    const isDetailed = query.get('details') === 'true';
    return ok({
      ...(rest.length > PAGE ? { pagination: { nextToken: pageToken(state) } } : {}),
      payload: {
        granularity: { granularityType: 'Marketplace', granularityId: marketplaceId },
        inventorySummaries: page.map((item) => summaryOf(item, isDetailed)),
      },
    });
  }

  private found(query: URLSearchParams): FbaItem[] {
    const skus = listIn(query, 'sellerSkus');
    if (skus.length > PAGE) throw invalidInput(`At most ${PAGE} sellerSkus.`);
    const since = timeIn(query, 'startDateTime');
    const all = [...this.items.values()].sort((a, b) => compareTexts(a.sku, b.sku));
    // With a start the SKUs are ignored, and not refused.
    if (since !== undefined) return all.filter(({ changedMs }) => changedMs >= since);
    const one = query.get('sellerSku');
    const wanted = skus.length > 0 ? skus : one === null ? undefined : [one];
    return wanted ? all.filter(({ sku }) => wanted.includes(sku)) : all;
  }

  /** A token lives for half a minute, and goes on with the same start only. */
  private placeOf(token: string, query: URLSearchParams, nowMs: number): string {
    const { after, start, at } = stateOfToken(token);
    if (nowMs - Number(at) > this.time.ms(TOKEN_LIVES_SECONDS)) throw invalidInput('nextToken has expired.');
    if (start !== query.get('startDateTime'))
      throw invalidInput('nextToken goes with another startDateTime.');
    return String(after);
  }
}

function summaryOf(item: FbaItem, isDetailed: boolean): object {
  const { sku, fulfillableUnits, reservedUnits, unfulfillableUnits, inboundUnits, changedMs } = item;
  const details = {
    fulfillableQuantity: fulfillableUnits,
    inboundWorkingQuantity: 0,
    inboundShippedQuantity: inboundUnits,
    inboundReceivingQuantity: 0,
    reservedQuantity: {
      totalReservedQuantity: reservedUnits,
      pendingCustomerOrderQuantity: reservedUnits,
      pendingTransshipmentQuantity: 0,
      fcProcessingQuantity: 0,
    },
    researchingQuantity: { totalResearchingQuantity: 0, researchingQuantityBreakdown: [] },
    unfulfillableQuantity: { totalUnfulfillableQuantity: unfulfillableUnits },
  };
  return {
    ...{ asin: 'B000000000', fnSku: `X00${sku.length}`, sellerSku: sku, condition: 'NewItem' },
    ...(isDetailed ? { inventoryDetails: details } : {}),
    lastUpdatedTime: new Date(changedMs).toISOString(),
    productName: sku,
    totalQuantity: fulfillableUnits + reservedUnits + unfulfillableUnits + inboundUnits,
    stores: [],
  };
}
