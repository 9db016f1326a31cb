import { DOCUMENTS } from '../shopify.documents';
import { type ShopifySimulator, type ShopifySimulatorOptions, startSimulator } from './index';

const SECRET = 'a-client-secret';
let shop: ShopifySimulator | undefined;

async function start(
  options: ShopifySimulatorOptions & { locations?: readonly string[] } = {},
): Promise<ShopifySimulator> {
  shop = await startSimulator({ webhookSecret: SECRET, token: 'shpat_of_the_shop', ...options });
  return shop;
}

afterEach(() => shop?.close());

test('smoke', async () => {
  const s = await start({ locations: ['1', '2'] });
  s.list([
    { channelSku: 'A', quantityUnits: 5 },
    { channelSku: 'A', channelLocation: '2', quantityUnits: 7 },
  ]);
  s.placeOrder({
    orderId: '820982911946154508',
    placedAt: '2026-03-01T10:00:00Z',
    lines: [{ lineId: '7', channelSku: 'A', quantityUnits: 2 }],
  });
  for (const [name, variables] of [
    ['Orders', { first: 10, lines: 10, assigned: true, returns: true }],
    ['LocationLevels', { location: 'gid://shopify/Location/1', first: 100 }],
    ['Variants', { query: 'sku:"A"', first: 10 }],
    ['Access', {}],
  ] as const) {
    const r = await fetch(`${s.url}/admin/api/2026-07/graphql.json`, {
      method: 'POST',
      headers: { 'x-shopify-access-token': 'shpat_of_the_shop' },
      body: JSON.stringify({ query: DOCUMENTS[name], variables }),
    });
    process.stderr.write(JSON.stringify(await r.json(), null, 1) + '\n');
  }
  process.stderr.write(s.webhookFor('820982911946154508').body.toString());
});
