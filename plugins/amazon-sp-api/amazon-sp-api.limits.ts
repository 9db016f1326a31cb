import type { BucketLimit, RateLimit, RollingQuota } from 'onhand/channel-api';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';

/**
 * Calls per second and at once that Amazon lets one application make for one seller account, by operation. From
 * the "Usage Plan" of each operation's reference page (developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits).
 * Whoever has been given more is told so in `x-amzn-RateLimit-Limit`, and that is what holds from then on.
 */
const PLANS = {
  searchListingsItems: [5, 5],
  getListingsItem: [5, 10],
  patchListingsItem: [5, 5],
  createFeedDocument: [0.5, 15],
  createFeed: [0.0083, 15],
  getFeed: [2, 15],
  getFeeds: [0.0222, 10],
  getFeedDocument: [0.0222, 10],
  cancelFeed: [2, 15],
  createReport: [0.0167, 15],
  getReport: [2, 15],
  getReportDocument: [0.0167, 15],
  getInventorySummaries: [2, 2],
  searchOrders: [0.0056, 20],
  getOrder: [0.5, 30],
  getMarketplaceParticipations: [0.016, 15],
  getSubscription: [1, 5],
  createSubscription: [1, 5],
  getDestinations: [1, 5],
  createDestination: [1, 5],
  // Not documented as numbers: what follows keeps a plugin gone wild from harm, and slows down no other.
  lwa: [1, 10],
  documents: [10, 20],
  sqs: [50, 100],
} as const satisfies Record<string, readonly [perSecond: number, burst: number]>;

export type Operation = keyof typeof PLANS;

/**
 * Feeds of listings have a plan of their own beside that of createFeed: five in five minutes, per region
 * (developer-docs.amazon.com/sp-api/changelog/update-feed-size-and-rate-limit-changes-for-the-json_listings_feed).
 */
export const LISTINGS_FEEDS = 'listingsFeeds';

export function limits({ timeScale }: Pick<AmazonSpApiOptions, 'timeScale'>): RateLimit[] {
  const buckets = Object.entries(PLANS).map(([name, [perSecond, burst]]): BucketLimit => {
    return { name, perSecond: perSecond * timeScale, burst };
  });
  const feeds: RollingQuota = {
    kind: 'rolling',
    name: LISTINGS_FEEDS,
    quota: 5,
    windowSeconds: 300 / timeScale,
  };
  return [...buckets, feeds];
}
