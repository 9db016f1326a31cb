import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  type AmazonSimulator,
  type AmazonSimulatorOptions,
  startAmazon,
} from '../../plugins/amazon-sp-api/simulator';
import { AmazonCaller, type Json } from '../support/amazon-caller';
import { OfficialModels } from '../support/amazon-models';
import { eventually } from '../support/eventually';

const AT = '2026-03-01T10:00:00.000Z';
const models = OfficialModels.load();
let amazon: AmazonSimulator;
let clients: SQSClient[] = [];

interface SqsOptions {
  queueUrl: string;
  region: string;
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

async function start(options: Partial<AmazonSimulatorOptions> = {}): Promise<void> {
  amazon = await startAmazon({ webhookSecret: 'x', unlimited: true, timeScale: 1_000, ...options });
}

afterEach(async () => {
  for (const each of clients) each.destroy();
  clients = [];
  await amazon.close();
});

function client(changed: Partial<SqsOptions> = {}): { sqs: SQSClient; QueueUrl: string } {
  const options = { ...(amazon.pluginOptions.sqs as SqsOptions), ...changed };
  const { region, endpoint, accessKeyId, secretAccessKey, queueUrl } = options;
  const credentials = { accessKeyId, secretAccessKey };
  const sqs = new SQSClient({ region, endpoint, credentials, maxAttempts: 1 });
  clients.push(sqs);
  return { sqs, QueueUrl: queueUrl };
}

async function receive(
  settings: { most?: number; wait?: number; visibility?: number } = {},
): Promise<Message[]> {
  const { most = 10, wait = 0, visibility = 30 } = settings;
  const { sqs, QueueUrl } = client();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: most,
      WaitTimeSeconds: wait,
      VisibilityTimeout: visibility,
    }),
  );
  return Messages;
}

function place(orderId: string): void {
  amazon.placeOrder({ orderId, placedAt: AT, lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 2 }] });
}

const bodyOf = ({ Body }: Message): Json => JSON.parse(Body!) as Json;
const orderOf = (message: Message): string =>
  bodyOf(message).Payload.OrderChangeNotification.AmazonOrderId as string;
const visible = async () => {
  const { sqs, QueueUrl } = client();
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return [Attributes!.ApproximateNumberOfMessages, Attributes!.ApproximateNumberOfMessagesNotVisible];
};

describe('the queue', () => {
  test('hides what was received for a while, and gives it again unless it is deleted', async () => {
    await start();
    place('o-1');
    place('o-2');
    const [first] = await receive({ most: 1, visibility: 1 });
    const [second] = await receive({ visibility: 1 });
    expect(await receive()).toEqual([]);
    expect(await visible()).toEqual(['0', '2']);
    const { sqs, QueueUrl } = client();
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first!.ReceiptHandle }));
    const again = await receive({ wait: 2 });
    expect(again.map(({ MessageId }) => MessageId)).toEqual([second!.MessageId]);
    expect(again[0]!.ReceiptHandle).not.toBe(second!.ReceiptHandle);
  });

  test('lets a receiver wait for what is sent later, and not longer', async () => {
    await start();
    const waiting = receive({ wait: 5 });
    await sleep(50);
    place('o-1');
    expect((await waiting).map(orderOf)).toEqual(['o-1']);
    const startedAt = Date.now();
    expect(await receive({ wait: 1 })).toEqual([]);
    expect(Date.now() - startedAt).toBeGreaterThan(900);
  });

  test('takes deletions ten at a time, and gives ten at most', async () => {
    await start();
    for (let index = 0; index < 12; index += 1) place(`o-${index}`);
    const received = await receive();
    expect(received).toHaveLength(10);
    const { sqs, QueueUrl } = client();
    const Entries = received.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const { Successful } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    expect([Successful!.length, await visible()]).toEqual([10, ['2', '0']]);
    const tooMany = [...Entries, { Id: 'x', ReceiptHandle: 'x' }];
    await expect(
      sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: tooMany })),
    ).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' });
  });

  test.each<[string, Partial<SqsOptions>, string]>([
    ['a key that is none', { accessKeyId: 'AKIAOTHER' }, 'InvalidClientTokenId'],
    ['another secret', { secretAccessKey: 'other' }, 'SignatureDoesNotMatch'],
    ['another queue', { queueUrl: 'http://127.0.0.1:1/123456789012/other' }, 'QueueDoesNotExist'],
  ])('refuses %s', async (_, changed, name) => {
    await start();
    const { sqs, QueueUrl } = client(changed);
    await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({ name });
  });

  test('is at least once and in no order, with the same notification under messages of their own', async () => {
    await start();
    amazon.faults({ duplicate: 0.3, reorder: 0.5 });
    const placed = Array.from({ length: 60 }, (_, index) => `o-${index}`);
    placed.forEach(place);
    const received: Message[] = [];
    while (amazon.queue.counts.visible > 0) received.push(...(await receive()));
    const orders = received.map(orderOf);
    expect([...new Set(orders)].sort()).toEqual([...placed].sort());
    expect(received.length).toBeGreaterThan(65);
    expect([...new Set(orders)]).not.toEqual(placed);
    const ids = received.map((message) => bodyOf(message).NotificationMetadata.NotificationId as string);
    expect([new Set(ids).size, new Set(received.map(({ MessageId }) => MessageId)).size]).toEqual([
      60,
      received.length,
    ]);
  });
});

describe('notifications', () => {
  const official = models ? test : test.skip;

  test('of an order say what it was when it changed', async () => {
    await start();
    place('o-1');
    amazon.fulfilOrder('o-1', AT, new Map([['1', 1]]));
    amazon.askToCancel('o-1', AT);
    amazon.cancelOrder('o-1', AT);
    const summaries = (await receive()).map(
      (message) => bodyOf(message).Payload.OrderChangeNotification as Json,
    );
    expect(summaries.map(({ Summary }) => Summary.OrderStatus as string)).toEqual([
      ...['Unshipped', 'PartiallyShipped', 'PartiallyShipped', 'Shipped'],
    ]);
    expect(summaries.map(({ OrderChangeType }) => OrderChangeType as string)).toEqual([
      ...['OrderStatusChange', 'OrderStatusChange', 'BuyerRequestedChange', 'OrderStatusChange'],
    ]);
    expect(summaries[2].Summary.OrderItems[0].IsBuyerRequestedCancel).toBe(true);
  });

  test('of a quantity come as events, for what an order or a push changed, and not for what it did not', async () => {
    await start({ appliesAfterSeconds: 0 });
    amazon.list(['A', 'B'].map((channelSku) => ({ channelSku, quantityUnits: 5 })));
    const caller = new AmazonCaller(amazon);
    const quantity = (units: number) => [{ fulfillment_channel_code: 'DEFAULT', quantity: units }];
    for (const units of [5, 8])
      await caller.patch('B', [
        { op: 'merge', path: '/attributes/fulfillment_availability', value: quantity(units) },
      ]);
    place('o-1');
    const events = (await receive()).map(bodyOf).filter((body) => 'detail-type' in body);
    expect(
      events.map(({ 'detail-type': type, detail }) => [type, detail.Payload.Sku, detail.Payload.Quantity]),
    ).toEqual([
      ['LISTINGS_ITEM_MFN_QUANTITY_CHANGE', 'B', 8],
      ['LISTINGS_ITEM_MFN_QUANTITY_CHANGE', 'A', 3],
    ]);
  });

  test('go nowhere without a subscription', async () => {
    await start({ subscribed: false });
    place('o-1');
    expect(amazon.queue.size).toBe(0);
  });

  official('are as the official schemas have them', async () => {
    await start({ feedQueuedSeconds: 0, feedProcessingSeconds: 0 });
    amazon.list([{ channelSku: 'A', quantityUnits: 5 }]);
    amazon.stockFba([{ sku: 'F', fulfillableUnits: 9 }]);
    place('o-1');
    await new AmazonCaller(amazon).submit('JSON_LISTINGS_FEED', {});
    const bodies = await eventually(async () => {
      const received = (await receive({ visibility: 1 })).map(bodyOf);
      expect(received).toHaveLength(4);
      return received;
    });
    const find = (name: string): Json => bodies.find((body) => JSON.stringify(body).includes(`"${name}"`));
    const problems = [
      models!.problemsOfNotification(
        'FBAInventoryAvailabilityChangeNotification',
        find('FBA_INVENTORY_AVAILABILITY_CHANGES'),
      ),
      models!.problemsOfNotification('OrderChangeNotification', find('ORDER_CHANGE')),
      models!.problemsOfNotification('FeedProcessingFinishedNotification', find('FEED_PROCESSING_FINISHED')),
      models!.problemsOfNotification(
        'ListingsItemMfnQuantityChange',
        find('LISTINGS_ITEM_MFN_QUANTITY_CHANGE').detail,
      ),
    ];
    expect(problems).toEqual([[], [], [], []]);
  });
});
