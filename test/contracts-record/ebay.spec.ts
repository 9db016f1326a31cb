import nock from 'nock';
import { lineOf, offersOf, orderOf, token } from '../../plugins/ebay/ebay.fixtures';
import { NEEDED, record, type Recording } from './ebay';

const SANDBOX = 'https://api.sandbox.ebay.com';

afterAll(() => nock.restore());

it('keeps what was asked and answered, and neither credentials nor people', async () => {
  nock.disableNetConnect();
  const item = { sku: 'A', availability: { shipToLocationAvailability: { quantity: 2 } } };
  const order = { ...orderOf({ lines: [lineOf()] }), sellerId: 'somebody_who_sells' };
  nock(SANDBOX).post('/identity/v1/oauth2/token').times(2).reply(200, token('a-token-given-out'));
  nock(SANDBOX)
    .get(/inventory_item/)
    .times(2)
    .reply(200, { inventoryItems: [item] });
  nock(SANDBOX)
    .get(/\/order\?/)
    .times(2)
    .reply(200, { orders: [order] });
  nock(SANDBOX)
    .get(/rate_limit/)
    .times(2)
    .reply(204)
    .get(/\/order\/00/)
    .reply(404);
  nock(SANDBOX)
    .get(/\/offer/)
    .times(3)
    .reply(200, offersOf({ offerId: 'o', listingId: 'l' }));
  nock(SANDBOX)
    .post(/bulk_get/)
    .reply(200, { responses: [{ sku: 'A', statusCode: 200, inventoryItem: item }] });
  nock(SANDBOX)
    .post(/bulk_update/)
    .reply(200, { responses: [{ sku: 'A', statusCode: 200 }] });
  const kept = new Map<string, Recording>();
  const environment = Object.fromEntries(NEEDED.map((name) => [name, `canary-${name}`]));
  await record(
    { ...environment, EBAY_SANDBOX_SKU: 'A' },
    async (name, recording) => void kept.set(name, recording),
  );
  expect([...kept.keys()].filter((name) => name.includes('bulk'))).toHaveLength(2);
  expect([...kept.keys()][0]).toBe('001-GET-sell-inventory-v1-inventory_item');
  const text = JSON.stringify([...kept]);
  expect(text).not.toMatch(/canary-EBAY_SANDBOX_CLIENT_SECRET|REFRESH_TOKEN|a-token-given-out|somebody/);
  expect(text).toContain('[person]');
});
