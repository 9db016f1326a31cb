import { createHmac } from 'node:crypto';
import {
  type Channel,
  createChannelHttp,
  memorySecrets,
  resolvePluginOptions,
  type WebhookRequest,
} from 'onhand/channel-api';
import { collect, systemClock } from 'onhand/channel-api/testing';
import plugin from './shopify.plugin';
import { type ShopifySimulator, startSimulator } from './simulator';

const SECRET = 'the-client-secret';
const ORDER = 'gid://shopify/Order/820982911946154508';

interface Connected {
  channel: Channel;
  logged: string[];
}

async function connect(options: object = {}): Promise<Connected> {
  const resolved = resolvePluginOptions(plugin, {
    shop: 'acme.myshopify.com',
    auth: { kind: 'token', token: 'shpat_secret' },
    webhookSecrets: [SECRET],
    ...options,
  });
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const http = createChannelHttp({ limits: plugin.limits(resolved), clock: systemClock, log });
  const channel = await plugin.connect(resolved, {
    channel: 'acme',
    http,
    log,
    clock: systemClock,
    secrets: memorySecrets(),
  });
  return { channel, logged };
}

/** As Shopify sends it; ids of 64 bits are written as numbers. */
function webhook(
  topic: string,
  body: object | string,
  headers: Record<string, string | undefined> = {},
): WebhookRequest {
  const json = typeof body === 'string' ? body : JSON.stringify(body).replace(/"#(\d+)"/g, '$1');
  return {
    ...{ method: 'POST', path: '/', body: Buffer.from(json) },
    headers: {
      'x-shopify-topic': topic,
      'x-shopify-shop-domain': 'acme.myshopify.com',
      'x-shopify-api-version': '2026-07',
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(json).digest('base64'),
      ...headers,
    },
  };
}

function order(more: object = {}) {
  return {
    ...{ id: '#820982911946154508', admin_graphql_api_id: ORDER, test: false, cancelled_at: null },
    ...{ created_at: '2026-01-01T04:00:00-05:00', updated_at: '2026-01-01T05:00:00-05:00' },
    line_items: [
      {
        ...{ id: '#487817672276298554', admin_graphql_api_id: 'gid://shopify/LineItem/487817672276298554' },
        ...{ sku: 'A', variant_id: 5, quantity: 2, current_quantity: 2, fulfillable_quantity: 2 },
      },
    ],
    ...more,
  };
}

describe('a webhook', () => {
  test.each<[string, object, string]>([
    ['with its signature and headers', {}, 'accepted'],
    ['of another shop of the same app', { 'x-shopify-shop-domain': 'other.myshopify.com' }, 'refused'],
    ['of no shop', { 'x-shopify-shop-domain': undefined }, 'refused'],
    ['without a topic', { 'x-shopify-topic': undefined }, 'refused'],
    ['without an id', { 'x-shopify-webhook-id': undefined }, 'refused'],
    [
      'signed with another secret',
      { 'x-shopify-hmac-sha256': createHmac('sha256', 'x').update('{}').digest('base64') },
      'refused',
    ],
  ])('%s is judged: %j', async (_, headers, expected) => {
    const { channel } = await connect();
    const verdict = await channel.verifyWebhook(
      webhook('orders/create', {}, headers as Record<string, string>),
    );
    expect(verdict.verdict).toBe(expected);
  });

  test.each([
    'orders/create',
    'orders/updated',
    'orders/cancelled',
    'orders/fulfilled',
    'orders/partially_fulfilled',
  ])('%s is the order as it stands, with its ids to the last digit', async (topic) => {
    const { channel } = await connect();
    const fulfilled = {
      fulfillments: [{ status: 'success', line_items: [{ id: '#487817672276298554', quantity: 1 }] }],
    };
    expect(channel.translateWebhook(webhook(topic, order(fulfilled)))).toMatchObject([
      {
        ...{ kind: 'order', orderId: '820982911946154508', revision: Date.UTC(2026, 0, 1, 10) },
        lines: [{ lineId: '487817672276298554', channelSku: 'A', ordered: 2, fulfilled: 1 }],
      },
    ]);
  });

  test.each<[string, object, object]>([
    ['an edit', { order_edit: { order_id: '#820982911946154508' } }, { topic: 'orders/edited' }],
    ['a refund', { order_id: '#820982911946154508', refund_line_items: [] }, { topic: 'refunds/create' }],
    ['a return that was closed', { id: 1, order_id: '#820982911946154508' }, { topic: 'returns/close' }],
    [
      'a return that is asked for',
      { id: 1, order: { id: 1, admin_graphql_api_id: ORDER } },
      { topic: 'returns/request' },
    ],
    ['an order that came back', order({ returns: [{ id: 1 }] }), {}],
    ['an order, where locations are asked for', order(), { orderLocations: 'assigned' }],
    ['an order, where barcodes are mapped', order(), { mapBy: 'barcode' }],
  ])(
    'of %s names the order to be read',
    async (_, body, { topic = 'orders/updated', ...options }: { topic?: string }) => {
      const { channel } = await connect(options);
      expect(channel.translateWebhook(webhook(topic, body))).toEqual([
        { kind: 'order-changed', orderId: '820982911946154508' },
      ]);
    },
  );

  test.each<[string, string, object, string]>([
    ['a return that Shopify documents no fields of', 'returns/process', {}, ''],
    ['a test order', 'orders/create', order({ test: true }), ''],
    ['a topic that nobody asked for', 'products/update', { id: 1 }, 'left alone'],
    ['the end of the app', 'app/uninstalled', { id: 1 }, 'uninstalled'],
    [
      'a level of an item that nothing is known of',
      'inventory_levels/update',
      { inventory_item_id: 5, location_id: 7, available: 1, updated_at: '2026-01-01T10:00:00Z' },
      '',
    ],
  ])('of %s says nothing of stock', async (_, topic, body, line) => {
    const { channel, logged } = await connect();
    expect(channel.translateWebhook(webhook(topic, body))).toEqual([]);
    expect(logged.join()).toContain(line);
  });

  test('of a test order counts where the options say so', async () => {
    const { channel } = await connect({ testOrders: true });
    expect(channel.translateWebhook(webhook('orders/create', order({ test: true })))).toMatchObject([
      { kind: 'order' },
    ]);
  });

  test.each<[string, string, object | string, RegExp]>([
    ['no JSON', 'orders/create', 'the buyer’s name', /not JSON/],
    ['a list', 'orders/create', '[]', /JSON object/],
    [
      'an id that is no id',
      'returns/close',
      { order_id: { name: 'the buyer’s name' } },
      /^order_id must be an id/,
    ],
    [
      'a level that is no number',
      'inventory_levels/update',
      { inventory_item_id: 5, location_id: 7, available: 'the buyer’s name' },
      /^available must/,
    ],
    [
      'lines that are none',
      'orders/create',
      order({ line_items: 'the buyer’s name' }),
      /^line_items must be a list/,
    ],
  ])('with %s is untranslatable, and is not quoted', async (_, topic, body, expected) => {
    const { channel } = await connect();
    const translate = () => channel.translateWebhook(webhook(topic, body));
    expect(translate).toThrow(expected);
    expect(translate).not.toThrow('the buyer’s name');
  });
});

describe('a level that changed', () => {
  let shop: ShopifySimulator;
  let channel: Channel;

  beforeAll(async () => {
    shop = await startSimulator({ webhookSecret: SECRET });
    shop.list([{ channelSku: 'A', quantityUnits: 9 }]);
    ({ channel } = await connect(shop.pluginOptions));
  });

  afterAll(() => shop.close());

  const changed = (itemId: string, available: number | null, updated_at: string) =>
    channel.translateWebhook(
      webhook('inventory_levels/update', {
        ...{ inventory_item_id: 1, location_id: Number(shop.locations[0]), available, updated_at },
        admin_graphql_api_id: `gid://shopify/InventoryLevel/9?inventory_item_id=${itemId}`,
      }),
    );

  test('is told by the SKU once the item is known, unless it is the echo of a push or older than one', async () => {
    await collect(channel.readInventory({}));
    const itemId = shop.stock.ofSku('A')[0]!.itemId;
    const told = (quantityUnits: number) => [
      {
        kind: 'shown-inventory',
        items: [{ channelSku: 'A', channelLocation: shop.locations[0], quantityUnits }],
      },
    ];
    const before = new Date(Date.now() - 60_000).toISOString();
    const after = new Date(Date.now() + 60_000).toISOString();
    expect(changed(itemId, 8, before)).toEqual(told(8));
    await channel.pushInventory([
      { pushId: 'p', channelSku: 'A', channelLocation: shop.locations[0], quantityUnits: 5 },
    ]);
    expect(changed(itemId, 5, after)).toEqual([]);
    expect(changed(itemId, 8, before)).toEqual([]);
    expect(changed(itemId, 4, after)).toEqual(told(4));
    // Sold below nothing: buyers are shown nothing.
    expect(changed(itemId, -2, after)).toEqual(told(0));
    expect(changed(itemId, null, after)).toEqual([]);
  });
});
