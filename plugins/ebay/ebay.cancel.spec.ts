import nock from 'nock';
import { failureOf, networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, ebayError, lineOf, orderOf, token } from './ebay.fixtures';

const ORDER = '/sell/fulfillment/v1/order/1';
const CANCELLATION = '/post-order/v2/cancellation';
const REQUEST = {
  cancelId: 'ours',
  orderId: '1',
  lines: [{ lineId: '10001', quantityUnits: 2 }],
  reason: 'oversold',
  message: `Sorry: ${'it was sold on another channel. '.repeat(5)}`,
};

networkOff(nock);

beforeEach(() => {
  nock(API).post('/identity/v1/oauth2/token').reply(200, token());
});

const connect = async (cancel: object = {}) =>
  (await connectEbay({ cancel: { enabled: true, ...cancel } })).channel;

/** The order as each look at it finds it. */
function orderIs(...states: object[]): void {
  for (const state of states)
    nock(API)
      .get(ORDER)
      .reply(200, orderOf({ orderId: '1', ...state }));
}

const eligible = (answer: object = { eligible: true }) =>
  nock(API).post(`${CANCELLATION}/check_eligibility`, { legacyOrderId: '1' }).reply(200, answer);

const CANCELED = { cancelState: 'CANCELED' };
const PAID = {
  legacyOrderId: '1',
  cancelReason: 'OUT_OF_STOCK_OR_CANNOT_FULFILL',
  buyerPaid: true,
  buyerPaidDate: { value: '2026-02-28T09:00:01.000Z' },
};

describe('a cancellation', () => {
  it.each([
    ['done where the order says so at once', CANCELED, { outcome: 'cancelled' }],
    ['pending where it does not', { cancelState: 'IN_PROGRESS' }, { outcome: 'pending', receipt: 'c-1' }],
  ])('is asked for as a whole, if it may be, and is %s', async (_, after, result) => {
    orderIs({}, after);
    eligible();
    nock(API, { reqheaders: { authorization: 'IAF user-token' } })
      .post(CANCELLATION, PAID)
      .reply(201, { cancelId: 'c-1' });
    expect(await (await connect()).cancelOrder!(REQUEST)).toEqual(result);
  });

  it('of an order that nobody paid says so', async () => {
    orderIs({ paymentStatus: 'PENDING' }, CANCELED);
    eligible();
    nock(API)
      .post(CANCELLATION, { legacyOrderId: '1', cancelReason: 'BUYER_ASKED_CANCEL', buyerPaid: false })
      .reply(200, { cancelId: 'c-1' });
    const channel = await connect({ reason: 'BUYER_ASKED_CANCEL' });
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
  });

  it('asked for again finds what the first call did, and does nothing more', async () => {
    orderIs(CANCELED, {
      cancelState: 'IN_PROGRESS',
      cancelRequests: [
        { cancelRequestId: 'c-1', cancelInitiator: 'Seller', cancelRequestState: 'REQUESTED' },
      ],
    });
    const channel = await connect();
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'pending', receipt: 'c-1' });
  });

  it('grants what the buyer asked for before', async () => {
    const cancelRequests = [
      { cancelRequestId: 'b-1', cancelInitiator: 'Buyer', cancelRequestState: 'REQUESTED' },
    ];
    orderIs({ cancelState: 'IN_PROGRESS', cancelRequests }, CANCELED);
    nock(API).post(`${CANCELLATION}/b-1/approve`).reply(200, '');
    expect(await (await connect()).cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
  });

  const shippedLine = lineOf({ lineItemFulfillmentStatus: 'FULFILLED' });
  it.each([
    ['is shipped', { lines: [shippedLine] }, 'shipped'],
    ['is shipped in part', { lines: [lineOf({ lineItemId: '9' }), shippedLine] }, 'shipped'],
    [
      'has a line that can be sent',
      { lines: [lineOf(), lineOf({ lineItemId: '10002' })] },
      'whole orders only',
    ],
    ['has units that can be sent', { lines: [lineOf({ quantity: 3 })] }, 'whole orders only'],
  ])('of an order that %s is impossible', async (_, order, reason) => {
    orderIs(order);
    expect(await (await connect()).cancelOrder!(REQUEST)).toEqual({
      outcome: 'impossible',
      reason: expect.stringContaining(reason) as string,
    });
  });

  it.each([
    [
      'does not let it',
      () => eligible({ eligible: false, failureReason: ['ORDER_TOO_OLD'] }),
      'ORDER_TOO_OLD',
    ],
    [
      'does not say whether',
      () =>
        nock(API)
          .post(`${CANCELLATION}/check_eligibility`)
          .reply(400, { error: [ebayError(1500, 'Bad order')] }),
      'Bad order',
    ],
    [
      'refuses it after all',
      () => {
        eligible();
        nock(API)
          .post(CANCELLATION)
          .reply(409, { error: [ebayError(1512, 'Not any more')] });
      },
      'Not any more',
    ],
  ])('that eBay %s is impossible, in its words', async (_, answers, reason) => {
    orderIs({});
    answers();
    expect(await (await connect()).cancelOrder!(REQUEST)).toEqual({
      outcome: 'impossible',
      reason: expect.stringContaining(reason) as string,
    });
  });

  it('of an order that eBay does not have is impossible', async () => {
    nock(API).get(ORDER).reply(404);
    expect(await (await connect()).cancelOrder!(REQUEST)).toMatchObject({ outcome: 'impossible' });
  });

  it('whose answer is lost is unavailability, and one without an id a protocol error', async () => {
    orderIs({});
    eligible();
    nock(API).post(CANCELLATION).reply(502);
    const channel = await connect();
    expect(await failureOf(channel.cancelOrder!(REQUEST))).toMatchObject({ code: 'channel-unavailable' });
    orderIs({});
    eligible();
    nock(API).post(CANCELLATION).reply(200, {});
    expect(await failureOf(channel.cancelOrder!(REQUEST))).toMatchObject({ code: 'channel-protocol' });
  });

  it('is not offered unless the options say so', async () => {
    nock.cleanAll();
    expect((await connectEbay()).channel.cancelOrder).toBeUndefined();
  });
});

describe('a refund', () => {
  const refund = {
    reasonForRefund: 'SELLER_CANCEL',
    comment: REQUEST.message.slice(0, 100),
    orderLevelRefundAmount: { value: '20.00', currency: 'EUR' },
  };

  it('is issued by a call of its own where the options say so, once', async () => {
    orderIs({}, CANCELED, { ...CANCELED, refunds: [{ refundId: 'r', refundStatus: 'PENDING' }] });
    eligible();
    nock(API).post(CANCELLATION).reply(200, { cancelId: 'c-1' });
    nock(API).post(`${ORDER}/issue_refund`, refund).reply(200, { refundId: 'r', refundStatus: 'PENDING' });
    const channel = await connect({ refund: 'plugin' });
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
  });

  it('that was lost with the answer is issued when the cancellation is asked for again', async () => {
    orderIs(CANCELED, CANCELED);
    nock(API).post(`${ORDER}/issue_refund`).reply(503);
    const channel = await connect({ refund: 'plugin' });
    expect(await failureOf(channel.cancelOrder!(REQUEST))).toMatchObject({ code: 'channel-unavailable' });
    nock(API).post(`${ORDER}/issue_refund`, refund).reply(200, { refundId: 'r', refundStatus: 'PENDING' });
    expect(await channel.cancelOrder!(REQUEST)).toEqual({ outcome: 'cancelled' });
  });
});
