import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import nock from 'nock';
import type { Channel } from 'onhand/channel-api';
import { failureOf, QuietHost } from 'onhand/channel-api/testing';
import { BULK_LEVELS, type DocumentName, DOCUMENTS } from './shopify.documents';
import plugin from './shopify.plugin';
import { RETURN_TOPICS, TOPICS } from './shopify.webhook';

const CONTRACTS = resolve(
  process.env.CONTRACTS_DIR ?? join(__dirname, '../../../shared/contracts'),
  'shopify',
);
const areThere = existsSync(CONTRACTS);
const withContracts = areThere ? describe : describe.skip;
const COMMAND = 'CONTRACTS_DIR=<folder with shopify/> npx jest plugins/shopify/shopify.official.spec.ts';
const SHOP = 'https://acme.myshopify.com';

const readJson = (path: string) => JSON.parse(readFileSync(join(CONTRACTS, path), 'utf8'));

function connect(options: object = {}): Promise<Channel> {
  return new QuietHost().connect(plugin, {
    shop: 'acme.myshopify.com',
    auth: { kind: 'token', token: 'shpat_secret' },
    webhookSecrets: ['the-client-secret'],
    ...options,
  });
}

withContracts(`the official schemas (${COMMAND})`, () => {
  const schemas = ['2026-07', '2026-10'].map((version) => {
    const path = join(CONTRACTS, `admin-graphql/admin_${version}.printed.graphql`);
    const text = areThere ? readFileSync(path, 'utf8') : 'type Query { x: Int }';
    return [version, buildSchema(text, { assumeValidSDL: true, noLocation: true })] as const;
  });

  test.each(schemas)('%s takes every document that is sent', (_, schema) => {
    const faults = Object.entries({ ...DOCUMENTS, BULK_LEVELS }).flatMap(([name, text]) =>
      validate(schema, parse(text)).map(({ message }) => `${name}: ${message}`),
    );
    expect(faults).toEqual([]);
  });

  test.each(schemas)('%s has every topic that is subscribed to', (_, schema) => {
    const known = schema.getType('WebhookSubscriptionTopic') as unknown as {
      getValues(): { name: string }[];
    };
    const names = known.getValues().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...TOPICS, ...RETURN_TOPICS]));
  });
});

withContracts(`the official webhook samples (${COMMAND})`, () => {
  const folder = 'webhooks-2026-07/metadatas';
  const samples = !areThere
    ? []
    : readdirSync(join(CONTRACTS, folder)).flatMap((group) =>
        readdirSync(join(CONTRACTS, folder, group)).map((file) => `${group}/${file.replace('.json', '')}`),
      );
  const translate = async (topic: string, options: object = {}) => {
    const body = Buffer.from(JSON.stringify(readJson(`${folder}/${topic}.json`).response));
    const headers = { 'x-shopify-topic': topic };
    return (await connect(options)).translateWebhook({ method: 'POST', path: '/', headers, body });
  };

  test('are all translated, whatever their topic', async () => {
    expect(samples.length).toBeGreaterThan(50);
    for (const topic of samples) await translate(topic, { testOrders: true });
  });

  test.each([
    ['create', 'order'],
    ['updated', 'order'],
    ['cancelled', 'order'],
    ['fulfilled', 'order'],
    ['partially_fulfilled', 'order'],
    ['edited', 'order-changed'],
  ])('orders/%s is a document of kind %s, of the order that its global id names', async (topic, kind) => {
    const [document] = await translate(`orders/${topic}`, { testOrders: true });
    expect(document?.kind).toBe(kind);
    if (document?.kind !== 'order') return;
    expect(document.orderId).toBe('820982911946154508');
    expect(document.lines.map(({ lineId, ordered }) => [lineId, ordered])).toContainEqual([
      '487817672276298554',
      1,
    ]);
  });

  test.each([
    'refunds/create',
    'returns/approve',
    'returns/cancel',
    'returns/close',
    'returns/decline',
    'returns/reopen',
    'returns/request',
  ])('%s names the order to be read', async (topic) => {
    expect(await translate(topic)).toEqual([
      { kind: 'order-changed', orderId: expect.stringMatching(/^\d+$/) },
    ]);
  });
});

withContracts(`what was recorded of Shopify (${COMMAND})`, () => {
  beforeAll(() => nock.disableNetConnect());
  afterEach(() => nock.cleanAll());
  afterAll(() => nock.restore());

  const reply = (document: DocumentName, body: object) =>
    nock(SHOP)
      .post(
        '/admin/api/2026-07/graphql.json',
        ({ query }: { query: string }) => query === DOCUMENTS[document],
      )
      .reply(200, body);
  const pushAnswered = async (recorded: object) => {
    const channel = await connect();
    const variant = { id: 'gid://shopify/ProductVariant/1', sku: 'A', barcode: null, displayName: 'A' };
    const nodes = [{ ...variant, inventoryItem: { id: 'gid://shopify/InventoryItem/1' } }];
    reply('Variants', {
      data: { productVariants: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } },
    });
    reply('SetQuantities', recorded);
    reply('LevelsAt', { data: { nodes: [null] } });
    return channel.pushInventory([{ pushId: 'p', channelSku: 'A', channelLocation: '7', quantityUnits: 1 }]);
  };
  const quantities = () => readJson('recordings/2026-04/products/inventory-quantity-contracts-2026-04.json');

  test('an answered push is applied', async () => {
    expect(await pushAnswered(quantities().inventorySetQuantities.response)).toEqual([
      { pushId: 'p', outcome: 'applied' },
    ]);
  });

  test('a request without a key, or without what it changes from, is refused as the plugin’s own fault', async () => {
    for (const name of ['missingSetIdempotency', 'missingSetChangeFromQuantity']) {
      const recorded = quantities()[name];
      const error = await failureOf(pushAnswered(recorded.response));
      expect([name, error.code]).toEqual([name, 'channel-request']);
    }
  });

  test('each recorded user error is a rejection that names it', async () => {
    const { setUnknownInventoryItem, setUnknownLocation } = quantities().unknownIdValidation;
    const outcomes = [];
    for (const { response } of [setUnknownInventoryItem, setUnknownLocation]) {
      const [result] = await pushAnswered(response);
      outcomes.push(result?.outcome === 'rejected' && [result.code, result.retryable]);
    }
    expect(outcomes).toEqual([
      ['invalid-inventory-item', true],
      ['invalid-location', false],
    ]);
  });

  test('every recorded refusal of a cancellation is impossible, in Shopify’s words', async () => {
    const recorded = JSON.stringify(readJson('recordings/2026-04/orders/orderCancel-error-messages.json'));
    const errors = [...recorded.matchAll(/\{"field":\["\w+"\],"message":"[^"]+","code":"INVALID"\}/g)].map(
      ([text]) => JSON.parse(text),
    );
    expect(errors.length).toBeGreaterThan(1);
    for (const error of errors) {
      const channel = await connect();
      const line = {
        id: 'gid://shopify/LineItem/1',
        sku: 'A',
        quantity: 1,
        currentQuantity: 1,
        unfulfilledQuantity: 1,
        variant: null,
      };
      const order = {
        ...{
          id: 'gid://shopify/Order/1',
          createdAt: '2026-01-01T10:00:00Z',
          updatedAt: '2026-01-01T11:00:00Z',
        },
        ...{ cancelledAt: null, lineItems: { nodes: [line] }, fulfillments: [], refunds: [] },
      };
      reply('Order', { data: { order } });
      reply('CancelOrder', { data: { orderCancel: { job: null, orderCancelUserErrors: [error] } } });
      reply('Order', { data: { order } });
      const lines = [{ lineId: '1', quantityUnits: 1 }];
      const result = await channel.cancelOrder!({
        cancelId: 'c',
        orderId: '1',
        lines,
        reason: '',
        message: '',
      });
      expect(result).toEqual({ outcome: 'impossible', reason: `Shopify refuses: ${error.message}` });
    }
  });
});
