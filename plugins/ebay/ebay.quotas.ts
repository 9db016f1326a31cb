import { type ChannelHost, isChannelError, type LimitFacts } from 'onhand/channel-api';
import type { EbayClient } from './ebay.client';
import { type Json, partsOf, textIn } from './ebay.fields';
import type { QuotaName } from './ebay.limits';

/** Names of APIs in `getRateLimits`, without their punctuation. */
const APIS: Readonly<Record<string, QuotaName>> = {
  inventory: 'inventory',
  fulfillment: 'fulfillment',
  notification: 'notification',
  postorder: 'postOrder',
};
const DAY_SECONDS = 86_400;
const LOOK_EVERY_MS = 6 * 3_600_000;

/** What eBay itself says of the calls a day; it is not said in any header. */
export class EbayQuotas {
  private lookedAt = -Infinity;

  constructor(
    private readonly client: EbayClient,
    private readonly host: Pick<ChannelHost, 'clock' | 'http' | 'log'>,
  ) {}

  /** Every few hours. Where eBay does not tell, the options hold. */
  async learnNowAndThen(): Promise<void> {
    const now = this.host.clock.now().getTime();
    if (now - this.lookedAt < LOOK_EVERY_MS) return;
    this.lookedAt = now;
    try {
      await this.learn();
    } catch (error) {
      if (!isChannelError(error)) throw error;
      this.host.log.warn(`eBay does not say how many calls a day it takes: ${error.message}`);
    }
  }

  /** The names of the quotas that eBay told of. */
  async learn(): Promise<QuotaName[]> {
    const response = await this.client.send({
      method: 'GET',
      path: '/developer/analytics/v1_beta/rate_limit/',
      token: 'application',
      answersForbidden: true,
    });
    // 204: eBay counts nothing for this application yet.
    if (response.status !== 200) return [];
    const facts = factsIn(partsOf(response.json<Json>().rateLimits));
    for (const [name, fact] of facts) this.host.http.learn(name, fact);
    return [...facts.keys()];
  }
}

/** An API may count several resources apart: the smallest of them stands for all. */
function factsIn(rateLimits: readonly Json[]): Map<QuotaName, LimitFacts> {
  const facts = new Map<QuotaName, LimitFacts>();
  for (const { apiName, resources } of rateLimits) {
    const name = APIS[(textIn(apiName) ?? '').toLowerCase().replace(/[^a-z]/g, '')];
    if (!name) continue;
    for (const { limit, remaining, reset, timeWindow } of partsOf(resources).flatMap(({ rates }) =>
      partsOf(rates),
    )) {
      if (timeWindow !== DAY_SECONDS || typeof limit !== 'number') continue;
      if (limit >= (facts.get(name)?.quota ?? Infinity)) continue;
      facts.set(name, {
        quota: limit,
        ...(typeof remaining === 'number' && { remaining }),
        ...(textIn(reset) !== undefined && { resetsAt: textIn(reset) }),
      });
    }
  }
  return facts;
}
