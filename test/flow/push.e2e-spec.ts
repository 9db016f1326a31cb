import { ListingsService } from '../../src/channels/listings.service';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost } from '../support/host';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';
import { pagesOf } from '../support/pages-of';

interface Listing {
  id: number;
  channelSku: string;
  quantity: number;
  pushed: number | null;
  shown: number | null;
  dirty: boolean;
  parked: boolean;
  lastError: string | null;
}

interface Push {
  id: string;
  quantity: number;
  previous: number | null;
  state: string;
  reason: string | null;
  trigger: string;
  sentAt: string;
}

const NO_FAULTS = { fail: 0, loseAnswer: 0, throttle: 0, html: 0, slow: 0, retryAfter: '0' };

async function listingsOf(host: ShopHost): Promise<Map<string, Listing>> {
  const { body } = await host.api.get<{ items: Listing[] }>('/v1/channels/shop/listings?limit=500');
  return new Map(body.items.map((listing) => [listing.channelSku, listing]));
}

async function pushesOf(host: ShopHost, channelSku: string): Promise<Push[]> {
  const { id } = (await listingsOf(host)).get(channelSku)!;
  return (await host.api.get<{ items: Push[] }>(`/v1/listings/${id}/pushes`)).body.items;
}

const restock = (host: ShopHost, sku: string, quantity: number) =>
  host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity });
const adjust = (host: ShopHost, sku: string, quantity: number) =>
  host.api.post('/v1/events', { type: 'ADJUST', sku, quantity, reason: 'count' });

/** I5: what the shop shows is what the ledger makes of it, for every listing, and nothing waits. */
async function shopEqualsLedger(host: ShopHost, withinMs?: number): Promise<void> {
  await eventually(async () => {
    const listings = [...(await listingsOf(host)).values()];
    const shown = host.shop.shown();
    const wrong = listings.filter(
      ({ channelSku, quantity, dirty }) => dirty || shown.get(channelSku) !== quantity,
    );
    expect(wrong.map((listing) => ({ ...listing, shopShows: shown.get(listing.channelSku) }))).toEqual([]);
  }, withinMs);
}

describe('pushing to a shop that fails', () => {
  let host: ShopHost;
  const skus = Array.from({ length: 30 }, (_, index) => `SKU-${index}`);

  beforeAll(async () => {
    host = await startShopHost({
      shows: skus,
      shop: { listings: listingsCsv([...skus, 'UNLISTED', 'SKU-LATE'].map((sku) => [sku, sku, 1])) },
    });
  });

  afterEach(() => host.shop.faults(NO_FAULTS));
  afterAll(() => host.close());

  test('what one row is refused for holds up no other, and waits for a person', async () => {
    await host.api.post(
      '/v1/events',
      [...skus, 'UNLISTED'].map((sku) => ({ type: 'RESTOCK', sku, quantity: 5 })),
    );
    await eventually(() => expect(skus.map((sku) => host.shop.shown().get(sku))).toEqual(skus.map(() => 5)));
    await eventually(async () => {
      const listings = await listingsOf(host);
      expect(listings.get('UNLISTED')).toMatchObject({
        dirty: true,
        parked: true,
        pushed: null,
        lastError: expect.stringContaining('unknown-sku') as string,
      });
      expect(listings.get('SKU-0')).toMatchObject({ dirty: false, parked: false, pushed: 5, shown: 5 });
    });
    expect((await pushesOf(host, 'UNLISTED')).every(({ state }) => state === 'rejected')).toBe(true);
  });

  test('pushes of a listing are listed in pages, newest first, those of one moment once each', async () => {
    const { id } = (await listingsOf(host)).get('SKU-0')!;
    for (let units = 6; units <= 9; units++) {
      await restock(host, 'SKU-0', 1);
      await eventually(() => expect(host.shop.shown().get('SKU-0')).toBe(units));
    }
    await eventually(async () =>
      expect((await listingsOf(host)).get('SKU-0')).toMatchObject({ pushed: 9, dirty: false }),
    );
    const [newest, ...others] = (await pushesOf(host, 'SKU-0')).map((push) => push.id);
    await host.dataSource.query(
      `UPDATE pushes SET sent_at = '2026-01-01T00:00:00.123456Z' WHERE id = ANY($1)`,
      [others],
    );
    const pages = await pagesOf<Push>(host.api, `/v1/listings/${id}/pushes`, 2);
    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
    const listed = pages.flat().map((push) => push.id);
    expect(listed[0]).toBe(newest);
    expect(listed.slice(1).sort()).toEqual(others.sort());
    expect(listed.length).toBeGreaterThanOrEqual(5);
  });

  test('a listing that was refused is pushed once the shop has it and its stock changes', async () => {
    host.shop.list([{ channelSku: 'UNLISTED', quantityUnits: 0 }]);
    await restock(host, 'UNLISTED', 1);
    await eventually(() => expect(host.shop.shown().get('UNLISTED')).toBe(6));
  });

  test('a listing that was refused is pushed once a comparison sees that the shop has it', async () => {
    await restock(host, 'SKU-LATE', 4);
    await eventually(async () =>
      expect((await listingsOf(host)).get('SKU-LATE')).toMatchObject({ parked: true }),
    );
    host.shop.list([{ channelSku: 'SKU-LATE', quantityUnits: 0 }]);
    await host.api.post('/v1/channels/shop/reconcile');
    await shopEqualsLedger(host);
    expect(host.shop.shown().get('SKU-LATE')).toBe(4);
  });

  test.each([
    ['answers 503', { fail: 1 }, '503'],
    ['answers 429', { throttle: 1, retryAfter: '0' }, '429'],
    ['answers 429 without saying until when', { throttle: 1, retryAfter: null }, '429'],
    ['answers 429 until a time that is none', { throttle: 1, retryAfter: 'soon' }, '429'],
    ['answers a page', { html: 1 }, 'JSON'],
    ['applies and drops the connection', { loseAnswer: 1 }, ''],
  ])('a shop that %s is pushed to again when it is well', async (_name, faults, reason) => {
    host.shop.faults(faults);
    await restock(host, 'SKU-1', 1);
    await eventually(async () => {
      const [last] = await pushesOf(host, 'SKU-1');
      expect(last).toMatchObject({ state: 'failed', reason: expect.stringContaining(reason) as string });
    });
    expect((await listingsOf(host)).get('SKU-1')).toMatchObject({ dirty: true, parked: false });
    host.shop.faults(NO_FAULTS);
    await shopEqualsLedger(host);
  });

  test('a quantity that was applied without an answer is put right even when stock goes back to what it was', async () => {
    await shopEqualsLedger(host);
    const before = host.shop.shown().get('SKU-2')!;
    host.shop.faults({ loseAnswer: 1 });
    await adjust(host, 'SKU-2', -1);
    await eventually(() => expect(host.shop.shown().get('SKU-2')).toBe(before - 1));
    await eventually(async () =>
      expect((await pushesOf(host, 'SKU-2'))[0]).toMatchObject({ state: 'failed' }),
    );
    await adjust(host, 'SKU-2', 1);
    host.shop.faults(NO_FAULTS);
    await shopEqualsLedger(host);
    expect(host.shop.shown().get('SKU-2')).toBe(before);
  });

  test('changes while a slow shop answers are one push after it, of the newest quantity', async () => {
    await shopEqualsLedger(host);
    const pushesBefore = (await pushesOf(host, 'SKU-3')).length;
    host.shop.faults({ slow: 1, slowMs: 1_000 });
    for (let change = 0; change < 20; change++) await restock(host, 'SKU-3', 1);
    await shopEqualsLedger(host);
    expect((await pushesOf(host, 'SKU-3')).length - pushesBefore).toBeLessThanOrEqual(3);
    expect((await pushesOf(host, 'SKU-3'))[0]).toMatchObject({ quantity: 25 });
  });

  test('a shop that does all of that at once shows what the ledger says when it is well, and the ledger is whole', async () => {
    host.shop.faults({ fail: 0.2, loseAnswer: 0.3, throttle: 0.2, html: 0.1, slow: 1, slowMs: 10 });
    const until = Date.now() + 2_000;
    let changes = 0;
    while (Date.now() < until) {
      const sku = skus[changes % skus.length]!;
      const change = changes % 7 < 3 ? -1 : 1;
      expect((await adjust(host, sku, change)).status).toBe(201);
      changes++;
    }
    host.shop.faults(NO_FAULTS);
    await shopEqualsLedger(host, 20_000);
    expect(changes).toBeGreaterThan(20);
    const states: { state: string; count: number }[] = await host.dataSource.query(
      'SELECT state, count(*)::int AS count FROM pushes GROUP BY state',
    );
    const counts = Object.fromEntries(states.map(({ state, count }) => [state, count]));
    expect(counts.failed).toBeGreaterThan(5);
    expect(counts.applied).toBeGreaterThan(5);
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
  });

  test('a listing that is retired is pushed no more, and one that comes back is pushed anew', async () => {
    await shopEqualsLedger(host);
    const listings = host.app.get(ListingsService);
    const drafts = skus.map((sku) => ({ channelSku: sku, components: [{ sku, units: 1 }] }));
    await listings.replace('shop', drafts.slice(1));
    await restock(host, 'SKU-0', 100);
    await restock(host, 'SKU-4', 1);
    await shopEqualsLedger(host);
    const shown = host.shop.shown().get('SKU-0')!;
    expect(shown).toBeLessThan(100);
    await listings.replace('shop', drafts);
    await eventually(() => expect(host.shop.shown().get('SKU-0')).toBe(shown + 100));
  });

  test('a listing that comes to stand for other units is pushed anew', async () => {
    await shopEqualsLedger(host);
    const listings = host.app.get(ListingsService);
    const available = host.shop.shown().get('SKU-5')!;
    const drafts = skus.map((sku) => ({
      channelSku: sku,
      components: [{ sku, units: sku === 'SKU-5' ? 2 : 1 }],
    }));
    await listings.replace('shop', drafts);
    await eventually(() => expect(host.shop.shown().get('SKU-5')).toBe(Math.floor(available / 2)));
  });
});

describe('what a channel is shown', () => {
  /** Runs a host with these settings of its channel for one test. */
  async function shown(
    settings: Record<string, unknown>,
    test: (host: ShopHost) => Promise<void>,
    buffers = {},
  ): Promise<void> {
    const host = await startShopHost({
      buffers,
      shows: ['A', 'PACK'],
      shop: {
        listings: listingsCsv([
          ['A', 'A', 1],
          ['PACK', 'A', 10],
        ]),
        ...settings,
      },
    });
    try {
      await test(host);
    } finally {
      await host.close();
    }
  }

  const pushes = (host: ShopHost) => host.shop.calls.filter(({ method }) => method !== 'GET');

  test('is less by a buffer, the larger of units and percent, and at most the cap', async () => {
    await shown({ buffer: { units: 5, percent: 10 }, cap: 60 }, async (host) => {
      await restock(host, 'A', 40);
      await eventually(() =>
        expect([host.shop.shown().get('A'), host.shop.shown().get('PACK')]).toEqual([35, 3]),
      );
      await restock(host, 'A', 21);
      // 10 % of 61 are 7 whole units.
      await eventually(() =>
        expect([host.shop.shown().get('A'), host.shop.shown().get('PACK')]).toEqual([54, 5]),
      );
      await restock(host, 'A', 39);
      await eventually(() =>
        expect([host.shop.shown().get('A'), host.shop.shown().get('PACK')]).toEqual([60, 9]),
      );
      const { id } = (await listingsOf(host)).get('A')!;
      expect((await host.api.get(`/v1/listings/${id}/waterfall`)).body).toMatchObject({
        components: [
          {
            available: 100,
            buffers: [{ kind: 'static', units: 10, reason: '10 % of 100 available (channel shop)' }],
            sellable: 90,
          },
        ],
        uncapped: 90,
        cap: 60,
        quantity: 60,
      });
    });
  });

  test('is nothing while the buffer is all there is, and never below nothing', async () => {
    await shown({ buffer: { units: 5 } }, async (host) => {
      await restock(host, 'A', 5);
      await host.api.post('/v1/reservations', { lines: [{ sku: 'A', quantity: 3 }] });
      await adjust(host, 'A', -4);
      await eventually(async () => {
        expect((await host.api.get('/v1/stock/A')).body).toMatchObject({
          total: { available: -2, reserved: 3 },
        });
        expect((await listingsOf(host)).get('A')).toMatchObject({ quantity: 0, pushed: 0, dirty: false });
      });
      expect(host.shop.shown().get('A')).toBe(0);
    });
  });

  test('takes the buffer of the whole host where the channel sets none', async () => {
    await shown(
      {},
      async (host) => {
        await restock(host, 'A', 30);
        await eventually(() =>
          expect([host.shop.shown().get('A'), host.shop.shown().get('PACK')]).toEqual([27, 2]),
        );
      },
      { units: 3 },
    );
  });

  test('is nothing of our doing while it is observed, but what would be pushed is kept', async () => {
    await shown({ mode: 'observe' }, async (host) => {
      host.shop.list([{ channelSku: 'A', quantityUnits: 77 }]);
      await restock(host, 'A', 30);
      await eventually(async () => {
        expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'observed', quantity: 30 });
        expect((await pushesOf(host, 'PACK'))[0]).toMatchObject({ state: 'observed', quantity: 3 });
      });
      expect((await listingsOf(host)).get('A')).toMatchObject({ quantity: 30, pushed: null, dirty: false });
      await host.api.post('/v1/channels/shop/reconcile');
      expect(host.shop.shown().get('A')).toBe(77);
      expect(pushes(host)).toEqual([]);
    });
  });

  test('is told at a pilot only of listings with a tagged SKU', async () => {
    const host = await startShopHost({
      shows: ['A', 'B'],
      shop: {
        mode: 'pilot',
        pilotTags: ['pilot'],
        listings: listingsCsv([
          ['A', 'A', 1],
          ['B', 'B', 1],
        ]),
      },
    });
    try {
      await host.api.post('/v1/skus', { sku: 'B', tags: ['other', 'pilot'] });
      await restock(host, 'A', 3);
      await restock(host, 'B', 4);
      await eventually(() => expect(host.shop.shown().get('B')).toBe(4));
      await eventually(async () =>
        expect((await pushesOf(host, 'A'))[0]).toMatchObject({ state: 'observed', quantity: 3 }),
      );
      expect(host.shop.shown().get('A')).toBe(0);
    } finally {
      await host.close();
    }
  });

  test('comes from the locations that the channel maps', async () => {
    const host = await startShopHost({
      locations: [{ code: 'main' }, { code: 'north', priority: 2 }],
      shows: ['A'],
      shop: { locations: { 'loc-2': 'north' }, listings: listingsCsv([['A', 'A', 1]]) },
    });
    try {
      await restock(host, 'A', 30);
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 8, location: 'north' });
      await eventually(() => expect(host.shop.shown().get('A')).toBe(8));
      expect((await host.api.get('/v1/availability?channel=shop&sku=A')).body).toMatchObject({
        items: [{ available: 8 }],
      });
    } finally {
      await host.close();
    }
  });

  test('is left as it is when the host starts again and nothing has changed', async () => {
    const first = await startShopHost({ shows: ['A'], shop: { listings: listingsCsv([['A', 'A', 1]]) } });
    await restock(first, 'A', 3);
    await shopEqualsLedger(first);
    const { shop } = first;
    const callsBefore = pushes(first).length;
    const again = await startTestHost(
      {
        channels: [
          {
            name: 'shop',
            plugin: GENERIC_REST_SOURCE,
            options: shop.pluginOptions,
            listings: listingsCsv([['A', 'A', 1]]),
          },
        ],
      },
      { database: first.database },
    );
    try {
      await shopEqualsLedger({ ...first, api: again.api });
      expect(pushes(first).length).toBe(callsBefore);
    } finally {
      await again.close();
      await first.close();
    }
  });

  test.each([
    ['live', 'A'],
    ['pilot', 'A'],
  ])('is all of it once an observed channel goes %s, with no change of stock', async (mode, sku) => {
    const listings = listingsCsv([['A', 'A', 1]]);
    const first = await startShopHost({ shows: ['A'], shop: { mode: 'observe', listings } });
    await first.api.post('/v1/skus', { sku: 'A', tags: ['pilot'] });
    await restock(first, 'A', 6);
    await eventually(async () => expect((await pushesOf(first, 'A'))[0]).toMatchObject({ quantity: 6 }));
    expect(first.shop.shown().get(sku)).toBe(0);
    const again = await startTestHost(
      {
        channels: [
          {
            name: 'shop',
            plugin: GENERIC_REST_SOURCE,
            mode,
            ...(mode === 'pilot' && { pilotTags: ['pilot'] }),
            options: first.shop.pluginOptions,
            listings,
          },
        ],
      },
      { database: first.database },
    );
    try {
      await eventually(() => expect(first.shop.shown().get(sku)).toBe(6));
    } finally {
      await again.close();
      await first.close();
    }
  });
});
