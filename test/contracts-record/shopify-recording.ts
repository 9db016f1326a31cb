import { ShopifyOptions } from '../../plugins/shopify/shopify.options';
import shopify from '../../plugins/shopify/shopify.plugin';
import type { Channel, Page } from '../../src/channel-api';
import type { Recording } from './recording';

/** Against a development store. Nothing is changed there: the one push sets what is shown already. */
export const shopifyRecording: Recording<ShopifyOptions> = {
  plugin: shopify,
  variables: {
    SHOPIFY_RECORD_SHOP: 'host name of a development store, such as acme-dev.myshopify.com',
    SHOPIFY_RECORD_CLIENT_ID: 'client id of an app that is installed there',
    SHOPIFY_RECORD_CLIENT_SECRET: 'its client secret',
    SHOPIFY_RECORD_SKU: 'a SKU of that store that is stocked at a location',
  },
  options: (env) => ({
    shop: env.SHOPIFY_RECORD_SHOP,
    auth: {
      kind: 'client-credentials',
      clientId: env.SHOPIFY_RECORD_CLIENT_ID,
      clientSecret: env.SHOPIFY_RECORD_CLIENT_SECRET,
    },
    webhookSecrets: [env.SHOPIFY_RECORD_CLIENT_SECRET],
    ...(env.SHOPIFY_RECORD_ENDPOINT ? { endpoint: env.SHOPIFY_RECORD_ENDPOINT } : {}),
  }),
  aliases: {
    SHOPIFY_RECORD_SHOP: 'recorded.myshopify.com',
    SHOPIFY_RECORD_CLIENT_ID: 'the-client-id',
    SHOPIFY_RECORD_SKU: 'RECORDED-SKU',
  },
  steps: [
    {
      name: 'check',
      run: async (channel) => {
        const { findings } = await channel.check();
        if (findings.every(({ ok }) => !ok))
          throw new Error(findings.map(({ message }) => message).join('; '));
      },
    },
    { name: 'read the inventory', run: async (channel) => void (await firstPage(channel.readInventory({}))) },
    { name: 'read orders', run: async (channel) => void (await firstPage(channel.readOrders({}))) },
    {
      name: 'push what is shown',
      run: (channel, env) => pushShown(channel, env.SHOPIFY_RECORD_SKU as string),
    },
    {
      name: 'push from what is not shown',
      run: (channel, env) => pushShown(channel, env.SHOPIFY_RECORD_SKU as string, 1),
    },
  ],
};

/** `off`: so much is believed beside what is shown, which Shopify has to refuse. */
async function pushShown(channel: Channel, channelSku: string, off = 0): Promise<void> {
  const { items } = await firstPage(channel.readInventory({ channelSkus: [channelSku] }));
  const [shown] = items;
  if (!shown) throw new Error(`the store shows no SKU ${channelSku} at any location`);
  const { channelLocation, quantityUnits } = shown;
  const pushId = `recorded-${off}`;
  const believedUnits = quantityUnits + off;
  const [result] = await channel.pushInventory([
    { pushId, channelSku, channelLocation, quantityUnits, believedUnits },
  ]);
  const expected = off === 0 ? 'applied' : 'stale';
  if (result?.outcome !== expected)
    throw new Error(`${expected} was expected, not ${JSON.stringify(result)}`);
}

async function firstPage<T>(pages: AsyncIterable<Page<T>>): Promise<Page<T>> {
  for await (const page of pages) return page;
  return { items: [] };
}
