import { ChannelError, isChannelError, parsedUrl } from 'onhand/channel-api';
import { readable, type ShopifyClient, type UserError } from './shopify.client';
import { eachPage } from './shopify.inventory';
import { PAGE_SIZES } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';
import { RETURN_TOPICS, TOPICS } from './shopify.webhook';

interface Subscription {
  id: string;
  topic: string;
  uri: string;
}

/**
 * Has Shopify send every topic to this address, once. A subscription of the app for the same path at another host
 * is ours from before the host moved, and follows it; others are left alone.
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate
 */
export async function subscribe(
  client: ShopifyClient,
  { returns }: Pick<ShopifyOptions, 'returns'>,
  url: string,
): Promise<void> {
  const known = await subscriptions(client);
  const failures: string[] = [];
  for (const topic of [...TOPICS, ...(returns ? RETURN_TOPICS : [])]) {
    const ofTopic = known.filter((each) => each.topic === topic);
    if (ofTopic.some(({ uri }) => uri === url)) continue;
    const moved = ofTopic.find(({ uri }) => pathOf(uri) === pathOf(url));
    const error = moved ? await move(client, moved, url) : await create(client, topic, url);
    if (error) failures.push(`${topic}: ${readable(error.message)}`);
  }
  if (failures.length > 0) throw new ChannelError('subscription-refused', failures.join('; '), true);
}

export async function subscriptions(client: ShopifyClient): Promise<Subscription[]> {
  const found: Subscription[] = [];
  const pages = eachPage<Subscription>(
    client,
    'WebhookSubscriptions',
    'webhookSubscriptions',
    PAGE_SIZES.locations,
  );
  for await (const { nodes } of pages) found.push(...nodes);
  return found;
}

async function create(client: ShopifyClient, topic: string, uri: string): Promise<UserError | undefined> {
  try {
    const { webhookSubscriptionCreate } = await client.run<{
      webhookSubscriptionCreate: { userErrors: UserError[] };
    }>('CreateSubscription', { topic, uri });
    return webhookSubscriptionCreate.userErrors[0];
  } catch (error) {
    // A topic that the app has no scope for keeps it from no other.
    if (!isChannelError(error) || error.code !== 'channel-unauthorized') throw error;
    return { field: null, message: error.message };
  }
}

async function move(
  client: ShopifyClient,
  { id }: Subscription,
  uri: string,
): Promise<UserError | undefined> {
  const { webhookSubscriptionUpdate } = await client.run<{
    webhookSubscriptionUpdate: { userErrors: UserError[] };
  }>('MoveSubscription', { id, uri });
  return webhookSubscriptionUpdate.userErrors[0];
}

function pathOf(uri: string): string | undefined {
  return parsedUrl(uri)?.pathname;
}
