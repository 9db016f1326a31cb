import nock from 'nock';
import type { Channel, ChannelError } from 'onhand/channel-api';
import { collect, failureOf, networkOff, QuietHost } from 'onhand/channel-api/testing';
import { type DocumentName, DOCUMENTS } from './shopify.documents';
import plugin from './shopify.plugin';

const SHOP = 'https://acme.myshopify.com';
const PATH = '/admin/api/2026-07/graphql.json';

type Variables = Record<string, unknown>;
type Body = { query: string; variables: Variables };

networkOff(nock);

async function connect(options: Variables = {}): Promise<{ channel: Channel; host: QuietHost }> {
  const host = new QuietHost();
  const channel = await host.connect(plugin, {
    shop: 'acme.myshopify.com',
    auth: { kind: 'token', token: 'shpat_secret' },
    webhookSecrets: ['the-client-secret'],
    ...options,
  });
  return { channel, host };
}

/** The next call of this document is answered so; the variables that it comes with are put in the list. */
function answer(document: DocumentName, data: unknown, more: object = {}): Variables[] {
  const seen: Variables[] = [];
  nock(SHOP)
    .post(PATH, (body: Body) => body.query === DOCUMENTS[document])
    .reply(200, (_, body) => {
      seen.push((body as Body).variables);
      return { data, ...more } as nock.Body;
    });
  return seen;
}

const refuse = (document: DocumentName, code: string, extensions: object = {}) =>
  answer(document, null, { errors: [{ message: `Refused as ${code}`, extensions: { code } }], extensions });

const page = (nodes: unknown[], endCursor: string | null = null) => ({
  nodes,
  pageInfo: { hasNextPage: endCursor !== null, endCursor },
});

function level(quantity: number, code?: string, item = '1') {
  return {
    id: `gid://shopify/InventoryLevel/7?inventory_item_id=${item}`,
    quantities: [{ name: 'available', quantity }],
    ...(code === undefined
      ? {}
      : {
          item: {
            id: `gid://shopify/InventoryItem/${item}`,
            sku: code,
            variant: { id: 'gid://shopify/ProductVariant/1', displayName: 'Thing', barcode: '' },
          },
        }),
  };
}

const size = (count: number) =>
  answer('CatalogueSize', { productVariantsCount: { count, precision: 'EXACT' } });
const locations = (...ids: string[]) =>
  answer('Locations', {
    locations: page(ids.map((id) => ({ id: `gid://shopify/Location/${id}`, name: `Hall ${id}` }))),
  });

describe('a read of the inventory', () => {
  test('goes from location to location, and asks for less where a page costs too much', async () => {
    const { channel } = await connect();
    size(2);
    locations('10', '7');
    refuse('LocationLevels', 'MAX_COST_EXCEEDED');
    const asked = answer('LocationLevels', {
      location: { inventoryLevels: page([level(-3, 'A'), level(1, '', '2')], 'more') },
    });
    answer('LocationLevels', {
      location: { inventoryLevels: page([level(2, 'B', '3'), level(2, 'A', '4')]) },
    });
    answer('LocationLevels', { location: { inventoryLevels: page([level(5, 'A')]) } });
    const { items, pages } = await collect(channel.readInventory({}));
    expect(asked[0]).toMatchObject({ first: 100, location: 'gid://shopify/Location/7' });
    expect(items).toEqual([
      { channelSku: 'A', channelLocation: '7', quantityUnits: 0, title: 'Thing' },
      { channelSku: 'B', channelLocation: '7', quantityUnits: 2, title: 'Thing' },
      { channelSku: 'A', channelLocation: '10', quantityUnits: 5, title: 'Thing' },
    ]);
    expect(pages.map(({ cursor }) => cursor)).toEqual(['p:7:more', 'p:10:', undefined]);
    expect(pages[1]?.unreadable).toMatchObject([{ reason: expect.stringContaining('same SKU') }]);
  });

  test('that broke off at a location that is gone is begun anew by a person', async () => {
    const { channel } = await connect();
    locations('7');
    expect((await failureOf(collect(channel.readInventory({ cursor: 'p:8:x' })))).code).toBe(
      'untranslatable',
    );
  });

  describe('of a large shop', () => {
    const line = (index: number) =>
      JSON.stringify({
        ...level(index, `SKU-ä€-${index}`, `${index}`),
        __parentId: 'gid://shopify/Location/7',
      });
    const file = Buffer.from(
      [
        JSON.stringify({ id: 'gid://shopify/Location/7' }),
        ...Array.from({ length: 5_000 }, (_, index) => line(index)),
      ].join('\n'),
    );
    const operation = (bulkStatus: string, more: object = {}) =>
      answer('BulkOperation', {
        bulkOperation: {
          id: 'gid://shopify/BulkOperation/5',
          status: bulkStatus,
          errorCode: null,
          url: `${SHOP}/result`,
          ...more,
        },
      });
    const begin = (userErrors: object[] = []) =>
      answer('RunBulkQuery', {
        bulkOperationRunQuery: {
          bulkOperation:
            userErrors.length === 0 ? { id: 'gid://shopify/BulkOperation/5', status: 'CREATED' } : null,
          userErrors,
        },
      });

    function serveFile(): void {
      nock(SHOP)
        .persist()
        .get('/result')
        .reply(function () {
          const [, from, to] = /bytes=(\d+)-(\d+)/.exec(String(this.req.headers.range)) ?? [];
          const part = file.subarray(Number(from), Number(to) + 1);
          return [
            206,
            part,
            { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${file.length}` },
          ];
        });
    }

    test('is a bulk operation, whose result is read by parts and goes on at its byte', async () => {
      const { channel, host } = await connect();
      size(1_001);
      begin();
      operation('RUNNING', { url: null });
      operation('COMPLETED');
      serveFile();
      const { items, pages } = await collect(channel.readInventory({}));
      expect(items.map(({ quantityUnits, channelSku }) => `${quantityUnits} ${channelSku}`)).toEqual(
        Array.from({ length: 5_000 }, (_, index) => `${index} SKU-ä€-${index}`),
      );
      expect(pages.length).toBeGreaterThan(1);
      const downloads = host.requests.filter(({ method }) => method === 'GET');
      expect(downloads.every(({ headers }) => headers?.['x-shopify-access-token'] === undefined)).toBe(true);
      operation('COMPLETED');
      const rest = await collect(channel.readInventory({ cursor: pages[0]!.cursor }));
      expect(rest.items).toEqual(pages.slice(1).flatMap((each) => each.items));
      nock.cleanAll();
    });

    test.each([
      ['FAILED', 'ACCESS_DENIED', 'channel-unauthorized'],
      ['FAILED', 'TIMEOUT', 'channel-protocol'],
      ['EXPIRED', null, 'channel-protocol'],
    ])('whose operation ends as %s (%s) is %s', async (bulkStatus, errorCode, expected) => {
      const { channel } = await connect({ bulkAbove: 0 });
      size(1);
      begin();
      operation(bulkStatus, { errorCode });
      expect((await failureOf(collect(channel.readInventory({})))).code).toBe(expected);
    });

    test('waits for the others of the shop, and shows nothing where there is no result', async () => {
      const { channel } = await connect({ bulkAbove: 0 });
      size(1);
      begin([{ code: 'LIMIT_REACHED', message: 'No.', field: null }]);
      expect(await failureOf(collect(channel.readInventory({})))).toMatchObject({
        code: 'channel-throttled',
        retryAfterMs: 60_000,
      });
      size(1);
      begin();
      operation('COMPLETED', { url: null });
      expect((await collect(channel.readInventory({}))).items).toEqual([]);
    });
  });
});

function orderNode(more: object = {}) {
  const line = {
    id: 'gid://shopify/LineItem/11',
    sku: 'A',
    quantity: 2,
    currentQuantity: 2,
    unfulfilledQuantity: 2,
    variant: null,
  };
  return {
    ...{ id: 'gid://shopify/Order/1', createdAt: '2026-01-01T10:00:00Z', updatedAt: '2026-01-01T11:00:00Z' },
    ...{
      cancelledAt: null,
      test: false,
      sourceName: 'web',
      retailLocation: null,
      fulfillments: [],
      refunds: [],
    },
    ...{ lineItems: page([line]), returns: { nodes: [] }, ...more },
  };
}

describe('a read of orders', () => {
  test('is by whole seconds, leaves test orders out, and reads what was cut off or came back by itself', async () => {
    const { channel } = await connect();
    const cut = orderNode({
      id: 'gid://shopify/Order/2',
      lineItems: { ...page([]), pageInfo: { hasNextPage: true } },
    });
    const back = orderNode({
      id: 'gid://shopify/Order/3',
      returns: { nodes: [{ id: 'gid://shopify/Return/1' }] },
    });
    const nodes = [orderNode(), orderNode({ test: true }), cut, back, { id: 'gid://shopify/Order/4' }];
    const asked = answer('Orders', { orders: page(nodes, 'next') });
    answer('Orders', { orders: page([]) });
    const whole = answer('Order', { order: orderNode({ id: 'gid://shopify/Order/2' }) });
    const alone = answer('Order', { order: orderNode({ id: 'gid://shopify/Order/3', returns: page([]) }) });
    const { items, pages } = await collect(channel.readOrders({ since: '2026-01-01T10:00:00.900Z' }));
    expect(asked[0]).toMatchObject({
      query: "updated_at:>='2026-01-01T10:00:00Z'",
      assigned: false,
      returns: true,
    });
    expect(items.map(({ orderId }) => orderId)).toEqual(['1', '2', '3']);
    expect([whole[0]?.lines, alone[0]?.id]).toEqual([250, 'gid://shopify/Order/3']);
    expect(pages[0]).toMatchObject({
      cursor: 'next',
      unreadable: [{ id: '4', reason: expect.stringContaining('createdAt') }],
    });
  });

  test('of one gives it, nothing where there is none, and no lines of a test order', async () => {
    const { channel } = await connect({ orderLocations: 'assigned', returns: false });
    const asked = answer('Order', { order: orderNode({ fulfillmentOrders: page([]) }) });
    expect(await channel.readOrder!('1')).toMatchObject({ orderId: '1', lines: [{ lineId: '11' }] });
    expect(asked[0]).toMatchObject({ id: 'gid://shopify/Order/1', assigned: true, returns: false });
    answer('Order', { order: null });
    expect(await channel.readOrder!('1')).toBeUndefined();
    answer('Order', { order: orderNode({ test: true }) });
    expect(await channel.readOrder!('1')).toMatchObject({ orderId: '1', lines: [] });
  });
});

describe('a cancellation', () => {
  const request = {
    cancelId: 'c-1',
    orderId: '1',
    lines: [{ lineId: '11@7', quantityUnits: 2 }],
    reason: 'oversold',
    message: 'We are sorry. '.repeat(30),
  };
  const order = (more?: object) => answer('Order', { order: orderNode(more) });
  const cancel = (
    userErrors: object[] = [],
    job: object | null = { id: 'gid://shopify/Job/1', done: false },
  ) => answer('CancelOrder', { orderCancel: { job, orderCancelUserErrors: userErrors } });
  const job = (done: boolean) => answer('Job', { job: { id: 'gid://shopify/Job/1', done } });
  const cancelled = { cancelledAt: '2026-01-01T12:00:00Z' };

  test('of all that is unsent cancels the order without restock, and follows the job to its end', async () => {
    const { channel } = await connect({ notifyCustomer: false });
    order();
    const asked = cancel();
    job(false);
    job(true);
    order(cancelled);
    expect(await channel.cancelOrder!(request)).toEqual({ outcome: 'cancelled' });
    const { staffNote, ...rest } = asked[0] as { staffNote: string };
    expect(rest).toEqual({ id: 'gid://shopify/Order/1', notify: false });
    expect([staffNote.length, staffNote.startsWith('oversold: We are sorry.')]).toEqual([255, true]);
  });

  test('whose job does not end in time is pending, and one whose job did nothing is impossible', async () => {
    const { channel } = await connect();
    order();
    cancel();
    const reads = nock(SHOP)
      .persist()
      .post(PATH, (body: Body) => body.query === DOCUMENTS.Job);
    reads.reply(200, { data: { job: { done: false } } });
    expect(await channel.cancelOrder!(request)).toEqual({
      outcome: 'pending',
      receipt: 'gid://shopify/Job/1',
    });
    nock.cleanAll();
    order();
    cancel();
    job(true);
    order();
    expect(await channel.cancelOrder!(request)).toMatchObject({ outcome: 'impossible' });
  });

  test.each([
    ['INVALID', undefined, 'impossible'],
    ['INVALID', cancelled, 'cancelled'],
    ['NO_REFUND_PERMISSION', undefined, 'channel-unauthorized'],
    ['INTERNAL_ERROR', undefined, 'channel-unavailable'],
  ])('refused as %s of an order that then says %j is %s', async (code, then, expected) => {
    const { channel } = await connect();
    order();
    cancel([{ code, message: 'No.', field: null }], null);
    if (code === 'INVALID') order(then);
    const outcome = await channel.cancelOrder!(request).then(
      (result) => result.outcome,
      (error: ChannelError) => error.code,
    );
    expect(outcome).toBe(expected);
  });

  test('of some units refunds them by what Shopify suggests, and knows its own refund again', async () => {
    const { channel } = await connect();
    const some = { ...request, lines: [{ lineId: '11', quantityUnits: 1 }] };
    order();
    const parent = {
      gateway: 'bogus',
      parentTransaction: { id: 'gid://shopify/OrderTransaction/1' },
      amountSet: { presentmentMoney: { amount: '9.99' } },
    };
    const free = { ...parent, amountSet: { presentmentMoney: { amount: '0.0' } } };
    const reckoned = answer('SuggestedRefund', {
      order: { presentmentCurrencyCode: 'EUR', suggestedRefund: { suggestedTransactions: [parent, free] } },
    });
    const refunded = answer('CreateRefund', {
      refundCreate: { refund: { id: 'gid://shopify/Refund/1' }, userErrors: [] },
    });
    expect(await channel.cancelOrder!(some)).toEqual({ outcome: 'cancelled' });
    const refundLineItems = [
      { lineItemId: 'gid://shopify/LineItem/11', quantity: 1, restockType: 'NO_RESTOCK' },
    ];
    expect(reckoned[0]?.refundLines).toEqual(refundLineItems);
    const input = refunded[0]?.input as { note: string };
    expect(input).toMatchObject({
      ...{ orderId: 'gid://shopify/Order/1', currency: 'EUR', notify: true, refundLineItems },
      transactions: [
        {
          orderId: 'gid://shopify/Order/1',
          parentId: 'gid://shopify/OrderTransaction/1',
          gateway: 'bogus',
          kind: 'REFUND',
          amount: '9.99',
        },
      ],
    });
    expect([input.note.length, input.note.endsWith(' [c-1]')]).toEqual([255, true]);
    order({ refunds: [{ note: input.note, refundLineItems: page([]) }] });
    expect(await channel.cancelOrder!(some)).toEqual({ outcome: 'cancelled' });
    order();
    answer('SuggestedRefund', { order: { presentmentCurrencyCode: 'EUR', suggestedRefund: null } });
    answer('CreateRefund', { refundCreate: { refund: null, userErrors: [{ field: null, message: 'No.' }] } });
    expect(await channel.cancelOrder!(some)).toEqual({
      outcome: 'impossible',
      reason: 'Shopify refuses the refund: No.',
    });
  });
});

describe('a subscription', () => {
  const URL = 'https://stock.example/webhooks/acme';
  const existing = (nodes: object[]) => answer('WebhookSubscriptions', { webhookSubscriptions: page(nodes) });

  test('is made for each topic that lacks one, and follows a host that moved', async () => {
    const { channel } = await connect({ returns: false });
    const topics = [
      'ORDERS_CREATE',
      'ORDERS_UPDATED',
      'ORDERS_EDITED',
      'ORDERS_CANCELLED',
      'ORDERS_FULFILLED',
      'ORDERS_PARTIALLY_FULFILLED',
      'REFUNDS_CREATE',
    ];
    existing([
      ...topics.map((topic) => ({ id: `s-${topic}`, topic, uri: URL })),
      { id: 's-8', topic: 'APP_UNINSTALLED', uri: 'https://elsewhere.example/webhooks/acme' },
      { id: 's-9', topic: 'INVENTORY_LEVELS_UPDATE', uri: 'https://another.example/hooks' },
    ]);
    const made = answer('CreateSubscription', {
      webhookSubscriptionCreate: { webhookSubscription: {}, userErrors: [] },
    });
    const moved = answer('MoveSubscription', {
      webhookSubscriptionUpdate: { webhookSubscription: {}, userErrors: [] },
    });
    await channel.subscribe!(URL);
    expect(made).toEqual([{ topic: 'INVENTORY_LEVELS_UPDATE', uri: URL }]);
    expect(moved).toEqual([{ id: 's-8', uri: URL }]);
  });

  test('that is refused keeps none of the others from being made, and is named', async () => {
    const { channel } = await connect({ returns: false });
    existing([]);
    refuse('CreateSubscription', 'ACCESS_DENIED');
    const made = nock(SHOP)
      .post(PATH, (body: Body) => body.query === DOCUMENTS.CreateSubscription)
      .times(8);
    made.reply(200, { data: { webhookSubscriptionCreate: { userErrors: [] } } });
    expect((await failureOf(channel.subscribe!(URL))).message).toMatch(/^ORDERS_CREATE: .*ACCESS_DENIED/);
  });
});

describe('check()', () => {
  const access = (scopes: string[], myshopifyDomain = 'acme.myshopify.com', version = '2026-07') =>
    nock(SHOP)
      .post(PATH, (body: Body) => body.query === DOCUMENTS.Access)
      .reply(
        200,
        {
          data: {
            shop: { name: 'Acme', myshopifyDomain },
            currentAppInstallation: { accessScopes: scopes.map((handle) => ({ handle })) },
          },
        },
        { 'x-shopify-api-version': version },
      );
  const failed = async (channel: Channel) =>
    (await channel.check()).findings.filter(({ ok }) => !ok).map(({ message }) => message);

  test('names each scope that is missing and what it is for', async () => {
    const { channel } = await connect({ orderLocations: 'assigned' });
    access(['write_inventory', 'write_orders', 'write_products']);
    locations('7');
    expect(await failed(channel)).toEqual([
      expect.stringMatching(/scope read_locations is missing/),
      expect.stringMatching(/scope read_returns is missing.*options.returns/),
      expect.stringMatching(/scope read_merchant_managed_fulfillment_orders is missing/),
    ]);
  });

  test('finds another shop, a version that is served no more, and a location that is none', async () => {
    const { channel } = await connect({ orderLocations: '9', returns: false });
    access(
      ['read_products', 'write_inventory', 'read_locations', 'write_orders'],
      'other.myshopify.com',
      '2027-01',
    );
    locations('7');
    expect(await failed(channel)).toEqual([
      expect.stringContaining('other.myshopify.com'),
      expect.stringContaining('2027-01'),
      expect.stringContaining('no active location'),
    ]);
  });
});
