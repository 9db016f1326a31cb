import { ListingsService } from '../../src/channels/listings.service';
import { CatalogService } from '../../src/inventory/catalog.service';
import { eventually } from '../support/eventually';
import { countRows } from '../support/row-counts';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

const PLACED = '2024-05-01T10:00:00.000Z';
const LATER = '2024-05-02T10:00:00.000Z';

interface Stock {
  total: { available: number; reserved: number; quarantined: number; physical: number };
  locations: { location: string; reserved: number }[];
}

interface Status {
  items: { inbox: Record<string, number>; parkedLines: number; openShortfalls: number; dirty: number }[];
}

/** A line as the shop writes it in its orders. */
interface ShopLine {
  id: string;
  sku: string;
  ordered: number;
  cancelled?: number;
  fulfilled?: number;
  returned?: number;
  location?: string;
}

const SKUS = Array.from({ length: 12 }, (_, index) => `SKU-${index}`);

describe('orders of a channel', () => {
  let host: ShopHost;
  let used = 0;

  beforeAll(async () => {
    host = await startShopHost({
      locations: [
        { code: 'main', priority: 1 },
        { code: 'north', priority: 2 },
      ],
      shows: [...SKUS.map((sku) => `S-${sku}`), 'S-SET'],
      shop: {
        locations: { 'loc-1': 'main', 'loc-2': 'north' },
        options: { orders: { fields: { location: 'location' } } },
        listings: listingsCsv([
          ...SKUS.map((sku): [string, string, number] => [`S-${sku}`, sku, 1]),
          ['S-SET', 'SKU-10', 2],
          ['S-SET', 'SKU-11', 1],
        ]),
      },
    });
  });

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
    await host.close();
  });

  /** A SKU of the test's own with so many units at main; the shop shows them. */
  async function stocked(quantity: number): Promise<string> {
    const sku = SKUS[used++]!;
    await restock(sku, quantity);
    await eventually(() => expect(host.shop.shown().get(`S-${sku}`)).toBe(quantity));
    return sku;
  }

  const restock = (sku: string, quantity: number, location = 'main') =>
    host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity, location });
  const stockOf = async (sku: string) => (await host.api.get<Stock>(`/v1/stock/${sku}`)).body;
  const channel = async () => (await host.api.get<Status>('/v1/channels')).body.items[0]!;
  const order = (id: string, revision: number, lines: ShopLine[]) =>
    signedWebhook({ id, revision, placed_at: PLACED, updated_at: LATER, lines });

  /** Until every webhook that was received is in the ledger. */
  async function applied(): Promise<void> {
    await eventually(async () => expect((await channel()).inbox).toMatchObject({ received: 0 }));
  }

  async function reservationOf(orderId: string) {
    const rows: Record<string, unknown>[] = await host.dataSource.query(
      `SELECT r.state, r.revision, p.line_id, s.code AS sku, p.reserved, p.fulfilled, p.released, p.returned
         FROM reservations r JOIN reservation_lines p ON p.reservation_id = r.id JOIN skus s ON s.id = p.sku_id
        WHERE r.channel = 'shop' AND r.order_id = $1 ORDER BY p.line, p.part`,
      [orderId],
    );
    return rows;
  }

  test('an order reserves, and the shop is told what is left', async () => {
    const sku = await stocked(20);
    const callsBefore = host.shop.calls.length;
    host.shop.placeOrder({
      orderId: 'O-1',
      placedAt: PLACED,
      lines: [{ lineId: 'L-1', channelSku: `S-${sku}`, quantityUnits: 3 }],
    });
    // What the shop shows now is not what it is told next, so that only a push can make it right.
    host.shop.list([{ channelSku: `S-${sku}`, quantityUnits: 999 }]);
    const answer = await deliver(host, host.shop.webhookFor('O-1'));
    expect(answer).toMatchObject({ status: 200, body: { received: true, duplicate: false } });
    await eventually(() => expect(host.shop.shown().get(`S-${sku}`)).toBe(17));

    expect((await stockOf(sku)).total).toMatchObject({ available: 17, reserved: 3, physical: 20 });
    const events = await host.api.get<{ items: object[] }>(`/v1/stock/${sku}/events`);
    expect(events.body.items[0]).toMatchObject({
      type: 'RESERVE',
      quantity: 3,
      channel: 'shop',
      orderId: 'O-1',
      lineId: 'L-1',
      actor: 'channel:shop',
      occurredAt: PLACED,
    });
    expect(await reservationOf('O-1')).toEqual([
      {
        state: 'confirmed',
        revision: 1,
        line_id: 'L-1',
        sku,
        reserved: 3,
        fulfilled: 0,
        released: 0,
        returned: 0,
      },
    ]);
    expect((await host.api.get(`/v1/availability?sku=${sku}`)).body).toMatchObject({
      items: [{ available: 17 }],
    });
    const [listing]: { id: number }[] = await host.dataSource.query(
      'SELECT id FROM listings WHERE channel_sku = $1',
      [`S-${sku}`],
    );
    await eventually(async () => {
      const { body } = await host.api.get(`/v1/listings/${listing!.id}/pushes?limit=1`);
      const waterfall = { components: [{ reserved: 3, available: 17 }] };
      expect(body).toMatchObject({ items: [{ quantity: 17, previous: 20, state: 'applied', waterfall }] });
    });
    expect(host.shop.calls.length).toBeGreaterThan(callsBefore);
  });

  test('an order that is shipped, and comes back, leaves the shelves and waits in quarantine', async () => {
    const sku = await stocked(10);
    const lines = [{ lineId: 'L', channelSku: `S-${sku}`, quantityUnits: 4 }];
    host.shop.placeOrder({ orderId: 'O-2', placedAt: PLACED, lines });
    await deliver(host, host.shop.webhookFor('O-2'));
    host.shop.fulfilOrder('O-2', LATER);
    await deliver(host, host.shop.webhookFor('O-2'));
    await eventually(async () =>
      expect((await stockOf(sku)).total).toMatchObject({ available: 6, reserved: 0, physical: 6 }),
    );
    host.shop.returnOrder('O-2', LATER);
    await deliver(host, host.shop.webhookFor('O-2'));
    await eventually(async () =>
      expect((await stockOf(sku)).total).toMatchObject({ available: 6, quarantined: 4, physical: 10 }),
    );
    expect(await reservationOf('O-2')).toMatchObject([
      { state: 'fulfilled', reserved: 4, fulfilled: 4, returned: 4 },
    ]);
  });

  test('a cancelled order gives its units back to the shop', async () => {
    const sku = await stocked(10);
    const lines = [{ lineId: 'L', channelSku: `S-${sku}`, quantityUnits: 4 }];
    host.shop.placeOrder({ orderId: 'O-3', placedAt: PLACED, lines });
    await deliver(host, host.shop.webhookFor('O-3'));
    await eventually(async () => expect((await stockOf(sku)).total).toMatchObject({ reserved: 4 }));
    host.shop.cancelOrder('O-3', LATER);
    await deliver(host, host.shop.webhookFor('O-3'));
    await eventually(() => expect(host.shop.shown().get(`S-${sku}`)).toBe(10));
    expect(await reservationOf('O-3')).toMatchObject([{ state: 'released', reserved: 4, released: 4 }]);
  });

  test('a webhook that its secret did not sign answers 401 and writes nothing', async () => {
    const good = order('FORGED', 1, [{ id: 'L', sku: 'S-SKU-0', ordered: 1 }]);
    const signature = good.headers['x-shop-signature']!;
    const { 'x-shop-signature': _removed, ...unsigned } = good.headers;
    const other = order('OTHER', 1, []).headers['x-shop-signature']!;
    await applied();
    await eventually(async () => expect(await channel()).toMatchObject({ dirty: 0 }));
    const before = await countRows(host.dataSource);
    const refused = {
      'no signature': { ...good, headers: unsigned },
      'an empty one': signedAs(''),
      'a forged one': signedAs('0'.repeat(64)),
      'a truncated one': signedAs(signature.slice(0, 63)),
      'a longer one': signedAs(`${signature}0`),
      'one of another secret': signedWebhook({ id: 'FORGED' }, 'another-secret'),
      'one of another body': signedAs(other),
      'two of them': signedAs(`${signature}, ${signature}`),
      'one in base64': signedAs(Buffer.from(signature, 'hex').toString('base64')),
      'one of the body before it was written anew': {
        ...good,
        body: Buffer.from(JSON.stringify(JSON.parse(good.body.toString()), null, 1)),
      },
      'no body': { ...good, body: Buffer.alloc(0) },
    };
    function signedAs(value: string) {
      return { ...good, headers: { ...unsigned, 'x-shop-signature': value } };
    }
    for (const [name, delivery] of Object.entries(refused)) {
      const { status, body } = await deliver(host, delivery);
      expect({ name, status, body }).toMatchObject({ name, status: 401, body: { code: 'unauthorized' } });
    }
    const packed = await deliver(host, { ...good, headers: { ...good.headers, 'content-encoding': 'gzip' } });
    expect(packed.status).toBe(415);
    const large = await deliver(host, signedWebhook({ id: 'x'.repeat(2_000_000) }));
    expect(large.status).toBe(413);
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('a webhook that comes ten times at once reserves once', async () => {
    const sku = await stocked(10);
    const repeated = async (): Promise<number> => {
      const sum = 'SELECT sum(deliveries - 1)::int AS times FROM inbox';
      return ((await host.dataSource.query(sum)) as [{ times: number }])[0].times ?? 0;
    };
    const before = await repeated();
    const delivery = order('TEN', 1, [{ id: 'L', sku: `S-${sku}`, ordered: 2 }]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(host, delivery)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(answers.filter((answer) => (answer.body as { duplicate: boolean }).duplicate)).toHaveLength(9);
    // The sender may name its deliveries as it likes: only the body counts, and with it the order's revision.
    await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        deliver(host, {
          ...delivery,
          headers: { ...delivery.headers, 'x-shop-topic': `topic-${index}`, 'x-id': `${index}` },
        }),
      ),
    );
    await applied();
    expect((await stockOf(sku)).total).toMatchObject({ available: 8, reserved: 2 });
    expect((await repeated()) - before).toBe(9);
    const events = await host.api.get<{ items: { type: string }[] }>(`/v1/stock/${sku}/events`);
    expect(events.body.items.map(({ type }) => type)).toEqual(['RESERVE', 'RESTOCK']);
  });

  test('the documents of an order end in one state, in whatever order they come', async () => {
    const sku = await stocked(2_000);
    const line = { id: 'L-1', sku: `S-${sku}`, ordered: 8 };
    const gone = { id: 'L-2', sku: 'S-NOBODY-MAPPED', ordered: 1 };
    const added = { id: 'L-3', sku: 'S-NOBODY-MAPPED-EITHER', ordered: 1 };
    const documents: ShopLine[][] = [
      [{ ...line, ordered: 5 }, gone],
      [line],
      [{ ...line, fulfilled: 3 }, gone],
      [{ ...line, fulfilled: 3, cancelled: 5 }],
      [{ ...line, fulfilled: 3, cancelled: 5, returned: 1 }, added],
    ];
    const permutations = permute(documents.map((lines, index) => ({ lines, revision: index + 1 })));
    expect(permutations).toHaveLength(120);
    await Promise.all(
      permutations.map(async (permutation, index) => {
        for (const { lines, revision } of permutation) {
          expect((await deliver(host, order(`P-${index}`, revision, lines))).status).toBe(200);
        }
      }),
    );
    await applied();
    // Each order shipped 3 of which 1 came back; nothing is held for any of them.
    expect((await stockOf(sku)).total).toEqual(
      expect.objectContaining({
        available: 2_000 - 360,
        reserved: 0,
        quarantined: 120,
        physical: 2_000 - 240,
      }),
    );
    for (const [index] of permutations.entries()) {
      const [row, ...more] = await reservationOf(`P-${index}`);
      expect(more).toEqual([]);
      expect(row).toMatchObject({ state: 'fulfilled', revision: 5, fulfilled: 3, returned: 1 });
      expect(Number(row!.reserved) - Number(row!.released)).toBe(3);
    }
    const parked = await host.dataSource.query(
      'SELECT line_id, count(*)::int FROM parked_lines GROUP BY line_id',
    );
    expect(parked).toEqual([{ line_id: 'L-3', count: 120 }]);
    await Promise.all(
      permutations.map((_, index) => deliver(host, order(`P-${index}`, 6, [documents[4]![0]!]))),
    );
    await applied();
    expect(await channel()).toMatchObject({ parkedLines: 0, openShortfalls: 0 });
  });

  test('a line that nobody mapped is parked alone, and applied once its listing is there', async () => {
    const sku = await stocked(10);
    await deliver(
      host,
      order('PARKED', 1, [
        { id: 'L-1', sku: `S-${sku}`, ordered: 2 },
        { id: 'L-2', sku: 'S-NEW', ordered: 3 },
      ]),
    );
    await applied();
    expect((await stockOf(sku)).total).toMatchObject({ available: 8, reserved: 2 });
    expect((await host.api.get('/v1/parked/lines')).body).toMatchObject({
      items: [{ orderId: 'PARKED', lineId: 'L-2', channelSku: 'S-NEW', reason: 'unmapped SKU' }],
    });
    const listings = host.app.get(ListingsService);
    const catalog = host.app.get(CatalogService);
    const all = listings.ofChannel('shop').map(({ channelSku, components }) => ({
      channelSku,
      components: components.map(({ skuId, units }) => ({ sku: catalog.skuCode(skuId), units })),
    }));
    await listings.replace('shop', [...all, { channelSku: 'S-NEW', components: [{ sku, units: 2 }] }]);
    await eventually(async () => {
      expect((await stockOf(sku)).total).toMatchObject({ available: 2, reserved: 8 });
      expect((await channel()).parkedLines).toBe(0);
    });
    expect(await reservationOf('PARKED')).toMatchObject([
      { line_id: 'L-1', reserved: 2 },
      { line_id: 'L-2', reserved: 6 },
    ]);
  });

  test('what stock does not cover is a shortfall, resolved when the order is cancelled', async () => {
    const sku = await stocked(2);
    await deliver(host, order('SHORT', 1, [{ id: 'L', sku: `S-${sku}`, ordered: 5 }]));
    await applied();
    expect((await stockOf(sku)).total).toMatchObject({ available: 0, reserved: 2, physical: 2 });
    expect((await host.api.get('/v1/shortfalls')).body).toMatchObject({
      items: [
        { cause: 'order', state: 'open', quantity: 3, channel: 'shop', orderId: 'SHORT', lineId: 'L', sku },
      ],
    });
    expect((await channel()).openShortfalls).toBe(1);
    await deliver(host, order('SHORT', 2, [{ id: 'L', sku: `S-${sku}`, ordered: 5, cancelled: 5 }]));
    await eventually(async () => expect((await channel()).openShortfalls).toBe(0));
    expect((await stockOf(sku)).total).toMatchObject({ available: 2, reserved: 0 });
    expect((await host.api.get('/v1/shortfalls?state=resolved')).body).toMatchObject({
      items: [{ orderId: 'SHORT', state: 'resolved' }],
    });
  });

  test('a later document of the order takes what has come since', async () => {
    const sku = await stocked(1);
    await deliver(host, order('FILLED', 1, [{ id: 'L', sku: `S-${sku}`, ordered: 4 }]));
    await applied();
    await restock(sku, 10);
    await deliver(host, order('FILLED', 2, [{ id: 'L', sku: `S-${sku}`, ordered: 4 }]));
    await eventually(async () =>
      expect((await stockOf(sku)).total).toMatchObject({ available: 7, reserved: 4 }),
    );
    expect((await channel()).openShortfalls).toBe(0);
  });

  test('a bundle and one of its components in one order take all their units', async () => {
    await Promise.all([restock('SKU-10', 20), restock('SKU-11', 5)]);
    await eventually(() => expect(host.shop.shown().get('S-SET')).toBe(5));
    await deliver(
      host,
      order('SET', 1, [
        { id: 'L-1', sku: 'S-SET', ordered: 2 },
        { id: 'L-2', sku: 'S-SKU-10', ordered: 3 },
      ]),
    );
    await eventually(() => {
      const shown = host.shop.shown();
      expect([shown.get('S-SET'), shown.get('S-SKU-10'), shown.get('S-SKU-11')]).toEqual([3, 13, 3]);
    });
    expect(await reservationOf('SET')).toMatchObject([
      { line_id: 'L-1', sku: 'SKU-10', reserved: 4 },
      { line_id: 'L-1', sku: 'SKU-11', reserved: 2 },
      { line_id: 'L-2', sku: 'SKU-10', reserved: 3 },
    ]);
    await deliver(
      host,
      order('SET', 2, [{ id: 'L-1', sku: 'S-SET', ordered: 2, fulfilled: 1, cancelled: 1 }]),
    );
    await eventually(async () => {
      expect((await stockOf('SKU-10')).total).toMatchObject({ available: 18, reserved: 0 });
      expect((await stockOf('SKU-11')).total).toMatchObject({ available: 4, reserved: 0 });
    });
  });

  test('a line of a location that the channel maps is taken from there', async () => {
    const sku = await stocked(5);
    await restock(sku, 5, 'north');
    await deliver(
      host,
      order('PLACES', 1, [
        { id: 'L-1', sku: `S-${sku}`, ordered: 2, location: 'loc-2' },
        { id: 'L-2', sku: `S-${sku}`, ordered: 1, location: 'loc-1' },
        { id: 'L-3', sku: `S-${sku}`, ordered: 1 },
        { id: 'L-4', sku: `S-${sku}`, ordered: 1, location: 'constructor' },
      ]),
    );
    await applied();
    const { locations } = await stockOf(sku);
    expect(locations.map(({ location, reserved }) => [location, reserved])).toEqual([
      ['main', 3],
      ['north', 2],
    ]);
  });

  test('a document that is no order is parked alone, and the others go on', async () => {
    const sku = await stocked(5);
    const line = { id: 'L', sku: `S-${sku}`, ordered: 1 };
    const broken = [
      { ...line, ordered: -1 },
      { ...line, ordered: 1.5 },
      { ...line, ordered: '1' },
      { ...line, ordered: 1e21 },
      { ...line, cancelled: 2 },
      { ...line, id: 'x'.repeat(201) },
      { ...line, sku: 'A\u0000B' },
    ].map((faulty, index) =>
      signedWebhook({ id: `BROKEN-${index}`, revision: 1, placed_at: PLACED, lines: [faulty] }),
    );
    const others = [
      signedWebhook([]),
      signedWebhook({ id: 'BROKEN', revision: 2 ** 53, placed_at: PLACED, lines: [line] }),
      signedWebhook({ id: 'BROKEN', revision: 1, placed_at: 'soon', lines: [line] }),
      signedWebhook({ id: 'BROKEN', revision: 1, placed_at: PLACED, lines: [line, line] }),
    ];
    const deliveries = [...broken, ...others];
    for (const delivery of deliveries) expect((await deliver(host, delivery)).status).toBe(200);
    await deliver(host, order('SOUND', 1, [line]));
    await eventually(async () =>
      expect((await channel()).inbox).toMatchObject({ received: 0, parked: deliveries.length }),
    );
    expect((await stockOf(sku)).total).toMatchObject({ available: 4, reserved: 1 });
    const parked = await host.api.get<{ items: { error: string }[] }>('/v1/parked/webhooks');
    expect(parked.body.items.every(({ error }) => error.length > 10)).toBe(true);
  });
});

function permute<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    permute(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}
