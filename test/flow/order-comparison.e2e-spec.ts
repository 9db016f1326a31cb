import { eventually } from '../support/eventually';
import { tamper } from '../support/inventory-app';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

interface Report {
  listed: number;
  equal: number;
  missing: number;
  different: number;
  unsettled: number;
  extra: number;
  repaired: number;
}

describe('comparing order lists', () => {
  let host: ShopHost;
  let placed = 0;

  beforeAll(async () => {
    host = await startShopHost({
      shows: ['A'],
      shop: {
        listings: listingsCsv([['A', 'A', 1]]),
        pollOrdersEverySeconds: 0,
        options: { orders: { paging: { pageSize: 3 } } },
      },
    });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1_000 });
  });

  afterAll(() => host.close());

  const compare = (body: object = {}) => host.api.post<Report>('/v1/channels/shop/orders/reconcile', body);
  const reserved = async () =>
    (await host.api.get<{ total: { reserved: number } }>('/v1/stock/A')).body.total.reserved;
  const differences = async () =>
    (
      await host.api.get<{ items: { orderId: string; difference: string; repairedAt: string | null }[] }>(
        '/v1/channels/shop/orders/differences',
      )
    ).body.items;

  function place(quantityUnits = 1, at = new Date()): string {
    const orderId = `O-${++placed}`;
    const lines = [{ lineId: '1', channelSku: 'A', quantityUnits }];
    host.shop.placeOrder({ orderId, placedAt: at.toISOString(), lines });
    return orderId;
  }

  async function told(orderId: string, units: number): Promise<void> {
    await deliver(host, host.shop.webhookFor(orderId));
    await eventually(async () => expect(await reserved()).toBe(units));
  }

  test('finds what is missing, different, unsettled and extra, and has intake repair what can be', async () => {
    const [equal, missing, different, unsettled] = [place(), place(2), place(3), place(4)];
    await told(equal, 1);
    await told(different, 4);
    await told(unsettled, 8);
    host.shop.cancelOrder(different, new Date().toISOString());
    // A crash between the view of the order and its settlement.
    await tamper(host.database.url, 'UPDATE reservations SET revision = revision - 1 WHERE order_id = $1', [
      unsettled,
    ]);
    await tamper(
      host.database.url,
      `DELETE FROM idempotency_keys WHERE key LIKE 'order:shop:' || $1 || ':%'`,
      [unsettled],
    );
    // The channel has forgotten it.
    const gone = {
      id: 'GONE',
      revision: 1,
      placed_at: new Date(Date.now() - 60_000).toISOString(),
      lines: [],
    };
    await host.dataSource.query(
      `INSERT INTO orders (channel, order_id, revision, document, placed_at, received_at, updated_at)
       VALUES ('shop', $1, 1, $2, $3, now() - interval '1 minute', now() - interval '1 minute')`,
      ['GONE', JSON.stringify({ placedAt: gone.placed_at, lines: [] }), gone.placed_at],
    );
    const { status, body } = await compare();
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { listed: 4, equal: 1, missing: 1, different: 1, unsettled: 1, extra: 1, repaired: 3 },
    });
    // One, two, none of the three that were cancelled, four.
    expect(await reserved()).toBe(7);
    const found = new Map((await differences()).map((each) => [each.orderId, each]));
    expect([...found.keys()].sort()).toEqual(['GONE', different, missing, unsettled].sort());
    expect(found.get('GONE')).toMatchObject({ difference: 'extra', repairedAt: null });
    expect(found.get(missing)).toMatchObject({
      difference: 'missing',
      repairedAt: expect.any(String) as string,
    });
    expect((await compare()).body).toMatchObject({
      listed: 4,
      equal: 4,
      missing: 0,
      different: 0,
      unsettled: 0,
      repaired: 0,
    });
  });

  test('only tells when it is asked to, and looks no further back than the window', async () => {
    const before = await reserved();
    place(1, new Date(Date.now() - 7_200_000));
    const recent = place(5);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const { body } = await compare({ since, repair: false });
    expect(body).toMatchObject({ missing: 1, repaired: 0 });
    expect(await reserved()).toBe(before);
    expect((await differences()).find(({ orderId }) => orderId === recent)).toMatchObject({
      difference: 'missing',
    });
  });
});
