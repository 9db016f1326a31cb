import { createHmac, randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually';
import { deliver, listingsCsv, type ShopHost, startShopHost, WEBHOOK_SECRET } from '../support/shop-host';

const UUID = expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/) as string;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const NUMBER = expect.any(Number) as number;

interface Listings {
  items: { id: number; channelSku: string; quantity: number }[];
  nextCursor?: string;
}

describe('the API of channels', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      locations: [
        { code: 'main', priority: 1 },
        { code: 'north', priority: 2 },
      ],
      shows: ['S-MUG', 'S-SIX', 'S-SET'],
      shop: {
        buffer: { units: 2 },
        cap: 50,
        listings: listingsCsv([
          ['S-MUG', 'MUG', 1],
          ['S-SIX', 'MUG', 6],
          ['S-SET', 'MUG', 2],
          ['S-SET', 'PLATE', 3],
        ]),
      },
    });
    await host.api.post('/v1/events', [
      { type: 'RESTOCK', sku: 'MUG', quantity: 80 },
      { type: 'RESTOCK', sku: 'MUG', quantity: 20, location: 'north' },
      { type: 'RESTOCK', sku: 'PLATE', quantity: 32 },
      { type: 'DAMAGE', sku: 'PLATE', quantity: 3 },
    ]);
    await host.api.post('/v1/reservations', { lines: [{ sku: 'PLATE', quantity: 6 }] });
    await eventually(() =>
      expect(Object.fromEntries(host.shop.shown())).toEqual({ 'S-MUG': 50, 'S-SIX': 16, 'S-SET': 7 }),
    );
  });

  afterAll(() => host.close());

  const idOf = async (channelSku: string) =>
    (await host.api.get<Listings>('/v1/channels/shop/listings')).body.items.find(
      (listing) => listing.channelSku === channelSku,
    )!.id;

  test('availability of SKUs is told by location, and an unknown one is 0', async () => {
    const { status, body } = await host.api.get('/v1/availability?sku=MUG,NONE,PLATE');
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        {
          sku: 'MUG',
          known: true,
          available: 100,
          locations: [
            { location: 'main', available: 80 },
            { location: 'north', available: 20 },
          ],
        },
        { sku: 'NONE', known: false, available: 0, locations: [] },
        { sku: 'PLATE', known: true, available: 23, locations: [{ location: 'main', available: 23 }] },
      ],
    });
  });

  test('availability for a channel is what it should show, after buffer, units and cap', async () => {
    const { status, body } = await host.api.get('/v1/availability?channel=shop&sku=S-MUG,S-SIX,S-SET,MUG');
    expect(status).toBe(200);
    expect(body).toEqual({
      channel: 'shop',
      items: [
        { sku: 'S-MUG', known: true, available: 50 },
        { sku: 'S-SIX', known: true, available: 16 },
        { sku: 'S-SET', known: true, available: 7 },
        { sku: 'MUG', known: false, available: 0 },
      ],
    });
    expect(await host.api.get('/v1/availability?channel=none&sku=S-MUG')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });

  test('a channel is told with what waits on it', async () => {
    await eventually(async () => {
      const { status, body } = await host.api.get('/v1/channels');
      expect(status).toBe(200);
      expect(body).toEqual({
        items: [
          {
            name: 'shop',
            plugin: expect.stringContaining('generic-rest') as string,
            pluginVersion: '0.1.0',
            pinned: false,
            consents: false,
            mode: 'live',
            state: 'ready',
            breaker: { state: 'closed', since: TIME, reason: null, held: false, probeAt: null },
            stale: null,
            listings: 3,
            dirty: 0,
            parkedListings: 0,
            lagSeconds: 0,
            lastError: null,
            inbox: { received: 0, parked: 0 },
            parkedLines: 0,
            openShortfalls: 0,
            orderPolls: { coveredAt: TIME, orders: 0, failingSince: null, error: null },
            parkedOrders: 0,
            subscription: null,
          },
        ],
      });
    });
  });

  test('listings are told with what should be shown, what was pushed and what is shown', async () => {
    const first = await host.api.get<Listings>('/v1/channels/shop/listings?limit=2');
    expect(first.status).toBe(200);
    const rest = await host.api.get<Listings>(
      `/v1/channels/shop/listings?limit=2&cursor=${first.body.nextCursor}`,
    );
    expect(rest.body).not.toHaveProperty('nextCursor');
    const all = [...first.body.items, ...rest.body.items];
    expect(all).toHaveLength(3);
    expect(all).toContainEqual({
      id: NUMBER,
      channel: 'shop',
      channelSku: 'S-SIX',
      components: [{ sku: 'MUG', units: 6 }],
      origin: 'file',
      cap: null,
      bufferUnits: null,
      bufferPercent: null,
      quantity: 16,
      pushed: 16,
      pushedAt: TIME,
      shown: 16,
      shownAt: TIME,
      dirty: false,
      parked: false,
      lastError: null,
      waits: null,
    });
    expect(await host.api.get('/v1/channels/none/listings')).toMatchObject({ status: 404 });
  });

  test('the waterfall explains a quantity from the shelves to the cap', async () => {
    const id = await idOf('S-SET');
    const { status, body } = await host.api.get(`/v1/listings/${id}/waterfall`);
    const buffers = [{ kind: 'static', units: 2, policy: 'channel shop', reason: '2 units (channel shop)' }];
    expect(status).toBe(200);
    expect(body).toEqual({
      id,
      channel: 'shop',
      channelSku: 'S-SET',
      pushed: 7,
      pushedAt: TIME,
      shown: 7,
      shownAt: TIME,
      dirty: false,
      parked: false,
      lastError: null,
      waits: null,
      components: [
        {
          sku: 'MUG',
          unitsPerListing: 2,
          physical: 100,
          reserved: 0,
          quarantined: 0,
          damaged: 0,
          available: 100,
          buffers,
          sellable: 98,
          listings: 49,
          versions: { main: 1, north: 1 },
        },
        {
          sku: 'PLATE',
          unitsPerListing: 3,
          physical: 32,
          reserved: 6,
          quarantined: 0,
          damaged: 3,
          available: 23,
          buffers,
          sellable: 21,
          listings: 7,
          versions: { main: 3 },
        },
      ],
      uncapped: 7,
      cap: 50,
      capSource: 'channel shop',
      quantity: 7,
      computedAt: TIME,
    });
    const capped = await host.api.get(`/v1/listings/${await idOf('S-MUG')}/waterfall`);
    expect(capped.body).toMatchObject({ uncapped: 98, cap: 50, quantity: 50 });
  });

  test('pushes are kept with the waterfall they were computed from, newest first', async () => {
    const { status, body } = await host.api.get<{ items: Record<string, unknown>[] }>(
      `/v1/listings/${await idOf('S-SET')}/pushes`,
    );
    expect(status).toBe(200);
    expect(body.items[0]).toEqual({
      id: UUID,
      channelLocation: null,
      receipt: null,
      confirmedAt: null,
      quantity: 7,
      previous: NUMBER,
      state: 'applied',
      reason: null,
      trigger: 'change',
      waterfall: expect.objectContaining({ quantity: 7, uncapped: 7 }) as object,
      sentAt: TIME,
      answeredAt: TIME,
    });
    const times = body.items.map(({ sentAt }) => String(sentAt));
    expect(times).toEqual(times.toSorted().toReversed());
    expect(body.items.at(-1)).toMatchObject({ previous: null, quantity: 0 });
  });

  test('a comparison with the channel is answered, kept and listed with what it found', async () => {
    host.shop.list([
      { channelSku: 'S-SIX', quantityUnits: 99 },
      { channelSku: 'S-OTHER', quantityUnits: 5 },
    ]);
    const { status, body } = await host.api.post<{ id: string }>('/v1/channels/shop/reconcile');
    const counts = { listings: 3, equal: 2, inFlight: 0, drifted: 1, missing: 0, unmapped: 1 };
    const nothing = { drift: 0, notApplied: 0, unseenOrders: 0, ordersUnread: 0, escalated: 0 };
    const classes = { ...nothing, channelEdits: 1, corrected: 1 };
    expect(status).toBe(200);
    expect(body).toEqual({ id: UUID, channel: 'shop', ...counts, ...classes, pages: 1, seconds: NUMBER });
    const runs = await host.api.get('/v1/channels/shop/reconciliations');
    expect(runs).toMatchObject({ status: 200 });
    expect(runs.body).toEqual({
      items: [{ ...body, state: 'done', startedAt: TIME, finishedAt: TIME, error: null }],
    });
    const drifts = await host.api.get<{ items: object[] }>('/v1/channels/shop/drifts');
    expect(drifts.status).toBe(200);
    const times = { since: TIME, foundAt: TIME, times: 1, escalatedAt: null };
    const found = {
      runId: body.id,
      channelLocation: null,
      ...times,
      resolvedAt: null,
      ...{ acceptedAt: null, acceptedBy: null, acceptedReason: null },
    };
    expect(drifts.body.items).toHaveLength(2);
    expect(drifts.body.items).toEqual(
      expect.arrayContaining([
        {
          ...found,
          channelSku: 'S-SIX',
          cause: 'channel-edit',
          shown: 99,
          expected: 16,
          pushed: 16,
          pushedAt: TIME,
          versions: { MUG: { main: NUMBER, north: NUMBER } },
          corrections: 1,
        },
        {
          ...found,
          channelSku: 'S-OTHER',
          cause: 'unmapped',
          shown: 5,
          expected: null,
          pushed: null,
          pushedAt: null,
          versions: {},
          corrections: 0,
        },
      ]),
    );
    for (const [method, path] of [
      ['POST', 'reconcile'],
      ['GET', 'reconciliations'],
      ['GET', 'drifts'],
    ]) {
      expect(await host.api.send(method!, `/v1/channels/none/${path}`)).toMatchObject({
        status: 404,
        body: { code: 'not-found' },
      });
    }
  });

  test('a webhook that is no order is parked, and told with the reason', async () => {
    const orderId = randomUUID();
    host.shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines: [] });
    const { headers } = host.shop.webhookFor(orderId);
    const body = Buffer.from('{"id":"X-1"}');
    const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
    const answer = await deliver(host, { headers: { ...headers, 'x-shop-signature': signature }, body });
    expect(answer).toMatchObject({ status: 200, body: { received: true, duplicate: false } });
    await eventually(async () => {
      const { status, body: parked } = await host.api.get('/v1/parked/webhooks');
      expect(status).toBe(200);
      expect(parked).toEqual({
        items: [
          {
            id: NUMBER,
            channel: 'shop',
            topic: 'order/changed',
            code: 'untranslatable',
            error: expect.stringContaining('revision') as string,
            attempts: 1,
            deliveries: 1,
            state: 'parked',
            receivedAt: TIME,
            parkedAt: TIME,
            lastAction: null,
          },
        ],
      });
    });
  });

  test('order lines that nobody mapped are told', async () => {
    host.shop.placeOrder({
      orderId: 'O-1',
      placedAt: '2024-05-01T10:00:00Z',
      lines: [{ lineId: 'L-1', channelSku: 'S-UNKNOWN', quantityUnits: 1 }],
    });
    await deliver(host, host.shop.webhookFor('O-1'));
    await eventually(async () => {
      const { status, body } = await host.api.get('/v1/parked/lines');
      expect(status).toBe(200);
      expect(body).toEqual({
        items: [
          {
            id: NUMBER,
            channel: 'shop',
            orderId: 'O-1',
            lineId: 'L-1',
            channelSku: 'S-UNKNOWN',
            reason: 'unmapped SKU',
            state: 'parked',
            parkedAt: TIME,
            lastAction: null,
          },
        ],
      });
    });
  });
});
