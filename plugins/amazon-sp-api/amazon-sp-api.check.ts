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

/** One thing to be proven, and how. */
interface Proof {
  proven: string;
  ask: () => Promise<unknown>;
}

/**
 * Proves credentials and roles by calls that change nothing, those of the widest plans first: a host asks this too to
 * see whether a channel that was away is back, and then the first call says enough. Never throws a channel error.
 */
export async function checkAccount(
  {
    client,
    queue,
    clock,
  }: { client: SpApiClient; queue: NotificationQueue | undefined; clock: ChannelClock },
  options: AmazonSpApiOptions,
): Promise<CheckResult> {
  const findings: Findings = [];
  for (const { proven, ask } of proofs(client, queue, options, findings)) {
    try {
      await ask();
      findings.push({ ok: true, message: proven });
    } catch (error) {
      if (!isChannelError(error)) throw error;
      findings.push({ ok: false, message: error.message });
      // Without a token, or with Amazon away, none of the others would tell anything new.
      if (error.retryable || findings.length === 1) break;
    }
  }
  const age = secretFinding(options, clock.now());
  if (age) findings.push(age);
  return { ok: findings.every(({ ok }) => ok), findings };
}

function proofs(
  client: SpApiClient,
  queue: NotificationQueue | undefined,
  options: AmazonSpApiOptions,
  findings: Findings,
): Proof[] {
  const role = (name: string, call: Call): Proof => {
    return { proven: `the role ${name} is granted`, ask: () => harmless(client, call) };
  };
  return [
    { proven: 'Login with Amazon takes the credentials', ask: () => client.authorize() },
    ...roleCalls(options).map(({ name, call }) => role(name, call)),
    ...(options.fba ? [role('Amazon Fulfillment', fbaCall(options))] : []),
    {
      proven: 'the account is known',
      ask: async () => findings.push(...(await participations(client, options))),
    },
    ...(queue ? [{ proven: 'the queue can be received from', ask: () => queue.pull(0, 0) }] : []),
  ];
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

function roleCalls({ sellerId, marketplaceIds }: AmazonSpApiOptions): { name: string; call: Call }[] {
  return [
    {
      name: 'Product Listing',
      call: {
        operation: 'searchListingsItems',
        method: 'GET',
        path: `/listings/2021-08-01/items/${sellerId}`,
        query: { marketplaceIds: marketplaceIds.slice(0, 1), includedData: ['summaries'], pageSize: 1 },
      },
    },
    {
      name: 'Inventory and Order Tracking',
      call: { operation: 'getOrder', method: 'GET', path: `/orders/2026-01-01/orders/${NO_ORDER}` },
    },
    {
      name: 'Product Listing (feeds)',
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
