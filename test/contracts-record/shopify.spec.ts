import nock from 'nock';
import { type ShopifySimulator, startSimulator } from '../../plugins/shopify/simulator';
import { record, replay } from './shopify';

describe('a recording of the simulated shop', () => {
  const recorded = new Map<string, nock.Definition[]>();
  let shop: ShopifySimulator;
  let names: string[];

  beforeAll(async () => {
    shop = await startSimulator({ webhookSecret: 'a-client-secret', auth: 'client-credentials' });
    shop.list([{ channelSku: 'A-1', quantityUnits: 4 }]);
    const { clientId } = shop.pluginOptions.auth as { clientId: string };
    const environment = {
      SHOPIFY_RECORD_SHOP: shop.pluginOptions.shop as string,
      SHOPIFY_RECORD_CLIENT_ID: clientId,
      SHOPIFY_RECORD_CLIENT_SECRET: 'a-client-secret',
      SHOPIFY_RECORD_SKU: 'A-1',
      SHOPIFY_RECORD_ENDPOINT: shop.url,
    };
    names = Object.values(environment).filter((value) => value !== shop.url);
    await record(environment, async (name, calls) => void recorded.set(name, calls));
  });

  afterAll(async () => {
    await shop.close();
    nock.restore();
  });

  test('changes nothing there, and has no secret and no name of the shop in it', () => {
    expect(shop.shown().get('A-1')).toBe(4);
    const text = JSON.stringify([...recorded]);
    expect(text).toContain('inventorySetQuantities');
    expect(text).toContain('CHANGE_FROM_QUANTITY_STALE');
    for (const name of [...names, 'shpat_']) expect(text).not.toContain(name);
  });

  test('is played again without the shop, call by call', async () => {
    nock.disableNetConnect();
    try {
      await replay(recorded, { SHOPIFY_RECORD_ENDPOINT: shop.url });
      const [[name, calls] = ['', []]] = recorded;
      const changed = new Map([[name, [...calls, calls[0]!]]]);
      await expect(replay(changed, { SHOPIFY_RECORD_ENDPOINT: shop.url })).rejects.toThrow(
        'not asked for any more',
      );
    } finally {
      nock.enableNetConnect();
    }
  });
});
