import nock from 'nock';
import type { CancelRequest, Channel } from 'onhand/channel-api';
import { collect, failureOf, networkOff, type QuietHost } from 'onhand/channel-api/testing';
import * as amazon from './amazon-sp-api.fixtures';
import { startAmazon } from './simulator';

const API = 'https://sellingpartnerapi-na.amazon.com';
const ORDERS = '/orders/2026-01-01/orders';
const INCLUDED = 'FULFILLMENT,CANCELLATION';
const FEEDS = '/feeds/2021-06-30';
const REPORTS = '/reports/2021-06-30';
const ARN = 'arn:aws:sqs:us-east-1:123456789012:onhand';
const SQS = {
  queueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/onhand',
  ...{ region: 'us-east-1', accessKeyId: 'AKIATEST', secretAccessKey: amazon.SECRETS[2] },
};

let tested: QuietHost;

networkOff(nock, { allow: '127.0.0.1' });

beforeEach(() => {
  tested = amazon.quietHost();
});

afterEach(() => {
  for (const secret of amazon.SECRETS) expect(tested.logged.join('\n')).not.toContain(secret);
});

function channelWith(options: object = {}): Promise<Channel> {
  nock('https://api.amazon.com')
    .post('/auth/o2/token', (body: { grant_type?: string }) => body.grant_type === 'refresh_token')
    .optionally()
    .reply(200, { access_token: 'Atza|1', expires_in: 3600 });
  return amazon.connectAmazon(tested, options);
}

const onOrder = () => nock(API).get(`${ORDERS}/${amazon.ORDER_ID}`).query({ includedData: INCLUDED });

describe('a read of orders', () => {
  const query = {
    ...{ lastUpdatedAfter: '2026-02-28T00:00:00.000Z', marketplaceIds: amazon.US },
    ...{ fulfilledBy: 'MERCHANT', maxResultsPerPage: 100, includedData: INCLUDED },
  };
  const since = query.lastUpdatedAfter;

  it('asks for what the seller ships, a hundred at once, and passes the token on', async () => {
    nock(API)
      .get(ORDERS)
      .query(query)
      .reply(200, amazon.orderPage([amazon.order()], 'to ken'));
    nock(API)
      .get(ORDERS)
      .query({ ...query, paginationToken: 'to ken' })
      .reply(200, amazon.orderPage([{ ...amazon.order(), orderId: '2' }, { orderId: '3' }]));
    const { items, pages } = await collect((await channelWith()).readOrders({ since }));
    expect(items.map(({ orderId }) => orderId)).toEqual([amazon.ORDER_ID, '2']);
    expect(pages.map(({ cursor }) => cursor)).toEqual([`${since} to ken`, undefined]);
    expect(pages[1]!.unreadable).toMatchObject([
      { id: '3', reason: expect.stringContaining('fulfillment') as string },
    ]);
  });

  it('goes on from a cursor with the search that it came from, and asks for two years where no time is given', async () => {
    nock(API)
      .get(ORDERS)
      .query({ ...query, paginationToken: 'to ken' })
      .reply(200, amazon.orderPage([]));
    const channel = await channelWith();
    await collect(channel.readOrders({ cursor: `${since} to ken` }));
    nock(API)
      .get(ORDERS)
      .query({ ...query, lastUpdatedAfter: '2024-03-01T12:00:00.000Z' })
      .reply(200, amazon.orderPage([]));
    await collect(channel.readOrders({}));
  });

  it.each<[string, number, nock.Body, object | undefined]>([
    [
      'is read as it stands',
      200,
      { order: amazon.order({ items: [{ ordered: 2, fulfilled: 1 }] }) },
      { lines: [{ ordered: 2, fulfilled: 1 }] },
    ],
    [
      'that Amazon ships has no line of ours',
      200,
      { order: amazon.order({ fulfilledBy: 'AMAZON' }) },
      { orderId: amazon.ORDER_ID, lines: [] },
    ],
    ['that is not known is none', 404, amazon.errors('NotFound', ''), undefined],
    ['by an id of another form is none', 400, amazon.errors('InvalidInput', ''), undefined],
  ])('one order %s', async (_, status, body, expected) => {
    onOrder().reply(status, body);
    const order = await (await channelWith()).readOrder!(amazon.ORDER_ID);
    if (expected === undefined) expect(order).toBeUndefined();
    else expect(order).toMatchObject(expected);
  });

  it('finds by report what came back, and waits for no report', async () => {
    const onPage = () => nock(API).get(ORDERS).query(true).reply(200, amazon.orderPage([]));
    const onReport = () =>
      nock(API).post(`${REPORTS}/reports`, {
        reportType: 'GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE',
        marketplaceIds: [amazon.US],
        ...periodAt(tested.nowMs),
      });
    const onShipped = () =>
      onOrder().reply(200, {
        order: amazon.order({ status: 'SHIPPED', items: [{ ordered: 2, fulfilled: 2 }] }),
      });
    const done = (units: number) => {
      nock(API).get(`${REPORTS}/reports/60000`).reply(200, amazon.report('DONE', 'returns'));
      nock(API).get(`${REPORTS}/documents/returns`).reply(200, amazon.reportDocument('returns'));
      const rows = [
        'Order ID\tMerchant SKU\tReturn quantity\tReturn delivery date',
        `${amazon.ORDER_ID}\tSKU-1\t${units}\t28-Feb-2026`,
      ];
      nock(amazon.DOCUMENT_URL).get('/returns').reply(200, rows.join('\n'));
    };
    const channel = await channelWith({ returns: {} });
    const poll = async () => {
      onPage();
      return (await collect(channel.readOrders({ since }))).items;
    };
    onReport().reply(202, { reportId: '60000' });
    expect(await poll()).toEqual([]);
    done(1);
    onShipped();
    expect(await poll()).toMatchObject([
      { orderId: amazon.ORDER_ID, lines: [{ fulfilled: 2, returned: 1 }] },
    ]);
    // Not asked for again so soon.
    expect(await poll()).toEqual([]);
    for (const [units, returned] of [
      [1, undefined],
      [2, 2],
    ] as const) {
      tested.nowMs += 5 * 3_600_000;
      nock('https://api.amazon.com')
        .post('/auth/o2/token')
        .reply(200, { access_token: 'Atza|2', expires_in: 3600 });
      onReport().reply(202, { reportId: '60000' });
      await poll();
      done(units);
      if (returned !== undefined) onShipped();
      expect((await poll()).map(({ lines }) => lines[0]!.returned)).toEqual(
        returned === undefined ? [] : [returned],
      );
    }
  });

  const periodAt = (nowMs: number) => ({
    dataStartTime: new Date(nowMs - 30 * 86_400_000).toISOString(),
    dataEndTime: new Date(nowMs).toISOString(),
  });
});

describe('stock at Amazon', () => {
  const fba = { fba: { location: 'FBA' } };
  const onSummaries = (marketplaceId: string, nextToken?: string) =>
    nock(API)
      .get('/fba/inventory/v1/summaries')
      .query({
        ...{
          details: 'true',
          granularityType: 'Marketplace',
          granularityId: marketplaceId,
          marketplaceIds: marketplaceId,
        },
        ...(nextToken === undefined ? {} : { nextToken }),
      });

  it('is what can be sold, of each SKU the largest number that a marketplace shows', async () => {
    onSummaries(amazon.US).reply(200, amazon.summaries({ F: 4 }, 'next'));
    onSummaries(amazon.US, 'next').reply(200, amazon.summaries({ G: 5 }));
    onSummaries(amazon.CA).reply(200, amazon.summaries({ F: 3, G: 6 }));
    const channel = await channelWith({ ...fba, marketplaceIds: [amazon.US, amazon.CA] });
    const { items } = await collect(channel.readCounts!());
    expect(items).toEqual([
      { channelSku: 'F', channelLocation: 'FBA', quantityUnits: 4 },
      { channelSku: 'G', channelLocation: 'FBA', quantityUnits: 6 },
    ]);
  });

  it('is read once more from the start where a token ended, and not for ever', async () => {
    for (let read = 0; read < 2; read++) {
      onSummaries(amazon.US).reply(200, amazon.summaries({ F: 4 }, 'next'));
      onSummaries(amazon.US, 'next').reply(400, amazon.errors('InvalidInput', 'The token has expired.'));
    }
    expect(await failureOf(collect((await channelWith(fba)).readCounts!()))).toMatchObject({
      code: 'amazon-refused',
    });
  });
});

describe('a cancellation', () => {
  const request = (units: number): CancelRequest => ({
    ...{ cancelId: 'c-1', orderId: amazon.ORDER_ID, reason: 'out of stock', message: 'We are sorry.' },
    lines: [{ lineId: 'line-1', quantityUnits: units }],
  });

  it('is a feed that acknowledges the failure to fulfil the order', async () => {
    onOrder().reply(200, { order: amazon.order() });
    nock(API)
      .post(`${FEEDS}/documents`, { contentType: 'text/xml; charset=UTF-8' })
      .reply(201, amazon.CREATED_DOCUMENT);
    let sent = '';
    nock(amazon.DOCUMENT_URL)
      .put('/upload')
      .query(true)
      .reply(200, (_, body) => void (sent = String(body)));
    nock(API)
      .post(`${FEEDS}/feeds`, {
        feedType: 'POST_ORDER_ACKNOWLEDGEMENT_DATA',
        marketplaceIds: [amazon.US],
        inputFeedDocumentId: amazon.CREATED_DOCUMENT.feedDocumentId,
      })
      .reply(202, { feedId: '50000' });
    const result = await (await channelWith()).cancelOrder!(request(2));
    expect(result).toEqual({ outcome: 'pending', receipt: `feed 50000 order ${amazon.ORDER_ID}` });
    for (const part of [
      `<MerchantIdentifier>${amazon.SELLER}</MerchantIdentifier>`,
      `<AmazonOrderID>${amazon.ORDER_ID}</AmazonOrderID><StatusCode>Failure</StatusCode>`,
      '<Item><AmazonOrderItemCode>line-1</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item>',
    ])
      expect(sent).toContain(part);
  });

  it.each<[string, amazon.OrderFixture, number, object]>([
    ['of an order that is cancelled is done', { status: 'CANCELLED' }, 2, { outcome: 'cancelled' }],
    [
      'of a part is impossible',
      {},
      1,
      { outcome: 'impossible', reason: expect.stringContaining('whole orders') as string },
    ],
    [
      'of one line of two is impossible',
      { items: [{ ordered: 2 }, { ordered: 1 }] },
      2,
      { outcome: 'impossible' },
    ],
    [
      'of what is shipped in part is impossible',
      { items: [{ ordered: 2, fulfilled: 1 }] },
      2,
      { outcome: 'impossible' },
    ],
    ['of an order that Amazon ships is impossible', { fulfilledBy: 'AMAZON' }, 2, { outcome: 'impossible' }],
  ])('%s, and no feed is sent', async (_, fixture, units, expected) => {
    onOrder().reply(200, { order: amazon.order(fixture) });
    expect(await (await channelWith()).cancelOrder!(request(units))).toMatchObject(expected);
  });

  it('of a pending order is to be tried again', async () => {
    onOrder().reply(200, { order: amazon.order({ status: 'PENDING' }) });
    const error = await failureOf((await channelWith()).cancelOrder!(request(2)));
    expect(error).toMatchObject({ code: 'order-pending', retryable: true });
  });

  const receipt = `feed 50000 order ${amazon.ORDER_ID}`;
  const ERROR =
    '<MessagesWithError>1</MessagesWithError><Result><ResultCode>Error</ResultCode><ResultDescription>Shipped.</ResultDescription></Result>';

  it.each<[string, string, string | undefined, string | undefined, object]>([
    ['while its feed waits is pending', 'IN_QUEUE', undefined, undefined, { outcome: 'pending', receipt }],
    [
      'whose feed is done is so when the order says it',
      'DONE',
      '<MessagesWithError>0</MessagesWithError>',
      'CANCELLED',
      { outcome: 'cancelled' },
    ],
    [
      'whose feed is done and whose order is not yet is pending',
      'DONE',
      '<MessagesWithError>0</MessagesWithError>',
      'UNSHIPPED',
      { outcome: 'pending', receipt },
    ],
    [
      'that is refused is impossible',
      'DONE',
      ERROR,
      'SHIPPED',
      { outcome: 'impossible', reason: 'Amazon refuses it: Shipped.' },
    ],
    [
      'that is refused for it was cancelled before is done',
      'DONE',
      ERROR,
      'CANCELLED',
      { outcome: 'cancelled' },
    ],
    ['whose feed is FATAL is impossible', 'FATAL', undefined, 'UNSHIPPED', { outcome: 'impossible' }],
  ])('%s', async (_, status, result, orderStatus, expected) => {
    nock(API)
      .get(`${FEEDS}/feeds/50000`)
      .reply(200, amazon.feed(status, result && 'result', 'POST_ORDER_ACKNOWLEDGEMENT_DATA'));
    if (result !== undefined) {
      nock(API).get(`${FEEDS}/documents/result`).reply(200, amazon.feedDocument('result'));
      nock(amazon.DOCUMENT_URL).get('/result').reply(200, result);
    }
    if (orderStatus !== undefined) onOrder().reply(200, { order: amazon.order({ status: orderStatus }) });
    expect(await (await channelWith()).followCancellation!(receipt)).toMatchObject(expected);
  });
});

describe('subscriptions', () => {
  const onType = (type: string) =>
    nock(API).get(`/notifications/v1/subscriptions/${type}`).query({ payloadVersion: '1.0' });
  const onDestinations = () =>
    nock(API).get('/notifications/v1/destinations').matchHeader('x-amz-access-token', 'Atza|grantless');
  const onGrantless = () =>
    nock('https://api.amazon.com')
      .post('/auth/o2/token', {
        grant_type: 'client_credentials',
        scope: 'sellingpartnerapi::notifications',
        client_id: 'client',
        client_secret: amazon.SECRETS[0]!,
      })
      .reply(200, { access_token: 'Atza|grantless', expires_in: 3600 });

  it('are made where they are missing, with a destination of the application’s own', async () => {
    onGrantless();
    onType('ORDER_CHANGE').reply(404, amazon.errors('NotFound', ''));
    onDestinations().reply(200, { payload: [] });
    nock(API)
      .post('/notifications/v1/destinations', {
        name: 'onhand-sqs-123456789012',
        resourceSpecification: { sqs: { arn: ARN } },
      })
      .matchHeader('x-amz-access-token', 'Atza|grantless')
      .reply(200, { payload: amazon.destination(ARN) });
    nock(API)
      .post('/notifications/v1/subscriptions/ORDER_CHANGE', {
        payloadVersion: '1.0',
        destinationId: 'dest-1',
      })
      .matchHeader('x-amz-access-token', 'Atza|1')
      .reply(200, amazon.subscription('dest-1'));
    await (
      await channelWith({ sqs: SQS })
    ).subscribe!();
  });

  it('that are there are left alone, and one that goes elsewhere is told of', async () => {
    onGrantless();
    onType('ORDER_CHANGE').reply(200, amazon.subscription('dest-1'));
    onType('FBA_INVENTORY_AVAILABILITY_CHANGES').reply(200, amazon.subscription('dest-of-another'));
    onType('LISTINGS_ITEM_MFN_QUANTITY_CHANGE').reply(404, amazon.errors('NotFound', ''));
    onDestinations()
      .times(3)
      .reply(200, { payload: [amazon.destination(ARN)] });
    const eventBridge = { accountId: '123456789012', region: 'us-east-1' };
    nock(API)
      .post('/notifications/v1/destinations', {
        name: 'onhand-eventBridge-123456789012',
        resourceSpecification: { eventBridge },
      })
      .reply(200, { payload: { ...amazon.destination(ARN), destinationId: 'dest-2' } });
    nock(API)
      .post('/notifications/v1/subscriptions/LISTINGS_ITEM_MFN_QUANTITY_CHANGE', {
        payloadVersion: '1.0',
        destinationId: 'dest-2',
      })
      .reply(200, amazon.subscription('dest-2'));
    await (
      await channelWith({ sqs: { ...SQS, eventBridge: true }, fba: {} })
    ).subscribe!();
    expect(tested.logged.join('\n')).toContain(
      'FBA_INVENTORY_AVAILABILITY_CHANGES goes to another destination',
    );
  });
});

describe('the queue', () => {
  const onSqs = () => nock('https://sqs.us-east-1.amazonaws.com').post('/');

  it.each([
    [403, 'com.amazonaws.sqs#AccessDeniedException', 'channel-unauthorized'],
    [403, 'com.amazon.coral.service#InvalidClientTokenId', 'channel-unauthorized'],
    [400, 'com.amazonaws.sqs#QueueDoesNotExist', 'channel-unauthorized'],
    [400, 'com.amazonaws.sqs#Something', 'channel-protocol'],
  ])('that answers %i %s is %s', async (status, type, code) => {
    onSqs().reply(status, { __type: type, message: `of ${amazon.SECRETS[2]}` });
    const error = await failureOf((await channelWith({ sqs: SQS })).pullNotifications!());
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain(amazon.SECRETS[2]);
  });

  it('that is away is unavailability, as host.http says it', async () => {
    onSqs().reply(503);
    const error = await failureOf((await channelWith({ sqs: SQS })).pullNotifications!());
    expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
  });

  it('gives each notification until it is confirmed, and is asked through host.http under its limit', async () => {
    const simulator = await startAmazon({ webhookSecret: 'canary-client-secret', timeScale: 100 });
    try {
      const channel = await amazon.connectAmazon(tested, simulator.pluginOptions);
      simulator.placeOrder({
        orderId: '1',
        placedAt: '2026-03-01T10:00:00Z',
        lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 1 }],
      });
      const pulled = await channel.pullNotifications!();
      expect(pulled.map(({ topic }) => topic)).toEqual(['ORDER_CHANGE']);
      expect(channel.translateWebhook({ ...pulled[0]!, method: 'POST', path: '', headers: {} })).toEqual([
        { kind: 'order-changed', orderId: '1' },
      ]);
      expect(simulator.queue.size).toBe(1);
      await channel.confirmNotifications!(pulled.map(({ receipt }) => receipt));
      expect(simulator.queue.size).toBe(0);
      await channel.close?.();
    } finally {
      await simulator.close();
    }
  });
});

describe('check()', () => {
  const onParticipations = () => nock(API).get('/sellers/v1/marketplaceParticipations');
  const onRoles = (status = 200) => {
    nock(API)
      .get(`/listings/2021-08-01/items/${amazon.SELLER}`)
      .query(true)
      .reply(
        status,
        status === 200 ? amazon.itemPage([]) : amazon.errors('Unauthorized', 'Access is denied.'),
      );
    nock('https://api.amazon.com')
      .post('/auth/o2/token')
      .optionally()
      .reply(200, { access_token: 'Atza|2', expires_in: 3600 });
    nock(API).get(`${ORDERS}/000-0000000-0000000`).reply(404, amazon.errors('NotFound', ''));
    nock(API)
      .get(`${FEEDS}/feeds`)
      .query({ feedTypes: 'JSON_LISTINGS_FEED', pageSize: 1 })
      .reply(200, { feeds: [] });
  };

  it('proves marketplaces and roles by calls that change nothing', async () => {
    onParticipations().reply(200, amazon.participations(amazon.US));
    onRoles();
    const { ok, findings } = await (await channelWith()).check();
    expect(findings.filter((finding) => !finding.ok)).toEqual([]);
    expect(ok).toBe(true);
  });

  it('names the role that is missing, and the marketplace that the account does not sell in', async () => {
    onParticipations().reply(200, amazon.participations(amazon.CA));
    onRoles(403);
    const { findings } = await (await channelWith()).check();
    expect(findings.flatMap(({ ok, message }) => (ok ? [] : [message]))).toEqual([
      expect.stringContaining('searchListingsItems answered 403') as string,
      expect.stringContaining(`does not sell in ${amazon.US}`) as string,
    ]);
  });

  it.each([
    ['2026-02-01', true, 'good for another'],
    ['2025-09-20', false, 'ends in 17 days'],
    ['2025-08-01', false, 'older than 180 days'],
  ])('of a client secret of %s says what is left of it', async (clientSecretIssuedAt, ok, message) => {
    onParticipations().reply(200, amazon.participations(amazon.US));
    onRoles();
    const { findings } = await (await channelWith({ clientSecretIssuedAt })).check();
    expect(findings.at(-1)).toEqual({ ok, message: expect.stringContaining(message) as string });
  });
});

it('what comes over the web is refused: Amazon sends no webhooks', async () => {
  const channel = await channelWith();
  const request = { method: 'POST', path: '/', headers: {}, body: Buffer.from('{}') };
  expect(await channel.verifyWebhook(request)).toMatchObject({ verdict: 'refused', status: 401 });
});
