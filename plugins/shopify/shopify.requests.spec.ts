import nock from 'nock';
import { type Channel, type InventoryUpdate, memorySecrets, type PushResult } from 'onhand/channel-api';
import { failureOf, networkOff, QuietHost } from 'onhand/channel-api/testing';
import { type DocumentName, DOCUMENTS } from './shopify.documents';
import plugin from './shopify.plugin';

const SHOP = 'https://acme.myshopify.com';
const PATH = '/admin/api/2026-07/graphql.json';
const COST = { requestedQueryCost: 11, actualQueryCost: 10, throttleStatus: status(1_990) };

type Variables = Record<string, unknown>;
type Body = { query: string; variables: Variables };

networkOff(nock);

async function connect(
  options: Variables = {},
  secrets = memorySecrets(),
): Promise<{ channel: Channel; host: QuietHost }> {
  const host = new QuietHost({ secrets });
  const channel = await host.connect(plugin, {
    shop: 'acme.myshopify.com',
    auth: { kind: 'token', token: 'shpat_secret' },
    webhookSecrets: ['the-client-secret'],
    ...options,
  });
  return { channel, host };
}

function status(currentlyAvailable: number) {
  return { maximumAvailable: 2_000, currentlyAvailable, restoreRate: 100 };
}

/** The next call of this document is answered so; the variables that it comes with are put in the list. */
function answer(document: DocumentName, data: unknown, more: object = {}): Variables[] {
  const seen: Variables[] = [];
  nock(SHOP)
    .post(PATH, (body: Body) => body.query === DOCUMENTS[document])
    .reply(200, (_, body) => {
      seen.push((body as Body).variables);
      return { data, extensions: { cost: COST }, ...more } as nock.Body;
    });
  return seen;
}

const refuse = (document: DocumentName, code: string, extensions: object = {}) =>
  answer(document, null, { errors: [{ message: `Refused as ${code}`, extensions: { code } }], extensions });

const variant = (code: string, item: string, more: object = {}) => ({
  ...{ id: `gid://shopify/ProductVariant/9${item}`, sku: code, barcode: null, displayName: `Thing ${item}` },
  ...{ inventoryItem: { id: `gid://shopify/InventoryItem/${item}` }, ...more },
});

const page = (nodes: unknown[], endCursor: string | null = null) => ({
  nodes,
  pageInfo: { hasNextPage: endCursor !== null, endCursor },
});

const variants = (...nodes: unknown[]) => answer('Variants', { productVariants: page(nodes) });

const set = (...userErrors: object[]) =>
  answer('SetQuantities', { inventorySetQuantities: { inventoryAdjustmentGroup: null, userErrors } });

const rowError = (index: number, code: string, message = 'No.') => ({
  ...{ code, message, field: ['input', 'quantities', String(index), 'quantity'] },
});

function updatesOf(...rows: [string, number, number?][]): InventoryUpdate[] {
  return rows.map(([channelSku, quantityUnits, believedUnits], index) => ({
    ...{ pushId: `p${index}`, channelSku, channelLocation: '7', quantityUnits },
    ...(believedUnits === undefined ? {} : { believedUnits }),
  }));
}

const rowsIn = (variables: Variables | undefined) =>
  (variables?.input as { quantities: { inventoryItemId: string; changeFromQuantity: number | null }[] })
    .quantities;

const byId = (results: PushResult[]) => new Map(results.map((result) => [result.pushId, result]));

describe('a call', () => {
  test('goes to the version of the API with the token, and is planned by what the same one cost before', async () => {
    const { channel, host } = await connect();
    for (let call = 0; call < 2; call += 1) {
      variants();
      await channel.pushInventory(updatesOf(['A', 1]));
    }
    expect(host.requests[0]).toMatchObject({
      url: `${SHOP}${PATH}`,
      headers: { 'x-shopify-access-token': 'shpat_secret' },
      ...{ limit: 'points', cost: 60 },
    });
    expect(host.requests[1]?.cost).toBe(11);
    const facts = { perSecond: 100, burst: 2_000, remaining: 1_990 };
    expect(host.learned.map(([, facts]) => facts)).toEqual([
      { ...facts, refunded: 50 },
      { ...facts, refunded: 1 },
    ]);
  });

  test.each([
    [401, 'channel-unauthorized', 'options.auth'],
    [402, 'channel-unauthorized', 'frozen'],
    [403, 'channel-unauthorized', 'options.auth'],
    [404, 'channel-request', 'options.apiVersion'],
    [406, 'channel-protocol', '406'],
    [423, 'channel-unauthorized', 'locked'],
    [430, 'channel-throttled', 'attack'],
  ])('that is answered %i is %s', async (code, expected, words) => {
    const { channel } = await connect();
    nock(SHOP).post(PATH).reply(code, { errors: 'no' });
    const error = await failureOf(channel.pushInventory(updatesOf(['A', 1])));
    expect([error.code, error.message]).toEqual([expected, expect.stringContaining(words)]);
  });

  test.each([
    ['ACCESS_DENIED', 'channel-unauthorized', false],
    ['SHOP_INACTIVE', 'channel-unauthorized', false],
    ['INTERNAL_SERVER_ERROR', 'channel-unavailable', true],
    ['BAD_REQUEST', 'channel-request', false],
    ['MAX_COST_EXCEEDED', 'channel-request', false],
  ])('that is refused under 200 as %s is %s', async (code, expected, retryable) => {
    const { channel } = await connect();
    refuse('Variants', code);
    expect(await failureOf(channel.pushInventory(updatesOf(['A', 1])))).toMatchObject({
      code: expected,
      retryable,
    });
  });

  test('that is throttled under 200 says how long its points take, and counts none as spent', async () => {
    const { channel, host } = await connect();
    refuse('Variants', 'THROTTLED', {
      cost: { requestedQueryCost: 510, actualQueryCost: null, throttleStatus: status(10) },
    });
    expect(await failureOf(channel.pushInventory(updatesOf(['A', 1])))).toMatchObject({
      ...{ code: 'channel-throttled', retryable: true, retryAfterMs: 5_000 },
    });
    expect(host.learned.map(([, facts]) => facts)).toEqual([
      { perSecond: 100, burst: 2_000, remaining: 10, refunded: 60 },
    ]);
  });

  test.each([['nothing'], [{ data: null }], [null]])(
    'whose answer is %j is a protocol error',
    async (body) => {
      const { channel } = await connect();
      nock(SHOP).post(PATH).reply(200, JSON.stringify(body));
      expect((await failureOf(channel.pushInventory(updatesOf(['A', 1])))).code).toBe('channel-protocol');
    },
  );
});

describe('a token', () => {
  const credentials = { clientId: 'id', clientSecret: 'the-client-secret' };
  const grant = (reply: object, check: (body: Variables) => boolean = () => true, code = 200) =>
    nock(SHOP).post('/admin/oauth/access_token', check).reply(code, reply);
  const looksUp = (token: string) =>
    nock(SHOP, { reqheaders: { 'x-shopify-access-token': token } }).post(PATH);
  const nothing = { data: { productVariants: page([]) } };

  test('of client credentials is asked for once, renewed before it ends, and anew when the shop refuses it', async () => {
    const { channel } = await connect({ auth: { kind: 'client-credentials', ...credentials } });
    const push = () => channel.pushInventory(updatesOf(['A', 1]));
    grant(
      { access_token: 'one', expires_in: 86_399 },
      ({ grant_type, client_secret }) =>
        [grant_type, client_secret].join() === 'client_credentials,the-client-secret',
    );
    looksUp('one').twice().reply(200, nothing);
    await Promise.all([push(), push()]);
    looksUp('one').reply(401, {});
    grant({ access_token: 'two', expires_in: 0 });
    looksUp('two').reply(200, nothing);
    await push();
    grant({ access_token: 'three' });
    looksUp('three').reply(200, nothing);
    await push();
  });

  test.each([
    [400, 'channel-unauthorized'],
    [200, 'channel-protocol'],
  ])(
    'endpoint that answers %i without a token is %s, and nothing of the secret is told',
    async (code, expected) => {
      const { channel } = await connect({ auth: { kind: 'client-credentials', ...credentials } });
      grant({ error: 'the-client-secret is wrong' }, undefined, code);
      const error = await failureOf(channel.pushInventory(updatesOf(['A', 1])));
      expect(error.code).toBe(expected);
      expect(error.message).not.toContain('the-client-secret');
    },
  );

  test('that expires is renewed with the newest refresh token, which outlives the process', async () => {
    const kept = new Map<string, string>();
    const auth = { kind: 'expiring-token', ...credentials, refreshToken: 'first' };
    const asks = (token: string) => (body: Variables) =>
      body.refresh_token === token && body.grant_type === 'refresh_token';
    const pushOnce = async () =>
      (await connect({ auth }, memorySecrets(kept))).channel.pushInventory(updatesOf(['A', 1]));
    grant({ access_token: 'a', expires_in: 3_600, refresh_token: 'second' }, asks('first'));
    looksUp('a').reply(200, nothing);
    await pushOnce();
    expect(JSON.parse(kept.get('tokens')!)).toMatchObject({
      accessToken: 'a',
      refreshToken: 'second',
    });
    looksUp('a').reply(401, {});
    grant({ access_token: 'b', expires_in: 3_600, refresh_token: 'third' }, asks('second'));
    looksUp('b').twice().reply(200, nothing);
    await pushOnce();
    await pushOnce();
    // The one that was kept is refused: somebody has put a fresh one into the options.
    looksUp('b').reply(401, {});
    grant({ error: 'invalid_grant' }, asks('third'), 400);
    grant({ access_token: 'c' }, asks('first'));
    looksUp('c').reply(200, nothing);
    await pushOnce();
  });
});

describe('a push', () => {
  test('is one call for all rows, from what is believed, under a key drawn from the push and not the quantity', async () => {
    const keys: unknown[] = [];
    for (const quantity of [5, 6]) {
      const { channel } = await connect();
      const asked = variants(variant('A', '1'), variant('B', '2'));
      const [sent] = [set()];
      const results = await channel.pushInventory(updatesOf(['A', quantity, 4], ['B', 0]));
      expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
      expect(asked[0]).toMatchObject({ query: 'sku:"A" OR sku:"B"' });
      const place = { locationId: 'gid://shopify/Location/7' };
      expect(sent[0]?.input).toEqual({
        ...{ name: 'available', reason: 'correction' },
        quantities: [
          { inventoryItemId: 'gid://shopify/InventoryItem/1', ...place, quantity, changeFromQuantity: 4 },
          {
            inventoryItemId: 'gid://shopify/InventoryItem/2',
            ...place,
            quantity: 0,
            changeFromQuantity: null,
          },
        ],
      });
      keys.push(sent[0]?.key);
    }
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  test('of a SKU that the shop does not have, or has twice, or of no location, costs that row alone', async () => {
    const { channel } = await connect();
    const asked = variants(
      variant('A', '1'),
      variant('a"\\', '3'),
      variant('Twice', '4'),
      variant('Twice', '5'),
    );
    set();
    const [first, ...rest] = updatesOf(['A', 1], ['a', 1], ['Twice', 1], ['a"\\', 1]);
    const results = byId(await channel.pushInventory([{ ...first!, channelLocation: undefined }, ...rest]));
    expect(results.get('p0')).toMatchObject({ outcome: 'rejected', code: 'no-location', retryable: false });
    expect(results.get('p1')).toMatchObject({ outcome: 'rejected', code: 'unknown-sku', retryable: false });
    expect(results.get('p2')).toMatchObject({
      code: 'duplicate-sku',
      reason: expect.stringContaining('"Thing 4"'),
    });
    expect(results.get('p3')).toEqual({ pushId: 'p3', outcome: 'applied' });
    expect(asked[0]?.query).toContain('sku:"a\\"\\\\"');
  });

  test('by barcode looks for barcodes', async () => {
    const { channel } = await connect({ mapBy: 'barcode' });
    const asked = variants(variant('A', '1', { barcode: '4006381333931' }));
    set();
    expect(await channel.pushInventory(updatesOf(['4006381333931', 1]))).toMatchObject([
      { outcome: 'applied' },
    ]);
    expect(asked[0]?.query).toBe('barcode:"4006381333931"');
  });

  test('that believed wrongly is stale with what is shown, and the others go again under another key', async () => {
    const { channel } = await connect();
    variants(variant('A', '1'), variant('B', '2'), variant('C', '3'));
    const first = set(rowError(0, 'CHANGE_FROM_QUANTITY_STALE'), rowError(2, 'CHANGE_FROM_QUANTITY_STALE'));
    const again = set();
    const looked = answer('LevelsAt', {
      nodes: [
        { id: 'x', inventoryLevel: level(3) },
        { id: 'y', inventoryLevel: level(-2) },
      ],
    });
    const below = set();
    const results = byId(await channel.pushInventory(updatesOf(['A', 9, 6], ['B', 8, 4], ['C', 7, 0])));
    expect(results.get('p0')).toEqual({ pushId: 'p0', outcome: 'stale', shownUnits: 3 });
    expect([results.get('p1')?.outcome, results.get('p2')?.outcome]).toEqual(['applied', 'applied']);
    expect(looked[0]).toEqual({
      ...{ items: ['gid://shopify/InventoryItem/1', 'gid://shopify/InventoryItem/3'] },
      location: 'gid://shopify/Location/7',
    });
    expect(rowsIn(again[0]).map(({ inventoryItemId }) => inventoryItemId)).toEqual([
      'gid://shopify/InventoryItem/2',
    ]);
    // Oversold in the shop: we know it as 0, and say what Shopify says.
    expect(rowsIn(below[0]).map(({ changeFromQuantity }) => changeFromQuantity)).toEqual([-2]);
    expect(new Set([first[0]?.key, again[0]?.key, below[0]?.key]).size).toBe(3);
  });

  test.each([
    ['INVALID_INVENTORY_ITEM', true],
    ['INVALID_QUANTITY_TOO_HIGH', false],
    ['NON_MUTABLE_INVENTORY_ITEM', false],
    ['IDEMPOTENCY_KEY_PARAMETER_MISMATCH', true],
    ['IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED', true],
    ['SOMETHING_NEW', false],
  ])('whose only row is refused as %s is rejected, retryable: %s', async (code, retryable) => {
    const { channel } = await connect();
    variants(variant('A', '1'));
    set({ ...rowError(0, code), ...(code.startsWith('IDEMPOTENCY') ? { field: null } : {}) });
    const name = code.toLowerCase().replaceAll('_', '-');
    expect(await channel.pushInventory(updatesOf(['A', 1]))).toMatchObject([
      { outcome: 'rejected', code: name, retryable },
    ]);
  });

  test('refused for how the plugin asks fails as a whole', async () => {
    const { channel } = await connect();
    variants(variant('A', '1'));
    set({ code: 'INVALID_REASON', message: 'No.', field: ['input', 'reason'] });
    expect(await failureOf(channel.pushInventory(updatesOf(['A', 1])))).toMatchObject({
      code: 'channel-request',
    });
  });

  test('whose request is at work already waits, and asks under the same key', async () => {
    const { channel, host } = await connect();
    variants(variant('A', '1'));
    const first = set({ code: 'IDEMPOTENCY_CONCURRENT_REQUEST', message: 'No.', field: null });
    const second = set();
    expect(await channel.pushInventory(updatesOf(['A', 1]))).toMatchObject([{ outcome: 'applied' }]);
    expect(second[0]?.key).toBe(first[0]?.key);
    expect(host.slept).toEqual([1_000]);
  });

  test.each([
    ['an error that names no row', () => set({ code: null, message: 'Something is wrong.', field: null })],
    ['a value that the API does not take', () => refuse('SetQuantities', 'INVALID_VARIABLE')],
  ])('that is refused for %s is halved until the row stands alone', async (_, refuseIt) => {
    const { channel } = await connect();
    variants(...['A', 'B', 'C'].map((code, index) => variant(code, String(index))));
    refuseIt();
    refuseIt();
    set();
    refuseIt();
    set();
    const results = byId(await channel.pushInventory(updatesOf(['A', 1], ['B', 1], ['C', 1])));
    expect(['p0', 'p1', 'p2'].map((id) => results.get(id)?.outcome)).toEqual([
      'applied',
      'rejected',
      'applied',
    ]);
  });

  test('whose refused call has set a row all the same finds it set, and does not take it for a sale', async () => {
    const { channel } = await connect();
    variants(variant('A', '1'), variant('B', '2'));
    set(rowError(0, 'INVALID_QUANTITY_TOO_HIGH'));
    set(rowError(0, 'CHANGE_FROM_QUANTITY_STALE'));
    answer('LevelsAt', { nodes: [{ id: 'gid://shopify/InventoryItem/2', inventoryLevel: level(8) }] });
    const results = byId(await channel.pushInventory(updatesOf(['A', 1, 1], ['B', 8, 4])));
    expect(results.get('p1')).toEqual({ pushId: 'p1', outcome: 'applied' });
  });

  test('that breaks off after its first call keeps what that one was answered', async () => {
    const { channel } = await connect();
    variants(variant('A', '1'), variant('B', '2'));
    set(rowError(0, 'INVALID_QUANTITY_TOO_HIGH'));
    nock(SHOP).post(PATH).reply(503);
    const results = byId(await channel.pushInventory(updatesOf(['A', 1], ['B', 1])));
    expect(results.get('p0')).toMatchObject({ code: 'invalid-quantity-too-high', retryable: false });
    expect(results.get('p1')).toMatchObject({ code: 'channel-unavailable', retryable: true });
  });

  test('to a location that does not stock the item is rejected, or has it stocked where the options say so', async () => {
    for (const activateMissing of [false, true]) {
      const { channel } = await connect({ activateMissing });
      variants(variant('A', '1'));
      set(rowError(0, 'INVALID_LOCATION', 'The item is not stocked at the location.'));
      answer('LevelsAt', { nodes: [{ id: 'gid://shopify/InventoryItem/1', inventoryLevel: null }] });
      const activated = activateMissing
        ? answer('ActivateItem', { inventoryActivate: { userErrors: [] } })
        : [];
      const [result] = await channel.pushInventory(updatesOf(['A', 5]));
      if (!activateMissing)
        expect(result).toMatchObject({
          code: 'not-stocked',
          reason: expect.stringContaining('activateMissing'),
        });
      else {
        expect(result).toEqual({ pushId: 'p0', outcome: 'applied' });
        expect(activated[0]).toMatchObject({
          item: 'gid://shopify/InventoryItem/1',
          location: 'gid://shopify/Location/7',
          available: 5,
        });
      }
    }
  });

  test('looks a SKU up anew after Shopify has lost its item', async () => {
    const { channel } = await connect();
    variants(variant('A', '1'));
    set(rowError(0, 'INVALID_INVENTORY_ITEM'));
    await channel.pushInventory(updatesOf(['A', 1]));
    variants(variant('A', '2'));
    const sent = set();
    await channel.pushInventory(updatesOf(['A', 1]));
    expect(rowsIn(sent[0])[0]?.inventoryItemId).toBe('gid://shopify/InventoryItem/2');
  });
});

function level(quantity: number) {
  return { quantities: [{ name: 'available', quantity }] };
}
