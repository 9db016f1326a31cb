import { EbayRefusal } from './refusal';
import type { ScaledTime } from './scaled-time';

/** Calls a day of each of eBay's resources, by the name that `getRateLimits` gives it. */
export type DailyQuotas = Partial<Record<QuotaName, number>>;

export type QuotaName = keyof typeof RESOURCES;

const RESOURCES = {
  'sell.inventory': { apiContext: 'sell', apiName: 'Inventory', apiVersion: 'v1' },
  'sell.fulfillment': { apiContext: 'sell', apiName: 'Fulfillment', apiVersion: 'v1' },
  'commerce.notification': { apiContext: 'commerce', apiName: 'Notification', apiVersion: 'v1' },
  'post-order.cancellation': { apiContext: 'sell', apiName: 'PostOrder', apiVersion: 'v2' },
  'post-order.return': { apiContext: 'sell', apiName: 'PostOrder', apiVersion: 'v2' },
} as const;

/** As the pages on call limits and `getRateLimits` of real applications have them. */
const GIVEN: Record<QuotaName, number> = {
  'sell.inventory': 2_000_000,
  'sell.fulfillment': 100_000,
  'commerce.notification': 10_000,
  'post-order.cancellation': 5_000,
  'post-order.return': 5_000,
};

/** Counts each resource's calls from one midnight to the next, and refuses what is over with 429. */
export class CallQuotas {
  private readonly counts = new Map<QuotaName, { day: number; count: number }>();
  private readonly limits: Record<QuotaName, number>;

  constructor(
    private readonly time: ScaledTime,
    limits: DailyQuotas = {},
  ) {
    this.limits = { ...GIVEN, ...limits };
  }

  /** Throws `EbayRefusal` (429, error 2001) when the day's calls are used up; a refused call is not counted. */
  spend(name: QuotaName, atMs: number): void {
    const used = this.used(name, atMs);
    if (used >= this.limits[name])
      throw new EbayRefusal(429, 2001, 'Too many requests. The request limit has been reached.', 'ACCESS');
    this.counts.set(name, { day: this.time.dayOf(atMs), count: used + 1 });
  }

  used(name: QuotaName, atMs: number): number {
    const known = this.counts.get(name);
    return known?.day === this.time.dayOf(atMs) ? known.count : 0;
  }

  /** The body of `getRateLimits`, narrowed by the query's `api_name` and `api_context`. */
  rateLimits(query: URLSearchParams, atMs: number): { rateLimits: object[] } {
    const matches = (asked: string | null, value: string) =>
      asked === null || asked.toLowerCase() === value.toLowerCase();
    const byApi = new Map<string, { apiContext: string; apiName: string; resources: object[] }>();
    for (const [name, api] of Object.entries(RESOURCES) as [QuotaName, (typeof RESOURCES)[QuotaName]][]) {
      if (!matches(query.get('api_name'), api.apiName)) continue;
      if (!matches(query.get('api_context'), api.apiContext)) continue;
      if (!byApi.has(api.apiName)) byApi.set(api.apiName, { ...api, resources: [] });
      byApi.get(api.apiName)!.resources.push({ name, rates: [this.rateOf(name, atMs)] });
    }
    return { rateLimits: [...byApi.values()] };
  }

  private rateOf(name: QuotaName, atMs: number): object {
    const [count, limit] = [this.used(name, atMs), this.limits[name]];
    return {
      count,
      limit,
      remaining: limit - count,
      reset: new Date(this.time.dayEnd(atMs)).toISOString(),
      timeWindow: Math.max(1, Math.round(this.time.dayMs / 1000)),
    };
  }
}

/** The resource that a call counts under; undefined where it is not counted. */
export function quotaOf(path: string): QuotaName | undefined {
  if (path.startsWith('/sell/inventory/')) return 'sell.inventory';
  if (path.startsWith('/sell/fulfillment/')) return 'sell.fulfillment';
  if (path.startsWith('/commerce/notification/')) return 'commerce.notification';
  if (path.startsWith('/post-order/v2/cancellation')) return 'post-order.cancellation';
  if (path.startsWith('/post-order/v2/return')) return 'post-order.return';
  return undefined;
}
