import { isChannelError, type ChannelClock, type CheckResult } from 'onhand/channel-api';
import { AmazonRefusal, type Call, type SpApiClient } from './amazon-sp-api.client';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import type { NotificationQueue } from './amazon-sp-api.queue';

type Findings = CheckResult['findings'];

/** A client secret ends so long after it was made (developer-docs.amazon.com/sp-api/docs/rotating-your-apps-lwa-credentials). */
const SECRET_DAYS = 180;
const WARN_DAYS = 30;
const DAY_MS = 86_400_000;

/** An order of nobody: whoever may read orders is told that there is none. */
const NO_ORDER = '000-0000000-0000000';

/** Proves credentials and roles by calls that change nothing. Never throws a channel error. */
export async function checkAccount(
  {
    client,
    queue,
    clock,
  }: { client: SpApiClient; queue: NotificationQueue | undefined; clock: ChannelClock },
  options: AmazonSpApiOptions,
): Promise<CheckResult> {
  const findings: Findings = [];
  const prove = async (proven: string, ask: () => Promise<unknown>) => {
    try {
      await ask();
      findings.push({ ok: true, message: proven });
      return true;
    } catch (error) {
      if (!isChannelError(error)) throw error;
      findings.push({ ok: false, message: error.message });
      return false;
    }
  };
  const { sellerId, fba } = options;
  const participates = async () => findings.push(...(await participations(client, options)));
  // The token is proven by the first call; without one, none of the others would tell anything new.
  const isAllowed = await prove('Login with Amazon takes the credentials', participates);
  if (isAllowed) {
    for (const { role, call } of roleCalls(sellerId, options))
      await prove(`the role ${role} is granted`, () => harmless(client, call));
    if (fba)
      await prove('stock at Amazon can be read (role Amazon Fulfillment)', () =>
        client.call(fbaCall(options)),
      );
    if (queue) await prove('the queue can be received from', () => queue.pull(0, 0));
  }
  const age = secretFinding(options, clock.now());
  if (age) findings.push(age);
  return { ok: findings.every(({ ok }) => ok), findings };
}

async function participations(
  client: SpApiClient,
  { marketplaceIds }: AmazonSpApiOptions,
): Promise<Findings> {
  const { payload = [] } = await client.call<{
    payload?: {
      marketplace: { id: string };
      participation: { isParticipating: boolean; hasSuspendedListings: boolean };
    }[];
  }>({
    operation: 'getMarketplaceParticipations',
    method: 'GET',
    path: '/sellers/v1/marketplaceParticipations',
  });
  return marketplaceIds.map((id) => {
    const found = payload.find(({ marketplace }) => marketplace.id === id);
    if (!found?.participation.isParticipating)
      return {
        ok: false,
        message: `the account does not sell in ${id}; check options.region and marketplaceIds`,
      };
    const suspended = found.participation.hasSuspendedListings ? ', but has suspended listings there' : '';
    return { ok: true, message: `the account sells in ${id}${suspended}` };
  });
}

function roleCalls(sellerId: string, { marketplaceIds }: AmazonSpApiOptions): { role: string; call: Call }[] {
  return [
    {
      role: 'Product Listing',
      call: {
        operation: 'searchListingsItems',
        method: 'GET',
        path: `/listings/2021-08-01/items/${sellerId}`,
        query: { marketplaceIds: marketplaceIds.slice(0, 1), includedData: ['summaries'], pageSize: 1 },
      },
    },
    {
      role: 'Inventory and Order Tracking',
      call: { operation: 'getOrder', method: 'GET', path: `/orders/2026-01-01/orders/${NO_ORDER}` },
    },
    {
      role: 'Product Listing (feeds)',
      call: {
        operation: 'getFeeds',
        method: 'GET',
        path: '/feeds/2021-06-30/feeds',
        query: { feedTypes: ['JSON_LISTINGS_FEED'], pageSize: 1 },
      },
    },
  ];
}

function fbaCall({ marketplaceIds: [marketplaceId] }: AmazonSpApiOptions): Call {
  return {
    operation: 'getInventorySummaries',
    method: 'GET',
    path: '/fba/inventory/v1/summaries',
    query: { granularityType: 'Marketplace', granularityId: marketplaceId, marketplaceIds: [marketplaceId!] },
  };
}

/** An answer that there is no such thing proves as much as the thing. */
async function harmless(client: SpApiClient, call: Call): Promise<void> {
  try {
    await client.call(call);
  } catch (error) {
    if (!(error instanceof AmazonRefusal)) throw error;
    if (error.status !== 404 && error.status !== 400) throw error;
  }
}

export function secretFinding(
  { clientSecretIssuedAt }: Pick<AmazonSpApiOptions, 'clientSecretIssuedAt'>,
  now: Date,
): Findings[number] | undefined {
  if (clientSecretIssuedAt === undefined) return undefined;
  const endsAt = Date.parse(clientSecretIssuedAt) + SECRET_DAYS * DAY_MS;
  const daysLeft = Math.floor((endsAt - now.getTime()) / DAY_MS);
  if (daysLeft < 0)
    return {
      ok: false,
      message: 'the client secret is older than 180 days; make a new one in the Solution Provider Portal',
    };
  if (daysLeft < WARN_DAYS)
    return {
      ok: false,
      message: `the client secret ends in ${daysLeft} days; make a new one and set clientSecretIssuedAt`,
    };
  return { ok: true, message: `the client secret is good for another ${daysLeft} days` };
}
