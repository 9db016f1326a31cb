import { createHash, createPrivateKey, createVerify, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import { type EbaySimulator, type EbaySimulatorOptions, startSimulator } from '.';

const SECRET = 'a-secret-of-the-simulator-spec';
const CONTRACTS = join(
  process.env.CONTRACTS_DIR ?? resolve(__dirname, '../../../../shared/contracts'),
  'ebay/openapi',
);
const STOCK = '/sell/inventory/v1';
const ORDER = '/sell/fulfillment/v1/order';
const NOTIFY = '/commerce/notification/v1';

/** JSON of any shape: what it holds is what each test looks at. */
type Parsed = ReturnType<typeof JSON.parse>;

interface Answer {
  status: number;
  headers: Headers;
  body: Parsed;
}

/** A caller with both kinds of token, who signs nothing unless told to. */
class Caller {
  private readonly tokens = new Map<string, string>();

  constructor(readonly ebay: EbaySimulator) {}

  async token(form: Record<string, string>): Promise<Answer> {
    const { clientId, clientSecret } = this.ebay.pluginOptions as Record<string, string>;
    return this.send('POST', '/identity/v1/oauth2/token', new URLSearchParams(form).toString(), {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    });
  }

  get = (path: string, as?: 'user' | 'application') => this.call('GET', path, undefined, as);
  post = (path: string, body: object, as?: 'user' | 'application') => this.call('POST', path, body, as);

  async call(method: string, path: string, body?: object, as: 'user' | 'application' = 'user', more = {}) {
    const scheme = path.startsWith('/post-order') ? 'IAF' : 'Bearer';
    const text = body === undefined ? undefined : JSON.stringify(body);
    const authorization = `${scheme} ${await this.accessToken(as)}`;
    return this.send(method, path, text, { authorization, 'content-type': 'application/json', ...more });
  }

  private async accessToken(as: 'user' | 'application'): Promise<string> {
    const { refreshToken } = this.ebay.pluginOptions as Record<string, string>;
    if (!this.tokens.has(as)) {
      const grant = as === 'user' ? { grant_type: 'refresh_token', refresh_token: refreshToken! } : CLIENT;
      this.tokens.set(as, (await this.token(grant)).body.access_token);
    }
    return this.tokens.get(as)!;
  }

  private async send(method: string, path: string, body: string | undefined, headers: object) {
    const response = await fetch(this.ebay.url + path, { method, body, headers: headers as never });
    const text = await response.text();
    const parsed = text === '' ? undefined : (JSON.parse(text) as unknown);
    return { status: response.status, headers: response.headers, body: parsed } as Answer;
  }
}

const CLIENT = { grant_type: 'client_credentials' };

let ebay: EbaySimulator;

async function start(options: Partial<EbaySimulatorOptions> = {}): Promise<Caller> {
  ebay = await startSimulator({ webhookSecret: SECRET, ...options });
  return new Caller(ebay);
}

afterEach(() => ebay.close());

const list = (count: number, quantityUnits = 3) =>
  ebay.list(Array.from({ length: count }, (_, index) => ({ channelSku: `SKU-${index}`, quantityUnits })));

function place(orderId: string, ...channelSkus: string[]): void {
  const lines = channelSkus.map((channelSku, index) => ({
    lineId: `${orderId}-${index}`,
    channelSku,
    quantityUnits: 1,
  }));
  ebay.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
}

/** As `bulk_update_price_quantity` takes them: both quantities, or one of them. */
const entry = (sku: string, shipTo?: number, offer?: { offerId: string; availableQuantity: number }) => ({
  sku,
  ...(shipTo !== undefined && { shipToLocationAvailability: { quantity: shipTo } }),
  ...(offer && { offers: [offer] }),
});
const update = (caller: Caller, ...requests: object[]) =>
  caller.post(`${STOCK}/bulk_update_price_quantity`, { requests });

/** Sets both quantities of an item, which is what makes a number show. */
async function both(caller: Caller, sku: string, quantity: number): Promise<object> {
  const { offerId } = (await caller.get(`${STOCK}/offer?sku=${sku}`)).body.offers[0];
  return entry(sku, quantity, { offerId, availableQuantity: quantity });
}

const errorIds = ({ body }: Answer) =>
  (body.responses as Parsed[]).map((each) => each.errors.map((error: Parsed) => error.errorId)).flat();

describe('pages', () => {
  test('of items are counted, of orders the records that are skipped', async () => {
    const caller = await start();
    list(7);
    for (let index = 0; index < 7; index++) place(`order-${index}`, 'SKU-0');
    const skus = (await caller.get(`${STOCK}/inventory_item?limit=3&offset=1`)).body.inventoryItems;
    expect(skus.map((each: Parsed) => each.sku)).toEqual(['SKU-3', 'SKU-4', 'SKU-5']);
    const since = new Date(Date.now() - 60_000).toISOString();
    const orders = await caller.get(`${ORDER}?limit=3&offset=1&filter=lastmodifieddate:[${since}..]`);
    expect(orders.body.orders.map((each: Parsed) => each.orderId)).toEqual(['order-5', 'order-4', 'order-3']);
    expect((await caller.get(`${ORDER}?limit=201`)).status).toBe(400);
  });

  test('of orders without a filter hold those of the last 90 days, and never a request to cancel', async () => {
    const caller = await start();
    place('new', 'SKU-0');
    ebay.placeOrder({ orderId: 'old', placedAt: '2020-01-01T00:00:00.000Z', lines: [] });
    ebay.cancelOrder('new', new Date().toISOString());
    const { orders } = (await caller.get(ORDER)).body;
    expect(orders).toMatchObject([
      { orderId: 'new', cancelStatus: { cancelState: 'CANCELED', cancelRequests: [] } },
    ]);
    const alone = (await caller.get(`${ORDER}/new`)).body.cancelStatus;
    expect(alone.cancelRequests).toMatchObject([{ cancelRequestState: 'COMPLETED' }]);
  });
});

test('a line that is shipped in part says so, and the shipments say how much', async () => {
  const caller = await start();
  ebay.placeOrder({
    orderId: 'order',
    placedAt: new Date().toISOString(),
    lines: [{ lineId: 'l', channelSku: 'SKU-0', quantityUnits: 3 }],
  });
  ebay.shipPart('order', 'l', 2, new Date().toISOString());
  const [line] = (await caller.get(`${ORDER}/order`)).body.lineItems;
  expect(line.lineItemFulfillmentStatus).toBe('IN_PROGRESS');
  const { fulfillments } = (await caller.get(`${ORDER}/order/shipping_fulfillment`)).body;
  expect(fulfillments).toMatchObject([{ lineItems: [{ lineItemId: 'l', quantity: 2 }] }]);
});

describe('quantities', () => {
  test('shown are the smaller of the offer and what can be shipped, and a sale lowers both', async () => {
    const caller = await start();
    list(1);
    const { offerId } = (await caller.get(`${STOCK}/offer?sku=SKU-0`)).body.offers[0];
    expect((await update(caller, entry('SKU-0', 9, { offerId, availableQuantity: 5 }))).status).toBe(200);
    expect(ebay.shown().get('SKU-0')).toBe(5);
    place('order', 'SKU-0');
    expect((await caller.get(`${STOCK}/offer/${offerId}`)).body.availableQuantity).toBe(4);
    const item = (await caller.get(`${STOCK}/inventory_item/SKU-0`)).body;
    expect(item.availability.shipToLocationAvailability.quantity).toBe(8);
    await update(caller, entry('SKU-0', 2));
    expect(ebay.shown().get('SKU-0')).toBe(2);
  });

  test('are refused entry by entry, under 207', async () => {
    const caller = await start();
    list(3);
    ebay.listLegacy([{ listingId: '110555', quantityUnits: 4 }]);
    const wrongOffer = { offerId: '1', availableQuantity: 2 };
    const answer = await update(
      caller,
      await both(caller, 'SKU-0', 6),
      entry('110555', 6),
      entry('SKU-1', -1),
      entry('SKU-2', 6, wrongOffer),
    );
    expect(answer.status).toBe(207);
    expect(answer.body.responses.map((each: Parsed) => each.statusCode)).toEqual([200, 404, 400, 404]);
    expect(errorIds(answer)).toEqual([25702, 25709, 25713]);
    expect([...ebay.shown().values()]).toEqual([6, 3, 3, 4]);
    expect((await update(caller, entry('SKU-0', 1), entry('SKU-0', 2))).body.errors[0].errorId).toBe(25734);
  });

  test('that two callers set at once meet 25025: alone as HTTP 500, in company as an entry', async () => {
    const caller = await start({ updateTakesMs: 60 });
    list(2);
    await caller.get(`${STOCK}/inventory_item`);
    const first = update(caller, entry('SKU-0', 1));
    await new Promise((later) => setTimeout(later, 30));
    const alone = update(caller, entry('SKU-0', 2));
    const mixed = await update(caller, entry('SKU-0', 2), entry('SKU-1', 2));
    expect([(await first).status, (await alone).status, mixed.status]).toEqual([200, 500, 207]);
    expect([(await alone).body.errors[0].errorId, ...errorIds(mixed)]).toEqual([25025, 25025]);
  });

  test('of many SKUs in one call are refused where eBay takes one', async () => {
    const caller = await start({ skusPerUpdate: 1 });
    list(2);
    expect((await update(caller, entry('SKU-0', 1), entry('SKU-1', 1))).status).toBe(400);
    expect((await update(caller, entry('SKU-1', 1))).status).toBe(200);
    expect(ebay.pluginOptions).toMatchObject({ batchSize: 1 });
  });

  test('of one listing change so often a day, and again when the day has turned', async () => {
    const caller = await start({ revisionsPerDay: 3, timeScale: 86_400_000 / 900 });
    list(2);
    const [zero, one] = [await both(caller, 'SKU-0', 12), await both(caller, 'SKU-1', 7)];
    // Eight hours past the turn of a day of 900 ms.
    await new Promise((later) => setTimeout(later, 900 - ((Date.now() - 320) % 900)));
    for (let times = 0; times < 5; times++) await update(caller, zero);
    await update(caller, one);
    expect([...ebay.shown().values()]).toEqual([12, 7]);
    expect(ebay.revisionBreaches.map(({ channelSku }) => channelSku)).toEqual(['SKU-0', 'SKU-0']);
    await new Promise((later) => setTimeout(later, 900));
    expect((await update(caller, zero)).status).toBe(200);
  });
});

describe('tokens', () => {
  test('end with their time, are asked for so often a day, and reach what their kind reaches', async () => {
    const caller = await start({ tokenQuotas: { clientCredentials: 2 } });
    list(1);
    expect((await caller.get(`${STOCK}/inventory_item`, 'application')).status).toBe(403);
    expect((await caller.get(`${STOCK}/inventory_item`)).status).toBe(200);
    ebay.revokeTokens();
    expect((await caller.get(`${STOCK}/inventory_item`)).body.errors[0].errorId).toBe(1001);
    expect((await caller.token(CLIENT)).body).toMatchObject({ expires_in: 7200 });
    expect((await caller.token(CLIENT)).status).toBe(429);
    expect(await caller.token({ grant_type: 'refresh_token', refresh_token: 'x' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect(ebay.tokensIssued.map(({ grant }) => grant)).toEqual([
      'client_credentials',
      'refresh_token',
      'client_credentials',
    ]);
  });

  test('lead to the daily quotas, which are kept', async () => {
    const caller = await start({ quotas: { 'sell.inventory': 2 } });
    list(1);
    await caller.get(`${STOCK}/inventory_item`);
    const rates = () =>
      caller.get('/developer/analytics/v1_beta/rate_limit/?api_name=inventory', 'application');
    expect((await rates()).body.rateLimits[0].resources[0].rates[0]).toMatchObject({
      limit: 2,
      remaining: 1,
    });
    await caller.get(`${STOCK}/inventory_item`);
    expect((await caller.get(`${STOCK}/inventory_item`)).body.errors[0].errorId).toBe(2001);
    expect((await rates()).body.rateLimits[0].resources[0].rates[0].remaining).toBe(0);
  });
});

describe('signed calls', () => {
  /** The four headers, made here by the guide's words alone. */
  function signatureOf(path: string, body: string): Record<string, string> {
    const { privateKey, jwe } = ebay.signingKey;
    const key = createPrivateKey({ key: Buffer.from(privateKey!, 'base64'), format: 'der', type: 'pkcs8' });
    const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
    const parameters = `("content-digest" "x-ebay-signature-key" "@method" "@path" "@authority");created=1663459378`;
    const base = [
      `"content-digest": ${digest}`,
      `"x-ebay-signature-key": ${jwe}`,
      '"@method": POST',
      `"@path": ${path}`,
      `"@authority": ${new URL(ebay.url).host}`,
      `"@signature-params": ${parameters}`,
    ].join('\n');
    return {
      'content-digest': digest,
      'x-ebay-signature-key': jwe,
      'signature-input': `sig1=${parameters}`,
      signature: `sig1=:${sign(null, Buffer.from(base), key).toString('base64')}:`,
    };
  }

  test('are taken; unsigned, altered or half-signed ones are not', async () => {
    const caller = await start({ asksForSignatures: true });
    place('order', 'SKU-0');
    const path = `${ORDER}/order/issue_refund`;
    const body = {
      reasonForRefund: 'SELLER_CANCEL',
      orderLevelRefundAmount: { value: '10.00', currency: 'EUR' },
    };
    const signed = signatureOf(path, JSON.stringify(body));
    const attempt = (headers: object, sent: object = body) =>
      caller.call('POST', path, sent, 'user', headers);
    expect((await attempt({})).body.errors[0].errorId).toBe(215001);
    expect((await attempt(signed, { ...body, comment: 'more' })).body.errors[0].errorId).toBe(215003);
    const less = signed['signature-input']!.replace(' "@path"', '');
    expect((await attempt({ ...signed, 'signature-input': less })).body.errors[0].errorId).toBe(215120);
    const later = signed['signature-input']!.replace('1663459378', '1663459379');
    expect((await attempt({ ...signed, 'signature-input': later })).body.errors[0].errorId).toBe(215122);
    expect((await attempt(signed)).body).toMatchObject({ refundStatus: 'PENDING' });
    expect((await attempt(signed)).body.errors[0].errorId).toBe(34917);
    expect((await caller.get(`${ORDER}/order`)).body.paymentSummary.refunds).toMatchObject([
      { refundStatus: 'REFUNDED', amount: { value: '10.00' } },
    ]);
  });
});

describe('cancellations', () => {
  test('are of whole orders, once, and are found with the returns by a search', async () => {
    const caller = await start();
    place('order', 'SKU-0', 'SKU-1');
    place('shipped', 'SKU-0');
    ebay.fulfilOrder('shipped', new Date().toISOString());
    const [check, cancel] = ['/post-order/v2/cancellation/check_eligibility', '/post-order/v2/cancellation'];
    const wanted = { legacyOrderId: 'order', cancelReason: 'OUT_OF_STOCK_OR_CANNOT_FULFILL' };
    expect((await caller.post(check, wanted)).body.eligible).toBe(true);
    expect((await caller.post(check, { legacyOrderId: 'shipped' })).body).toMatchObject({ eligible: false });
    const { cancelId } = (await caller.post(cancel, wanted)).body;
    expect((await caller.post(cancel, wanted)).status).toBe(409);
    expect(ebay.order('order').lines.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
    const found = (await caller.get(`${cancel}/search?legacy_order_id=order`)).body;
    expect(found.cancellations).toMatchObject([{ cancelId, cancelState: 'CLOSED', requestorType: 'SELLER' }]);
    expect((await caller.get(`${ORDER}/order`)).body).toMatchObject({
      orderPaymentStatus: 'FULLY_REFUNDED',
      paymentSummary: { refunds: [{ refundStatus: 'REFUNDED', amount: { value: '20.00' } }] },
    });
    ebay.returnOrder('shipped', new Date().toISOString());
    const { members } = (await caller.get('/post-order/v2/return/search?order_id=shipped')).body;
    expect(members).toMatchObject([
      { state: 'ITEM_DELIVERED', creationInfo: { item: { transactionId: 'shipped-0', returnQuantity: 1 } } },
    ]);
  });
});

describe('notifications', () => {
  let server: Server;
  let endpoint: string;
  let answersChallenges: boolean;
  const received: { signature: string; text: string; data: Parsed }[] = [];

  beforeEach(async () => {
    received.length = 0;
    answersChallenges = true;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const code = new URL(request.url!, endpoint).searchParams.get('challenge_code');
      if (code !== null) {
        const hash = createHash('sha256').update(code + ebay.verificationToken + endpoint);
        const challengeResponse = answersChallenges ? hash.digest('hex') : 'nonsense';
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ challengeResponse }));
        return;
      }
      const text = Buffer.concat(chunks).toString();
      received.push({ signature: String(request.headers['x-ebay-signature']), text, data: JSON.parse(text) });
      response.writeHead(204).end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/ebay`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function subscribe(caller: Caller, topicId: string): Promise<string> {
    const deliveryConfig = { endpoint, verificationToken: ebay.verificationToken };
    const destination = { name: 'here', status: 'ENABLED', deliveryConfig };
    const known = (await caller.get(`${NOTIFY}/destination`, 'application')).body.destinations;
    if (known.length === 0) {
      await caller.call('PUT', `${NOTIFY}/config`, { alertEmail: 'seller@shop.example' }, 'application');
      expect((await caller.post(`${NOTIFY}/destination`, destination, 'application')).status).toBe(201);
    }
    const [{ destinationId }] = (await caller.get(`${NOTIFY}/destination`, 'application')).body.destinations;
    const payload = { schemaVersion: '1.0', format: 'JSON', deliveryProtocol: 'HTTPS' };
    const wanted = { topicId, destinationId, status: 'ENABLED', payload };
    const created = await caller.post(`${NOTIFY}/subscription`, wanted);
    expect(created.status).toBe(201);
    return created.headers.get('location')!.split('/').pop()!;
  }

  test('of a checkout come for each line, signed over their bytes, and again when it is completed again', async () => {
    const caller = await start();
    await subscribe(caller, 'ORDER_CONFIRMATION');
    place('order', 'SKU-0', 'SKU-1');
    ebay.confirmAgain('order');
    ebay.cancelOrder('order', new Date().toISOString());
    await ebay.delivered();
    expect(received).toHaveLength(4);
    for (const { signature, text, data } of received) {
      const header = JSON.parse(Buffer.from(signature, 'base64').toString());
      const { key, digest } = (await caller.get(`${NOTIFY}/public_key/${header.kid}`, 'application')).body;
      const pem = key.replace(/(-----BEGIN PUBLIC KEY-----)(.*)(-----END)/, '$1\n$2\n$3');
      expect(createVerify(digest).update(text).verify(pem, header.signature, 'base64')).toBe(true);
      expect(data).toMatchObject({ metadata: { topic: 'ORDER_CONFIRMATION' } });
      expect(data.notification.data.order.orderLineItems).toHaveLength(1);
    }
    expect(new Set(received.map(({ data }) => data.notification.notificationId)).size).toBe(4);
    expect(received[0]!.data.notification.data.order.orderLineItems[0].listingId).toBe(
      ebay.listingIdOf('SKU-0'),
    );
  });

  test('of a shipment and of a closed account come where they are subscribed to, and test ones when asked for', async () => {
    const caller = await start();
    const id = await subscribe(caller, 'MARKETPLACE_ACCOUNT_DELETION');
    await subscribe(caller, 'ITEM_MARKED_SHIPPED');
    place('order', 'SKU-0');
    ebay.fulfilOrder('order', new Date().toISOString());
    ebay.deleteAccount({ userId: 'u-1', username: 'a_buyer' });
    expect((await caller.post(`${NOTIFY}/subscription/${id}/test`, {})).status).toBe(202);
    await ebay.delivered();
    expect(received.map(({ data }) => data.metadata.topic).sort()).toEqual([
      'ITEM_MARKED_SHIPPED',
      'MARKETPLACE_ACCOUNT_DELETION',
      'MARKETPLACE_ACCOUNT_DELETION',
    ]);
    await caller.call('DELETE', `${NOTIFY}/subscription/${id}`);
  });

  test('are sent nowhere that does not answer the challenge', async () => {
    const caller = await start();
    answersChallenges = false;
    const deliveryConfig = { endpoint, verificationToken: ebay.verificationToken };
    const wanted = { name: 'here', status: 'ENABLED', deliveryConfig };
    const refused = await caller.post(`${NOTIFY}/destination`, wanted, 'application');
    expect([refused.status, refused.body.errors[0].errorId]).toEqual([409, 195020]);
  });
});

const withContracts = existsSync(CONTRACTS) ? describe : describe.skip;

/** eBay's schemas forbid nothing: closed here, so that a field of a wrong name is seen. */
function schemasOf(file: string): (name: string) => ValidateFunction {
  const { components } = JSON.parse(readFileSync(join(CONTRACTS, file), 'utf8'));
  for (const schema of Object.values<Parsed>(components.schemas))
    if (schema.properties) schema.additionalProperties = false;
  const ajv = new Ajv({ strict: false, formats: { int32: true } });
  ajv.addSchema({ $id: file, components });
  return (name) => ajv.getSchema(`${file}#/components/schemas/${name}`)!;
}

withContracts('by eBay’s contracts (CONTRACTS_DIR=<folder> npx jest plugins/ebay/simulator)', () => {
  test('each answer is what they say', async () => {
    const caller = await start({ timeScale: 1 });
    const schemas = {
      inventory: schemasOf('sell_inventory_v1_oas3.json'),
      fulfillment: schemasOf('sell_fulfillment_v1_oas3.json'),
      notification: schemasOf('commerce_notification_v1_oas3.json'),
      analytics: schemasOf('developer_analytics_v1_beta_oas3.json'),
      keys: schemasOf('developer_key_management_v1_oas3.json'),
    };
    list(2);
    ebay.list([{ channelSku: 'SKU-9', quantityUnits: 1, barcode: '4006381333931' }]);
    place('order', 'SKU-0', 'SKU-1');
    place('cancelled', 'SKU-0');
    ebay.fulfilOrder('order', new Date().toISOString());
    ebay.cancelOrder('cancelled', new Date().toISOString());
    const refund = {
      reasonForRefund: 'BUYER_CANCEL',
      orderLevelRefundAmount: { value: '5.00', currency: 'EUR' },
    };
    const skus = { requests: [{ sku: 'SKU-0' }, { sku: 'none' }] };
    const answers: [keyof typeof schemas, string, Answer][] = [
      ['inventory', 'InventoryItems', await caller.get(`${STOCK}/inventory_item?limit=2`)],
      ['inventory', 'InventoryItemWithSkuLocaleGroupid', await caller.get(`${STOCK}/inventory_item/SKU-9`)],
      ['inventory', 'Offers', await caller.get(`${STOCK}/offer?sku=SKU-0`)],
      [
        'inventory',
        'BulkGetInventoryItemResponse',
        await caller.post(`${STOCK}/bulk_get_inventory_item`, skus),
      ],
      ['inventory', 'BulkPriceQuantityResponse', await update(caller, entry('SKU-0', 4), entry('none', 4))],
      ['fulfillment', 'Refund', await caller.post(`${ORDER}/order/issue_refund`, refund)],
      ['fulfillment', 'OrderSearchPagedCollection', await caller.get(`${ORDER}?limit=1`)],
      [
        'fulfillment',
        'ShippingFulfillmentPagedCollection',
        await caller.get(`${ORDER}/order/shipping_fulfillment`),
      ],
      ['fulfillment', 'Order', await caller.get(`${ORDER}/cancelled`)],
      ['notification', 'TopicSearchResponse', await caller.get(`${NOTIFY}/topic`, 'application')],
      ['notification', 'DestinationSearchResponse', await caller.get(`${NOTIFY}/destination`, 'application')],
      ['notification', 'SubscriptionSearchResponse', await caller.get(`${NOTIFY}/subscription`)],
      [
        'analytics',
        'RateLimitsResponse',
        await caller.get('/developer/analytics/v1_beta/rate_limit', 'application'),
      ],
      [
        'keys',
        'SigningKey',
        await caller.post('/developer/key_management/v1/signing_key', {}, 'application'),
      ],
      [
        'keys',
        'QuerySigningKeysResponse',
        await caller.get('/developer/key_management/v1/signing_key', 'application'),
      ],
    ];
    for (const [contract, schema, { status, body }] of answers) {
      const validate = schemas[contract](schema);
      validate(body);
      expect([schema, status < 300, validate.errors ?? []]).toEqual([schema, true, []]);
    }
  });
});
