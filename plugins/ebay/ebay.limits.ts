import type { KeyedLimit, RateLimit } from 'onhand/channel-api';
import type { EbayOptions } from './ebay.options';

/** Counted for each listing by itself. */
const REVISIONS = 'revisions';

/** Which daily quota a call counts under, by how its path begins. */
const QUOTAS: readonly (readonly [prefix: string, quota: QuotaName])[] = [
  ['/sell/inventory/', 'inventory'],
  ['/sell/fulfillment/', 'fulfillment'],
  ['/post-order/', 'postOrder'],
  ['/commerce/notification/', 'notification'],
];

export type QuotaName = 'inventory' | 'fulfillment' | 'postOrder' | 'notification';

/** Midnight in San Jose in winter; what `getRateLimits` says of it is believed instead. */
const RESETS_AT_UTC = '08:00';

/**
 * Calls a day by API, as https://developer.ebay.com/develop/api/sell/api_call_limits has them; of tokens, as
 * https://developer.ebay.com/api-docs/static/oauth-rate-limits.html has them; changes of a listing, as the text of
 * `bulkUpdatePriceQuantity` has them ("up to 250 times in one calendar day").
 */
export function limits({
  limit,
  quotas,
  revisionsPerListingPerDay: quota,
  revisionWindowSeconds: windowSeconds,
}: EbayOptions): RateLimit[] {
  return [
    { name: 'calls', perSecond: limit.perSecond, burst: limit.burst },
    ...Object.entries(quotas).map(([name, calls]: [string, number]): RateLimit => ({
      kind: 'daily',
      name,
      quota: calls,
      resetsAtUtc: RESETS_AT_UTC,
    })),
    { kind: 'rolling', name: REVISIONS, quota, windowSeconds },
  ];
}

/** The limits that a call of an API counts under. */
export function limitsOf(path: string): string[] {
  const quota = QUOTAS.find(([prefix]) => path.startsWith(prefix))?.[1];
  return quota === undefined ? ['calls'] : ['calls', quota];
}

/** One change of a listing, after which so many have to be left. */
export function revisionOf(listingId: string, keep: number): KeyedLimit {
  return { name: REVISIONS, key: listingId, keep };
}

export function isRevisions(name: string): boolean {
  return name === REVISIONS;
}
