import nock from 'nock';
import { collect, failureOf, networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, ebayError, lineOf, NOW, offersOf, orderOf, token } from './ebay.fixtures';

const TOKEN = '/identity/v1/oauth2/token';
const ITEMS = '/sell/inventory/v1/inventory_item';
const ORDER = '/sell/fulfillment/v1/order';
const CANCELLATIONS = '/post-order/v2/cancellation/search';
const RETURNS = '/post-order/v2/return/search';

networkOff(nock);

const grants = (value?: string) => nock(API).post(TOKEN).reply(200, token(value));
const item = (sku: string, quantity: number) => ({
  sku,
  product: { title: sku },
  availability: { shipToLocationAvailability: { quantity } },
});

describe('tokens', () => {
  it('are asked for once, by the refresh token and with the scopes, whoever needs one', async () => {
    nock(API, {
      reqheaders: {
        authorization: `Basic ${Buffer.from('app:cert').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
    })
      .post(TOKEN, { grant_type: 'refresh_token', refresh_token: 'refresh', scope: 'a b' })
      .reply(200, token());
    nock(API, { reqheaders: { authorization: 'Bearer user-token' } })
      .get(`${ORDER}/1`)
      .reply(404)
      .get(`${ORDER}/2`)
      .reply(404);
    const { channel } = await connectEbay({ scopes: ['a', 'b'] });
    expect(await Promise.all([channel.readOrder!('1'), channel.readOrder!('2')])).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('are asked for anew before they end, and when eBay refuses one early', async () => {
    grants('first');
    nock(API).get(`${ORDER}/1`).matchHeader('authorization', 'Bearer first').reply(404);
    const { channel, host } = await connectEbay();
    await channel.readOrder!('1');
    host.nowMs += 6_901_000;
    grants('second');
    nock(API)
      .get(`${ORDER}/1`)
      .matchHeader('authorization', 'Bearer second')
      .reply(401, { errors: [ebayError(1001)] });
    grants('third');
    nock(API).get(`${ORDER}/1`).matchHeader('authorization', 'Bearer third').reply(404);
    await channel.readOrder!('1');
  });

  it.each([
    [400, { error: 'invalid_grant', error_description: 'about refresh' }, 'consent again'],
    [401, { error: 'invalid_client' }, 'clientId and clientSecret'],
    [400, { error: 'invalid_scope' }, 'scopes'],
    [400, {}, 'credentials'],
  ])('that are refused (%s %j) say what to do, and quote nothing', async (status, body, advice) => {
    nock(API).post(TOKEN).reply(status, body);
    const { channel } = await connectEbay();
    const error = await failureOf(channel.readOrder!('1'));
    expect(error).toMatchObject({ code: 'channel-unauthorized', retryable: false });
    expect(error.message).toContain(advice);
    expect(error.message).not.toContain('about refresh');
  });

  it('that eBay does not take twice, or that lack the scope, are for a person', async () => {
    nock(API).post(TOKEN).times(2).reply(200, token());
    nock(API).get(`${ORDER}/1`).times(2).reply(401);
    const { channel } = await connectEbay();
    expect(await failureOf(channel.readOrder!('1'))).toMatchObject({ code: 'channel-unauthorized' });
    nock(API)
      .get(`${ORDER}/1`)
      .reply(403, { errors: [ebayError(1100)] });
    expect((await failureOf(channel.readOrder!('1'))).message).toContain('scope');
  });

  it('and calls go to the hosts of the environment', async () => {
    const sandbox = 'https://api.sandbox.ebay.com';
    nock(sandbox).post(TOKEN).reply(200, token()).get(`${ORDER}/1`).reply(404);
    const { channel } = await connectEbay({ environment: 'sandbox' });
    await channel.readOrder!('1');
  });
});

describe('reading inventory', () => {
  it('counts pages, not records', async () => {
    grants();
    nock(API)
      .get(ITEMS)
      .query({ limit: '200', offset: '0' })
      .reply(200, { inventoryItems: [item('A', 1)], total: 2, next: `${ITEMS}?limit=200&offset=1` })
      .get(ITEMS)
      .query({ limit: '200', offset: '1' })
      .reply(200, { inventoryItems: [item('B', 2)], total: 2 });
    const { channel } = await connectEbay();
    const { items, pages } = await collect(channel.readInventory({}));
    expect(items.map(({ channelSku, quantityUnits }) => [channelSku, quantityUnits])).toEqual([
      ['A', 1],
      ['B', 2],
    ]);
    expect(pages.map(({ cursor }) => cursor)).toEqual(['1', undefined]);
  });

  it('of SKUs by name shows the smaller of item and offer, 25 a call, and leaves out what is not there', async () => {
    grants();
    const skus = Array.from({ length: 26 }, (_, index) => `S${index}`);
    const asked: number[] = [];
    nock(API)
      .post('/sell/inventory/v1/bulk_get_inventory_item')
      .times(2)
      .reply((_, body) => {
        const { requests } = body as { requests: { sku: string }[] };
        asked.push(requests.length);
        const responses = requests.map(({ sku }) =>
          sku === 'S1'
            ? { sku, statusCode: 404, errors: [ebayError(25702)] }
            : { sku, statusCode: 200, inventoryItem: item(sku, 5) },
        );
        return [207, { responses }];
      });
    nock(API)
      .get('/sell/inventory/v1/offer')
      .query(true)
      .times(25)
      .reply((path) => {
        const quantity = path.includes('sku=S0') ? 3 : 9;
        return [200, offersOf({ offerId: 'o', listingId: 'l', quantity })];
      });
    const { channel } = await connectEbay();
    const { items } = await collect(channel.readInventory({ channelSkus: skus }));
    const shown = new Map(items.map(({ channelSku, quantityUnits }) => [channelSku, quantityUnits]));
    expect(asked).toEqual([25, 1]);
    expect([shown.get('S0'), shown.get('S1'), shown.get('S2'), shown.size]).toEqual([3, undefined, 5, 25]);
  });

  it.each([
    [404, {}, 'channel-request'],
    [400, { errors: [ebayError(25706, 'invalid pagination')] }, 'channel-protocol'],
    [200, { inventoryItems: 'many' }, 'channel-protocol'],
  ])('answered %s %j is %s', async (status, body, code) => {
    grants();
    nock(API).get(ITEMS).query(true).reply(status, body);
    const { channel } = await connectEbay();
    expect(await failureOf(collect(channel.readInventory({})))).toMatchObject({ code });
  });
});

/** No cancellations, and these returns. */
function postOrderHas(returns: object[] = [], cancellations: object[] = []): void {
  const paginationOutput = { totalEntries: 1 };
  nock(API).get(CANCELLATIONS).query(true).reply(200, { cancellations, paginationOutput });
  nock(API).get(RETURNS).query(true).reply(200, { members: returns, paginationOutput });
  nock(API).get('/developer/analytics/v1_beta/rate_limit/').optionally().reply(204);
  nock(API).post(TOKEN).optionally().reply(200, token('app-token'));
}

const returnOf = (orderId: string, state: string, returnQuantity = 1) => ({
  returnId: `return-of-${orderId}`,
  orderId,
  state,
  status: state,
  creationInfo: { item: { itemId: '110000000001', transactionId: '10001', returnQuantity } },
});

describe('reading orders', () => {
  it('asks by the time of change, two minutes back and with no end, and counts records', async () => {
    grants();
    postOrderHas();
    const filter = 'lastmodifieddate:[2026-02-28T09:58:00.000Z..]';
    nock(API)
      .get(ORDER)
      .query({ filter, limit: '200', offset: '0' })
      .reply(200, { orders: [orderOf({ orderId: '1' }), orderOf({ orderId: '2' })], next: 'more' })
      .get(ORDER)
      .query({ filter, limit: '200', offset: '2' })
      .reply(200, { orders: [orderOf({ orderId: '3' })] });
    const { channel } = await connectEbay();
    const { items, pages } = await collect(channel.readOrders({ since: '2026-02-28T10:00:00.000Z' }));
    expect(items.map(({ orderId }) => orderId)).toEqual(['1', '2', '3']);
    expect(pages.map(({ cursor }) => cursor)).toEqual(['2', undefined]);
  });

  it('goes back no further than eBay keeps orders', async () => {
    grants();
    postOrderHas();
    nock(API)
      .get(ORDER)
      .query(
        ({ filter }) => filter === `lastmodifieddate:[${new Date(NOW - 729 * 86_400_000).toISOString()}..]`,
      )
      .reply(200, { orders: [] });
    const { channel } = await connectEbay();
    expect((await collect(channel.readOrders({}))).items).toEqual([]);
  });

  it('adds what was cancelled or came back without a change of the order, each time its state changes', async () => {
    grants();
    const { channel } = await connectEbay();
    const shipped = (orderId: string) =>
      orderOf({ orderId, lines: [lineOf({ lineItemFulfillmentStatus: 'FULFILLED' })] });
    const poll = async () => {
      nock(API)
        .get(ORDER)
        .query(({ filter }) => filter !== undefined)
        .reply(200, { orders: [orderOf({ orderId: '1' })] });
      return collect(channel.readOrders({ since: '2026-02-28T10:00:00.000Z' }));
    };
    const asked: string[] = [];
    nock(API)
      .get(ORDER)
      .query(({ orderIds }) => orderIds !== undefined && asked.push(String(orderIds)) > 0)
      .times(2)
      .reply(200, { orders: [shipped('7')] });
    postOrderHas(
      [returnOf('7', 'RETURN_REQUESTED')],
      [{ cancelId: 'c', legacyOrderId: '1', cancelState: 'CLOSED' }],
    );
    const first = await poll();
    expect(first.items.map(({ orderId, lines }) => [orderId, lines[0]?.returned])).toEqual([
      ['1', 0],
      ['7', 0],
    ]);
    expect(first.pages.map(({ cursor }) => cursor)).toEqual(['others', undefined]);
    postOrderHas(
      [returnOf('7', 'RETURN_REQUESTED')],
      [{ cancelId: 'c', legacyOrderId: '1', cancelState: 'CLOSED' }],
    );
    expect((await poll()).items.map(({ orderId }) => orderId)).toEqual(['1']);
    postOrderHas([returnOf('7', 'ITEM_DELIVERED')], []);
    expect((await poll()).items.map(({ orderId, lines }) => [orderId, lines[0]?.returned])).toEqual([
      ['1', 0],
      ['7', 1],
    ]);
    expect(asked).toEqual(['7', '7']);
  });

  it('looks at shipments of what is shipped in part, and alone at what is being cancelled', async () => {
    grants();
    postOrderHas();
    const inPart = orderOf({ orderId: '1', lines: [lineOf({ lineItemFulfillmentStatus: 'IN_PROGRESS' })] });
    nock(API)
      .get(ORDER)
      .query(true)
      .reply(200, {
        orders: [inPart, orderOf({ orderId: '2', cancelState: 'IN_PROGRESS' }), { ...inPart, orderId: '3' }],
      })
      .get(`${ORDER}/1/shipping_fulfillment`)
      .reply(200, { fulfillments: [{ lineItems: [{ lineItemId: '10001', quantity: 1 }] }] })
      .get(`${ORDER}/2`)
      .reply(200, orderOf({ orderId: '2', cancelState: 'CANCELED' }))
      .get(`${ORDER}/3/shipping_fulfillment`)
      .reply(404);
    const { channel } = await connectEbay();
    const { items, pages } = await collect(channel.readOrders({}));
    expect(pages[0]?.unreadable).toMatchObject([{ id: '3' }]);
    expect(items.map(({ lines }) => [lines[0]?.fulfilled, lines[0]?.cancelled])).toEqual([
      [1, 0],
      [0, 2],
    ]);
  });

  it('asks for others one by one where eBay does not have one of them', async () => {
    grants();
    postOrderHas([returnOf('7', 'OPEN'), returnOf('8', 'OPEN')]);
    nock(API)
      .get(ORDER)
      .query(({ filter }) => filter !== undefined)
      .reply(200, { orders: [] })
      .get(ORDER)
      .query({ orderIds: '7,8' })
      .reply(400, { errors: [ebayError(30800)] })
      .get(`${ORDER}/7`)
      .reply(404)
      .get(`${ORDER}/8`)
      .reply(200, orderOf({ orderId: '8' }));
    const { channel } = await connectEbay();
    const { items } = await collect(channel.readOrders({}));
    expect(items.map(({ orderId }) => orderId)).toEqual(['8']);
  });

  it.each([400, 403])('goes on without the Post-Order API where it answers %s', async (status) => {
    grants();
    nock(API).get('/developer/analytics/v1_beta/rate_limit/').optionally().reply(204);
    nock(API).post(TOKEN).optionally().reply(200, token('app-token'));
    nock(API)
      .get(CANCELLATIONS)
      .query(true)
      .reply(status, { error: [ebayError(1)] });
    nock(API)
      .get(ORDER)
      .query(true)
      .reply(200, { orders: [orderOf()] });
    const { channel, host } = await connectEbay();
    expect((await collect(channel.readOrders({}))).items).toHaveLength(1);
    expect(host.logged.join()).toContain('cancellations and returns are not polled');
  });

  it('has no Post-Order API in the sandbox', async () => {
    const sandbox = 'https://api.sandbox.ebay.com';
    nock(sandbox).post(TOKEN).times(2).reply(200, token());
    nock(sandbox)
      .get(/rate_limit/)
      .reply(204)
      .get(ORDER)
      .query(true)
      .reply(200, { orders: [] });
    const inSandbox = await connectEbay({ environment: 'sandbox' });
    await collect(inSandbox.channel.readOrders({}));
  });

  it('tells of a refund that failed, once', async () => {
    grants();
    const refunds = [{ refundId: 'r', refundStatus: 'FAILED' }];
    nock(API)
      .get(`${ORDER}/1`)
      .times(2)
      .reply(200, orderOf({ orderId: '1', refunds, cancelState: 'CANCELED' }));
    const { channel, host } = await connectEbay();
    for (let read = 0; read < 2; read += 1) await channel.readOrder!('1');
    expect(host.logged.filter((line) => line.includes('refund of order 1 failed'))).toHaveLength(1);
  });

  it('of one order at once is one call, with its returns where it was shipped', async () => {
    grants();
    const lines = [lineOf({ lineItemFulfillmentStatus: 'FULFILLED' })];
    nock(API)
      .get(`${ORDER}/1`)
      .reply(200, orderOf({ orderId: '1', lines }));
    nock(API)
      .get(RETURNS)
      .query(({ order_id: orderId }) => orderId === '1')
      .matchHeader('authorization', 'IAF user-token')
      .reply(200, { members: [returnOf('1', 'ITEM_DELIVERED', 2)], paginationOutput: { totalEntries: 1 } });
    const { channel } = await connectEbay();
    const [first, second] = await Promise.all([channel.readOrder!('1'), channel.readOrder!('1')]);
    expect(first).toEqual(second);
    expect(first!.lines[0]).toMatchObject({ fulfilled: 2, returned: 2 });
  });

  it.each(['.', '..', ''])('an order id that leads elsewhere (%j) is no order', async (orderId) => {
    const { channel } = await connectEbay();
    expect(await channel.readOrder!(orderId)).toBeUndefined();
  });
});

describe('quotas', () => {
  const rates = (limit: number, remaining: number, timeWindow = 86_400) => [
    { name: 'r', rates: [{ limit, remaining, reset: new Date(NOW + 3_600_000).toISOString(), timeWindow }] },
  ];
  const said = {
    rateLimits: [
      { apiName: 'Inventory', resources: rates(100, 1) },
      { apiName: 'Fulfillment', resources: rates(5, 5, 60) },
      { apiName: 'Browse', resources: rates(1, 1) },
    ],
  };

  it('that eBay tells are kept to, day by day', async () => {
    grants();
    nock(API).get(ORDER).query(true).reply(200, { orders: [] });
    nock(API).get(CANCELLATIONS).query(true).reply(200, { cancellations: [] });
    nock(API).get(RETURNS).query(true).reply(200, { members: [] });
    nock(API)
      .post(TOKEN, /client_credentials/)
      .reply(200, token('app-token'));
    nock(API)
      .get('/developer/analytics/v1_beta/rate_limit/')
      .matchHeader('authorization', 'Bearer app-token')
      .reply(200, said);
    const { channel, host } = await connectEbay({ quotas: { inventory: 1_000, fulfillment: 100 } });
    await collect(channel.readOrders({}));
    // What is counted by the minute is no quota of the day.
    nock(API).get(`${ORDER}/1`).times(6).reply(404);
    for (let read = 0; read < 6; read += 1) await channel.readOrder!('1');
    nock(API).get(ITEMS).query(true).reply(200, { inventoryItems: [] });
    await collect(channel.readInventory({}));
    const error = await failureOf(collect(channel.readInventory({})));
    expect(error).toMatchObject({ code: 'channel-throttled' });
    expect(error.message).toContain('the quota "inventory" is used up');
    host.nowMs += error.retryAfterMs!;
    nock(API).get(ITEMS).query(true).reply(200, { inventoryItems: [] });
    await collect(channel.readInventory({}));
  });
});
