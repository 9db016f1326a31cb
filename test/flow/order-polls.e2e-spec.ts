import { join } from 'node:path';
import { OrdersService } from '../../src/intake/orders.service';
import type { OrderDocument } from '../../src/channel-api';
import { OrderPollsService } from '../../src/intake/order-polls.service';
import { ChannelsService, type ReadyChannel } from '../../src/channels/channels.service';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

const SKUS = Array.from({ length: 8 }, (_, index) => `SKU-${index}`);

interface ParkedOrders {
  items: {
    id: number;
    orderId: string;
    code: string;
    reason: string;
    body: string;
    times: number;
    state: string;
  }[];
}

interface PollRow {
  covered_at: Date | null;
  started_at: Date;
  since: Date;
  cursor: string | null;
  failures: number;
  error: string | null;
}

describe('orders that are read from a channel', () => {
  let host: ShopHost;
  let used = 0;

  beforeAll(async () => {
    host = await startShopHost({
      shows: SKUS.map((sku) => `S-${sku}`),
      shop: {
        pollOrdersEverySeconds: 0,
        options: { orders: { paging: { pageSize: 10 } } },
        listings: listingsCsv(SKUS.map((sku): [string, string, number] => [`S-${sku}`, sku, 1])),
      },
    });
  });

  beforeEach(() => host.shop.faults({ fail: 0, html: 0, slow: 0 }));

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
    await host.close();
  });

  const poll = () => host.app.get(JobsService).run('poll-orders', 'shop');
  const now = () => new Date().toISOString();
  const stockOf = async (sku: string) =>
    (await host.api.get<{ total: { available: number; reserved: number } }>(`/v1/stock/${sku}`)).body.total;
  const listReads = () => host.shop.calls.filter(({ path }) => path.startsWith('/api/orders'));

  async function pollRow(): Promise<PollRow> {
    const rows: PollRow[] = await host.dataSource.query(`SELECT * FROM order_polls WHERE channel = 'shop'`);
    return rows[0]!;
  }

  async function databaseNow(): Promise<Date> {
    const rows: { now: Date }[] = await host.dataSource.query('SELECT clock_timestamp() AS now');
    return rows[0]!.now;
  }

  async function stocked(quantity: number): Promise<string> {
    const sku = SKUS[used++]!;
    await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity });
    return sku;
  }

  function place(orderId: string, sku: string, quantityUnits = 1) {
    const lines = [{ lineId: 'L', channelSku: `S-${sku}`, quantityUnits }];
    host.shop.placeOrder({ orderId, placedAt: now(), lines });
  }

  test('an order that is listed as it is known is left alone, unless its revision does not say what it is', async () => {
    const orders = host.app.get(OrdersService);
    const line = { lineId: '1', channelSku: 'S-SKU-7', cancelled: 0, fulfilled: 0, returned: 0 };
    const order = (revision: number, ordered: number): OrderDocument => ({
      kind: 'order',
      orderId: 'as-listed',
      revision,
      placedAt: '2026-11-20T10:00:00.000Z',
      lines: [{ ...line, ordered }],
    });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'SKU-7', quantity: 20 }, 'as-listed');
    const isSettled = async (document: OrderDocument) =>
      (await orders.settledAsListed('shop', [document])).has('as-listed');
    expect(await isSettled(order(1, 3))).toBe(false);
    await orders.apply('shop', order(1, 3));
    expect(await isSettled(order(1, 3))).toBe(true);
    expect(await isSettled(order(1, 4))).toBe(false);
    // Had the host died between keeping the second of one revision and settling it, only the first would be in the ledger.
    await orders.apply('shop', order(1, 4));
    expect(await isSettled(order(1, 4))).toBe(false);
    // Kept, and not settled: what a host leaves that dies in between.
    await host.dataSource.query(
      `UPDATE orders SET revision = 2, document = $1, ambiguous = false WHERE order_id = 'as-listed'`,
      [order(2, 4)],
    );
    expect(await isSettled(order(2, 4))).toBe(false);
    await orders.apply('shop', order(2, 4));
    expect(await isSettled(order(2, 4))).toBe(true);
    // More than there is: it is looked at again at each poll.
    await orders.apply('shop', order(3, 40));
    expect(await isSettled(order(3, 40))).toBe(false);
    await orders.apply('shop', { ...order(4, 40), lines: [{ ...line, ordered: 40, cancelled: 40 }] });
  });

  test('an order that no webhook told of is reserved by the next poll, once', async () => {
    const sku = await stocked(10);
    await poll();
    place('UNHEARD', sku, 3);
    const before = await databaseNow();
    await poll();
    expect(await stockOf(sku)).toMatchObject({ available: 7, reserved: 3 });
    const { covered_at, cursor } = await pollRow();
    expect(covered_at!.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(cursor).toBeNull();
    // What is covered ends where the reading began.
    host.shop.faults({ slow: 1, slowMs: 2_000 });
    const began = await databaseNow();
    await poll();
    expect((await pollRow()).covered_at!.getTime() - began.getTime()).toBeLessThan(1_500);
    host.shop.faults({ slow: 0 });
    expect((await deliver(host, host.shop.webhookFor('UNHEARD'))).status).toBe(200);
    await poll();
    const events = await host.api.get<{ items: { type: string }[] }>(`/v1/stock/${sku}/events`);
    expect(events.body.items.map(({ type }) => type)).toEqual(['RESERVE', 'RESTOCK']);
  });

  test('each poll reads from the start of the last one, less the overlap', async () => {
    await poll();
    const { covered_at } = await pollRow();
    await poll();
    const since = new URL(listReads().at(-1)!.path, host.shop.url).searchParams.get('updated_since');
    expect(Date.parse(since!)).toBeCloseTo(covered_at!.getTime() - 600_000, -1);
  });

  test('a poll that breaks off goes on from the page it had, and is complete only then', async () => {
    const sku = await stocked(100);
    await poll();
    for (let index = 0; index < 45; index++) place(`MANY-${index}`, sku);
    const before = await pollRow();
    const reads = listReads().length;
    const { channel } = host.app.get(ChannelsService).get('shop') as ReadyChannel;
    const read = channel.readOrders.bind(channel);
    let pages = 0;
    channel.readOrders = async function* (query) {
      for await (const page of read(query)) {
        if (++pages === 4) throw new Error('the connection is lost');
        yield page;
      }
    };
    await poll();
    channel.readOrders = read;
    const broken = await pollRow();
    expect(broken).toMatchObject({
      covered_at: before.covered_at,
      error: 'the connection is lost',
      failures: 1,
    });
    expect(broken.cursor).not.toBeNull();
    const status = await host.api.get('/v1/channels');
    expect(status.body).toMatchObject({ items: [{ orderPolls: { error: 'the connection is lost' } }] });
    const reached = (await stockOf(sku)).reserved;
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThan(45);

    const cut = listReads().length;
    await poll();
    expect((await stockOf(sku)).reserved).toBe(45);
    const after = await pollRow();
    expect(after).toMatchObject({ cursor: null, error: null, failures: 0 });
    // The broken one was finished from its cursor, and as it had begun before it was asked for, one more made.
    const resumed = new URL(listReads()[cut]!.path, host.shop.url).searchParams;
    expect(resumed.get('cursor')).toBe(broken.cursor);
    expect(resumed.get('updated_since')).toBe(broken.since.toISOString());
    expect(after.covered_at!.getTime()).toBeGreaterThan(broken.started_at.getTime());
    expect(listReads().length).toBeGreaterThan(reads);
  });

  test('a cursor that the channel takes no more is given up, and the same time is read anew', async () => {
    const sku = await stocked(10);
    await poll();
    const { covered_at } = await pollRow();
    place('BEHIND-A-BAD-CURSOR', sku);
    await host.dataSource.query(
      `UPDATE order_polls SET cursor = 'no cursor of theirs', started_at = clock_timestamp() WHERE channel = 'shop'`,
    );
    for (let attempt = 0; attempt < 3; attempt++) await poll();
    expect(await pollRow()).toMatchObject({ covered_at, cursor: null });
    await poll();
    expect(await stockOf(sku)).toMatchObject({ reserved: 1 });
    expect((await pollRow()).covered_at!.getTime()).toBeGreaterThan(covered_at!.getTime());
  });

  test('an order that cannot be read, and one that is refused, are parked; the others go on', async () => {
    const sku = await stocked(10);
    place('SOUND-1', sku);
    place('UNREADABLE', sku, -1);
    host.shop.placeOrder({
      orderId: 'REFUSED',
      placedAt: now(),
      lines: [{ lineId: 'x'.repeat(201), channelSku: `S-${sku}`, quantityUnits: 1 }],
    });
    place('SOUND-2', sku);
    await poll();
    await poll();
    expect(await stockOf(sku)).toMatchObject({ available: 8, reserved: 2 });
    const { body } = await host.api.get<ParkedOrders>('/v1/parked/orders');
    expect(body.items).toMatchObject([
      { orderId: 'UNREADABLE', code: 'untranslatable', state: 'parked', times: 2 },
      { orderId: 'REFUSED', code: 'untranslatable', state: 'parked', times: 2 },
    ]);
    expect(body.items[0]!.reason).toContain('ordered');
    expect(JSON.parse(body.items[0]!.body)).toMatchObject({ id: 'UNREADABLE' });
    expect((await host.api.get('/v1/channels')).body).toMatchObject({ items: [{ parkedOrders: 2 }] });
  });

  test('a parked order that is tried again is read from its channel, however long ago it was listed', async () => {
    const found = await host.api.get<ParkedOrders>('/v1/parked/orders');
    const [unreadable, refused] = found.body.items;
    await host.dataSource.query(
      `UPDATE order_polls SET covered_at = covered_at + interval '1 day' WHERE channel = 'shop'`,
    );
    await poll();
    expect((await host.api.get<ParkedOrders>('/v1/parked/orders')).body.items[0]!.times).toBe(2);
    // From now on the shop has put this order right; the other one is still what it was.
    const orders = host.app.get(ChannelsService).get('shop') as ReadyChannel;
    const read = orders.channel.readOrders.bind(orders.channel);
    orders.channel.readOrders = async function* (query) {
      for await (const page of read(query)) {
        const id = page.unreadable?.findIndex((each) => each.id === 'UNREADABLE') ?? -1;
        if (id < 0) yield page;
        else {
          page.unreadable!.splice(id, 1);
          const lines = [
            { lineId: 'L', channelSku: 'S', ordered: 1, cancelled: 1, fulfilled: 0, returned: 0 },
          ];
          const order = {
            kind: 'order' as const,
            orderId: 'UNREADABLE',
            revision: 2,
            placedAt: now(),
            lines,
          };
          yield { ...page, items: [...page.items, order] };
        }
      }
    };
    for (const { id } of [unreadable!, refused!]) {
      const answer = await host.api.post(`/v1/parked/orders/${id}/retry`, { reason: 'put right' });
      expect(answer).toMatchObject({ status: 200, body: { id } });
    }
    await eventually(async () => {
      const { body } = await host.api.get<ParkedOrders>('/v1/parked/orders');
      expect(body.items).toMatchObject([
        { orderId: 'REFUSED', state: 'parked', lastAction: { reason: 'put right' } },
      ]);
      expect(body.items[0]!.times).toBeGreaterThan(2);
    });
    const again = await host.api.post(`/v1/parked/orders/${unreadable!.id}/retry`, {});
    expect(again).toMatchObject({ status: 200, body: { state: 'applied' } });
  });

  test('a dismissed order stays so while it is listed as it was', async () => {
    const { body } = await host.api.get<ParkedOrders>('/v1/parked/orders');
    const { id } = body.items[0]!;
    await host.api.post(`/v1/parked/orders/${id}/dismiss`, { reason: 'a test of the shop' });
    await host.dataSource.query(`UPDATE order_polls SET covered_at = covered_at - interval '2 days'`);
    await poll();
    expect((await host.api.get('/v1/parked/orders')).body).toEqual({ items: [] });
    expect((await host.api.get('/v1/parked/orders?state=dismissed')).body).toMatchObject({
      items: [{ id, state: 'dismissed', lastAction: { action: 'dismiss', reason: 'a test of the shop' } }],
    });
  });

  test('a parked order that the channel lists no more says so when it is tried again', async () => {
    const [row] = await host.dataSource.query(
      `INSERT INTO parked_orders (channel, order_id, identity, code, reason, body, listed_since)
       VALUES ('shop', 'GONE', 'x', 'untranslatable', 'once', '{}', clock_timestamp()) RETURNING id`,
    );
    await host.api.post(`/v1/parked/orders/${row.id}/retry`);
    await eventually(async () =>
      expect((await host.api.get('/v1/parked/orders')).body).toMatchObject({
        items: [{ orderId: 'GONE', state: 'parked', code: 'not-listed' }],
      }),
    );
  });

  test('while the ledger is away the page is kept for the next poll, and nothing is parked', async () => {
    const sku = await stocked(10);
    await poll();
    const before = await pollRow();
    place('DURING-AN-OUTAGE', sku);
    const polls = host.app.get(OrderPollsService) as unknown as { orders: { apply: unknown } };
    const { apply } = polls.orders;
    polls.orders.apply = () =>
      Promise.reject(Object.assign(new Error('the database is away'), { code: 'ledger-unavailable' }));
    await poll();
    delete (polls.orders as { apply?: unknown }).apply;
    expect(polls.orders.apply).toBe(apply);
    expect(await pollRow()).toMatchObject({ covered_at: before.covered_at, error: 'the database is away' });
    await poll();
    expect(await stockOf(sku)).toMatchObject({ reserved: 1 });
    expect((await pollRow()).error).toBeNull();
  });
});

describe('a push that finds its channel sold unheard of', () => {
  test('has the orders read, and then pushes what is left', async () => {
    const host = await startShopHost({
      shows: ['A'],
      shop: {
        plugin: join(__dirname, '../support/demanding-plugin.ts'),
        pollOrdersEverySeconds: 0,
        options: { compareAndSet: true },
        listings: listingsCsv([['A', 'A', 1]]),
      },
    });
    try {
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 10 });
      await eventually(() => expect(host.shop.shown().get('A')).toBe(10));
      const lines = [{ lineId: 'L', channelSku: 'A', quantityUnits: 3 }];
      host.shop.placeOrder({ orderId: 'UNHEARD', placedAt: new Date().toISOString(), lines });
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 5 });
      await eventually(() => expect(host.shop.shown().get('A')).toBe(12));
      expect((await host.api.get('/v1/stock/A')).body).toMatchObject({
        total: { available: 12, reserved: 3 },
      });
    } finally {
      await host.close();
    }
  });
});

describe('two hosts', () => {
  let first: ShopHost;
  let second: TestHost;
  const channels = (shop: ShopHost['shop']) => [
    {
      name: 'shop',
      plugin: GENERIC_REST_SOURCE,
      pollOrdersEverySeconds: 0,
      options: { limit: { perSecond: 10_000, burst: 10_000 }, ...shop.pluginOptions },
    },
  ];

  beforeAll(async () => {
    first = await startShopHost({ shop: { pollOrdersEverySeconds: 0 } });
    second = await startTestHost({ channels: channels(first.shop) }, { database: first.database });
  });

  afterAll(async () => {
    await second.close();
    await first.close();
  });

  test('read a channel one at a time, and whoever asks meanwhile gets a poll that begins after', async () => {
    let reading = 0;
    let most = 0;
    let reads = 0;
    for (const { app } of [first, second]) {
      const { channel } = app.get(ChannelsService).get('shop') as ReadyChannel;
      const read = channel.readOrders.bind(channel);
      channel.readOrders = async function* (query) {
        most = Math.max(most, ++reading);
        reads++;
        for await (const page of read(query)) yield page;
        reading--;
      };
    }
    first.shop.faults({ slow: 1, slowMs: 1_000 });
    const running = first.app.get(JobsService).run('poll-orders', 'shop');
    await eventually(() => expect(reading).toBe(1));
    const [{ asked }] = await first.dataSource.query('SELECT clock_timestamp() AS asked');
    await second.app.get(JobsService).run('poll-orders', 'shop');
    await running;
    expect({ most, reads }).toEqual({ most: 1, reads: 2 });
    const [row] = await first.dataSource.query('SELECT covered_at FROM order_polls');
    expect(row.covered_at.getTime()).toBeGreaterThanOrEqual(asked.getTime());
  });

  test('leave the poll of a host that died to the next one, once its lease is over', async () => {
    first.shop.faults({ slow: 0 });
    await first.dataSource.query(
      `UPDATE order_polls SET lease = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 minute'`,
    );
    const [{ covered_at: before }] = await first.dataSource.query('SELECT covered_at FROM order_polls');
    await second.app.get(JobsService).run('poll-orders', 'shop');
    const [{ covered_at: during }] = await first.dataSource.query('SELECT covered_at FROM order_polls');
    expect(during).toEqual(before);
    await first.dataSource.query(`UPDATE order_polls SET lease_until = clock_timestamp()`);
    await second.app.get(JobsService).run('poll-orders', 'shop');
    const [{ covered_at: after }] = await first.dataSource.query('SELECT covered_at FROM order_polls');
    expect(after.getTime()).toBeGreaterThan(before.getTime());
  });
});
