import { eventually } from '../support/eventually';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

const PLACED = '2024-05-01T10:00:00.000Z';
const SKUS = ['GLOVE', 'SCARF', 'HAT'];

/** A line as the shop writes it in its orders. */
interface ShopLine {
  id: string;
  sku: string;
  ordered: number;
  cancelled?: number;
}

/** A shop shows what is cancelled again by itself, whether or not the ledger ever had it. */
describe('units that a shop cancels', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      locations: [{ code: 'main', priority: 1 }],
      shows: SKUS.map((sku) => `S-${sku}`),
      shop: { listings: listingsCsv(SKUS.map((sku): [string, string, number] => [`S-${sku}`, sku, 1])) },
    });
    for (const sku of SKUS)
      await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 5, location: 'main' });
    for (const sku of SKUS) await shows(sku, 5);
  });

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
    await host.close();
  });

  const shows = (sku: string, units: number) =>
    eventually(() => expect(host.shop.shown().get(`S-${sku}`)).toBe(units));
  const showsByItself = (sku: string, quantityUnits: number) =>
    host.shop.list([{ channelSku: `S-${sku}`, quantityUnits }]);
  const hear = (id: string, revision: number, lines: ShopLine[]) =>
    deliver(host, signedWebhook({ id, revision, placed_at: PLACED, updated_at: PLACED, lines }));

  test('before their order was heard of are not on sale twice, though another line of it was kept', async () => {
    showsByItself('SCARF', 7);
    await hear('O-1', 2, [
      { id: 'L-1', sku: 'S-GLOVE', ordered: 1 },
      { id: 'L-2', sku: 'S-SCARF', ordered: 2, cancelled: 2 },
    ]);
    await shows('GLOVE', 4);
    await shows('SCARF', 5);
  });

  test('that stock never covered are not on sale', async () => {
    await hear('O-2', 1, [{ id: 'L', sku: 'S-HAT', ordered: 8 }]);
    await shows('HAT', 0);
    showsByItself('HAT', 3);
    await hear('O-2', 2, [{ id: 'L', sku: 'S-HAT', ordered: 8, cancelled: 3 }]);
    await shows('HAT', 0);
  });
});
