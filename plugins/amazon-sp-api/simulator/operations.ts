import type { CallRate } from 'onhand/channel-api';

/** An operation of the Selling Partner API: where it is, who may call it, and how often. */
interface Described {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** Rate and burst for each pair of selling partner and application, as the model of the API states them. */
  plan: CallRate;
  /** Called with a token of the application alone, which no selling partner granted. */
  grantless?: true;
}

const LISTINGS = '/listings/2021-08-01/items/{sellerId}';
const FEEDS = '/feeds/2021-06-30';
const REPORTS = '/reports/2021-06-30';
const NOTIFICATIONS = '/notifications/v1';

function plan(perSecond: number, burst: number): { plan: CallRate } {
  return { plan: { perSecond, burst } };
}

/** https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits */
const OPERATIONS = {
  searchListingsItems: { method: 'GET', path: LISTINGS, ...plan(5, 5) },
  getListingsItem: { method: 'GET', path: `${LISTINGS}/{sku}`, ...plan(5, 10) },
  patchListingsItem: { method: 'PATCH', path: `${LISTINGS}/{sku}`, ...plan(5, 5) },
  createFeedDocument: { method: 'POST', path: `${FEEDS}/documents`, ...plan(0.5, 15) },
  getFeedDocument: { method: 'GET', path: `${FEEDS}/documents/{feedDocumentId}`, ...plan(0.0222, 10) },
  createFeed: { method: 'POST', path: `${FEEDS}/feeds`, ...plan(0.0083, 15) },
  getFeeds: { method: 'GET', path: `${FEEDS}/feeds`, ...plan(0.0222, 10) },
  getFeed: { method: 'GET', path: `${FEEDS}/feeds/{feedId}`, ...plan(2, 15) },
  cancelFeed: { method: 'DELETE', path: `${FEEDS}/feeds/{feedId}`, ...plan(2, 15) },
  createReport: { method: 'POST', path: `${REPORTS}/reports`, ...plan(0.0167, 15) },
  getReports: { method: 'GET', path: `${REPORTS}/reports`, ...plan(0.0222, 10) },
  getReport: { method: 'GET', path: `${REPORTS}/reports/{reportId}`, ...plan(2, 15) },
  getReportDocument: { method: 'GET', path: `${REPORTS}/documents/{reportDocumentId}`, ...plan(0.0167, 15) },
  getInventorySummaries: { method: 'GET', path: '/fba/inventory/v1/summaries', ...plan(2, 2) },
  searchOrders: { method: 'GET', path: '/orders/2026-01-01/orders', ...plan(0.0056, 20) },
  getOrder: { method: 'GET', path: '/orders/2026-01-01/orders/{orderId}', ...plan(0.5, 30) },
  getMarketplaceParticipations: {
    method: 'GET',
    path: '/sellers/v1/marketplaceParticipations',
    ...plan(0.016, 15),
  },
  getDestinations: {
    method: 'GET',
    path: `${NOTIFICATIONS}/destinations`,
    ...plan(1, 5),
    grantless: true,
  },
  createDestination: {
    method: 'POST',
    path: `${NOTIFICATIONS}/destinations`,
    ...plan(1, 5),
    grantless: true,
  },
  getDestination: {
    method: 'GET',
    path: `${NOTIFICATIONS}/destinations/{destinationId}`,
    ...plan(1, 5),
    grantless: true,
  },
  deleteDestination: {
    method: 'DELETE',
    path: `${NOTIFICATIONS}/destinations/{destinationId}`,
    ...plan(1, 5),
    grantless: true,
  },
  getSubscription: {
    method: 'GET',
    path: `${NOTIFICATIONS}/subscriptions/{notificationType}`,
    ...plan(1, 5),
  },
  createSubscription: {
    method: 'POST',
    path: `${NOTIFICATIONS}/subscriptions/{notificationType}`,
    ...plan(1, 5),
  },
  getSubscriptionById: {
    method: 'GET',
    path: `${NOTIFICATIONS}/subscriptions/{notificationType}/{subscriptionId}`,
    ...plan(1, 5),
    grantless: true,
  },
  deleteSubscriptionById: {
    method: 'DELETE',
    path: `${NOTIFICATIONS}/subscriptions/{notificationType}/{subscriptionId}`,
    ...plan(1, 5),
    grantless: true,
  },
  sendTestNotification: {
    method: 'POST',
    path: `${NOTIFICATIONS}/subscriptions/{notificationType}/testNotification`,
    ...plan(1, 5),
  },
} satisfies Record<string, Described>;

export type Operation = keyof typeof OPERATIONS;

export interface Route {
  operation: Operation;
  /** The parts of the path that are named in braces, decoded. */
  parameters: Record<string, string>;
}

const ROUTES = Object.entries(OPERATIONS).map(([operation, { method, path }]) => ({
  operation: operation as Operation,
  method: method as string,
  segments: path.split('/').slice(1),
}));

/** Undefined where no operation is at this address, or a part of it is not encoded as UTF-8. */
export function routeOf(method: string, path: string): Route | undefined {
  const given = path.split('/').slice(1);
  for (const route of ROUTES) {
    if (route.method !== method || route.segments.length !== given.length) continue;
    const parameters = parametersOf(route.segments, given);
    if (parameters) return { operation: route.operation, parameters };
  }
  return undefined;
}

export function planOf(operation: Operation): CallRate {
  return OPERATIONS[operation].plan;
}

export function isGrantless(operation: Operation): boolean {
  return 'grantless' in OPERATIONS[operation];
}

function parametersOf(
  segments: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = given[index] as string;
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      if (segment !== value) return undefined;
      continue;
    }
    try {
      parameters[name] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return parameters;
}
