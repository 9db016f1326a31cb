import { join } from 'node:path';
import { ListingsService } from '../../src/channels/listings.service';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import type { ProblemAnswer } from '../support/host-client';
import { listingsCsv, type ShopHost, type ShopSettings, startShopHost } from '../support/shop-host';

const DEMANDING = join(__dirname, '../support/demanding-plugin.ts');

interface Push {
  channelLocation: string | null;
  quantity: number;
  previous: number | null;
  state: string;
  reason: string | null;
  trigger: string;
  confirmedAt: string | null;
}

interface Listing {
  id: number;
  channelSku: string;
  dirty: boolean;
  parked: boolean;
  shown: number | null;
  lastError: string | null;
  locations?: { channelLocation: string; pushed: number | null }[];
}

/** Runs a test on a host whose shop has these manners, and the SKUs A and B. */
async function withShop(
  { shop, ...settings }: ShopSettings,
  test: (host: ShopHost) => Promise<void>,
): Promise<void> {
  const rows = [
    ['A', 'A', 1],
    ['B', 'B', 1],
  ] satisfies [string, string, number][];
  const host = await startShopHost({
    shows: ['A', 'B'],
    ...settings,
    shop: { plugin: DEMANDING, listings: listingsCsv(rows), ...shop },
  });
  try {
    await test(host);
  } finally {
    await host.close();
  }
}

async function listing(host: ShopHost, sku: string): Promise<Listing> {
  const { body } = await host.api.get<{ items: Listing[] }>('/v1/channels/shop/listings');
  return body.items.find(({ channelSku }) => channelSku === sku)!;
}

async function pushesOf(host: ShopHost, sku: string): Promise<Push[]> {
  const { id } = await listing(host, sku);
  return (await host.api.get<{ items: Push[] }>(`/v1/listings/${id}/pushes`)).body.items;
}

const restock = (host: ShopHost, sku: string, quantity: number, location?: string) =>
  host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity, location });

describe('a channel that only accepts pushes', () => {
  const push = { pollEverySeconds: 1, confirmEverySeconds: 1, confirmWithinSeconds: 2 };

  /** Nothing in stock is pushed at first, and lost as well. */
  const losing = { options: { losesAccepted: 3 } };
  const firstPushed = (host: ShopHost) =>
    eventually(async () => expect(await listing(host, 'A')).toMatchObject({ dirty: false }));

  test('has each of them read back, and is pushed to again where it never showed one', async () => {
    await withShop({ push, shop: losing }, async (host) => {
      await firstPushed(host);
      await restock(host, 'A', 7);
      await eventually(async () =>
        expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'accepted', quantity: 7 }),
      );
      expect(host.shop.shown().get('A')).toBe(0);
      await eventually(async () => {
        expect(host.shop.shown().get('A')).toBe(7);
        const pushes = await pushesOf(host, 'A');
        expect(pushes.slice(0, 2)).toMatchObject([
          { state: 'confirmed', quantity: 7, trigger: 'resync', confirmedAt: expect.any(String) as string },
          { state: 'failed', quantity: 7, reason: expect.stringContaining('did not show it') as string },
        ]);
      }, 15_000);
    });
  });

  test('has nothing pushed again for being read back late', async () => {
    // One run reads 2,000, and the next one comes later than a push is given.
    const skus = Array.from({ length: 2_100 }, (_, index) => `LATE-${index}`);
    const late = { pollEverySeconds: 1, confirmEverySeconds: 1, confirmWithinSeconds: 1 };
    const shop = { options: { losesAccepted: 0 }, listings: listingsCsv(skus.map((sku) => [sku, sku, 1])) };
    await withShop({ push: late, shop, shows: skus }, async (host) => {
      host.shop.faults({ slow: 1, slowMs: 15 });
      await eventually(async () => {
        const states: unknown = await host.dataSource.query(
          'SELECT state, count(*)::int AS pushes FROM pushes GROUP BY state',
        );
        expect(states).toEqual([{ state: 'confirmed', pushes: skus.length }]);
      }, 25_000);
    });
  });

  test('has nothing pushed again for what it showed when a push was young', async () => {
    await withShop({ push: { ...push, confirmWithinSeconds: 5 }, shop: losing }, async (host) => {
      await firstPushed(host);
      await restock(host, 'A', 7);
      await eventually(async () =>
        expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'accepted', quantity: 7 }),
      );
      // A read shows what was before, and is answered when the push is old.
      host.shop.faults({ slow: 1, slowMs: 6_000 });
      const reads = () =>
        host.shop.calls.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/inventory'))
          .length;
      const before = reads();
      await eventually(() => expect(reads()).toBeGreaterThan(before));
      host.shop.list([{ channelSku: 'A', quantityUnits: 7 }]);
      host.shop.faults({ slow: 0 });
      await eventually(
        async () => expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'confirmed', quantity: 7 }),
        20_000,
      );
      expect((await pushesOf(host, 'A')).map(({ state }) => state)).not.toContain('failed');
    });
  });

  test('has what it never confirmed superseded by the next push', async () => {
    // Nothing is read back meanwhile, however slow the machine is.
    await withShop({ push: { confirmEverySeconds: 3_600 }, shop: losing }, async (host) => {
      await firstPushed(host);
      await restock(host, 'A', 7);
      await eventually(async () =>
        expect((await pushesOf(host, 'A'))[0]).toMatchObject({ quantity: 7, state: 'accepted' }),
      );
      await restock(host, 'A', 1);
      await eventually(async () =>
        expect((await pushesOf(host, 'A')).slice(0, 2)).toMatchObject([
          { state: 'accepted', quantity: 8, previous: 7 },
          { state: 'superseded', quantity: 7, previous: 0 },
        ]),
      );
    });
  });
});

describe('a channel with compare-and-set', () => {
  test('is not pushed to over a sale we have not heard of; its orders are read first', async () => {
    await withShop({ shop: { options: { compareAndSet: true } } }, async (host) => {
      await restock(host, 'A', 10);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(10));
      // Its webhook never comes.
      host.shop.placeOrder({
        orderId: 'unheard',
        placedAt: new Date().toISOString(),
        lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 3 }],
      });
      await restock(host, 'A', 5);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(12));
      await eventually(async () =>
        expect(await listing(host, 'A')).toMatchObject({ dirty: false, shown: 12 }),
      );
      const pushes = await pushesOf(host, 'A');
      expect(pushes.find(({ quantity }) => quantity === 15)).toMatchObject({
        state: 'stale',
        reason: 'the channel shows 7',
      });
      // Fifteen would have sold three units twice.
      expect(pushes.filter(({ quantity, state }) => quantity === 15 && state === 'applied')).toEqual([]);
    });
  });

  test('is not pushed to over such a sale either when news of the stock that it left came first', async () => {
    await withShop({ shop: { options: { compareAndSet: true } } }, async (host) => {
      await restock(host, 'A', 10);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(10));
      await eventually(async () => expect(await listing(host, 'A')).toMatchObject({ dirty: false }));
      host.shop.placeOrder({
        orderId: 'unheard',
        placedAt: new Date().toISOString(),
        lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 3 }],
      });
      // As a stock webhook of the channel tells it.
      await host.app.get(ListingsService).recordShown('shop', [{ channelSku: 'A', quantityUnits: 7 }]);
      await restock(host, 'A', 5);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(12));
      const pushes = await pushesOf(host, 'A');
      expect(pushes).toContainEqual(expect.objectContaining({ quantity: 15, state: 'stale' }));
      // Fifteen would have sold three units twice.
      expect(pushes).not.toContainEqual(expect.objectContaining({ quantity: 15, state: 'applied' }));
    });
  });

  test('is told the same again when what it shows was changed by hand', async () => {
    await withShop({ shop: { options: { compareAndSet: true } } }, async (host) => {
      await restock(host, 'A', 10);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(10));
      host.shop.list([{ channelSku: 'A', quantityUnits: 99 }]);
      await restock(host, 'A', 1);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(11));
      expect(await pushesOf(host, 'A')).toContainEqual(expect.objectContaining({ state: 'stale' }));
    });
  });

  test('waits for its orders as long as they cannot be read', async () => {
    await withShop({ shop: { options: { compareAndSet: true } } }, async (host) => {
      await restock(host, 'A', 10);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(10));
      const jobs = host.app.get(JobsService);
      const wake = jobs.wake.bind(jobs);
      jobs.wake = (name, key) => (name === 'poll-orders' ? undefined : wake(name, key));
      host.shop.list([{ channelSku: 'A', quantityUnits: 7 }]);
      await restock(host, 'A', 5);
      await eventually(async () => expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'stale' }));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(host.shop.shown().get('A')).toBe(7);
      await jobs.run('poll-orders', 'shop');
      await eventually(() => expect(host.shop.shown().get('A')).toBe(15));
    });
  });
});

describe('a channel that keeps stock by location', () => {
  test('shows at each of them what the mapped location has, and a change at one is sent for that one', async () => {
    const places = ['A@east', 'A@west', 'B@east', 'B@west'];
    await withShop(
      {
        shows: places,
        locations: [{ code: 'main' }, { code: 'north', priority: 2 }],
        shop: { options: { byLocation: true }, locations: { east: 'main', west: 'north' } },
      },
      async (host) => {
        await restock(host, 'A', 4, 'main');
        await restock(host, 'A', 9, 'north');
        await eventually(() => expect(places.map((sku) => host.shop.shown().get(sku))).toEqual([4, 9, 0, 0]));
        await eventually(async () => expect(await listing(host, 'A')).toMatchObject({ dirty: false }));
        const before = (await pushesOf(host, 'A')).length;
        await restock(host, 'A', 1, 'north');
        await eventually(() => expect(host.shop.shown().get('A@west')).toBe(10));
        await eventually(async () => expect(await listing(host, 'A')).toMatchObject({ dirty: false }));
        const pushes = await pushesOf(host, 'A');
        expect(pushes.length).toBe(before + 1);
        expect(pushes[0]).toMatchObject({
          channelLocation: 'west',
          quantity: 10,
          previous: 9,
          state: 'applied',
        });
        expect((await listing(host, 'A')).locations).toMatchObject([
          { channelLocation: 'east', pushed: 4 },
          { channelLocation: 'west', pushed: 10 },
        ]);
      },
    );
  });

  test('is compared location by location', async () => {
    await withShop(
      {
        shows: ['A@east', 'A@west'],
        locations: [{ code: 'main' }, { code: 'north', priority: 2 }],
        shop: {
          options: { byLocation: true },
          locations: { east: 'main', west: 'north' },
          listings: listingsCsv([['A', 'A', 1]]),
        },
      },
      async (host) => {
        await restock(host, 'A', 4, 'main');
        await restock(host, 'A', 9, 'north');
        await eventually(async () => expect(await listing(host, 'A')).toMatchObject({ dirty: false }));
        const compared = () => host.api.post('/v1/channels/shop/reconcile');
        expect((await compared()).body).toMatchObject({ equal: 2, drifted: 0, missing: 0, unmapped: 0 });
        host.shop.list([{ channelSku: 'A@west', quantityUnits: 50 }]);
        expect((await compared()).body).toMatchObject({ equal: 1, drifted: 1 });
        await eventually(() => expect(host.shop.shown().get('A@west')).toBe(9));
      },
    );
  });
});

describe('a person who steps in', () => {
  test('pauses a channel, sees it paused, and resumes it', async () => {
    await withShop({}, async (host) => {
      await restock(host, 'A', 3);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(3));
      const paused = await host.api.put('/v1/channels/shop/pause', { reason: 'stocktaking' });
      expect(paused).toMatchObject({ status: 200, body: { channel: 'shop', reason: 'stocktaking' } });
      for (let change = 0; change < 5; change++) await restock(host, 'A', 1);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(host.shop.shown().get('A')).toBe(3);
      expect((await host.api.get('/v1/channels')).body).toMatchObject({
        items: [{ name: 'shop', dirty: 1, paused: { reason: 'stocktaking' } }],
      });
      const before = (await pushesOf(host, 'A')).length;
      expect((await host.api.delete('/v1/channels/shop/pause')).status).toBe(204);
      await eventually(() => expect(host.shop.shown().get('A')).toBe(8));
      expect((await pushesOf(host, 'A')).length).toBe(before + 1);
      expect((await host.api.delete('/v1/channels/shop/pause')).status).toBe(204);
    });
  });

  test.each([
    ['PUT', '/v1/channels/nobody/pause', { reason: 'x' }, 404],
    ['DELETE', '/v1/channels/nobody/pause', undefined, 404],
    ['PUT', '/v1/channels/shop/pause', {}, 400],
    ['PUT', '/v1/channels/shop/pause', { reason: '' }, 400],
    ['PUT', '/v1/channels/shop/pause', { reason: 'x', until: 'y' }, 400],
    ['GET', '/v1/parked/pushes?cursor=nonsense', undefined, 400],
    ['POST', '/v1/parked/pushes/retry', { listings: [] }, 400],
    ['POST', '/v1/parked/pushes/retry', { listings: [1.5] }, 400],
    ['POST', '/v1/parked/pushes/dismiss', { listings: [2 ** 40] }, 400],
    ['POST', '/v1/parked/pushes/dismiss', { chanel: 'shop' }, 400],
  ] as const)('is told what is wrong with %s %s %j', async (method, path, body, status) => {
    const answer = await wrongs.api.send<ProblemAnswer>(method, path, {
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(status);
    expect(answer.body.type).toEqual(expect.any(String));
  });

  let wrongs: ShopHost;
  beforeAll(async () => {
    wrongs = await startShopHost({ shows: [] });
  });
  afterAll(() => wrongs.close());

  test('retries or dismisses what was refused for good', async () => {
    await withShop({ shows: ['A'] }, async (host) => {
      await restock(host, 'B', 2);
      await eventually(async () => expect(await listing(host, 'B')).toMatchObject({ parked: true }));
      const { id } = await listing(host, 'B');
      const { body } = await host.api.get('/v1/parked/pushes?channel=shop');
      expect(body).toMatchObject({
        items: [{ listingId: id, channelSku: 'B', error: expect.stringContaining('unknown-sku') as string }],
      });
      expect((await host.api.get('/v1/parked/pushes?channel=other')).body).toEqual({ items: [] });
      host.shop.list([{ channelSku: 'B', quantityUnits: 0 }]);
      expect((await host.api.post('/v1/parked/pushes/retry', { listings: [id] })).body).toEqual({
        retried: 1,
      });
      await eventually(() => expect(host.shop.shown().get('B')).toBe(2));
      expect((await host.api.post('/v1/parked/pushes/retry', {})).body).toEqual({ retried: 0 });
    });
    await withShop({ shows: ['A'] }, async (host) => {
      await restock(host, 'B', 2);
      await eventually(async () => expect(await listing(host, 'B')).toMatchObject({ parked: true }));
      expect((await host.api.post('/v1/parked/pushes/dismiss', { channel: 'shop' })).body).toEqual({
        dismissed: 1,
      });
      expect(await listing(host, 'B')).toMatchObject({ parked: false, dirty: false });
      await restock(host, 'B', 1);
      await eventually(async () => expect(await listing(host, 'B')).toMatchObject({ parked: true }));
    });
  });
});

describe('a batch that fails as a whole', () => {
  test('is sent in smaller company until only the listing at fault is left, and that one waits for a person', async () => {
    const skus = Array.from({ length: 12 }, (_, index) => `SKU-${index}`);
    await withShop(
      {
        shows: skus,
        push: { pollEverySeconds: 1, maxAttempts: 2 },
        shop: {
          listings: listingsCsv(skus.map((sku) => [sku, sku, 1])),
          options: { poison: 'SKU-5' },
        },
      },
      async (host) => {
        await host.api.post(
          '/v1/events',
          skus.map((sku) => ({ type: 'RESTOCK', sku, quantity: 3 })),
        );
        const good = skus.filter((sku) => sku !== 'SKU-5');
        await eventually(
          () => expect(good.map((sku) => host.shop.shown().get(sku))).toEqual(good.map(() => 3)),
          25_000,
        );
        await eventually(
          async () =>
            expect(await listing(host, 'SKU-5')).toMatchObject({
              parked: true,
              lastError: 'x is not a function',
            }),
          15_000,
        );
        for (const sku of good)
          expect(await listing(host, sku)).toMatchObject({ dirty: false, parked: false });
      },
    );
  });
});
