import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOCUMENTS, type DocumentName } from '../shopify.documents';
import { type ShopifySimulator, type ShopifySimulatorOptions, startSimulator } from './index';

const SECRET = 'the-client-secret';
const TOKEN = 'shpat_of_the_shop';
const AT = '2026-03-01T10:00:00Z';
const LATER = '2026-03-01T11:00:00Z';
const ORDER = '820982911946154508';
const gid = (type: string, id: string) => `gid://shopify/${type}/${id}`;

let shop: ShopifySimulator;

/** Ten of SKU A at each of two locations, and an order of five of them at the first. */
async function start(options: ShopifySimulatorOptions = {}): Promise<void> {
  shop = await startSimulator({ webhookSecret: SECRET, token: TOKEN, locations: ['1', '2'], ...options });
  for (const channelLocation of shop.locations)
    shop.list([{ channelSku: 'A', channelLocation, quantityUnits: 10 }]);
}
const place = (more: object = {}) =>
  shop.placeOrder({
    orderId: ORDER,
    placedAt: AT,
    lines: [{ lineId: '7', channelSku: 'A', quantityUnits: 5 }],
    ...more,
  });

afterEach(() => shop.close());

async function run<Data>(name: DocumentName, variables: object = {}): Promise<Data> {
  const response = await fetch(`${shop.url}/admin/api/2026-07/graphql.json`, {
    method: 'POST',
    headers: { 'x-shopify-access-token': TOKEN, 'content-type': 'application/json' },
    body: JSON.stringify({ query: DOCUMENTS[name], variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: object[] };
  if (!data) throw new Error(JSON.stringify(errors));
  return data;
}

const line = () => shop.order(ORDER).lines[0];
const available = () =>
  shop.locations.map((location) => shop.stock.ofSku('A')[0]!.levels.get(location)!.available);

describe('an order', () => {
  beforeEach(() => start());

  test('promises stock of the location that is to ship it, and takes it when it is shipped', () => {
    place({ lines: [{ lineId: '7', channelSku: 'A', channelLocation: '2', quantityUnits: 4 }] });
    const level = shop.stock.ofSku('A')[0]!.levels.get('2')!;
    expect([level.available, level.committed]).toEqual([6, 4]);
    shop.fulfilOrder(ORDER, LATER);
    expect([level.available, level.committed]).toEqual([6, 0]);
    expect(line()).toMatchObject({ ordered: 4, fulfilled: 4 });
  });

  test('is edited: more is promised, and less goes back on the shelf or not', () => {
    place();
    const edit = (quantityUnits: number, restock?: boolean) =>
      shop.orders.edit(ORDER, [{ lineId: '7', channelSku: 'A', quantityUnits }], LATER, restock);
    edit(8);
    expect([line(), available()]).toMatchObject([{ ordered: 8, cancelled: 0 }, [2, 10]]);
    edit(6);
    expect([line(), available()]).toMatchObject([{ ordered: 8, cancelled: 2 }, [4, 10]]);
    edit(5, false);
    expect([line(), available()]).toMatchObject([{ ordered: 8, cancelled: 3 }, [4, 10]]);
    shop.orders.edit(
      ORDER,
      [{ lineId: '8', channelSku: 'A', channelLocation: '2', quantityUnits: 1 }],
      LATER,
    );
    expect(shop.order(ORDER).lines[1]).toMatchObject({ lineId: '8', ordered: 1 });
    expect(available()).toEqual([4, 9]);
  });

  test('may be shipped from two locations', async () => {
    place();
    shop.orders.move(ORDER, '7', '1', '2', 2);
    expect(available()).toEqual([7, 8]);
    const { order } = await run<{ order: { fulfillmentOrders: { nodes: object[] } } }>('Order', {
      ...{ id: gid('Order', ORDER), lines: 10, assigned: true, returns: false },
    });
    const part = (id: string, totalQuantity: number) => ({
      ...{ status: 'OPEN', assignedLocation: { location: { id: gid('Location', id) } } },
      lineItems: { nodes: [{ totalQuantity, remainingQuantity: totalQuantity }] },
    });
    expect(order.fulfillmentOrders.nodes).toMatchObject([part('1', 3), part('2', 2)]);
    shop.orders.fulfil(ORDER, LATER, new Map([['7', 4]]));
    expect(
      shop.orders.get(ORDER).fulfillments.map(({ locationId, lines }) => [locationId, lines[0]!.units]),
    ).toEqual([
      ['1', 3],
      ['2', 1],
    ]);
  });

  test('at a till is shipped at once, and takes what is not there', () => {
    place({ posLocation: '2', lines: [{ lineId: '7', channelSku: 'A', quantityUnits: 12 }] });
    expect(available()).toEqual([10, -2]);
    expect(shop.shown('2').get('A')).toBe(0);
    expect(line()).toMatchObject({ ordered: 12, fulfilled: 12 });
    expect(JSON.parse(shop.webhookFor(ORDER).body.toString())).toMatchObject({
      source_name: 'pos',
      location_id: 2,
    });
  });

  test('may be a test, and is told as one', () => {
    place({ test: true });
    expect(JSON.parse(shop.webhookFor(ORDER).body.toString())).toMatchObject({ test: true });
  });

  test('of long ago is shown only to an app that may read all orders', async () => {
    place();
    const read = () =>
      run<{ orders: { nodes: object[] } }>('Orders', { first: 5, lines: 5, assigned: false, returns: false });
    expect((await read()).orders.nodes).toHaveLength(1);
    await shop.close();
    await start({ scopes: ['read_orders', 'read_products'] });
    place();
    expect((await read()).orders.nodes).toEqual([]);
  });
});

describe('cancelling', () => {
  const cancel = async (id = gid('Order', ORDER), more: object = {}) => {
    const { orderCancel } = await run<{
      orderCancel: {
        job: { id: string; done: boolean } | null;
        orderCancelUserErrors: { code: string; message: string }[];
      };
    }>('CancelOrder', { id, notify: true, staffNote: 'oversold', ...more });
    return orderCancel;
  };
  const done = async (id: string) => {
    for (let polls = 0; polls < 100; polls += 1) {
      if ((await run<{ job: { done: boolean } }>('Job', { id })).job.done) return;
      await sleep(10);
    }
  };

  test.each<[string, () => void, object, string]>([
    ['an unknown order', () => undefined, { id: gid('Order', '9') }, 'NOT_FOUND'],
    ['one that is cancelled', () => shop.cancelOrder(ORDER, LATER), {}, 'INVALID'],
    ['one that was shipped', () => shop.orders.fulfil(ORDER, LATER, new Map([['7', 1]])), {}, 'INVALID'],
    ['a note too long', () => undefined, { staffNote: 'x'.repeat(256) }, 'INVALID'],
  ])('%s is refused', async (_, before, variables, code) => {
    await start();
    place();
    before();
    expect(await cancel(undefined, variables)).toMatchObject({
      job: null,
      orderCancelUserErrors: [{ code }],
    });
  });

  test('is a job, and done when that is', async () => {
    await start();
    place();
    const { job } = await cancel();
    expect([job?.done, line()?.cancelled]).toEqual([false, 0]);
    await done(job!.id);
    expect(line()?.cancelled).toBe(5);
    expect(shop.orders.get(ORDER)).toMatchObject({
      ...{ cancelReason: 'INVENTORY', cancellation: { staffNote: 'oversold', notified: true } },
    });
    expect(available()).toEqual([5, 10]);
  });

  test('does nothing to what was shipped meanwhile, and its job is done all the same', async () => {
    await start({ timeScale: 1 });
    place();
    const { job } = await cancel();
    shop.fulfilOrder(ORDER, LATER);
    await done(job!.id);
    expect(line()).toMatchObject({ cancelled: 0, fulfilled: 5 });
  });
});

describe('refunding', () => {
  beforeEach(async () => {
    await start();
    place();
    shop.orders.fulfil(ORDER, LATER, new Map([['7', 2]]));
  });
  let keys = 0;
  const refund = async (changes: object, more: object = {}) => {
    const lines = [{ lineItemId: gid('LineItem', '7'), quantity: 1, ...changes }];
    const { refundCreate } = await run<{ refundCreate: { userErrors: { message: string }[] } }>(
      'CreateRefund',
      {
        input: { orderId: gid('Order', ORDER), refundLineItems: lines, ...more },
        key: `refund-${(keys += 1)}`,
      },
    );
    return refundCreate.userErrors.map(({ message }) => message);
  };

  test.each<[string, object, object, string]>([
    ['an unknown order', {}, { orderId: gid('Order', '9') }, 'Order does not exist'],
    ['an unknown line', { lineItemId: gid('LineItem', '9') }, {}, 'Line item does not belong to the order'],
    ['more than was bought', { quantity: 6 }, {}, 'Quantity cannot refund more items than were purchased'],
    [
      'more unshipped units than there are',
      { quantity: 4, restockType: 'CANCEL' },
      {},
      'Quantity cannot refund more items than were purchased',
    ],
    [
      'more shipped units than there are',
      { quantity: 3, restockType: 'RETURN' },
      {},
      'Quantity cannot refund more items than were purchased',
    ],
    [
      'money to another payment',
      {},
      { transactions: [{ orderId: gid('Order', ORDER), amount: '1', gateway: 'bogus', kind: 'REFUND' }] },
      'Transactions require a parent_id associated with the order',
    ],
    [
      'money that is taken',
      {},
      {
        transactions: [
          { orderId: gid('Order', ORDER), amount: '1', gateway: 'bogus', kind: 'AUTHORIZATION' },
        ],
      },
      'Kind authorization is not a valid transaction',
    ],
  ])('%s is refused', async (_, changes, more, message) => {
    expect(await refund(changes, more)).toEqual([message]);
    expect([line(), available()]).toMatchObject([
      { ordered: 5, cancelled: 0, fulfilled: 2, returned: 0 },
      [5, 10],
    ]);
  });

  test.each([
    ['CANCEL', 2, { cancelled: 2, returned: 0 }, 7],
    ['RETURN', 2, { cancelled: 0, returned: 2 }, 7],
    ['NO_RESTOCK', 2, { cancelled: 2, returned: 0 }, 5],
    ['NO_RESTOCK', 4, { cancelled: 3, returned: 0 }, 5],
  ])('%s of %d units', async (restockType, quantity, expected, shown) => {
    expect(await refund({ restockType, quantity })).toEqual([]);
    expect([line(), available()[0]]).toMatchObject([{ ordered: 5, fulfilled: 2, ...expected }, shown]);
  });

  test('a return puts back on the shelf what came back, once it is there', () => {
    const id = shop.orders.openReturn(ORDER, new Map([['7', 2]]), LATER);
    expect([line()?.returned, available()[0]]).toEqual([0, 5]);
    shop.orders.receiveReturn(ORDER, id, LATER);
    expect([line()?.returned, available()[0]]).toEqual([2, 7]);
  });
});

describe('webhooks', () => {
  interface Received {
    topic: string;
    headers: Record<string, string>;
    text: string;
  }
  const received: Received[] = [];
  let server: Server;
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/shop`;

  beforeEach(async () => {
    received.length = 0;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const headers = request.headers as Record<string, string>;
      received.push({ topic: headers['x-shopify-topic']!, headers, text: Buffer.concat(chunks).toString() });
      response.writeHead(200, { connection: 'close' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());

  const topics = () => received.map(({ topic }) => topic).sort();
  const subscribe = async (topic: string, uri = url()) => {
    const { webhookSubscriptionCreate: made } = await run<{
      webhookSubscriptionCreate: { userErrors: { message: string }[] };
    }>('CreateSubscription', { topic, uri });
    return made.userErrors.map(({ message }) => message);
  };

  test('are signed over their bytes, name topic, shop, event and time, and keep long ids whole', async () => {
    await start();
    shop.deliverTo(url());
    place();
    await shop.delivered();
    const created = received.find(({ topic }) => topic === 'orders/create')!;
    expect(created.headers).toMatchObject({
      'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(created.text).digest('base64'),
      'x-shopify-shop-domain': 'simulated.myshopify.com',
      'x-shopify-api-version': '2026-07',
      'x-shopify-triggered-at': expect.stringMatching(/^\d{4}-/) as string,
    });
    expect(created.text).toContain(`"id":${ORDER},`);
    expect(new Set(received.map(({ headers }) => headers['x-shopify-webhook-id'])).size).toBe(
      received.length,
    );
  });

  test.each<[string, () => unknown, string[]]>([
    ['a sale', () => place(), ['inventory_levels/update', 'orders/create']],
    [
      'an edit by hand',
      () => shop.list([{ channelSku: 'A', quantityUnits: 4 }]),
      ['inventory_levels/update'],
    ],
    ['a shipment', () => [place(), shop.fulfilOrder(ORDER, LATER)], ['orders/fulfilled', 'orders/updated']],
    [
      'a part of one',
      () => [place(), shop.orders.fulfil(ORDER, LATER, new Map([['7', 1]]))],
      ['orders/partially_fulfilled', 'orders/updated'],
    ],
    [
      'a cancellation',
      () => [place(), shop.cancelOrder(ORDER, LATER)],
      ['orders/cancelled', 'orders/updated', 'refunds/create'],
    ],
    [
      'an order edit',
      () => [place(), shop.orders.edit(ORDER, [{ lineId: '7', channelSku: 'A', quantityUnits: 6 }], LATER)],
      ['inventory_levels/update', 'orders/edited', 'orders/updated'],
    ],
    [
      'a return',
      () => {
        place();
        shop.fulfilOrder(ORDER, LATER);
        shop.orders.receiveReturn(ORDER, shop.orders.openReturn(ORDER, new Map([['7', 1]]), LATER), LATER);
      },
      ['inventory_levels/update', 'returns/approve', 'returns/close', 'returns/process'],
    ],
    ['the end of the app', () => shop.uninstall(), ['app/uninstalled']],
  ])('tell of %s', async (_, happens, expected) => {
    await start();
    shop.deliverTo(url());
    happens();
    await shop.delivered();
    expect(topics()).toEqual(expect.arrayContaining(expected));
  });

  test('may say that an order changed before they say that there is one', async () => {
    await start({ updatedBeforeCreate: true });
    shop.deliverTo(url());
    place();
    await shop.delivered();
    expect(topics()).toEqual(['inventory_levels/update', 'orders/create', 'orders/updated']);
    const bodies = received.filter(({ topic }) => topic.startsWith('orders/')).map(({ text }) => text);
    expect(bodies[0]).toEqual(bodies[1]);
  });

  test('go to whoever subscribed to the topic, our own pushes included', async () => {
    await start();
    expect(await subscribe('INVENTORY_LEVELS_UPDATE')).toEqual([]);
    place();
    const { itemId } = shop.stock.ofSku('A')[0]!;
    const quantity = {
      ...{ inventoryItemId: gid('InventoryItem', itemId), locationId: gid('Location', '2') },
      ...{ quantity: 3, changeFromQuantity: null },
    };
    const input = { name: 'available', reason: 'correction', quantities: [quantity] };
    await run('SetQuantities', { input, key: 'k' });
    await shop.delivered();
    expect(received.map(({ text }) => text).sort()).toEqual([
      expect.stringMatching(/"inventory_item_id":\d{18},"location_id":1,"available":5,/),
      expect.stringMatching(/"inventory_item_id":\d{18},"location_id":2,"available":3,/),
    ]);
  });

  test.each([
    ['no address', '', "Address can't be blank"],
    ['an address without TLS', 'http://example.com/x', 'Address protocol http:// is not supported'],
    ['what is subscribed already', 'https://example.com/x', 'Address for this topic has already been taken'],
  ])('are not sent to %s', async (_, uri, message) => {
    await start();
    await subscribe('ORDERS_CREATE', 'https://example.com/x');
    expect(await subscribe('ORDERS_CREATE', uri)).toEqual([message]);
  });
});
