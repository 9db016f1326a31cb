import nock from 'nock';
import type { InventoryUpdate, PushResult } from 'onhand/channel-api';
import { failureOf, networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, ebayError, offersOf, token, updates } from './ebay.fixtures';

const UPDATE = '/sell/inventory/v1/bulk_update_price_quantity';

interface SentRequest {
  sku: string;
  shipToLocationAvailability: { quantity: number };
  offers?: { offerId: string; availableQuantity: number }[];
}

let offerReads: string[] = [];

networkOff(nock);

beforeEach(() => {
  offerReads = [];
  nock(API).post('/identity/v1/oauth2/token').reply(200, token());
});

/** Each SKU has an offer `o-SKU` in a listing `l-SKU`, but those that are given others. */
function offersAre(others: Record<string, object | number> = {}, most = 40): void {
  nock(API)
    .get('/sell/inventory/v1/offer')
    .query(true)
    .times(most)
    .optionally()
    .reply((path) => {
      const sku = new URL(path, API).searchParams.get('sku')!;
      offerReads.push(sku);
      const given = others[sku];
      if (given === 404) return [404, { errors: [ebayError(25713)] }];
      return [200, (given as object) ?? offersOf({ offerId: `o-${sku}`, listingId: `l-${sku}` })];
    });
}

/** eBay's side: answers each request of each call, `status` by SKU where one is refused. Keeps what was sent. */
function takesUpdates(
  times: number,
  refuse: (sku: string, call: number) => number | undefined = () => undefined,
) {
  const sent: SentRequest[][] = [];
  nock(API)
    .post(UPDATE)
    .times(times)
    .reply((_, body) => {
      const { requests } = body as { requests: SentRequest[] };
      sent.push(requests);
      const responses = requests.flatMap(({ sku, offers = [] }) => {
        const refused = refuse(sku, sent.length);
        if (refused !== undefined)
          return [{ sku, statusCode: refused === 25025 ? 500 : 400, errors: [ebayError(refused)] }];
        const done = { sku, statusCode: 200, errors: [], warnings: [] };
        return offers.length === 0 ? [done] : offers.map(({ offerId }) => ({ ...done, offerId }));
      });
      return [responses.every(({ statusCode }) => statusCode === 200) ? 200 : 207, { responses }];
    });
  return sent;
}

const outcomes = (results: PushResult[]) =>
  Object.fromEntries(results.map((result) => [result.pushId, result.outcome]));

describe('a push', () => {
  it('sets ship-to-home and each published offer at a fixed price, and nothing else', async () => {
    offersAre({
      A: offersOf(
        { offerId: 'o-1', listingId: 'l-1' },
        { offerId: 'o-2', listingId: 'l-2', format: 'AUCTION' },
        { offerId: 'o-3' },
      ),
      B: 404,
    });
    const sent = takesUpdates(1);
    const { channel } = await connectEbay();
    const results = await channel.pushInventory(updates(['A', 3], ['B', 0]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      { pushId: 'p1', outcome: 'applied' },
    ]);
    expect(sent).toEqual([
      [
        {
          sku: 'A',
          shipToLocationAvailability: { quantity: 3 },
          offers: [{ offerId: 'o-1', availableQuantity: 3 }],
        },
        { sku: 'B', shipToLocationAvailability: { quantity: 0 } },
      ],
    ]);
  });

  it('reads the offers of a SKU once, and again after one was refused', async () => {
    offersAre();
    takesUpdates(3, (sku, call) => (sku === 'B' && call === 2 ? 25713 : undefined));
    const { channel } = await connectEbay();
    const answered: PushResult[] = [];
    for (let push = 0; push < 3; push += 1)
      answered.push(...(await channel.pushInventory(updates(['A', push], ['B', push]))));
    expect(offerReads.sort()).toEqual(['A', 'B', 'B']);
    // It has an offer as far as we know: the next try finds out whether it has another.
    expect(answered[3]).toMatchObject({ outcome: 'rejected', code: 'ebay-25713', retryable: true });
  });

  it('looks again for offers where there were none, and for all of them after a day', async () => {
    offersAre({ B: 404 });
    takesUpdates(3);
    const { channel, host } = await connectEbay();
    const rows = updates(['A', 1], ['B', 1]);
    for (let push = 0; push < 2; push += 1) await channel.pushInventory(rows);
    expect(offerReads.sort()).toEqual(['A', 'B', 'B']);
    host.nowMs += 86_400_001;
    nock(API).post('/identity/v1/oauth2/token').reply(200, token());
    await channel.pushInventory(rows);
    expect(offerReads.sort()).toEqual(['A', 'A', 'B', 'B', 'B']);
  });

  it('carries the token and the marketplace, as JSON', async () => {
    offersAre();
    nock(API, {
      reqheaders: {
        authorization: 'Bearer user-token',
        'x-ebay-c-marketplace-id': 'EBAY_DE',
        'content-type': 'application/json',
      },
    })
      .post(UPDATE)
      .reply(200, { responses: [{ sku: 'A', statusCode: 200 }] });
    const { channel } = await connectEbay();
    expect(outcomes(await channel.pushInventory(updates(['A', 1])))).toEqual({ p0: 'applied' });
  });
});

describe('a 207', () => {
  it('is told apart entry by entry, and a SKU is applied where all of its offers are', async () => {
    offersAre({
      TWO: offersOf({ offerId: 'o-1', listingId: 'l-1' }, { offerId: 'o-2', listingId: 'l-2' }),
    });
    nock(API)
      .post(UPDATE)
      .reply(207, {
        responses: [
          { sku: 'A', offerId: 'o-A', statusCode: 200 },
          { offerId: 'o-1', statusCode: 200 },
          { offerId: 'o-2', statusCode: 400, errors: [ebayError(25097, 'The listing is on hold.')] },
          { sku: 'B', statusCode: 500, errors: [ebayError(25001, 'A system error has occurred.')] },
        ],
      });
    const { channel } = await connectEbay();
    const results = await channel.pushInventory(updates(['A', 1], ['TWO', 2], ['B', 3], ['C', 4]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      expect.objectContaining({
        outcome: 'rejected',
        code: 'ebay-25097',
        reason: 'The listing is on hold.',
        retryable: false,
      }),
      expect.objectContaining({ outcome: 'rejected', code: 'ebay-25001', retryable: true }),
      expect.objectContaining({ outcome: 'rejected', code: 'no-result', retryable: true }),
    ]);
  });

  it.each([
    ['LEGACY-SKU', 'no item LEGACY-SKU'],
    ['110123456789', 'no item for listing 110123456789'],
    ['110123456789/510', 'no item for listing 110123456789'],
  ])(
    'a SKU that the Inventory API does not have (%s) is named with how to migrate it',
    async (sku, named) => {
      offersAre({ [sku]: 404 });
      takesUpdates(1, () => 25702);
      const { channel } = await connectEbay();
      const [result] = await channel.pushInventory(updates([sku, 1]));
      expect(result).toMatchObject({ outcome: 'rejected', code: 'ebay-25702', retryable: false });
      expect((result as { reason: string }).reason).toContain(named);
      expect((result as { reason: string }).reason).toContain('bulk_migrate_listing');
    },
  );
});

describe('concurrent access (25025)', () => {
  it('is tried again alone, one SKU after the other, and costs the others nothing', async () => {
    offersAre();
    const sent = takesUpdates(4, (sku, call) =>
      sku !== 'A' && call <= (sku === 'B' ? 1 : 3) ? 25025 : undefined,
    );
    const { channel, host } = await connectEbay();
    const results = await channel.pushInventory(updates(['A', 1], ['B', 2], ['C', 3]));
    expect(outcomes(results)).toEqual({ p0: 'applied', p1: 'applied', p2: 'applied' });
    expect(sent.map((requests) => requests.map(({ sku }) => sku))).toEqual([
      ['A', 'B', 'C'],
      ['B'],
      ['C'],
      ['C'],
    ]);
    expect(host.slept).toEqual([250, 1_000]);
  });

  it('as a 500 to the whole call is the same, and any other 500 is unavailability', async () => {
    offersAre();
    nock(API)
      .post(UPDATE)
      .times(3)
      .reply(500, { errors: [ebayError(25025, 'Concurrent access.')] });
    const { channel } = await connectEbay();
    const [result] = await channel.pushInventory(updates(['A', 1]));
    expect(result).toMatchObject({ outcome: 'rejected', code: 'ebay-25025', retryable: true });
    nock(API)
      .post(UPDATE)
      .reply(500, { errors: [ebayError(25001)] });
    expect(await failureOf(channel.pushInventory(updates(['A', 1])))).toMatchObject({
      code: 'channel-unavailable',
    });
  });
});

describe('a call refused as a whole', () => {
  it('for its many SKUs is halved, and later calls are as small', async () => {
    offersAre();
    const sizes: number[] = [];
    nock(API)
      .post(UPDATE)
      .times(8)
      .reply((_, body) => {
        const { requests } = body as { requests: SentRequest[] };
        sizes.push(requests.length);
        if (requests.length > 1) return [400, { errors: [ebayError(25727, 'Only one SKU.')] }];
        return [200, { responses: requests.map(({ sku }) => ({ sku, statusCode: 200 })) }];
      });
    const { channel, host } = await connectEbay();
    const rows = updates(['A', 1], ['B', 1], ['C', 1]);
    expect(outcomes(await channel.pushInventory(rows))).toEqual({
      p0: 'applied',
      p1: 'applied',
      p2: 'applied',
    });
    expect(outcomes(await channel.pushInventory(rows))).toEqual({
      p0: 'applied',
      p1: 'applied',
      p2: 'applied',
    });
    expect(sizes).toEqual([3, 2, 1, 1, 1, 1, 1, 1]);
    expect(host.logged.join()).toContain('set batchSize to 1');
  });

  it('for one bad row costs that row only', async () => {
    offersAre();
    nock(API)
      .post(UPDATE)
      .times(5)
      .reply((_, body) => {
        const { requests } = body as { requests: SentRequest[] };
        if (requests.some(({ sku }) => sku === 'BAD'))
          return [400, { errors: [ebayError(25709, 'Invalid SKU.')] }];
        return [200, { responses: requests.map(({ sku }) => ({ sku, statusCode: 200 })) }];
      });
    const { channel } = await connectEbay();
    const results = await channel.pushInventory(updates(['A', 1], ['B', 1], ['BAD', 1], ['C', 1]));
    expect(outcomes(results)).toEqual({ p0: 'applied', p1: 'applied', p2: 'rejected', p3: 'applied' });
  });

  it('after half was taken keeps what that half was answered', async () => {
    offersAre();
    const replies = [400, 200, 503];
    nock(API)
      .post(UPDATE)
      .times(3)
      .reply((_, body) => {
        const { requests } = body as { requests: SentRequest[] };
        const responses = requests.map(({ sku }) => ({ sku, statusCode: 200 }));
        return [replies.shift()!, { responses }];
      });
    const { channel } = await connectEbay();
    expect(await channel.pushInventory(updates(['A', 1], ['B', 1]))).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      expect.objectContaining({ pushId: 'p1', outcome: 'rejected', code: 'channel-unavailable' }),
    ]);
  });

  it.each([
    [404, 'channel-request', 'endpoints'],
    [402, 'channel-protocol', '402'],
    [200, 'channel-protocol', 'responses'],
  ])('with %s is a %s error', async (status, code, words) => {
    offersAre();
    nock(API).post(UPDATE).reply(status, { ok: true });
    const { channel } = await connectEbay();
    const error = await failureOf(channel.pushInventory(updates(['A', 1])));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });
});

describe('the budget of a listing', () => {
  const budget = { revisionsPerListingPerDay: 5, revisionReserve: 2 };
  const push = async (
    channel: { pushInventory(rows: InventoryUpdate[]): Promise<PushResult[]> },
    quantity: number,
  ) => (await channel.pushInventory(updates(['A', quantity])))[0]!;

  it('is never exceeded, and its last changes are kept for 0', async () => {
    offersAre();
    const sent = takesUpdates(5);
    const { channel, host } = await connectEbay(budget);
    for (let quantity = 3; quantity > 0; quantity -= 1)
      expect(await push(channel, quantity)).toMatchObject({ outcome: 'applied' });
    const waiting = await push(channel, 7);
    expect(waiting).toMatchObject({
      outcome: 'waiting',
      reason: "eBay's changes of listing l-A are used up for today (3 of 5, 2 are kept for 0)",
    });
    for (let zero = 0; zero < 2; zero += 1)
      expect(await push(channel, 0)).toMatchObject({ outcome: 'applied' });
    expect(await push(channel, 0)).toMatchObject({ outcome: 'waiting' });
    expect(sent).toHaveLength(5);
    host.nowMs += (waiting as { waitMs: number }).waitMs;
    nock(API).post('/identity/v1/oauth2/token').reply(200, token());
    nock(API)
      .post(UPDATE)
      .reply(200, { responses: [{ sku: 'A', statusCode: 200 }] });
    expect(await push(channel, 7)).toMatchObject({ outcome: 'applied' });
  });

  it('that is used up costs no other row of the batch', async () => {
    offersAre();
    const sent = takesUpdates(4);
    const { channel } = await connectEbay(budget);
    for (let quantity = 3; quantity > 0; quantity -= 1) await push(channel, quantity);
    const results = await channel.pushInventory(updates(['A', 4], ['B', 5]));
    expect(outcomes(results)).toEqual({ p0: 'waiting', p1: 'applied' });
    expect(sent.at(-1)!.map(({ sku }) => sku)).toEqual(['B']);
  });

  it('is one for all variations of a listing, and a 0 passes where its sibling waits', async () => {
    const inOne = (offerId: string) => offersOf({ offerId, listingId: 'l-1' });
    offersAre({ A: inOne('o-a'), B: inOne('o-b') });
    const sent = takesUpdates(3);
    const { channel } = await connectEbay(budget);
    await channel.pushInventory(updates(['A', 1], ['B', 1]));
    await channel.pushInventory(updates(['A', 2]));
    const results = await channel.pushInventory(updates(['A', 3], ['B', 0]));
    expect(outcomes(results)).toEqual({ p0: 'waiting', p1: 'applied' });
    expect(sent.at(-1)!.map(({ sku }) => sku)).toEqual(['B']);
  });
});
