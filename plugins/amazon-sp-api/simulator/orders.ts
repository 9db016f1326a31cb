import type { OrderDocumentLine } from 'onhand/channel-api';
import { SimulatorRefusal } from 'onhand/channel-api';
import {
  type ApiCall,
  ApiRefusal,
  type Handlers,
  invalidInput,
  listIn,
  numberIn,
  ok,
  pageToken,
  stateOfToken,
  timeIn,
} from './api-call';
import { compareTexts } from './catalogue';
import type { AmazonOrder, OrderBook } from './order-book';
import type { ScaledTime } from './scaled-time';

export type FulfillmentStatus = 'PENDING' | 'UNSHIPPED' | 'PARTIALLY_SHIPPED' | 'SHIPPED' | 'CANCELLED';

/** `…Before` must be this far in the past; without it, what is younger is not listed yet. */
const BEFORE_SECONDS = 120;
const DATA_SETS = [
  ...['BUYER', 'RECIPIENT', 'PROCEEDS', 'EXPENSE', 'PROMOTION', 'CANCELLATION', 'FULFILLMENT', 'PACKAGES'],
  ...['TAX', 'PAYMENT', 'FULFILLMENT_ORDERS'],
];
/** What has to be the same in every call for a page of one search. */
const FIXED = [
  ...['createdAfter', 'createdBefore', 'lastUpdatedAfter', 'lastUpdatedBefore'],
  ...['fulfillmentStatuses', 'marketplaceIds', 'fulfilledBy'],
];

/** The Orders API of 2026-01-01: items come with their order, and most data only when asked for. */
export class Orders {
  readonly handlers: Handlers = {
    searchOrders: (call) => this.search(call),
    getOrder: (call) => this.get(call),
  };

  constructor(
    private readonly book: OrderBook,
    private readonly time: ScaledTime,
    private readonly spoiled: ReadonlySet<string>,
  ) {}

  private get({ parameters, query }: ApiCall) {
    const data = dataIn(query);
    try {
      return ok({ order: this.wire(this.book.get(parameters.orderId as string), data) });
    } catch (error) {
      if (!(error instanceof SimulatorRefusal)) throw error;
      throw new ApiRefusal(404, 'NotFound', 'The order was not found.');
    }
  }

  private search(call: ApiCall) {
    const { query } = call;
    const { timeOf, fromMs, toMs, before } = this.period(call);
    const most = numberIn(query, 'maxResultsPerPage', { least: 1, most: 100, absent: 100 });
    const data = dataIn(query);
    const asked = FIXED.map((name) => query.get(name)).join('\n');
    const after = query.has('paginationToken')
      ? stateOfToken(query.get('paginationToken') as string)
      : undefined;
    if (after && after.asked !== asked) throw invalidInput('paginationToken belongs to another search.');
    const place = (order: AmazonOrder) => [timeOf(order), order.orderId] as const;
    const isLater = (order: AmazonOrder) =>
      !after || comparePlaces(place(order), [Number(after.ms), String(after.orderId)]) > 0;
    const found = this.filtered(query)
      .filter((order) => timeOf(order) >= fromMs && timeOf(order) <= toMs && isLater(order))
      .sort((a, b) => comparePlaces(place(a), place(b)));
    const page = found.slice(0, most);
    const last = page.at(-1);
    const nextToken = last && pageToken({ asked, ms: timeOf(last), orderId: last.orderId });
    return ok({
      orders: page.map((order) => this.wire(order, data)),
      ...(found.length > most ? { pagination: { nextToken } } : {}),
      ...before,
    });
  }

  /** Exactly one of the two kinds of period, and none that ends just now. */
  private period({ query, nowMs }: ApiCall) {
    const [created, updated] = [timeIn(query, 'createdAfter'), timeIn(query, 'lastUpdatedAfter')];
    if ((created === undefined) === (updated === undefined)) {
      throw invalidInput('Exactly one of createdAfter and lastUpdatedAfter is required.');
    }
    const kind = created === undefined ? 'lastUpdated' : 'created';
    if (query.has(kind === 'created' ? 'lastUpdatedBefore' : 'createdBefore')) {
      throw invalidInput('createdBefore and lastUpdatedBefore go with their own After only.');
    }
    const latestMs = nowMs - this.time.ms(BEFORE_SECONDS);
    const toMs = timeIn(query, `${kind}Before`) ?? latestMs;
    const fromMs = (created ?? updated) as number;
    if (query.has(`${kind}Before`) && (toMs > latestMs || toMs < fromMs)) {
      throw invalidInput(`${kind}Before must be two minutes in the past, and not before ${kind}After.`);
    }
    const timeOf = ({ document }: AmazonOrder) =>
      kind === 'created' ? Date.parse(document.placedAt) : document.revision;
    const before = { [`${kind}Before`]: new Date(toMs).toISOString() };
    return { timeOf, fromMs, toMs, before };
  }

  private filtered(query: URLSearchParams): AmazonOrder[] {
    const marketplaces = listIn(query, 'marketplaceIds');
    const fulfilledBy = listIn(query, 'fulfilledBy');
    const statuses = listIn(query, 'fulfillmentStatuses');
    return this.book
      .all()
      .filter(
        (order) =>
          (marketplaces.length === 0 || marketplaces.includes(order.marketplaceId)) &&
          (fulfilledBy.length === 0 || fulfilledBy.includes(order.fulfilledBy)) &&
          (statuses.length === 0 || statuses.includes(statusOf(order))),
      );
  }

  private wire(order: AmazonOrder, data: ReadonlySet<string>): object {
    const { orderId, marketplaceId, fulfilledBy, document } = order;
    return {
      orderId,
      createdTime: this.spoiled.has(orderId) ? 'the day before yesterday' : document.placedAt,
      lastUpdatedTime: new Date(document.revision).toISOString(),
      salesChannel: { channelName: 'AMAZON', marketplaceId, marketplaceName: 'Amazon' },
      ...(data.has('FULFILLMENT')
        ? {
            fulfillment: {
              fulfillmentStatus: statusOf(order),
              fulfilledBy,
              fulfillmentServiceLevel: 'STANDARD',
            },
          }
        : {}),
      orderItems: document.lines.map((line) => itemOf(order, line, data)),
    };
  }
}

export function statusOf({ isPending, document: { lines } }: AmazonOrder): FulfillmentStatus {
  const count = (of: (line: OrderDocumentLine) => number) => lines.reduce((sum, line) => sum + of(line), 0);
  const left = count(({ ordered, cancelled, fulfilled }) => ordered - cancelled - fulfilled);
  const fulfilled = count((line) => line.fulfilled);
  if (left === 0) return fulfilled > 0 ? 'SHIPPED' : 'CANCELLED';
  if (fulfilled > 0) return 'PARTIALLY_SHIPPED';
  return isPending ? 'PENDING' : 'UNSHIPPED';
}

function itemOf(order: AmazonOrder, line: OrderDocumentLine, data: ReadonlySet<string>): object {
  const { lineId, channelSku, ordered, cancelled, fulfilled } = line;
  const cancellation = {
    ...(order.buyerAsksToCancel
      ? { cancellationRequest: { requester: 'BUYER', cancelReason: 'BUYER_REMORSE' } }
      : {}),
    ...(cancelled > 0 ? { cancellationExecution: { cancelledBy: order.cancelledBy ?? 'AMAZON' } } : {}),
  };
  return {
    orderItemId: lineId,
    quantityOrdered: ordered,
    product: { asin: 'B000000000', title: channelSku, sellerSku: channelSku },
    ...(data.has('CANCELLATION') && Object.keys(cancellation).length > 0 ? { cancellation } : {}),
    ...(data.has('FULFILLMENT')
      ? {
          fulfillment: { quantityFulfilled: fulfilled, quantityUnfulfilled: ordered - cancelled - fulfilled },
        }
      : {}),
  };
}

function dataIn(query: URLSearchParams): ReadonlySet<string> {
  const data = listIn(query, 'includedData');
  if (data.some((name) => !DATA_SETS.includes(name))) throw invalidInput('includedData names no data set.');
  return new Set(data);
}

function comparePlaces(a: readonly [number, string], b: readonly [number, string]): number {
  return a[0] - b[0] || compareTexts(a[1], b[1]);
}
