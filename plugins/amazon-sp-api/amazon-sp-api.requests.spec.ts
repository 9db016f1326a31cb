import { gzipSync } from 'node:zlib';
import nock from 'nock';
import type { Channel, ChannelError, FollowedPush, PushResult } from 'onhand/channel-api';
import { collect, failureOf, networkOff, type QuietHost } from 'onhand/channel-api/testing';
import * as amazon from './amazon-sp-api.fixtures';

const API = 'https://sellingpartnerapi-na.amazon.com';
const ITEMS = `/listings/2021-08-01/items/${amazon.SELLER}`;
const FEEDS = '/feeds/2021-06-30';
const REPORTS = '/reports/2021-06-30';

let tested: QuietHost;

networkOff(nock);

beforeEach(() => {
  tested = amazon.quietHost();
});

afterEach(() => {
  for (const secret of amazon.SECRETS) expect(tested.logged.join('\n')).not.toContain(secret);
});

/** Tokens are given to whoever asks, unless a test looks at just that. */
async function channelWith(options: object = {}, { tokens = true } = {}): Promise<Channel> {
  if (tokens)
    nock('https://api.amazon.com').post('/auth/o2/token').optionally().times(20).reply(200, token('Atza|1'));
  return amazon.connectAmazon(tested, options);
}

const token = (access_token: string, expires_in = 3600) => ({
  access_token,
  token_type: 'bearer',
  expires_in,
});
const updates = (...rows: [string, number][]) =>
  rows.map(([channelSku, quantityUnits]) => ({ pushId: `p-${channelSku}`, channelSku, quantityUnits }));
const outcomes = (results: PushResult[]) =>
  Object.fromEntries(
    results.map((result) => [result.pushId, 'code' in result ? result.code : result.outcome]),
  );
const patchOf = (quantity: number) => ({
  productType: 'PRODUCT',
  patches: [
    {
      ...{ op: 'merge', path: '/attributes/fulfillment_availability' },
      value: [{ fulfillment_channel_code: 'DEFAULT', quantity }],
    },
  ],
});
const onPatch = (sku: string, marketplaceId = amazon.US) =>
  nock(API)
    .patch(`${ITEMS}/${encodeURIComponent(sku)}`)
    .query({ marketplaceIds: marketplaceId });
const accepted = amazon.submission('ACCEPTED');

describe('access tokens', () => {
  const lwa = () =>
    nock('https://api.amazon.com').post(
      '/auth/o2/token',
      (body: Record<string, string>) => body.grant_type === 'refresh_token',
    );

  it('are asked for once by many calls, sent with each, and asked for anew before they end', async () => {
    lwa().reply(200, token('Atza|1'));
    for (const sku of ['A', 'B', 'C'])
      onPatch(sku).matchHeader('x-amz-access-token', 'Atza|1').reply(200, accepted);
    const channel = await channelWith({}, { tokens: false });
    await channel.pushInventory(updates(['A', 1], ['B', 2], ['C', 3]));
    tested.nowMs += 59 * 60_000;
    lwa().reply(200, token('Atza|2'));
    onPatch('A').matchHeader('x-amz-access-token', 'Atza|2').reply(200, accepted);
    await channel.pushInventory(updates(['A', 1]));
  });

  it('carry the refresh token and the client in a form', async () => {
    nock('https://api.amazon.com')
      .post('/auth/o2/token', {
        ...{ grant_type: 'refresh_token', refresh_token: amazon.SECRETS[1] },
        ...{ client_id: 'client', client_secret: amazon.SECRETS[0] },
      })
      .matchHeader('content-type', /^application\/x-www-form-urlencoded/)
      .reply(200, token('Atza|1'));
    onPatch('A').reply(200, accepted);
    await (await channelWith({}, { tokens: false })).pushInventory(updates(['A', 1]));
  });

  it.each([
    [400, { error: 'invalid_grant' }, /authorise it again/],
    [401, { error: 'invalid_client' }, /check clientId and clientSecret/],
  ])('that Login with Amazon refuses with %i are a person’s matter', async (status, body, advice) => {
    lwa().reply(status, body);
    const channel = await channelWith({}, { tokens: false });
    const error = await failureOf(channel.pushInventory(updates(['A', 1])));
    expect(error).toMatchObject({ code: 'channel-unauthorized', retryable: false });
    expect(error.message).toMatch(advice);
    for (const secret of amazon.SECRETS) expect(error.message).not.toContain(secret);
  });

  it('that Amazon does not take any more are asked for anew with the next call', async () => {
    lwa().reply(200, token('Atza|1'));
    onPatch('A').reply(403, amazon.errors('Unauthorized', 'The access token you provided has expired.'));
    const channel = await channelWith({}, { tokens: false });
    expect(await failureOf(channel.pushInventory(updates(['A', 1])))).toMatchObject({
      code: 'channel-unauthorized',
    });
    lwa().reply(200, token('Atza|2'));
    onPatch('A').matchHeader('x-amz-access-token', 'Atza|2').reply(200, accepted);
    await channel.pushInventory(updates(['A', 1]));
  });
});

describe('a push one by one', () => {
  it('merges the quantity and nothing else, and is accepted', async () => {
    onPatch('Größe 7/8 #3', amazon.US).reply(200, accepted);
    nock(API)
      .patch(`${ITEMS}/A`, patchOf(3))
      .query(true)
      .matchHeader('content-type', 'application/json')
      .reply(200, accepted);
    const results = await (await channelWith()).pushInventory(updates(['A', 3], ['Größe 7/8 #3', 1]));
    expect(outcomes(results)).toEqual({ 'p-A': 'accepted', 'p-Größe 7/8 #3': 'accepted' });
    expect(results.every((result) => !('receipt' in result))).toBe(true);
  });

  it('is told apart row by row: INVALID under 200, and a refusal, are final', async () => {
    const invalid = amazon.submission('INVALID', [
      amazon.issue('18', 'A warning.', 'WARNING'),
      amazon.issue('90000900', 'The attributes are invalid.'),
    ]);
    onPatch('A').reply(200, accepted);
    onPatch('B').reply(200, invalid);
    onPatch('C').reply(400, amazon.errors('InvalidInput', 'Invalid input.'));
    const results = await (
      await channelWith()
    ).pushInventory(updates(['A', 1], ['B', 2], ['C', 3], ['..', 4]));
    expect(results).toEqual(
      [
        {
          pushId: 'p-..',
          outcome: 'rejected',
          code: 'unusable-sku',
          reason: expect.any(String) as string,
          retryable: false,
        },
        { pushId: 'p-A', outcome: 'accepted' },
        {
          pushId: 'p-B',
          outcome: 'rejected',
          code: '90000900',
          reason: 'The attributes are invalid.',
          retryable: false,
        },
        {
          pushId: 'p-C',
          outcome: 'rejected',
          code: 'InvalidInput',
          reason: expect.stringContaining('400') as string,
          retryable: false,
        },
      ].sort((a, b) => order(results, a.pushId) - order(results, b.pushId)),
    );
  });

  const order = (results: PushResult[], pushId: string) =>
    results.findIndex((result) => result.pushId === pushId);

  it('ends with a 429: what was answered stands, the rest is held back', async () => {
    onPatch('A').reply(200, accepted);
    onPatch('B').reply(429, amazon.errors('QuotaExceeded', 'You exceeded your quota.'));
    for (const sku of ['C', 'D', 'E', 'F'])
      onPatch(sku).optionally().reply(429, amazon.errors('QuotaExceeded', ''));
    const many = updates(...[...'ABCDEFGHIJ'].map((sku): [string, number] => [sku, 1]));
    const results = await (await channelWith()).pushInventory(many);
    expect(outcomes(results)).toMatchObject({
      'p-A': 'accepted',
      'p-B': 'channel-throttled',
      'p-J': 'channel-throttled',
    });
    expect(results).toHaveLength(10);
  });

  it('of which no row is answered fails as a whole', async () => {
    nock(API).patch(/.*/).query(true).times(5).reply(503);
    const many = updates(['A', 1], ['B', 1], ['C', 1], ['D', 1], ['E', 1]);
    const error = await failureOf((await channelWith()).pushInventory(many));
    expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
  });

  it('goes on for half a minute; what is left is held back for the next push', async () => {
    const many = updates(...Array.from({ length: 100 }, (_, at): [string, number] => [`S-${at}`, at]));
    const answer = () => ((tested.nowMs += 1_000), accepted);
    nock(API).patch(/.*/).query(true).optionally().times(100).reply(200, answer);
    const results = await (await channelWith({ timeScale: 10_000 })).pushInventory(many);
    const sent = results.filter(({ outcome }) => outcome === 'accepted').length;
    expect(sent).toBeGreaterThanOrEqual(35);
    // Those under way when the time is up come to their end.
    expect(sent).toBeLessThanOrEqual(41);
    const rest = results.filter((result) => 'code' in result && result.code === 'channel-throttled').length;
    expect(sent + rest).toBe(100);
  });

  it('learns its plan from the answer', async () => {
    onPatch('A').reply(200, accepted, { 'x-amzn-RateLimit-Limit': '12.5' });
    await (await channelWith()).pushInventory(updates(['A', 1]));
    expect(tested.learned).toEqual([['patchListingsItem', { perSecond: 12.5 }]]);
  });
});

describe('a SKU that several marketplaces list', () => {
  const twoMarketplaces = { marketplaceIds: [amazon.US, amazon.CA] };
  const onLookUp = (marketplaceId: string, ...skus: string[]) =>
    nock(API)
      .get(ITEMS)
      .query((query) => query.marketplaceIds === marketplaceId && query.identifiers === skus.join(','));

  it('is written through the first that lists it, once, for its quantity is one number', async () => {
    onLookUp(amazon.US, 'A', 'B', 'C').reply(200, amazon.itemPage([amazon.item('A', [amazon.own(1)])]));
    onLookUp(amazon.CA, 'B', 'C').reply(200, amazon.itemPage([amazon.item('B', [amazon.own(1)])]));
    onPatch('A', amazon.US).reply(200, accepted);
    onPatch('B', amazon.CA).reply(200, accepted);
    // Listed by none: the first says so.
    onPatch('C', amazon.US).reply(400, amazon.errors('InvalidInput', 'Unknown SKU.'));
    const channel = await channelWith(twoMarketplaces);
    const results = await channel.pushInventory(updates(['A', 3], ['B', 4], ['C', 5]));
    expect(outcomes(results)).toEqual({ 'p-A': 'accepted', 'p-B': 'accepted', 'p-C': 'InvalidInput' });
    // What is known is not looked up again.
    onPatch('B', amazon.CA).reply(200, accepted);
    await channel.pushInventory(updates(['B', 6]));
  });

  it('that could not be looked up in time is held back, and not written through another', async () => {
    nock(API)
      .get(ITEMS)
      .query(true)
      .reply(200, () => ((tested.nowMs += 40_000), amazon.itemPage([])));
    nock(API).get(ITEMS).query(true).reply(200, amazon.itemPage([]));
    // The clock has gone on: of those that were looked up one is tried.
    nock(API).patch(/.*/).query(true).reply(200, accepted);
    const many = updates(...Array.from({ length: 30 }, (_, at): [string, number] => [`S-${at}`, at]));
    const results = await (await channelWith(twoMarketplaces)).pushInventory(many);
    expect(outcomes(results)).toMatchObject({ 'p-S-0': 'accepted', 'p-S-29': 'channel-throttled' });
    expect(results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
  });

  it('is told once by a read of all, and written through the first whatever was read first', async () => {
    const onPage = (marketplaceId: string) =>
      nock(API)
        .get(ITEMS)
        .query((query) => query.marketplaceIds === marketplaceId && query.identifiers === undefined);
    const [inUs, inCa] = [
      amazon.itemPage([amazon.item('A', [amazon.own(3)])]),
      amazon.itemPage([amazon.item('A', [amazon.own(3)]), amazon.item('B', [amazon.own(2)])]),
    ];
    const channel = await channelWith(twoMarketplaces);
    onPage(amazon.CA).reply(200, inCa);
    await collect(channel.readInventory({ cursor: '1' }));
    onPage(amazon.US).reply(200, inUs);
    onPage(amazon.CA).reply(200, inCa);
    const { items } = await collect(channel.readInventory({}));
    expect(items.map(({ channelSku, quantityUnits }) => [channelSku, quantityUnits])).toEqual([
      ['A', 3],
      ['B', 2],
    ]);
    onPatch('A', amazon.US).reply(200, accepted);
    onPatch('B', amazon.CA).reply(400, amazon.errors('InvalidInput', 'Unknown SKU.'));
    await channel.pushInventory(updates(['A', 1], ['B', 1]));
    // It may have moved.
    onLookUp(amazon.US, 'B').reply(200, amazon.itemPage([amazon.item('B', [amazon.own(2)])]));
    onPatch('B', amazon.US).reply(200, accepted);
    await channel.pushInventory(updates(['B', 1]));
  });

  it('that Amazon holds is never pushed', async () => {
    onLookUp(amazon.US, 'F').reply(200, amazon.itemPage([amazon.ITEM_BY_AMAZON]));
    const channel = await channelWith({ fba: { location: 'FBA' } });
    expect(outcomes(await channel.pushInventory(updates(['F', 3])))).toEqual({ 'p-F': 'skipped' });
  });
});

describe('a push by feed', () => {
  const byFeed = { feeds: { fromListings: 2 } };
  const onUpload = () => nock(amazon.DOCUMENT_URL).put('/upload').query(true);
  const onFeed = () => nock(API).get(`${FEEDS}/feeds/50000`);
  const onResult = () => nock(API).get(`${FEEDS}/documents/result`);

  function onSubmit(check: (document: unknown) => void = () => {}): void {
    nock(API)
      .post(`${FEEDS}/documents`, { contentType: 'application/json; charset=UTF-8' })
      .reply(201, amazon.CREATED_DOCUMENT);
    onUpload()
      .matchHeader('content-type', 'application/json; charset=UTF-8')
      .reply(200, (_, body) => check(body));
    nock(API)
      .post(`${FEEDS}/feeds`, {
        ...{ feedType: 'JSON_LISTINGS_FEED', marketplaceIds: [amazon.US] },
        inputFeedDocumentId: amazon.CREATED_DOCUMENT.feedDocumentId,
      })
      .reply(202, { feedId: '50000' });
  }

  const pushes: FollowedPush[] = ['A', 'B', 'C'].map((channelSku, index) => ({
    ...{ pushId: `p-${channelSku}`, channelSku, quantityUnits: 1 },
    receipt: `feed 50000 message ${index + 1}`,
    acceptedAt: new Date('2026-03-01T11:55:00Z'),
  }));

  it('is one document of a message for each listing, whose numbers are the receipts', async () => {
    let sent: unknown;
    onSubmit((document) => (sent = document));
    const results = await (await channelWith(byFeed)).pushInventory(updates(['A', 3], ['B', 4]));
    expect(sent).toEqual({
      header: { sellerId: amazon.SELLER, version: '2.0', issueLocale: 'en_US' },
      messages: [
        { messageId: 1, sku: 'A', operationType: 'PATCH', ...patchOf(3) },
        { messageId: 2, sku: 'B', operationType: 'PATCH', ...patchOf(4) },
      ],
    });
    expect(results).toEqual([
      { pushId: 'p-A', outcome: 'accepted', receipt: 'feed 50000 message 1' },
      { pushId: 'p-B', outcome: 'accepted', receipt: 'feed 50000 message 2' },
    ]);
  });

  it('goes one by one where the plan of feeds is used up, and for a while after', async () => {
    nock(API).post(`${FEEDS}/documents`).reply(201, amazon.CREATED_DOCUMENT);
    onUpload().reply(200);
    nock(API).post(`${FEEDS}/feeds`).reply(429, amazon.errors('QuotaExceeded', ''));
    for (const sku of ['A', 'B', 'A', 'B']) onPatch(sku).reply(200, accepted);
    const channel = await channelWith(byFeed);
    const many = updates(['A', 3], ['B', 4]);
    for (let push = 0; push < 2; push++)
      expect(outcomes(await channel.pushInventory(many))).toEqual({ 'p-A': 'accepted', 'p-B': 'accepted' });
  });

  it.each(['IN_QUEUE', 'IN_PROGRESS'])('that is %s has no result yet', async (status) => {
    onFeed().reply(200, amazon.feed(status));
    expect(await (await channelWith()).followPushes!(pushes)).toEqual([]);
  });

  it('that is DONE is read: named messages are refused for good, the others wait for a read', async () => {
    onFeed().reply(200, amazon.feed('DONE', 'result'));
    onResult().reply(200, amazon.feedDocument('result', 'GZIP'));
    const issues = [
      { messageId: 1, sku: 'A', code: '99', severity: 'WARNING', message: 'Odd, but taken.' },
      { messageId: 2, sku: 'B', code: '90220', severity: 'ERROR', message: 'Unknown SKU.' },
    ];
    nock(amazon.DOCUMENT_URL)
      .get('/result')
      .reply(200, gzipSync(JSON.stringify(amazon.feedReport(...issues))));
    expect(await (await channelWith()).followPushes!(pushes)).toEqual([
      { pushId: 'p-A', outcome: 'accepted' },
      { pushId: 'p-B', outcome: 'rejected', code: '90220', reason: 'Unknown SKU.', retryable: false },
      { pushId: 'p-C', outcome: 'accepted' },
    ]);
  });

  it.each<[string, string, () => void]>([
    ['feed-fatal', 'is FATAL', () => onFeed().reply(200, amazon.feed('FATAL'))],
    ['feed-cancelled', 'was called off', () => onFeed().reply(200, amazon.feed('CANCELLED'))],
    ['feed-unknown', 'Amazon does not know', () => onFeed().reply(404, amazon.errors('NotFound', ''))],
    ['feed-without-result', 'is DONE without a result', () => onFeed().reply(200, amazon.feed('DONE'))],
    [
      'feed-refused',
      'is refused as a whole',
      () => {
        onFeed().reply(200, amazon.feed('DONE', 'result'));
        onResult().reply(200, amazon.feedDocument('result'));
        const whole = { code: '4000003', severity: 'ERROR', message: 'The feed is not JSON.' };
        nock(amazon.DOCUMENT_URL).get('/result').reply(200, amazon.feedReport(whole));
      },
    ],
  ])('ends as %s where it %s: all of it is sent again, one by one', async (code, _, prepare) => {
    prepare();
    const channel = await channelWith(byFeed);
    const results = await channel.followPushes!(pushes);
    expect(results.map((result) => ({ ...result, reason: '' }))).toEqual(
      pushes.map(({ pushId }) => ({ pushId, outcome: 'rejected', code, reason: '', retryable: true })),
    );
    for (const sku of ['A', 'B']) onPatch(sku).reply(200, accepted);
    await channel.pushInventory(updates(['A', 3], ['B', 4]));
  });

  it('that does not end is called off where it waits still, and given up', async () => {
    tested.nowMs += 5 * 3_600_000;
    onFeed().reply(200, amazon.feed('IN_QUEUE'));
    nock(API).delete(`${FEEDS}/feeds/50000`).reply(200);
    expect(outcomes(await (await channelWith()).followPushes!(pushes))).toMatchObject({
      'p-A': 'feed-stuck',
    });
    onFeed().reply(200, amazon.feed('IN_PROGRESS'));
    expect(outcomes(await (await channelWith()).followPushes!(pushes))).toMatchObject({
      'p-A': 'feed-stuck',
    });
  });

  it('whose result cannot be fetched is asked about again', async () => {
    onFeed().reply(200, amazon.feed('DONE', 'result'));
    onResult().reply(200, amazon.feedDocument('result'));
    nock(amazon.DOCUMENT_URL).get('/result').reply(403, '<Error>Request has expired</Error>');
    const error = await failureOf((await channelWith()).followPushes!(pushes));
    expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
  });
});

describe('a read of what is shown', () => {
  it('asks page by page, twenty at once, in an order that new listings do not disturb', async () => {
    const query = {
      marketplaceIds: amazon.US,
      includedData: 'summaries,fulfillmentAvailability',
      pageSize: 20,
      sortBy: 'createdDate',
      sortOrder: 'ASC',
    };
    nock(API)
      .get(ITEMS)
      .query(query)
      .reply(200, amazon.itemPage([amazon.item('A', [amazon.own(3)])], 'next/2', 2));
    nock(API)
      .get(ITEMS)
      .query({ ...query, pageToken: 'next/2' })
      .reply(200, amazon.itemPage([amazon.item('B', [amazon.own(0)])], undefined, 2));
    const { items, pages } = await collect((await channelWith()).readInventory({}));
    expect(items).toEqual([
      { channelSku: 'A', quantityUnits: 3, title: 'A mug, A' },
      { channelSku: 'B', quantityUnits: 0, title: 'A mug, B' },
    ]);
    expect(pages.map(({ cursor }) => cursor)).toEqual(['0 page next/2', undefined]);
  });

  it('of some asks for twenty at once, and by itself for a SKU with a comma', async () => {
    const skus = Array.from({ length: 21 }, (_, index) => `S-${index}`);
    const few = (list: string[]) =>
      nock(API)
        .get(ITEMS)
        .query((query) => query.identifiersType === 'SKU' && query.identifiers === list.join(','));
    few(skus.slice(0, 20)).reply(
      200,
      amazon.itemPage(skus.slice(0, 20).map((sku) => amazon.item(sku, [amazon.own(1)]))),
    );
    few(skus.slice(20)).reply(200, amazon.itemPage([]));
    nock(API)
      .get(`${ITEMS}/A%2CB`)
      .query(true)
      .reply(200, amazon.item('A,B', [amazon.own(2)]));
    nock(API).get(`${ITEMS}/C%2CD`).query(true).reply(404, amazon.errors('NOT_FOUND', 'SKU not found.'));
    const { items } = await collect(
      (await channelWith()).readInventory({ channelSkus: [...skus, 'A,B', 'C,D'] }),
    );
    expect(items.map(({ channelSku }) => channelSku)).toEqual([...skus.slice(0, 20), 'A,B']);
  });

  it('of a large catalogue goes by report, unpacked and decoded, and on from a cursor', async () => {
    nock(API)
      .get(ITEMS)
      .query(true)
      .reply(200, amazon.itemPage([amazon.item('A', [amazon.own(3)])], 'next', 1_001));
    nock(API)
      .post(`${REPORTS}/reports`, {
        reportType: 'GET_MERCHANT_LISTINGS_ALL_DATA',
        marketplaceIds: [amazon.US],
      })
      .reply(202, { reportId: '60000' });
    nock(API).get(`${REPORTS}/reports/60000`).reply(200, amazon.report('IN_PROGRESS'));
    nock(API).get(`${REPORTS}/reports/60000`).reply(200, amazon.report('DONE', 'listings'));
    nock(API)
      .get(`${REPORTS}/documents/listings`)
      .times(2)
      .reply(200, amazon.reportDocument('listings', 'GZIP'));
    const rows = Array.from(
      { length: 501 },
      (_, index) => `Tasse f\u00fcr ${index}\tS-${index}\t${index}\tDEFAULT`,
    );
    const file = Buffer.from(
      ['item-name\tseller-sku\tquantity\tfulfillment-channel', ...rows, 'By Amazon\tF\t\tAMAZON_NA'].join(
        '\r\n',
      ),
      'latin1',
    );
    nock(amazon.DOCUMENT_URL)
      .get('/listings')
      .times(2)
      .reply(200, gzipSync(file), { 'content-type': 'text/plain;charset=Cp1252' });
    const channel = await channelWith();
    const { items, pages } = await collect(channel.readInventory({}));
    expect(items).toHaveLength(501);
    expect(items[7]).toEqual({ channelSku: 'S-7', quantityUnits: 7, title: 'Tasse für 7' });
    const rest = await collect(channel.readInventory({ cursor: pages[0]!.cursor! }));
    expect(rest.items.map(({ channelSku }) => channelSku)).toEqual(['S-500']);
  });

  it('by a report that Amazon cannot make fails, to be tried again', async () => {
    nock(API)
      .get(ITEMS)
      .query(true)
      .reply(200, amazon.itemPage([], 'next', 1_001));
    nock(API).post(`${REPORTS}/reports`).reply(202, { reportId: '60000' });
    nock(API).get(`${REPORTS}/reports/60000`).reply(200, amazon.report('FATAL'));
    const error: ChannelError = await failureOf(collect((await channelWith()).readInventory({})));
    expect(error).toMatchObject({ code: 'report-failed', retryable: true });
  });
});
