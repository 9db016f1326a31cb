import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AmazonSimulator,
  type AmazonSimulatorOptions,
  startAmazon,
} from '../../plugins/amazon-sp-api/simulator';
import { type AmazonAnswer, AmazonCaller, type Json } from '../support/amazon-caller';
import { OfficialModels } from '../support/amazon-models';
import { eventually } from '../support/eventually';

const GRANTLESS = 'sellingpartnerapi::notifications';
const ORDERS = '/orders/2026-01-01/orders';
const AT = '2026-03-01T10:00:00.000Z';
const models = OfficialModels.load();
/** Of all tests, to be compared with the models in the last one. */
const answers: AmazonAnswer[] = [];

let amazon: AmazonSimulator;
let caller: AmazonCaller;

async function start(options: Partial<AmazonSimulatorOptions> = {}): Promise<void> {
  amazon = await startAmazon({
    webhookSecret: 'client-secret',
    unlimited: true,
    timeScale: 1_000,
    ...options,
  });
  caller = new AmazonCaller(amazon);
}

afterEach(async () => {
  answers.push(...caller.answers);
  await amazon.close();
});

describe('reports', () => {
  const ask = async (reportType: string, period: object = {}) => {
    const { marketplaceIds } = caller.options;
    const { body } = await caller.call('POST', '/reports/2021-06-30/reports', {
      json: { reportType, marketplaceIds, ...period },
    });
    return eventually(async () => {
      const answer = await caller.call('GET', `/reports/2021-06-30/reports/${body.reportId}`);
      expect(answer.body.processingStatus).not.toMatch(/IN_/);
      return answer.body;
    });
  };
  const rows = async (report: { reportDocumentId: string }) => {
    const text = await caller.read(`/reports/2021-06-30/documents/${report.reportDocumentId}`);
    const [head, ...lines] = text
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split('\t'));
    return lines.map((line) => Object.fromEntries(head!.map((name, index) => [name, line[index]])));
  };

  test('list every listing, with the quantity that buyers see', async () => {
    await start();
    amazon.list([{ channelSku: 'A', quantityUnits: 4 }]);
    amazon.stockFba([{ sku: 'F', fulfillableUnits: 9 }]);
    const listed = await rows(await ask('GET_MERCHANT_LISTINGS_ALL_DATA'));
    expect(listed).toMatchObject([
      { 'seller-sku': 'A', quantity: '4', 'fulfillment-channel': 'DEFAULT' },
      { 'seller-sku': 'F', quantity: '', 'fulfillment-channel': 'AMAZON_NA' },
    ]);
  });

  test('tell of returns of a period, of which the orders API says nothing', async () => {
    await start();
    for (const orderId of ['o-1', 'o-2']) {
      amazon.placeOrder({
        orderId,
        placedAt: AT,
        lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 2 }],
      });
      amazon.fulfilOrder(orderId, AT);
    }
    const before = (await caller.call('GET', `${ORDERS}/o-1`)).body;
    amazon.returnOrder('o-1', '2026-03-05T10:00:00.000Z');
    amazon.returnOrder('o-2', '2026-04-05T10:00:00.000Z');
    const period = { dataStartTime: '2026-03-01T00:00:00Z', dataEndTime: '2026-03-31T00:00:00Z' };
    const returned = await rows(await ask('GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE', period));
    expect(returned).toMatchObject([
      {
        'Order ID': 'o-1',
        'Merchant SKU': 'A',
        'Return quantity': '2',
        'Return request date': '05-Mar-2026',
      },
    ]);
    expect((await caller.call('GET', `${ORDERS}/o-1`)).body).toEqual(before);
  });

  test.each(['fatal', 'cancelled'] as const)('that end %s have no document', async (fate) => {
    await start();
    amazon.reports.fate(fate);
    const report = await ask('GET_MERCHANT_LISTINGS_ALL_DATA');
    expect([report.processingStatus, report.reportDocumentId]).toEqual([fate.toUpperCase(), undefined]);
  });
});

describe('stock at Amazon', () => {
  const ask = (query: Record<string, string | string[]> = {}) => {
    const [marketplaceId] = caller.options.marketplaceIds as string[];
    return caller.call('GET', '/fba/inventory/v1/summaries', {
      query: {
        ...{ granularityType: 'Marketplace', granularityId: marketplaceId!, marketplaceIds: marketplaceId! },
        ...query,
      },
    });
  };

  test('is counted in pages, whose token ends after half a minute and goes with its start only', async () => {
    await start({ timeScale: 20 });
    amazon.stockFba(
      Array.from({ length: 60 }, (_, index) => ({ sku: `F-${100 + index}`, fulfillableUnits: index })),
    );
    const first = (await ask({ details: 'true' })).body;
    const { nextToken } = first.pagination;
    const start50 = { nextToken, startDateTime: '2026-01-01T00:00:00Z' };
    expect((await ask(start50)).status).toBe(400);
    const second = (await ask({ nextToken, details: 'true' })).body;
    const all = [...first.payload.inventorySummaries, ...second.payload.inventorySummaries];
    expect(all.map((item) => item.inventoryDetails.fulfillableQuantity)).toEqual([...Array(60).keys()]);
    expect(second.pagination).toBeUndefined();
    await sleep(30_000 / 20);
    expect((await ask({ nextToken })).status).toBe(400);
  });

  test('goes down by what Amazon ships, and never by the seller’s own orders', async () => {
    await start();
    amazon.stockFba([{ sku: 'F', fulfillableUnits: 5 }]);
    amazon.list([{ channelSku: 'A', quantityUnits: 5 }]);
    const line = (channelSku: string) => [{ lineId: '1', channelSku, quantityUnits: 2 }];
    amazon.placeOrder({ orderId: 'o-1', placedAt: AT, lines: line('F'), fulfilledBy: 'AMAZON' });
    amazon.placeOrder({ orderId: 'o-2', placedAt: AT, lines: line('A') });
    const { body } = await ask({ sellerSkus: ['F'], details: 'true' });
    expect(body.payload.inventorySummaries[0].inventoryDetails).toMatchObject({
      fulfillableQuantity: 3,
      reservedQuantity: { totalReservedQuantity: 2 },
    });
    expect(amazon.shown()).toEqual(new Map([['A', 3]]));
  });
});

describe('orders', () => {
  const later = (minutes: number) => new Date(Date.parse(AT) + minutes * 60_000).toISOString();
  const place = (orderId: string, others: object = {}) =>
    amazon.placeOrder({
      orderId,
      placedAt: AT,
      lines: [
        { lineId: '1', channelSku: 'A', quantityUnits: 2 },
        { lineId: '2', channelSku: 'B', quantityUnits: 1 },
      ],
      ...others,
    });

  test.each<[string, () => unknown, string, number[]]>([
    ['placed', () => place('o'), 'UNSHIPPED', [0, 2, 0, 1]],
    ['placed and not paid for', () => place('o', { isPending: true }), 'PENDING', [0, 2, 0, 1]],
    [
      'paid for',
      () => [place('o', { isPending: true }), amazon.payOrder('o', AT)],
      'UNSHIPPED',
      [0, 2, 0, 1],
    ],
    [
      'shipped in part',
      () => [place('o'), amazon.fulfilOrder('o', AT, new Map([['1', 1]]))],
      'PARTIALLY_SHIPPED',
      [1, 1, 0, 1],
    ],
    ['shipped', () => [place('o'), amazon.fulfilOrder('o', AT)], 'SHIPPED', [2, 0, 1, 0]],
    ['cancelled', () => [place('o'), amazon.cancelOrder('o', AT)], 'CANCELLED', [0, 0, 0, 0]],
    ['asked to be cancelled', () => [place('o'), amazon.askToCancel('o', AT)], 'UNSHIPPED', [0, 2, 0, 1]],
  ])('that are %s', async (_, act, status, units) => {
    await start();
    act();
    const { body } = await caller.call('GET', `${ORDERS}/o`, {
      query: { includedData: ['FULFILLMENT', 'CANCELLATION'] },
    });
    expect(body.order.fulfillment.fulfillmentStatus).toBe(status);
    const counts = body.order.orderItems.flatMap(({ fulfillment }: Json) => [
      fulfillment.quantityFulfilled,
      fulfillment.quantityUnfulfilled,
    ]);
    expect(counts).toEqual(units);
    expect(Date.parse(body.order.lastUpdatedTime)).toBe(amazon.order('o').revision);
  });

  test('say nothing of fulfilment and cancellation unless asked', async () => {
    await start();
    place('o');
    amazon.askToCancel('o', AT);
    const bare = (await caller.call('GET', `${ORDERS}/o`)).body.order;
    expect([bare.fulfillment, bare.orderItems[0].fulfillment, bare.orderItems[0].cancellation]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const whole = (await caller.call('GET', `${ORDERS}/o`, { query: { includedData: 'CANCELLATION' } })).body
      .order;
    expect(whole.orderItems[0].cancellation).toEqual({
      cancellationRequest: { requester: 'BUYER', cancelReason: 'BUYER_REMORSE' },
    });
  });

  test.each<[string, Record<string, string>, number]>([
    ['by when they were placed', { createdAfter: AT }, 200],
    ['by when they changed', { lastUpdatedAfter: AT }, 200],
    ['by both', { createdAfter: AT, lastUpdatedAfter: AT }, 400],
    ['by neither', {}, 400],
    ['up to now', { createdAfter: AT, createdBefore: new Date(Date.now() + 60_000).toISOString() }, 400],
    ['up to the other kind of time', { createdAfter: AT, lastUpdatedBefore: AT }, 400],
    ['by what is no time', { createdAfter: 'TEST_CASE_400' }, 400],
    ['in pages of 101', { createdAfter: AT, maxResultsPerPage: '101' }, 400],
    ['with a token that is none', { createdAfter: AT, paginationToken: 'x' }, 400],
    ['with data that is none', { createdAfter: AT, includedData: 'EVERYTHING' }, 400],
  ])('searched for %s', async (_, query, status) => {
    await start();
    place('o');
    expect((await caller.call('GET', ORDERS, { query })).status).toBe(status);
  });

  test('are listed two minutes after their last change, and are there at once by their id', async () => {
    await start({ timeScale: 600 });
    place('o', { placedAt: new Date().toISOString() });
    const search = async () =>
      (await caller.call('GET', ORDERS, { query: { lastUpdatedAfter: AT } })).body.orders;
    expect(await search()).toEqual([]);
    expect((await caller.call('GET', `${ORDERS}/o`)).status).toBe(200);
    await sleep(200);
    expect(await search()).toHaveLength(1);
  });

  test('come in pages by their last change, and a token goes with its search only', async () => {
    await start();
    for (let index = 0; index < 5; index += 1) place(`o-${index}`);
    amazon.fulfilOrder('o-1', later(5));
    const query = { lastUpdatedAfter: AT, maxResultsPerPage: 3 };
    const first = (await caller.call('GET', ORDERS, { query })).body;
    // It was read already, and is read again after its change.
    amazon.fulfilOrder('o-0', later(6));
    const paginationToken = first.pagination.nextToken;
    const second = (await caller.call('GET', ORDERS, { query: { ...query, paginationToken } })).body;
    const ids = [...first.orders, ...second.orders].map(({ orderId }: { orderId: string }) => orderId);
    expect(ids).toEqual(['o-0', 'o-2', 'o-3', 'o-4', 'o-1', 'o-0']);
    const other = { ...query, lastUpdatedAfter: later(1), paginationToken };
    expect((await caller.call('GET', ORDERS, { query: other })).status).toBe(400);
  });
});

describe('usage plans', () => {
  const participations = () => caller.call('GET', '/sellers/v1/marketplaceParticipations');

  test('are refused with 429 and told in a header; the log says which calls came too early', async () => {
    await start({ unlimited: false, timeScale: 1 });
    const calls = await Promise.all(Array.from({ length: 17 }, participations));
    expect(calls.filter(({ status }) => status === 429)).toHaveLength(2);
    expect(new Set(calls.map(({ headers }) => headers.get('x-amzn-ratelimit-limit')))).toEqual(
      new Set(['0.016']),
    );
    expect(amazon.planBreaches().map(({ operation }) => operation)).toEqual(
      Array(2).fill('getMarketplaceParticipations'),
    );
  });

  test('are what this seller was given', async () => {
    const plans = { getMarketplaceParticipations: { perSecond: 0.5, burst: 20 } };
    await start({ unlimited: false, timeScale: 1, plans });
    const calls = await Promise.all(Array.from({ length: 21 }, participations));
    expect(calls.filter(({ status }) => status === 429)).toHaveLength(1);
    expect(calls[0]!.headers.get('x-amzn-ratelimit-limit')).toBe('0.5');
    expect(amazon.planBreaches()).toHaveLength(1);
  });

  test('run as fast as time does, and each operation has its own', async () => {
    await start({ unlimited: false, timeScale: 10_000 });
    await Promise.all(Array.from({ length: 15 }, participations));
    await sleep(20);
    const more = await Promise.all([
      participations(),
      participations(),
      caller.call('GET', `${ORDERS}/none`),
    ]);
    expect(more.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(amazon.planBreaches()).toEqual([]);
  });
});

describe('notifications are set up', () => {
  const create = (json: object) =>
    caller.call('POST', '/notifications/v1/destinations', { json, grant: GRANTLESS });
  const subscribe = (type: string, destinationId: string) =>
    caller.call('POST', `/notifications/v1/subscriptions/${type}`, {
      json: { payloadVersion: '1.0', destinationId },
    });
  const arn = 'arn:aws:sqs:us-east-1:123456789012:onhand-amazon';
  const bridge = { region: 'us-east-1', accountId: '123456789012' };

  test('once for each destination and type', async () => {
    await start({ subscribed: false });
    expect((await caller.call('GET', '/notifications/v1/subscriptions/ORDER_CHANGE')).status).toBe(404);
    const queue = (await create({ name: 'q', resourceSpecification: { sqs: { arn } } })).body.payload;
    const events = (await create({ name: 'e', resourceSpecification: { eventBridge: bridge } })).body.payload;
    const again = await create({ name: 'q', resourceSpecification: { sqs: { arn } } });
    const { payload } = (await caller.call('GET', '/notifications/v1/destinations', { grant: GRANTLESS }))
      .body;
    expect([again.status, payload]).toEqual([409, [queue, events]]);
    const statuses = [];
    for (const [type, { destinationId }] of [
      ['ORDER_CHANGE', queue],
      ['ORDER_CHANGE', queue],
      ['ORDER_CHANGE', events],
      ['LISTINGS_ITEM_MFN_QUANTITY_CHANGE', queue],
      ['LISTINGS_ITEM_MFN_QUANTITY_CHANGE', events],
    ] as const)
      statuses.push((await subscribe(type, destinationId)).status);
    expect(statuses).toEqual([200, 409, 400, 400, 200]);
  });

  test.each([
    ['a FIFO queue', { sqs: { arn: `${arn}.fifo` } }],
    ['a queue that does not let Amazon send', { sqs: { arn: `${arn}-2` } }],
    ['two of them', { sqs: { arn }, eventBridge: bridge }],
    ['none', {}],
  ])('not for %s', async (_, resourceSpecification) => {
    await start({ subscribed: false });
    expect((await create({ name: 'q', resourceSpecification })).status).toBe(400);
  });
});

(models ? test : test.skip)('all that was answered is as the official models have it', () => {
  expect(models!.problemsOfAnswers(answers)).toEqual([]);
  expect(new Set(answers.map(({ operation }) => operation)).size).toBeGreaterThan(10);
});
