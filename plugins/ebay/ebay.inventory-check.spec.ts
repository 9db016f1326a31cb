import type { WebhookRequest } from 'onhand/channel-api';
import { InventoryCheck, InventoryCheckOptions } from './ebay.inventory-check';

const BASIC = `Basic ${Buffer.from('ebay:a-secret-for-the-check').toString('base64')}`;
let now = new Date('2026-11-21T12:00:00Z');
const options = Object.assign(new InventoryCheckOptions(), {
  clientId: 'ebay',
  clientSecret: 'a-secret-for-the-check',
});
const check = new InventoryCheck(options, { now: () => now });

/** What a host would know: 7 units of SKU-1 in all, 2 of them in the store in Ulm. */
const unitsOf = (sku: string, place?: string) =>
  sku === 'SKU-1' ? (place === undefined ? 7 : ({ ulm: 2 } as Record<string, number>)[place]) : undefined;

function request(body: unknown, authorization: string | undefined = BASIC, path = '/stock-inquiry') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', path, headers: { authorization }, body: Buffer.from(text) } as WebhookRequest;
}

function ask(body: unknown, authorization?: string) {
  const { status, body: text } = check.answer(request(body, authorization), unitsOf);
  return { status, body: JSON.parse(text) as unknown };
}

const item = (more: object = {}) => ({
  locationID: 'ulm',
  SKU: 'SKU-1',
  fulfillmentType: 'SHIP_TO_HOME',
  requestedQuantity: 7,
  ...more,
});

beforeEach(() => {
  now = new Date('2026-11-21T12:00:00Z');
});

test('a question for one item is answered with the three fields that eBay documents', () => {
  expect(ask(item())).toEqual({
    status: 200,
    body: { isAvailable: true, lastUpdated: 1_795_262_400, totalAvailableQuantity: 7 },
  });
});

test.each([
  ['more than there is', { requestedQuantity: 8 }, false, 7],
  ['the last of them', { requestedQuantity: 7 }, true, 7],
  ['a SKU that has no listing', { SKU: 'sku-1', requestedQuantity: 1 }, false, 0],
  [
    'a place, where it is picked up there',
    { fulfillmentType: 'PICKUP_IN_STORE', requestedQuantity: 2 },
    true,
    2,
  ],
  ['a place, where it is sent there from another', { fulfillmentType: 'SHIP_TO_STORE' }, false, 2],
  ['a place that is not known', { fulfillmentType: 'PICKUP_IN_STORE', locationID: 'bonn' }, false, 0],
  [
    'a place by the name that the field list gives it',
    { fulfillmentType: 'PICKUP_IN_STORE', locationID: undefined, merchantLocationKey: 'ulm' },
    false,
    2,
  ],
])('asked for %s it says so', (_name, more, isAvailable, totalAvailableQuantity) => {
  expect(ask(item(more)).body).toMatchObject({ isAvailable, totalAvailableQuantity });
});

test('several items are answered in their order, each with what it is', () => {
  const { body } = ask([item({ SKU: 'SKU-2' }), item()]);
  expect(body).toMatchObject([
    { locationID: 'ulm', SKU: 'SKU-2', isAvailable: false },
    { locationID: 'ulm', SKU: 'SKU-1', isAvailable: true },
  ]);
});

test.each([
  ['no JSON', '<a/>'],
  ['no item', []],
  ['null', null],
  ['no SKU', item({ SKU: undefined })],
  ['no quantity', item({ requestedQuantity: 0 })],
  ['a quantity as text', item({ requestedQuantity: '1' })],
  ['one item of several that is none', [item(), 7]],
  ['too many', Array.from({ length: 101 }, () => item())],
])('what holds %s is refused', (_name, body) => {
  expect(ask(body).status).toBe(400);
});

test.each([
  ['nobody', ''],
  ['another', `Basic ${Buffer.from('ebay:another-secret-of-the-check').toString('base64')}`],
  ['a token of its own making', 'Bearer 9999999999.AAAA'],
  ['an empty token', 'Bearer .'],
])('who is %s is refused', (_name, authorization) => {
  const answer = check.answer(request(item(), authorization), unitsOf);
  expect(answer.status).toBe(401);
  expect(answer.headers).toHaveProperty('www-authenticate');
});

describe('a token by the client-credentials grant', () => {
  const fetchToken = (form: string, authorization?: string) =>
    check.answer(request(form, authorization ?? '', '/stock-inquiry/token'), unitsOf);

  test.each([
    ['in the header', 'grant_type=client_credentials', BASIC],
    [
      'in the form',
      'grant_type=client_credentials&client_id=ebay&client_secret=a-secret-for-the-check',
      undefined,
    ],
  ])('is given for the credentials %s, lets in for an hour and no longer', (_name, form, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const asked = { method: 'POST', path: '/stock-inquiry/token', headers, body: Buffer.from(form) };
    const { status, body } = check.answer(asked, unitsOf);
    expect(status).toBe(200);
    const { access_token: token } = JSON.parse(body) as { access_token: string };
    expect(ask(item(), `Bearer ${token}`).status).toBe(200);
    now = new Date('2026-11-21T12:59:59Z');
    expect(ask(item(), `Bearer ${token}`).status).toBe(200);
    now = new Date('2026-11-21T13:00:01Z');
    expect(ask(item(), `Bearer ${token}`).status).toBe(401);
    const later = token.replace(/^\d+/, (endsAt) => String(Number(endsAt) + 3_600));
    expect(ask(item(), `Bearer ${later}`).status).toBe(401);
  });

  test('is refused without them, and for another grant', () => {
    expect(fetchToken('grant_type=client_credentials').status).toBe(401);
    expect(fetchToken('grant_type=password', BASIC).status).toBe(400);
  });
});
