import { PublishedQuantityService } from '../../src/buffers/published-quantity.service';
import { ListingsService } from '../../src/channels/listings.service';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

const PLACED = '2024-05-01T10:00:00.000Z';
/** So that nothing here is done by a sweep that somebody should have been woken for. */
const NO_SWEEPS = { intake: { sweepEverySeconds: 3_600 } };

interface Line {
  id: string;
  sku: string;
  ordered: number;
  cancelled?: number;
  fulfilled?: number;
}

interface Stock {
  sku: string;
  total: { available: number; reserved: number; physical: number };
}

/** Two hosts on one database, and one shop that both of them serve. */
describe('the mapping of a shop that two hosts serve', () => {
  let host: ShopHost;
  let other: TestHost;

  beforeAll(async () => {
    host = await startShopHost({ ...NO_SWEEPS, shows: ['S-MUG', 'S-SET'], shop: {} });
    const options = { limit: { perSecond: 10_000, burst: 10_000 }, ...host.shop.pluginOptions };
    const channels = [{ name: 'shop', plugin: GENERIC_REST_SOURCE, options }];
    other = await startTestHost({ ...NO_SWEEPS, channels }, { database: host.database });
  });

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
    await other.close();
    await host.close();
  });

  /** A SKU with so many units. */
  async function stocked(sku: string, quantity: number): Promise<void> {
    await host.api.post('/v1/skus', { sku });
    if (quantity > 0) await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity });
  }

  const map = (channelSku: string, components: object[], by: TestHost = host) =>
    by.api.put(`/v1/channels/shop/listings/${channelSku}`, { components });
  const order = (id: string, revision: number, lines: Line[], at: TestHost = host) =>
    deliver(at, signedWebhook({ id, revision, placed_at: PLACED, updated_at: PLACED, lines }));
  const stockOf = async (sku: string, at: TestHost = host) =>
    (await at.api.get<Stock>(`/v1/stock/${sku}`)).body.total;
  const parkedLines = async () =>
    (await host.api.get<{ items: { parkedLines: number }[] }>('/v1/channels')).body.items[0]!.parkedLines;
  const unmapped = async () =>
    (
      await host.api.get<{ items: { channelSku: string; parkedLines: number }[] }>(
        '/v1/channels/shop/unmapped',
      )
    ).body.items;
  const received = async () =>
    eventually(async () => {
      const [row] = await host.dataSource.query(
        `SELECT count(*) AS count FROM inbox WHERE state = 'received'`,
      );
      expect(row.count).toBe(0);
    });

  describe('while orders wait for it', () => {
    test('applies them at once, as they stand by then', async () => {
      await stocked('WAITED', 100);
      await order('W-OPEN', 1, [{ id: 'L', sku: 'S-WAITED', ordered: 2 }]);
      await order('W-GONE', 1, [{ id: 'L', sku: 'S-WAITED', ordered: 10 }]);
      await order('W-SENT', 1, [{ id: 'L', sku: 'S-WAITED', ordered: 5 }]);
      await order('W-PART', 1, [{ id: 'L', sku: 'S-WAITED', ordered: 4 }]);
      await order('W-GONE', 2, [{ id: 'L', sku: 'S-WAITED', ordered: 10, cancelled: 10 }]);
      await order('W-SENT', 2, [{ id: 'L', sku: 'S-WAITED', ordered: 5, fulfilled: 5 }]);
      await order('W-PART', 2, [{ id: 'L', sku: 'S-WAITED', ordered: 4, cancelled: 1, fulfilled: 2 }]);
      await received();
      expect(await unmapped()).toContainEqual(
        expect.objectContaining({ channelSku: 'S-WAITED', firstSeenIn: 'order', parkedLines: 4 }),
      );
      await map('S-WAITED', [{ sku: 'WAITED', units: 3 }]);
      await eventually(async () => expect(await parkedLines()).toBe(0));
      // Open: 2 × 3 and 1 × 3. Shipped: 5 × 3 and 2 × 3. What was cancelled never was.
      expect(await stockOf('WAITED')).toMatchObject({ reserved: 9, physical: 100 - 21, available: 70 });
      expect((await unmapped()).map(({ channelSku }) => channelSku)).not.toContain('S-WAITED');
    });

    test('applies all of them, however many', async () => {
      await stocked('CROWD', 1_000);
      await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          order(`CROWD-${index}`, 1, [{ id: 'L', sku: 'S-CROWD', ordered: 1 }], index % 2 ? host : other),
        ),
      );
      await received();
      expect(await parkedLines()).toBe(300);
      await map('S-CROWD', [{ sku: 'CROWD' }]);
      await eventually(async () => expect(await parkedLines()).toBe(0), 20_000);
      expect(await stockOf('CROWD')).toMatchObject({ reserved: 300, available: 700 });
    }, 60_000);

    test('made on one host applies what came in on the other, and is known there', async () => {
      host.shop.list([{ channelSku: 'S-FAR', quantityUnits: 0 }]);
      await stocked('FAR', 10);
      await order('FAR-1', 1, [{ id: 'L', sku: 'S-FAR', ordered: 4 }], other);
      await received();
      expect(await parkedLines()).toBe(1);
      await map('S-FAR', [{ sku: 'FAR' }], host);
      await eventually(async () => expect(await parkedLines()).toBe(0));
      await eventually(async () => {
        const { body } = await other.api.get('/v1/availability?channel=shop&sku=S-FAR');
        expect(body).toMatchObject({ items: [{ known: true, available: 6 }] });
      });
      await eventually(() => expect(host.shop.shown().get('S-FAR')).toBe(6));
      await order('FAR-2', 1, [{ id: 'L', sku: 'S-FAR', ordered: 1 }], other);
      await eventually(async () => expect(await stockOf('FAR', other)).toMatchObject({ reserved: 5 }));
      await host.api.delete('/v1/channels/shop/listings/S-FAR');
      await eventually(async () => {
        const { body } = await other.api.get('/v1/availability?channel=shop&sku=S-FAR');
        expect(body).toMatchObject({ items: [{ known: false }] });
      });
    });

    test('that a host has not been told of yet is read before it is pushed', async () => {
      host.shop.list([{ channelSku: 'S-LATE', quantityUnits: 0 }]);
      await stocked('LATE', 50);
      await map('S-LATE', [{ sku: 'LATE' }]);
      await eventually(() => expect(host.shop.shown().get('S-LATE')).toBe(50));
      await eventually(() => expect(other.app.get(ListingsService).find('shop', 'S-LATE')).toBeDefined());
      // As another host writes it, but for the notification.
      await host.dataSource.query(
        `UPDATE listings SET cap = 7, revision = revision + 1 WHERE channel_sku = 'S-LATE'`,
      );
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'LATE', quantity: 1 });
      await eventually(() => expect(host.shop.shown().get('S-LATE')).toBe(7));
    });
  });

  describe('of a bundle, whose own component is in the same order', () => {
    const SET_OF_TWO = [{ sku: 'MUG', units: 2 }, { sku: 'PLATE' }];

    beforeAll(async () => {
      await stocked('MUG', 0);
      await stocked('PLATE', 0);
      await map('S-MUG', [{ sku: 'MUG' }]);
      await map('S-SET', SET_OF_TWO);
    });

    const adjustTo = async (sku: string, quantity: number) => {
      const { available } = await stockOf(sku);
      if (quantity !== available)
        await host.api.post('/v1/events', {
          type: 'ADJUST',
          sku,
          quantity: quantity - available,
          reason: 'count',
        });
    };

    test('counts both, in one decision', async () => {
      await adjustTo('MUG', 10);
      await adjustTo('PLATE', 10);
      await order('BOTH', 1, [
        { id: 'L-1', sku: 'S-SET', ordered: 3 },
        { id: 'L-2', sku: 'S-MUG', ordered: 2 },
      ]);
      await eventually(async () => expect(await stockOf('MUG')).toMatchObject({ available: 2, reserved: 8 }));
      expect(await stockOf('PLATE')).toMatchObject({ available: 7, reserved: 3 });
      const commands = await host.dataSource.query(
        `SELECT DISTINCT command_key FROM ledger WHERE channel = 'shop' AND order_id = 'BOTH'`,
      );
      expect(commands).toHaveLength(1);
      await eventually(() =>
        expect([host.shop.shown().get('S-MUG'), host.shop.shown().get('S-SET')]).toEqual([2, 1]),
      );
      await order('BOTH', 2, [
        { id: 'L-1', sku: 'S-SET', ordered: 3, fulfilled: 2, cancelled: 1 },
        { id: 'L-2', sku: 'S-MUG', ordered: 2, cancelled: 2 },
      ]);
      await eventually(async () =>
        expect(await stockOf('MUG')).toMatchObject({ available: 6, reserved: 0, physical: 6 }),
      );
      expect(await stockOf('PLATE')).toMatchObject({ available: 8, reserved: 0, physical: 8 });
    });

    test.each([
      ['the bundle first', ['S-SET', 'S-MUG'], [{ lineId: 'L-1', quantity: 1 }]],
      ['the component first', ['S-MUG', 'S-SET'], [{ lineId: 'L-1', quantity: 1 }]],
    ])('is short by what neither line got, with %s', async (name, skus, short) => {
      await adjustTo('MUG', 4);
      await adjustTo('PLATE', 5);
      const orderId = `SHORT ${name}`;
      // Two sets and one mug want five mugs, of which there are four.
      const lines = skus.map((sku, index) => ({
        id: `L-${index}`,
        sku,
        ordered: sku === 'S-SET' ? 2 : 1,
      }));
      await order(orderId, 1, lines);
      await eventually(async () => expect(await stockOf('MUG')).toMatchObject({ available: 0 }));
      const { body } = await host.api.get<{ items: { orderId: string }[] }>('/v1/shortfalls');
      expect(body.items.filter((each) => each.orderId === orderId)).toMatchObject(
        short.map((each) => ({ ...each, sku: 'MUG', state: 'open' })),
      );
      expect(await stockOf('PLATE')).toMatchObject({ available: 3 });
      const gone = lines.map((line) => ({ ...line, cancelled: line.ordered }));
      await order(orderId, 2, gone);
      await eventually(async () => expect(await stockOf('MUG')).toMatchObject({ available: 4, reserved: 0 }));
      expect(await stockOf('PLATE')).toMatchObject({ available: 5 });
    });

    test('is never taken twice by orders that name both in opposite order, on two hosts at once', async () => {
      await adjustTo('MUG', 100);
      await adjustTo('PLATE', 100);
      const lines: [Line, Line] = [
        { id: 'L-1', sku: 'S-SET', ordered: 1 },
        { id: 'L-2', sku: 'S-MUG', ordered: 1 },
      ];
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          order(`OPPOSITE-${index}`, 1, index % 2 ? lines : [lines[1], lines[0]], index % 3 ? host : other),
        ),
      );
      await received();
      // 60 orders want 180 mugs of 100; a set that got one mug only still has its plate.
      await eventually(async () =>
        expect(await stockOf('MUG')).toMatchObject({ available: 0, reserved: 100 }),
      );
      expect(await stockOf('PLATE')).toMatchObject({ available: 40, reserved: 60 });
      const [short] = await host.dataSource.query(
        `SELECT sum(quantity) AS units FROM shortfalls WHERE order_id LIKE 'OPPOSITE-%' AND state = 'open'`,
      );
      expect(Number(short.units)).toBe(80);
    });
  });

  describe('of a SKU that is renamed', () => {
    test('goes on, with the history, on every host', async () => {
      host.shop.list([{ channelSku: 'S-NAME', quantityUnits: 0 }]);
      await stocked('FIRST', 10);
      await map('S-NAME', [{ sku: 'FIRST' }]);
      await order('NAMED', 1, [{ id: 'L', sku: 'S-NAME', ordered: 3 }]);
      await eventually(async () => expect(await stockOf('FIRST')).toMatchObject({ reserved: 3 }));
      expect((await other.api.get('/v1/stock/FIRST')).body).toMatchObject({ sku: 'FIRST' });

      const renamed = await host.api.patch('/v1/skus/FIRST', { sku: 'SECOND' });
      expect(renamed).toMatchObject({ status: 200, body: { sku: 'SECOND' } });
      for (const at of [host, other]) {
        await eventually(async () => {
          for (const code of ['FIRST', 'SECOND'])
            expect((await at.api.get(`/v1/stock/${code}`)).body).toMatchObject({
              sku: 'SECOND',
              total: { available: 7, reserved: 3 },
            });
        });
        const { body } = await at.api.get<{ items: { sku: string; type: string }[] }>(
          '/v1/stock/FIRST/events',
        );
        expect(body.items.map(({ sku, type }) => [sku, type])).toEqual([
          ['SECOND', 'RESERVE'],
          ['SECOND', 'RESTOCK'],
        ]);
      }
      // An order in flight, an order to come, and a caller who has not heard of it.
      await order('NAMED', 2, [{ id: 'L', sku: 'S-NAME', ordered: 3, fulfilled: 3 }], other);
      await order('NAMED-2', 1, [{ id: 'L', sku: 'S-NAME', ordered: 1 }], other);
      const held = await other.api.post('/v1/reservations', { lines: [{ sku: 'FIRST', quantity: 2 }] });
      expect(held).toMatchObject({ status: 201, body: { lines: [{ sku: 'SECOND' }] } });
      await eventually(async () =>
        expect(await stockOf('SECOND', other)).toMatchObject({ available: 4, reserved: 3, physical: 7 }),
      );
      await eventually(() => expect(host.shop.shown().get('S-NAME')).toBe(4));
      // Posting the old code makes no second SKU.
      const posted = await other.api.post('/v1/skus', { sku: 'FIRST', name: 'Mug' });
      expect(posted.body).toMatchObject({ sku: 'SECOND', name: 'Mug', created: false });
      expect((await host.api.get('/v1/skus?sku=FIRST')).body).toMatchObject({ items: [{ sku: 'SECOND' }] });
    });

    test('that a listings file names by its old code is known by it', async () => {
      const listings = host.app.get(ListingsService);
      await stocked('FILED', 5);
      await host.api.patch('/v1/skus/FILED', { sku: 'FILED-NOW' });
      const report = await listings.replace('shop', [
        { channelSku: 'S-FILED', components: [{ sku: 'FILED', units: 1 }] },
      ]);
      expect(report).toMatchObject({ created: [], notes: ['FILED is called FILED-NOW now'] });
      expect((await host.api.get('/v1/availability?channel=shop&sku=S-FILED')).body).toMatchObject({
        items: [{ available: 5 }],
      });
      const twice = [
        {
          channelSku: 'S-FILED',
          components: [
            { sku: 'FILED', units: 1 },
            { sku: 'FILED-NOW', units: 1 },
          ],
        },
      ];
      await expect(listings.replace('shop', twice)).rejects.toThrow(/S-FILED names FILED-NOW twice/);
    });

    test('between two codes at once has one of them, and is known by all', async () => {
      await stocked('RACE', 1);
      const codes = Array.from({ length: 10 }, (_, index) => `RACE-${index}`);
      const answers = await Promise.all(
        codes.map((sku, index) => (index % 2 ? host : other).api.patch('/v1/skus/RACE', { sku })),
      );
      expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200));
      const names = () =>
        Promise.all(
          [host, other].flatMap((at) =>
            ['RACE', ...codes].map(async (code) => (await at.api.get<Stock>(`/v1/stock/${code}`)).body.sku),
          ),
        );
      await eventually(async () => expect(new Set(await names()).size).toBe(1));
    });

    test('while others make its new code ends with one SKU of that code', async () => {
      for (let round = 0; round < 10; round++) {
        await stocked(`TAKE-${round}`, 0);
        const [renamed, made] = await Promise.all([
          host.api.patch<{ sku: string }>(`/v1/skus/TAKE-${round}`, { sku: `TAKEN-${round}` }),
          other.api.post<{ created: boolean }>('/v1/skus', { sku: `TAKEN-${round}` }),
        ]);
        expect([200, 409]).toContain(renamed.status);
        expect(made).toMatchObject({ status: 201, body: { created: renamed.status === 409 } });
        const old = await other.api.get<Stock>(`/v1/stock/TAKE-${round}`);
        expect(old.status).toBe(200);
      }
    });
  });
});

describe('the mapping of a shop that one host serves', () => {
  test.each<[string, (host: ShopHost) => Promise<unknown>]>([
    [
      'put by the API',
      ({ api }) => api.put('/v1/channels/shop/listings/S-1', { components: [{ sku: 'A' }] }),
    ],
    ['imported', ({ api }) => api.postCsv('/v1/channels/shop/listings/import', 'channel_sku,sku\nS-1,A\n')],
    [
      'confirmed',
      async ({ api }) => {
        await api.post('/v1/skus', { sku: 's 1' });
        await api.post('/v1/channels/shop/suggestions');
        const { body } = await api.get<{ items: { id: number }[] }>('/v1/channels/shop/suggestions');
        return api.post('/v1/channels/shop/suggestions/confirm', { ids: body.items.map(({ id }) => id) });
      },
    ],
  ])('applies at once what waited for it when it is %s', async (_name, map) => {
    const host = await startShopHost({ ...NO_SWEEPS, shows: ['S-1'], shop: {} });
    try {
      await host.api.post('/v1/skus', { sku: 'A' });
      const parked = async () =>
        (await host.api.get<{ items: { parkedLines: number }[] }>('/v1/channels')).body.items[0]!.parkedLines;
      const lines = [{ id: 'L', sku: 'S-1', ordered: 1 }];
      await deliver(host, signedWebhook({ id: 'O', revision: 1, placed_at: PLACED, lines }));
      await eventually(async () => expect(await parked()).toBe(1));
      await map(host);
      await eventually(async () => expect(await parked()).toBe(0));
    } finally {
      await host.close();
    }
  });
});

describe('a shop that keeps stock by location', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      locations: [{ code: 'main' }, { code: 'north', priority: 2 }, { code: 'east', priority: 3 }],
      shop: {
        mode: 'observe',
        listings: listingsCsv([['S', 'A', 1]]),
        locations: { 'loc-n': 'north', 'loc-m': 'main', 'loc-m2': 'main' },
      },
    });
  });

  afterAll(() => host.close());

  const listing = (channelSku: string) => host.app.get(ListingsService).find('shop', channelSku)!;
  const stock = (location: string, quantity: number) =>
    host.api.post('/v1/events', { type: 'ADJUST', sku: 'A', location, quantity, reason: 'count' });
  const put = (channelSku: string, settings: object) =>
    host.api.put(`/v1/channels/shop/listings/${channelSku}`, {
      components: [{ sku: 'A', units: 2 }],
      ...settings,
    });

  /** What the shop would be told for each of its locations, and as a whole. */
  async function quantities(channelSku: string): Promise<Record<string, number>> {
    const asked = ['loc-n', 'loc-m', 'loc-m2', undefined].map((channelLocation) => ({
      listing: listing(channelSku),
      ...(channelLocation !== undefined && { channelLocation }),
    }));
    const waterfalls = await host.app.get(PublishedQuantityService).computeFor(asked);
    return Object.fromEntries(
      asked.map(({ channelLocation = 'whole' }, at) => [channelLocation, waterfalls[at]!.quantity]),
    );
  }

  test('is told of each of its locations what is there, once', async () => {
    await put('S-BY', {});
    await stock('main', 21);
    await stock('north', 7);
    await stock('east', 100);
    // Two of its locations are main, which can be sold once only; east serves it not at all.
    expect(await quantities('S-BY')).toEqual({ 'loc-m': 10, 'loc-m2': 0, 'loc-n': 3, whole: 14 });
    const [main] = await host.app
      .get(PublishedQuantityService)
      .computeFor([{ listing: listing('S-BY'), channelLocation: 'loc-m' }]);
    expect(main!.components[0]).toMatchObject({ available: 21, versions: { main: 1 } });
  });

  test('is told of no more over its locations than the cap allows', async () => {
    await put('S-CAP', { cap: 12 });
    expect(await quantities('S-CAP')).toEqual({ 'loc-m': 10, 'loc-m2': 0, 'loc-n': 2, whole: 12 });
    await put('S-CAP', { cap: 4 });
    expect(await quantities('S-CAP')).toEqual({ 'loc-m': 4, 'loc-m2': 0, 'loc-n': 0, whole: 4 });
    await put('S-CAP', { bufferUnits: 3 });
    // Withheld from each: (21 − 3) / 2 and (7 − 3) / 2; from the whole once.
    expect(await quantities('S-CAP')).toEqual({ 'loc-m': 9, 'loc-m2': 0, 'loc-n': 2, whole: 12 });
  });

  test('is not told of units that are owed at another of its locations', async () => {
    await host.api.post('/v1/reservations', { lines: [{ sku: 'A', quantity: 7, location: 'north' }] });
    await stock('north', -6);
    expect(await quantities('S-BY')).toEqual({ 'loc-m': 7, 'loc-m2': 0, 'loc-n': 0, whole: 7 });
  });

  test('is not asked of a location that is none of its', async () => {
    for (const channelLocation of ['loc-x', 'constructor', 'main'])
      await expect(
        host.app.get(PublishedQuantityService).computeFor([{ listing: listing('S-BY'), channelLocation }]),
      ).rejects.toThrow(/under its locations/);
  });

  test('is told by a listing with a cap of its own where the cap is from', async () => {
    await host.api.post('/v1/channels/shop/listings/import', [
      { channelSku: 'S-OWN', sku: 'A', cap: 3, bufferPercent: 10 },
    ]);
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 6 });
    const { body } = await host.api.get<{ items: { id: number }[] }>(
      '/v1/channels/shop/listings?channelSku=S-OWN',
    );
    const waterfall = await host.api.get(`/v1/listings/${body.items[0]!.id}/waterfall`);
    expect(waterfall.body).toMatchObject({
      components: [{ buffers: [{ units: 3, reason: '10 % of 21 available (listing S-OWN)' }], sellable: 18 }],
      uncapped: 18,
      cap: 3,
      capSource: 'listing S-OWN',
      quantity: 3,
    });
  });
});
