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
const AT = '2026-03-01T10:00:00.000Z';
const models = OfficialModels.load();
/** Of all tests, to be compared with the models in the last one. */
const answers: AmazonAnswer[] = [];
const reports: unknown[] = [];

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

/** The same again, with feeds that take so long that they can be looked at on the way. */
async function restart(options: Partial<AmazonSimulatorOptions>): Promise<void> {
  const listed = [...amazon.shown()].map(([channelSku, quantityUnits]) => ({ channelSku, quantityUnits }));
  await amazon.close();
  await start({ appliesAfterSeconds: 0, ...options });
  amazon.list(listed);
}

afterEach(async () => {
  answers.push(...caller.answers);
  await amazon.close();
});

const quantity = (units: unknown, others: object = {}) => ({
  fulfillment_channel_code: 'DEFAULT',
  quantity: units,
  ...others,
});
const patchOf = (op: string, ...value: object[]) => [
  { op, path: '/attributes/fulfillment_availability', value },
];
const listingsFeed = (...messages: object[]) => ({
  header: { sellerId: caller.options.sellerId, version: '2.0' },
  messages: messages.map((message, index) => ({
    messageId: index + 1,
    operationType: 'PATCH',
    productType: 'PRODUCT',
    ...message,
  })),
});
const ended = (feedId: string) =>
  eventually(async () => {
    const feed = await caller.feed(feedId);
    expect(['DONE', 'FATAL', 'CANCELLED']).toContain(feed.processingStatus);
    return feed;
  });

describe('tokens', () => {
  const refresh = { grant_type: 'refresh_token', refresh_token: 'the-token' };
  const granted = { grant_type: 'client_credentials', scope: GRANTLESS };
  test.each([
    ['a refresh token', refresh, 200, 'bearer'],
    ['a scope', granted, 200, 'bearer'],
    ['the refresh token of somebody else', { ...refresh, refresh_token: 'other' }, 400, 'invalid_grant'],
    ['a scope that is none', { ...granted, scope: 'everything' }, 400, 'invalid_scope'],
    ['another secret', { ...refresh, client_secret: 'old' }, 401, 'invalid_client'],
    ['a way that is none', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('asked for with %s', async (_, form, status, said) => {
    await start({ token: 'the-token' });
    const answer = await caller.askForToken({ ...caller.application, ...form } as Record<string, string>);
    expect([answer.status, answer.body.token_type ?? answer.body.error]).toEqual([status, said]);
  });

  test('an expired token, none, and one of the wrong kind are refused', async () => {
    await start({ timeScale: 2_000 });
    const path = '/sellers/v1/marketplaceParticipations';
    expect((await caller.call('GET', path, { grant: null })).status).toBe(403);
    expect((await caller.call('GET', path, { grant: GRANTLESS })).status).toBe(403);
    expect((await caller.call('GET', '/notifications/v1/destinations')).status).toBe(403);
    expect((await caller.call('GET', path)).status).toBe(200);
    await sleep(2_000);
    expect((await caller.call('GET', path)).status).toBe(403);
  });
});

describe('a patch of a listing', () => {
  const unknown = [{ op: 'merge', path: '/attributes/fulfillmentAvailability', value: [quantity(7)] }];
  const nested = [
    { op: 'merge', path: '/attributes/fulfillment_availability/0/quantity', value: [{ a: 1 }] },
  ];
  const lead = { lead_time_to_ship_max_days: 3 };
  test.each<[string, object[], object | undefined, unknown[], number]>([
    ['sets the quantity', patchOf('merge', quantity(7)), {}, [200, 'ACCEPTED'], 7],
    ['of a key in camel case is INVALID under 200', unknown, {}, [200, 'INVALID', '90000900'], 1],
    [
      'of a negative quantity is INVALID',
      patchOf('merge', quantity(-1)),
      {},
      [200, 'INVALID', '90000900'],
      1,
    ],
    [
      'of a quantity as text is INVALID',
      patchOf('merge', quantity('7')),
      {},
      [200, 'INVALID', '90000900'],
      1,
    ],
    [
      'that is previewed changes nothing',
      patchOf('merge', quantity(7)),
      { mode: 'VALIDATION_PREVIEW' },
      [200, 'VALID'],
      1,
    ],
    ['without a channel code is refused', patchOf('merge', { quantity: 7 }), {}, [400, 'BAD_REQUEST'], 1],
    ['below the top level is refused', nested, {}, [400, 'BAD_REQUEST'], 1],
    ['of an unknown kind is refused', patchOf('test', quantity(7)), {}, [400, 'BAD_REQUEST'], 1],
    ['of nothing is refused', [], {}, [400, 'BAD_REQUEST'], 1],
    [
      'in a marketplace of somebody else is refused',
      patchOf('merge', quantity(7)),
      { marketplaceIds: 'A1' },
      [400, 'BAD_REQUEST'],
      1,
    ],
  ])('%s', async (_, patches, query, expected, shown) => {
    await start({ appliesAfterSeconds: 0 });
    amazon.list([{ channelSku: 'A/1', quantityUnits: 1 }]);
    const { status, body } = await caller.patch('A/1', patches, { query: query as Record<string, string> });
    const said = body.status ?? body.errors[0].code;
    expect([status, said, ...(body.issues ?? []).map((issue: { code: string }) => issue.code)]).toEqual(
      expected,
    );
    expect(amazon.shown().get('A/1')).toBe(shown);
  });

  test.each([
    ['merge keeps', 'merge', [quantity(7, lead), { fulfillment_channel_code: 'AMAZON_NA' }]],
    ['replace drops', 'replace', [quantity(7)]],
  ])('%s what stands beside the quantity', async (_, op, expected) => {
    await start();
    amazon.list([{ channelSku: 'A', quantityUnits: 1 }]);
    await caller.patch('A', patchOf('replace', quantity(5, lead), { fulfillment_channel_code: 'AMAZON_NA' }));
    await caller.patch('A', patchOf(op, quantity(7)));
    expect((await caller.item('A')).attributes.fulfillment_availability).toEqual(expected);
  });

  test('of an unknown SKU is INVALID', async () => {
    await start();
    const { status, body } = await caller.patch('none', patchOf('merge', quantity(7)));
    expect([status, body.status, body.issues[0].code]).toEqual([200, 'INVALID', '13013']);
  });

  test('takes effect after a while; until then, and for ever with a lie, the attribute alone shows it', async () => {
    await start({ appliesAfterSeconds: 1_500 });
    amazon.list(['A', 'B'].map((channelSku) => ({ channelSku, quantityUnits: 1 })));
    await caller.patch('A', patchOf('merge', quantity(7)));
    amazon.faults({ lie: 1 });
    await caller.patch('B', patchOf('merge', quantity(7)));
    for (const sku of ['A', 'B']) {
      const { attributes, fulfillmentAvailability } = await caller.item(sku);
      expect([attributes.fulfillment_availability[0].quantity, fulfillmentAvailability[0].quantity]).toEqual([
        7, 1,
      ]);
    }
    await eventually(() => expect(amazon.shown().get('A')).toBe(7));
    expect(amazon.shown().get('B')).toBe(1);
    expect(amazon.accepted.map(({ applied }) => applied)).toEqual([true, false]);
  });
});

describe('a search of listings', () => {
  const skus = Array.from({ length: 1_050 }, (_, index) => `S-${1_000 + index}`);
  beforeEach(async () => {
    await start();
    amazon.list(skus.map((channelSku) => ({ channelSku, quantityUnits: 3 })));
  });

  test('pages through the first thousand SKUs once, and gives no more', async () => {
    const seen: string[] = [];
    for (let pageToken: string | undefined; ;) {
      const { body } = await caller.search({
        ...{ pageSize: 20, sortBy: 'sku', sortOrder: 'ASC' },
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      expect(body.numberOfResults).toBe(1_050);
      seen.push(...body.items.map(({ sku }: { sku: string }) => sku));
      pageToken = body.pagination?.nextToken;
      if (pageToken === undefined) break;
    }
    expect(seen).toEqual(skus.slice(0, 1_000));
  });

  test.each([
    [
      'finds the SKUs that it names',
      { identifiers: ['S-1003', 'none'], identifiersType: 'SKU' },
      200,
      ['S-1003'],
    ],
    ['gives ten unless told', { sortBy: 'sku', sortOrder: 'ASC' }, 200, skus.slice(0, 10)],
    [
      'of more than 20 SKUs is refused',
      { identifiers: skus.slice(0, 21), identifiersType: 'SKU' },
      400,
      undefined,
    ],
    ['of pages beyond 20 is refused', { pageSize: 21 }, 400, undefined],
    ['for SKUs of no type is refused', { identifiers: ['S-1003'] }, 400, undefined],
  ])('%s', async (_, query, status, expected) => {
    const answer = await caller.search(query as Record<string, string>);
    const found = answer.body.items?.map(({ sku }: { sku: string }) => sku);
    expect([answer.status, found]).toEqual([status, expected]);
  });
});

describe('a feed of listings', () => {
  beforeEach(async () => {
    await start({ appliesAfterSeconds: 0 });
    amazon.list(['A', 'B', 'C', 'D'].map((channelSku) => ({ channelSku, quantityUnits: 1 })));
  });

  test('waits, is processed, and says what became of each message that failed', async () => {
    await restart({ feedQueuedSeconds: 1_000, feedProcessingSeconds: 1_000 });
    const feed = listingsFeed(
      { sku: 'A', patches: patchOf('merge', quantity(5)) },
      { sku: 'B', patches: patchOf('merge', quantity(-5)) },
      { sku: 'none', patches: patchOf('merge', quantity(5)) },
      { sku: 'C', operationType: 'DELETE' },
      { sku: 'D', operationType: 'PARTIAL_UPDATE', attributes: { fulfillment_availability: [quantity(9)] } },
    );
    const { status, body } = await caller.submit('JSON_LISTINGS_FEED', feed);
    expect(status).toBe(202);
    expect((await caller.feed(body.feedId)).processingStatus).toBe('IN_QUEUE');
    await eventually(async () =>
      expect((await caller.feed(body.feedId)).processingStatus).toBe('IN_PROGRESS'),
    );
    expect(amazon.shown().get('A')).toBe(1);
    const { resultFeedDocumentId, processingStatus } = await ended(body.feedId);
    expect(processingStatus).toBe('DONE');
    const report = JSON.parse(await caller.read(`/feeds/2021-06-30/documents/${resultFeedDocumentId}`));
    reports.push(report);
    expect(report.issues.map((issue: Json) => [issue.messageId, issue.sku, issue.code])).toEqual([
      [2, 'B', '90000900'],
      [3, 'none', '13013'],
      [4, 'C', '4000001'],
    ]);
    expect(report.summary).toMatchObject({ messagesProcessed: 5, messagesAccepted: 2, messagesInvalid: 3 });
    expect([...amazon.shown().values()]).toEqual([5, 1, 1, 9]);
  });

  test.each([
    ['done', 'DONE', 2],
    ['fatal', 'FATAL', 0],
    ['fatal-half', 'FATAL', 1],
    ['cancelled', 'CANCELLED', 0],
  ] as const)('that ends %s is %s', async (fate, status, applied) => {
    amazon.feeds.fate(fate);
    const messages = ['A', 'B'].map((sku) => ({ sku, patches: patchOf('merge', quantity(5)) }));
    const { body } = await caller.submit('JSON_LISTINGS_FEED', listingsFeed(...messages));
    expect((await ended(body.feedId)).processingStatus).toBe(status);
    expect([...amazon.shown().values()].filter((units) => units === 5)).toHaveLength(applied);
  });

  test.each([
    ['no JSON', () => '{'],
    ['another seller', () => ({ ...listingsFeed({ sku: 'A' }), header: { sellerId: 'B', version: '2.0' } })],
    ['no messages', () => listingsFeed()],
    ['too many messages', () => listingsFeed(...Array<object>(25_001).fill({ sku: 'A' }))],
  ])('of %s is FATAL', async (_, document) => {
    const { body } = await caller.submit('JSON_LISTINGS_FEED', document());
    expect((await ended(body.feedId)).processingStatus).toBe('FATAL');
  });

  test('may say of a message that it was accepted, and never apply it', async () => {
    amazon.faults({ lie: 1 });
    const feed = listingsFeed({ sku: 'A', patches: patchOf('merge', quantity(5)) });
    const { body } = await caller.submit('JSON_LISTINGS_FEED', feed);
    const { resultFeedDocumentId } = await ended(body.feedId);
    const report = JSON.parse(
      await caller.read(`/feeds/2021-06-30/documents/${resultFeedDocumentId}`),
    ) as Json;
    expect(report.summary).toMatchObject({ messagesAccepted: 1, messagesInvalid: 0 });
    expect((await caller.item('A')).attributes.fulfillment_availability).toEqual([quantity(5)]);
    expect(amazon.shown().get('A')).toBe(1);
  });

  test('that is stuck stays in progress, and keeps no other waiting', async () => {
    amazon.feeds.fate('stuck');
    const [stuck, next] = [5, 6].map((units) =>
      listingsFeed({ sku: 'A', patches: patchOf('merge', quantity(units)) }),
    );
    const first = await caller.submit('JSON_LISTINGS_FEED', stuck!);
    const second = await caller.submit('JSON_LISTINGS_FEED', next!);
    await ended(second.body.feedId);
    expect((await caller.feed(first.body.feedId)).processingStatus).toBe('IN_PROGRESS');
    expect(amazon.shown().get('A')).toBe(6);
    amazon.feeds.releaseStuck();
    expect(amazon.shown().get('A')).toBe(5);
  });

  test('sets what it says when it is processed, whatever was patched meanwhile', async () => {
    amazon.feeds.fate('stuck');
    const feed = listingsFeed({ sku: 'A', patches: patchOf('merge', quantity(5)) });
    const { body } = await caller.submit('JSON_LISTINGS_FEED', feed);
    await caller.patch('A', patchOf('merge', quantity(6)));
    expect(amazon.shown().get('A')).toBe(6);
    await eventually(async () =>
      expect((await caller.feed(body.feedId)).processingStatus).toBe('IN_PROGRESS'),
    );
    amazon.feeds.releaseStuck();
    await ended(body.feedId);
    expect(amazon.shown().get('A')).toBe(5);
  });

  test('is refused as the sixth within five minutes, and one of another type is not', async () => {
    await restart({ timeScale: 200 });
    const submitted = [];
    for (let index = 0; index < 6; index += 1) submitted.push(await caller.submit('JSON_LISTINGS_FEED', {}));
    expect(submitted.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429]);
    expect((await caller.submit('POST_ORDER_ACKNOWLEDGEMENT_DATA', '<a/>')).status).toBe(202);
    await sleep(1_600);
    expect((await caller.submit('JSON_LISTINGS_FEED', {})).status).toBe(202);
  });

  test('can be cancelled while it waits, and not after', async () => {
    await restart({ feedQueuedSeconds: 60_000 });
    const { body } = await caller.submit('JSON_LISTINGS_FEED', listingsFeed({ sku: 'A' }));
    const path = `/feeds/2021-06-30/feeds/${body.feedId}`;
    expect((await caller.call('DELETE', path)).status).toBe(200);
    expect((await caller.call('DELETE', path)).status).toBe(400);
    expect((await caller.feed(body.feedId)).processingStatus).toBe('CANCELLED');
  });

  test('takes its document under a signed URL only, with the type that was told, for five minutes', async () => {
    await restart({ timeScale: 200 });
    const created = await caller.call('POST', '/feeds/2021-06-30/documents', {
      json: { contentType: 'a/b' },
    });
    const put = async (url: string, type: string) =>
      (await fetch(url, { method: 'PUT', body: 'x', headers: { 'content-type': type } })).status;
    expect(await put(created.body.url, 'a/c')).toBe(403);
    expect(await put(`${created.body.url}0`, 'a/b')).toBe(403);
    expect(await put(created.body.url, 'a/b')).toBe(200);
    await sleep(1_600);
    expect(await put(created.body.url, 'a/b')).toBe(403);
  });
});

describe('a feed that refuses orders', () => {
  const xml = (orderId: string, items: string) =>
    `<AmazonEnvelope><MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID>` +
    `<OrderAcknowledgement><AmazonOrderID>${orderId}</AmazonOrderID><StatusCode>Failure</StatusCode>${items}` +
    `</OrderAcknowledgement></Message></AmazonEnvelope>`;
  const item = (code: string, reason = 'NoInventory', others = '') =>
    `<Item><AmazonOrderItemCode>${code}</AmazonOrderItemCode><CancelReason>${reason}</CancelReason>${others}</Item>`;
  const flat = (...row: string[]) =>
    `order-id\tamazon-order-item-code\tcancellation-reason-code\n${row.join('\t')}\n`;

  test.each<[string, string, string, number[], string | undefined]>([
    ['cancels all of an order', 'XML', xml('o-1', ''), [2, 1], undefined],
    ['cancels an item', 'XML', xml('o-1', item('1')), [2, 0], undefined],
    [
      'cancels units of an item',
      'XML',
      xml('o-1', item('1', 'NoInventory', '<Quantity>1</Quantity>')),
      [1, 0],
      undefined,
    ],
    ['cancels an item by flat file', 'FLAT', flat('o-1', '2', 'NoInventory'), [0, 1], undefined],
    ['names an item that is none', 'XML', xml('o-1', item('9')), [0, 0], '18028'],
    ['names an order that is none', 'FLAT', flat('o-9', '1', 'NoInventory'), [0, 0], '18028'],
    ['gives a reason that is none', 'XML', xml('o-1', item('1', 'Bored')), [0, 0], '18117'],
    ['comes after shipment', 'XML', xml('shipped', ''), [0, 0], '18030'],
  ])('%s', async (_, form, document, cancelled, code) => {
    await start();
    for (const orderId of ['o-1', 'shipped'])
      amazon.placeOrder({
        orderId,
        placedAt: AT,
        lines: [
          { lineId: '1', channelSku: 'A', quantityUnits: 2 },
          { lineId: '2', channelSku: 'B', quantityUnits: 1 },
        ],
      });
    amazon.fulfilOrder('shipped', AT, new Map([['2', 1]]));
    const type =
      form === 'XML' ? 'POST_ORDER_ACKNOWLEDGEMENT_DATA' : 'POST_FLAT_FILE_ORDER_ACKNOWLEDGEMENT_DATA';
    const { body } = await caller.submit(type, document);
    const { resultFeedDocumentId } = await ended(body.feedId);
    const report = await caller.read(`/feeds/2021-06-30/documents/${resultFeedDocumentId}`);
    expect(amazon.order('o-1').lines.map((line) => line.cancelled)).toEqual(cancelled);
    if (code === undefined) expect(report).not.toContain('Error<');
    else expect(report).toContain(code);
    expect(report).toMatch(form === 'XML' ? /<MessagesProcessed>1</ : /records processed\t\t1\r/);
  });
});

(models ? test : test.skip)('all that was answered is as the official models have it', () => {
  expect(models!.problemsOfAnswers(answers)).toEqual([]);
  expect(new Set(answers.map(({ operation }) => operation)).size).toBeGreaterThan(8);
  expect(reports.flatMap((report) => models!.problemsOfFeedReport(report))).toEqual([]);
  expect(reports).toHaveLength(1);
});
