import nock from 'nock';
import { SpApiClient, AmazonRefusal } from '../../plugins/amazon-sp-api/amazon-sp-api.client';
import * as fixtures from '../../plugins/amazon-sp-api/amazon-sp-api.fixtures';
import { limits, type Operation } from '../../plugins/amazon-sp-api/amazon-sp-api.limits';
import { translateNotification } from '../../plugins/amazon-sp-api/amazon-sp-api.notifications';
import { AmazonSpApiOptions } from '../../plugins/amazon-sp-api/amazon-sp-api.options';
import plugin from '../../plugins/amazon-sp-api/amazon-sp-api.plugin';
import { translateItem, translateOrder } from '../../plugins/amazon-sp-api/amazon-sp-api.translate';
import type { WireOrder } from '../../plugins/amazon-sp-api/amazon-sp-api.wire';
import {
  type AmazonSimulator,
  type AmazonSimulatorOptions,
  startAmazon,
} from '../../plugins/amazon-sp-api/simulator';
import {
  type Channel,
  type ChannelHttp,
  type ChannelHttpRequest,
  createChannelHttp,
  memorySecrets,
  type FollowedPush,
  type PushResult,
  resolvePluginOptions,
} from '../../src/channel-api';
import { collect, systemClock } from '../../src/channel-api/testing';
import { OfficialModels } from '../support/amazon-models';
import { OfficialRequests, type SandboxPair } from '../support/amazon-requests';
import { eventually } from '../support/eventually';

/** Without Amazon's models nothing here means anything; `OfficialModels.load` says how to have them. */
const models = OfficialModels.load();
const requests = OfficialRequests.load();
const withModels = models && requests ? describe : describe.skip;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What the plugin calls under a plan of its own: each of them is in a model, and is met below. */
const OPERATIONS = limits({ timeScale: 1 })
  .map(({ name }) => name)
  .filter((name) => !['lwa', 'documents', 'sqs', 'listingsFeeds'].includes(name)) as Operation[];

withModels('every request of the plugin', () => {
  let amazon: AmazonSimulator;
  let channel: Channel;
  const sent: ChannelHttpRequest[] = [];
  const toApi = () => sent.filter(({ url }) => url.startsWith(amazon.url));

  async function connect(simulator: Partial<AmazonSimulatorOptions>, others: object = {}): Promise<void> {
    amazon = await startAmazon({ webhookSecret: 'client-secret', timeScale: 500, ...simulator });
    const options = resolvePluginOptions(plugin, { ...amazon.pluginOptions, ...others });
    const http = createChannelHttp({ limits: plugin.limits(options), clock: systemClock, log: SILENT });
    const watched: ChannelHttp = {
      learn: (limit, facts) => http.learn(limit, facts),
      request: (request) => {
        sent.push(request);
        return http.request(request);
      },
    };
    channel = await plugin.connect(options, {
      channel: 'amazon',
      http: watched,
      log: SILENT,
      clock: systemClock,
      secrets: memorySecrets(),
    });
  }

  afterEach(async () => {
    await channel.close?.();
    await amazon.close();
  });

  const updates = (...skus: string[]) =>
    skus.map((channelSku) => ({ pushId: `p-${channelSku}`, channelSku, quantityUnits: 3 }));

  test('is one that Amazon’s models take, and every operation with a plan is met', async () => {
    await connect({ fba: true, returns: true, subscribed: false }, { feeds: { fromListings: 3 } });
    const { sqs } = amazon.pluginOptions as { sqs: object };
    await channel.close?.();
    await amazon.close();
    await connect(
      { fba: true, returns: true, subscribed: false },
      { feeds: { fromListings: 3 }, sqs: { ...sqs, ...queueOf(amazon), eventBridge: true } },
    );
    amazon.list(['A', 'B,C', 'Größe 7/8'].map((channelSku) => ({ channelSku, quantityUnits: 1 })));
    amazon.stockFba([{ sku: 'F', fulfillableUnits: 4 }]);
    await useAll();
    const problems = new Set(toApi().flatMap((request) => requests!.problemsOf(request)));
    expect([...problems]).toEqual([]);
    const met = new Set(toApi().map((request) => requests!.operationOf(request)));
    expect(OPERATIONS.filter((name) => !met.has(name))).toEqual([]);
    const feeds = sent.filter(
      ({ method, headers }) => method === 'PUT' && /json/.test(headers?.['content-type'] ?? ''),
    );
    expect(feeds.flatMap(({ body }) => requests!.problemsOfFeed(JSON.parse(String(body))))).toEqual([]);
    expect(feeds).toHaveLength(2);
  });

  /** The simulator has another port each time. */
  function queueOf(simulator: AmazonSimulator): object {
    const { queueUrl, endpoint } = (
      simulator.pluginOptions as { sqs: { queueUrl: string; endpoint: string } }
    ).sqs;
    return { queueUrl, endpoint };
  }

  async function useAll(): Promise<void> {
    await channel.check();
    await channel.subscribe!();
    await channel.pushInventory(updates('A', 'B,C'));
    await follow(await channel.pushInventory(updates('A', 'B,C', 'Größe 7/8')));
    amazon.feeds.fate('stuck');
    await giveUp(await channel.pushInventory(updates('A', 'B,C', 'Größe 7/8')));
    await collect(channel.readInventory({ channelSkus: ['A', 'B,C', 'none'] }));
    await readByReport();
    await collect(channel.readCounts!());
    amazon.placeOrder({
      orderId: '111-1',
      placedAt: '2026-01-05T10:00:00Z',
      lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 1 }],
    });
    await collect(channel.readOrders({}));
    await collect(channel.readOrders({ since: '2026-01-01T00:00:00Z' }));
    await channel.readOrder!('111-1');
    const cancel = {
      cancelId: 'c',
      orderId: '111-1',
      lines: [{ lineId: '1', quantityUnits: 1 }],
      reason: 'r',
      message: 'm',
    };
    const cancelled = await channel.cancelOrder!(cancel);
    if (cancelled.outcome !== 'pending') throw new Error(`the cancellation is ${cancelled.outcome}`);
    await eventually(async () =>
      expect(await channel.followCancellation!(cancelled.receipt)).toEqual({ outcome: 'cancelled' }),
    );
  }

  const followed = (results: PushResult[], acceptedAt = new Date()): FollowedPush[] =>
    results.flatMap((result) =>
      result.outcome === 'accepted' && result.receipt !== undefined
        ? [{ pushId: result.pushId, channelSku: '', quantityUnits: 3, receipt: result.receipt, acceptedAt }]
        : [],
    );

  async function follow(results: PushResult[]): Promise<void> {
    expect(followed(results)).toHaveLength(3);
    await eventually(async () => expect(await channel.followPushes!(followed(results))).toHaveLength(3));
  }

  /** It waits still, so that it can be called off. */
  async function giveUp(results: PushResult[]): Promise<void> {
    const longAgo = new Date(Date.now() - 86_400_000);
    expect(amazon.feeds.all.at(-1)!.processingStatus).toBe('IN_QUEUE');
    expect(await channel.followPushes!(followed(results, longAgo))).toHaveLength(3);
  }

  async function readByReport(): Promise<void> {
    amazon.list(
      Array.from({ length: 1_001 }, (_, index) => ({ channelSku: `S-${index}`, quantityUnits: 1 })),
    );
    const { items } = await collect(channel.readInventory({}));
    expect(items).toHaveLength(1_004);
  }
});

withModels('every fixture of the plugin’s tests', () => {
  test('is an answer that Amazon’s models have', () => {
    expect(models!.problemsOfAnswers(fixtures.ANSWERS)).toEqual([]);
    expect(
      models!.problemsOfFeedReport(
        fixtures.feedReport({ messageId: 2, sku: 'B', code: '90220', severity: 'ERROR', message: 'No.' }),
      ),
    ).toEqual([]);
  });
});

withModels('the pairs of Amazon’s static sandbox', () => {
  const pairs = requests?.sandboxPairs(OPERATIONS) ?? [];
  const SANDBOX = 'https://sandbox.sellingpartnerapi-na.amazon.com';
  const options = Object.assign(new AmazonSpApiOptions(), {
    ...{ region: 'na', marketplaceIds: ['ATVPDKIKX0DER'], sellerId: 'any', endpoint: SANDBOX },
    ...{ clientId: 'c', clientSecret: 's', refreshToken: 'r' },
  });
  let client: SpApiClient;

  beforeEach(() => {
    nock.disableNetConnect();
    nock('https://api.amazon.com')
      .post('/auth/o2/token')
      .optionally()
      .reply(200, { access_token: 'Atza|1', expires_in: 3600 });
    const http = createChannelHttp({ limits: limits(options), clock: systemClock, log: SILENT });
    client = new SpApiClient(options, http, systemClock);
  });

  afterEach(() => {
    const unused = nock.pendingMocks();
    nock.cleanAll();
    nock.enableNetConnect();
    expect(unused).toEqual([]);
  });

  async function play({
    operation,
    method,
    path,
    query,
    body,
    status,
    response,
  }: SandboxPair): Promise<unknown> {
    const asked = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
    nock(SANDBOX)
      .intercept(path, method, body as nock.RequestBodyMatcher)
      .query(asked)
      .reply(status, response as nock.Body);
    return client.call({
      ...{ operation: operation as Operation, method: method as 'GET', path, json: body },
      query: query as Record<string, string>,
    });
  }

  test('are those of all operations but the ones that Amazon has none for', () => {
    const without = OPERATIONS.filter((name) => !pairs.some(({ operation }) => operation === name));
    expect(without).toEqual(['getInventorySummaries']);
  });

  test.each(
    pairs.map((pair, index): [string, SandboxPair] => [`${pair.operation} ${pair.status} #${index}`, pair]),
  )('%s is asked as it stands, and its answer is understood', async (_, pair) => {
    if (pair.status >= 400) {
      const refused = await play(pair).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(AmazonRefusal);
      const { errors } = pair.response as { errors: { code: string; message: string }[] };
      expect((refused as AmazonRefusal).errors).toMatchObject(
        errors.map(({ code, message }) => ({ code, message })),
      );
      return;
    }
    const answer = await play(pair);
    if (pair.method !== 'DELETE') expect(answer).toEqual(pair.response);
    expect(() => understood(pair.operation, answer)).not.toThrow();
  });

  /** By the plugin's own translation, where it has one. */
  function understood(operation: string, answer: unknown): unknown {
    const { order, orders, items } = (answer ?? {}) as {
      order?: WireOrder;
      orders?: WireOrder[];
      items?: unknown[];
    };
    if (operation === 'getOrder') return expectCounts(order!);
    if (operation === 'searchOrders') return orders!.map(expectCounts);
    if (operation === 'searchListingsItems') return items!.map(translateItem);
    return operation === 'getListingsItem' ? translateItem(answer) : undefined;
  }

  function expectCounts(order: WireOrder): void {
    const document = translateOrder(order);
    if (order.fulfillment?.fulfilledBy === 'AMAZON') return expect(document).toBeUndefined();
    for (const [index, line] of document!.lines.entries()) {
      const { quantityOrdered, fulfillment } = order.orderItems[index]!;
      expect(line).toMatchObject({
        ordered: quantityOrdered,
        cancelled: 0,
        fulfilled: fulfillment?.quantityFulfilled,
      });
    }
  }
});

withModels('Amazon’s examples of notifications', () => {
  const example = (file: string) =>
    requests!.read<{ examples: Record<string, unknown>[] }>('notifications', `${file}.json`).examples[0]!;
  const options = { sellerId: 'A3TH9S8BH6GOGM', marketplaceIds: ['ATVPDKIKX0DER'] } as AmazonSpApiOptions;
  const translated = (notification: unknown, others: object = {}) =>
    translateNotification(
      { body: Buffer.from(JSON.stringify(notification)) },
      Object.assign({}, options, others),
    );

  test('of a buyer who asks to cancel: the order is read, and nothing is cancelled', () => {
    expect(translated(example('OrderChangeNotification'))).toEqual([
      { kind: 'order-changed', orderId: '903-8868176-2219830' },
    ]);
  });

  test('of a quantity: it is what is shown', () => {
    expect(translated(example('ListingsItemMfnQuantityChange'), { sellerId: 'AXXXXXXXXXXXXX' })).toEqual([
      { kind: 'shown-inventory', items: [{ channelSku: 'NLS-SHOES-03', quantityUnits: 99 }] },
    ]);
  });

  test('of stock at Amazon: it is counted', () => {
    const { properties } = requests!.read<{ properties: { Payload: { examples: unknown[] } } }>(
      'notifications',
      'FBAInventoryAvailabilityChangeNotification.json',
    );
    const notification = {
      NotificationType: 'FBA_INVENTORY_AVAILABILITY_CHANGES',
      Payload: properties.Payload.examples[0],
    };
    expect(translated(notification, { fba: { location: 'FBA' } })).toEqual([
      {
        kind: 'counted-stock',
        items: [{ channelSku: 'SELLERSKU-1', channelLocation: 'FBA', quantityUnits: 50 }],
      },
    ]);
  });

  test.each([
    'FeedProcessingFinishedNotification',
    'ReportProcessingFinishedNotification',
    'ListingsItemStatusChangeNotification',
    'ItemInventoryEventChangeNotification',
  ])('of %s: nothing to do', (file) => {
    expect(translated(example(file))).toEqual([]);
  });
});
