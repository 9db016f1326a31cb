import { setTimeout as sleep } from 'node:timers/promises';
import { DOCUMENTS, type DocumentName } from '../shopify.documents';
import { type ShopifySimulator, type ShopifySimulatorOptions, startSimulator } from './index';

const SECRET = 'the-client-secret';
const TOKEN = 'shpat_of_the_shop';
const [HERE, THERE] = ['1', '2'];
const gid = (type: string, id: string) => `gid://shopify/${type}/${id}`;

let shop: ShopifySimulator;

/** A shop with three SKUs at one of its two locations, each showing 5. */
async function start(options: ShopifySimulatorOptions = {}): Promise<void> {
  shop = await startSimulator({ webhookSecret: SECRET, token: TOKEN, locations: [HERE, THERE], ...options });
  shop.list(['A', 'B', 'C'].map((channelSku) => ({ channelSku, quantityUnits: 5 })));
}

afterEach(() => shop.close());

interface Answer {
  data?: Record<string, never> | null;
  errors?: { message: string; extensions?: { code?: string } }[];
  extensions?: { cost: { requestedQueryCost: number; actualQueryCost: number | null } };
}

async function ask(
  query: string,
  variables: object = {},
  token = TOKEN,
  version = '2026-07',
): Promise<{ status: number } & Answer> {
  const response = await fetch(`${shop.url}/admin/api/${version}/graphql.json`, {
    method: 'POST',
    headers: { 'x-shopify-access-token': token, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as Answer) };
}

const run = (name: DocumentName, variables: object = {}) => ask(DOCUMENTS[name], variables);

interface Row {
  inventoryItemId: string;
  locationId: string;
  quantity: number;
  changeFromQuantity?: number | null;
}

const itemOf = (sku: string) => gid('InventoryItem', shop.stock.ofSku(sku)[0]!.itemId);
const row = (sku: string, quantity: number, changes: Partial<Row> = {}): Row => ({
  ...{ inventoryItemId: itemOf(sku), locationId: gid('Location', HERE), quantity, changeFromQuantity: null },
  ...changes,
});
const input = (quantities: Row[], changes: object = {}) => ({
  ...{ name: 'available', reason: 'correction', quantities },
  ...changes,
});

let keys = 0;
const set = (
  quantities: Row[],
  { key = `key-${(keys += 1)}`, ...changes }: { key?: string; [name: string]: unknown } = {},
) => run('SetQuantities', { input: input(quantities, changes), key });

const codesOf = ({ data, errors }: Answer): unknown[] =>
  errors?.map(({ extensions }) => extensions?.code) ??
  Object.values(data ?? {}).flatMap((payload: { userErrors: { code: unknown }[] }) =>
    payload.userErrors.map(({ code }) => code),
  );
const fieldsOf = ({ data }: Answer): unknown[] =>
  Object.values(data ?? {}).flatMap((payload: { userErrors: { field: unknown }[] }) =>
    payload.userErrors.map(({ field }) => field),
  );

describe('setting quantities', () => {
  beforeEach(() => start());

  const REFUSED: [string, () => [Row[], Record<string, unknown>?], string, string[]][] = [
    ['another name', () => [[row('A', 1)], { name: 'committed' }], 'INVALID_NAME', ['input', 'name']],
    ['an unknown reason', () => [[row('A', 1)], { reason: 'sale' }], 'INVALID_REASON', ['input', 'reason']],
    [
      'a reference that is no URI',
      () => [[row('A', 1)], { referenceDocumentUri: 'push 7' }],
      'INVALID_REFERENCE_DOCUMENT',
      ['input', 'referenceDocumentUri'],
    ],
    [
      'an unknown item',
      () => [[row('A', 1, { inventoryItemId: gid('InventoryItem', '9') })]],
      'INVALID_INVENTORY_ITEM',
      ['input', 'quantities', '0', 'inventoryItemId'],
    ],
    [
      'an unknown location',
      () => [[row('A', 1, { locationId: gid('Location', '9') })]],
      'INVALID_LOCATION',
      ['input', 'quantities', '0', 'locationId'],
    ],
    [
      'a location that does not stock the item',
      () => [[row('A', 1, { locationId: gid('Location', THERE) })]],
      'ITEM_NOT_STOCKED_AT_LOCATION',
      ['input', 'quantities', '0', 'locationId'],
    ],
    [
      'a row twice',
      () => [[row('A', 1), row('A', 2)]],
      'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
      ['input', 'quantities', '1', 'locationId'],
    ],
    [
      'more than a thousand million',
      () => [[row('A', 1_000_000_001)]],
      'INVALID_QUANTITY_TOO_HIGH',
      ['input', 'quantities', '0', 'quantity'],
    ],
    [
      'less than minus a thousand million',
      () => [[row('A', -1_000_000_001)]],
      'INVALID_QUANTITY_TOO_LOW',
      ['input', 'quantities', '0', 'quantity'],
    ],
    [
      'less than nothing on hand',
      () => [[row('A', -1)], { name: 'on_hand' }],
      'INVALID_QUANTITY_NEGATIVE',
      ['input', 'quantities', '0', 'quantity'],
    ],
    [
      'a quantity that is not shown any more',
      () => [[row('A', 1, { changeFromQuantity: 4 })]],
      'CHANGE_FROM_QUANTITY_STALE',
      ['input', 'quantities', '0', 'changeFromQuantity'],
    ],
  ];

  test.each(REFUSED)(
    '%s is refused under HTTP 200, and nothing of the batch is set',
    async (_, given, code, field) => {
      const [rows, changes] = given();
      const answer = await set([...rows, row('B', 9)], changes);
      expect([answer.status, codesOf(answer), fieldsOf(answer)]).toEqual([200, [code], [field]]);
      expect(answer.data).toMatchObject({ inventorySetQuantities: { inventoryAdjustmentGroup: null } });
      expect(Object.fromEntries(shop.shown())).toEqual({ A: 5, B: 5, C: 5 });
      expect(shop.inventory.batches).toEqual([]);
    },
  );

  test.each<[string, string, (variables: { input: object }) => object, string]>([
    [
      'no key',
      DOCUMENTS.SetQuantities.replace('@idempotent(key: $key)', '').replace(', $key: String!', ''),
      (variables) => variables,
      'BAD_REQUEST',
    ],
    ['a blank key', DOCUMENTS.SetQuantities, (variables) => ({ ...variables, key: ' ' }), 'BAD_REQUEST'],
    [
      'no word on what is shown',
      DOCUMENTS.SetQuantities,
      () => ({ input: input([row('A', 1, { changeFromQuantity: undefined })]), key: 'k' }),
      'INVALID_FIELD_ARGUMENTS',
    ],
    [
      'the shape of before 2026-04',
      DOCUMENTS.SetQuantities,
      () => ({ input: input([row('A', 1)], { ignoreCompareQuantity: true }), key: 'k' }),
      'INVALID_VARIABLE',
    ],
    [
      'more than 250 rows',
      DOCUMENTS.SetQuantities,
      () => ({ input: input(Array<Row>(251).fill(row('A', 1))), key: 'k' }),
      'MAX_INPUT_SIZE_EXCEEDED',
    ],
  ])('%s is an error of the whole call', async (_, query, variables, code) => {
    const answer = await ask(query, variables({ input: input([row('A', 1)]) }));
    expect([answer.status, codesOf(answer)]).toEqual([200, [code]]);
    expect(shop.shown().get('A')).toBe(5);
  });

  test('what is shown may be compared, 250 rows fit, and what changes nothing makes no group', async () => {
    const skus = Array.from({ length: 250 }, (_, index) => `S${index}`);
    shop.list(skus.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    const answer = await set(skus.map((sku) => row(sku, 3, { changeFromQuantity: 0 })));
    expect(codesOf(answer)).toEqual([]);
    expect(skus.every((sku) => shop.shown(HERE).get(sku) === 3)).toBe(true);
    expect(await set([row('S1', 3)])).toMatchObject({
      data: { inventorySetQuantities: { inventoryAdjustmentGroup: null, userErrors: [] } },
    });
  });

  test('from 2026-10 on, a quantity is set at any location', async () => {
    const variables = { input: input([row('A', 3, { locationId: gid('Location', THERE) })]), key: 'k' };
    expect(codesOf(await ask(DOCUMENTS.SetQuantities, variables, TOKEN, '2026-10'))).toEqual([]);
    expect(shop.shown(THERE).get('A')).toBe(3);
  });

  test('what is on hand is what is available and what is promised', async () => {
    const placedAt = new Date().toISOString();
    shop.placeOrder({ orderId: '1', placedAt, lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 2 }] });
    await set([row('A', 10, { changeFromQuantity: 5 })], { name: 'on_hand' });
    expect(shop.shown().get('A')).toBe(8);
    shop.fulfilOrder('1', placedAt);
    expect(codesOf(await set([row('A', 4, { changeFromQuantity: 8 })], { name: 'on_hand' }))).toEqual([]);
    expect(shop.shown().get('A')).toBe(4);
  });

  test('a location is made to stock an item once', async () => {
    const activate = (key: string) =>
      run('ActivateItem', { item: itemOf('A'), location: gid('Location', THERE), available: 7, key });
    expect(fieldsOf(await activate('k1'))).toEqual([]);
    expect(shop.shown(THERE).get('A')).toBe(7);
    expect(fieldsOf(await activate('k2'))).toEqual([['available']]);
    expect(fieldsOf(await activate('k1'))).toEqual([]);
  });
});

describe('idempotency keys', () => {
  test('the same call again is answered alike and set once, another one is refused', async () => {
    await start();
    const first = await set([row('A', 1)], { key: 'k' });
    shop.list([{ channelSku: 'A', quantityUnits: 4 }]);
    expect(await set([row('A', 1)], { key: 'k' })).toMatchObject({ data: first.data });
    expect(shop.shown().get('A')).toBe(4);
    expect(codesOf(await set([row('A', 2)], { key: 'k' }))).toEqual(['IDEMPOTENCY_KEY_PARAMETER_MISMATCH']);
    expect(shop.inventory.batches).toEqual([1]);
  });

  test('the key of an attempt that failed is used up', async () => {
    await start();
    await set([row('A', 1, { changeFromQuantity: 0 })], { key: 'k' });
    const again = await set([row('A', 1, { changeFromQuantity: 0 })], { key: 'k' });
    expect(codesOf(again)).toEqual(['IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED']);
  });

  test('a key that is being worked on is refused until it is done', async () => {
    await start({ processingMs: 100 });
    const pending = set([row('A', 1)], { key: 'k' });
    await sleep(30);
    expect(codesOf(await set([row('A', 1)], { key: 'k' }))).toEqual(['IDEMPOTENCY_CONCURRENT_REQUEST']);
    expect(codesOf(await pending)).toEqual([]);
    expect(codesOf(await set([row('A', 1)], { key: 'k' }))).toEqual([]);
  });
});

describe('points', () => {
  const SMALL = { maximumAvailable: 25, restoreRate: 1 };

  test('a query that asks for more than is there is throttled under HTTP 200, and sets nothing', async () => {
    await start({ bucket: SMALL });
    const answers = [await set([row('A', 1)]), await set([row('A', 2)]), await set([row('A', 3)])];
    expect(answers.map(codesOf)).toEqual([[], [], ['THROTTLED']]);
    expect(answers[2]).toMatchObject({
      status: 200,
      extensions: { cost: { actualQueryCost: null, throttleStatus: { ...SMALL, currentlyAvailable: 5 } } },
    });
    expect(shop.shown().get('A')).toBe(2);
    expect(shop.bucket.breaches).toMatchObject([{ requested: 10, actual: null, isBreach: true }]);
  });

  test('points come back with time, and faster where time does', async () => {
    await start({ bucket: { maximumAvailable: 10, restoreRate: 1 }, timeScale: 100 });
    await set([row('A', 1)]);
    expect(codesOf(await set([row('A', 2)]))).toEqual(['THROTTLED']);
    await sleep(120);
    expect(codesOf(await set([row('A', 2)]))).toEqual([]);
  });

  test('what a query did not use is given back', async () => {
    await start();
    const { extensions } = await run('LocationLevels', { location: gid('Location', HERE), first: 250 });
    const { requestedQueryCost, actualQueryCost } = extensions!.cost;
    expect(actualQueryCost).toBeLessThan(requestedQueryCost);
    expect(shop.bucket.status().currentlyAvailable).toBeGreaterThanOrEqual(2_000 - actualQueryCost! - 1);
  });

  test('a limit that is not enforced is counted all the same', async () => {
    shop = await startSimulator({
      ...{ webhookSecret: SECRET, token: TOKEN, locations: [HERE], bucket: SMALL },
      limit: { perSecond: 1, burst: 1, enforced: false },
    });
    shop.list([{ channelSku: 'A', quantityUnits: 0 }]);
    for (let quantity = 1; quantity < 5; quantity += 1)
      expect(codesOf(await set([row('A', quantity)]))).toEqual([]);
    expect(shop.bucket.breaches).toHaveLength(2);
  });

  test('a query too dear for any bucket, and a page too large or without a size, are refused', async () => {
    await start();
    const sizes = { lines: 250, assigned: true, returns: true };
    expect(codesOf(await run('Orders', { first: 250, ...sizes }))).toEqual(['MAX_COST_EXCEEDED']);
    expect(
      (await run('LocationLevels', { location: gid('Location', HERE), first: 251 })).errors,
    ).toHaveLength(1);
    expect((await ask('{ locations { nodes { id } } }')).errors?.[0]?.message).toBe(
      'you must provide one of first or last',
    );
    expect(codesOf(await ask('{ nothing }'))).toHaveLength(1);
  });
});

describe('who may call', () => {
  const grant = async (form: Record<string, string>) => {
    const response = await fetch(`${shop.url}/admin/oauth/access_token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const client = { client_id: 'simulated-client', client_secret: SECRET };

  test('a token that is none of the shop’s is refused with 401', async () => {
    await start();
    expect(await ask(DOCUMENTS.Access, {}, 'shpat_x')).toMatchObject({ status: 401 });
    shop.uninstall();
    expect(await ask(DOCUMENTS.Access)).toMatchObject({ status: 401 });
  });

  test('a scope that was not granted is denied by its name', async () => {
    await start({ scopes: ['read_inventory', 'read_locations', 'read_products'] });
    const denied = await set([row('A', 1)]);
    expect(codesOf(denied)).toEqual(['ACCESS_DENIED']);
    expect(denied.errors?.[0]?.message).toContain('write_inventory');
    expect((await run('Variants', { query: 'sku:A', first: 1 })).errors).toBeUndefined();
  });

  test('client credentials are good for a token, until it ends', async () => {
    await start({ auth: 'client-credentials', timeScale: 1_000_000 });
    expect((await grant({ grant_type: 'client_credentials', ...client, client_secret: 'x' })).status).toBe(
      401,
    );
    const { body } = await grant({ grant_type: 'client_credentials', ...client });
    expect(await ask(DOCUMENTS.Access, {}, body.access_token)).toMatchObject({ status: 200 });
    await sleep(100);
    expect(await ask(DOCUMENTS.Access, {}, body.access_token)).toMatchObject({ status: 401 });
  });

  test('a refresh token is good once, and gives the next', async () => {
    await start({ auth: 'expiring-token' });
    const refresh = (token: string) =>
      grant({ grant_type: 'refresh_token', ...client, refresh_token: token });
    const first = await refresh(TOKEN);
    expect(await ask(DOCUMENTS.Access, {}, first.body.access_token)).toMatchObject({ status: 200 });
    expect((await refresh(TOKEN)).status).toBe(400);
    expect((await refresh(first.body.refresh_token!)).status).toBe(200);
  });
});

describe('bulk operations', () => {
  const start1 = () => start({ bulkLastsMs: 10 });
  const bulk = (query: string) =>
    ask(DOCUMENTS.RunBulkQuery, { query }) as unknown as Promise<
      Answer & { data: { bulkOperationRunQuery: { bulkOperation: { id: string } | null } } }
    >;
  const LEVELS = '{ locations { edges { node { id inventoryLevels { edges { node { id } } } } } } }';

  async function finished(id: string): Promise<{ status: string; url: string | null }> {
    for (;;) {
      const { data } = (await run('BulkOperation', { id })) as unknown as {
        data: { bulkOperation: { status: string; url: string | null } };
      };
      if (!['CREATED', 'RUNNING'].includes(data.bulkOperation.status)) return data.bulkOperation;
      await sleep(5);
    }
  }

  test.each([
    ['no query', 'mutation { orderCancel }', 'Only `query` operations'],
    ['no connection', '{ shop { name } }', 'at least one connection'],
    ['nodes', '{ locations { nodes { id } } }', "must select their contents using 'edges' > 'node'"],
    [
      'a connection three deep',
      '{ a { edges { node { id b { edges { node { id c { edges { node { id d { edges { node { id } } } } } } } } } } } } }',
      'nesting depth greater than 2',
    ],
    [
      'a parent without id',
      '{ locations { edges { node { name inventoryLevels { edges { node { id } } } } } } }',
      "must select the 'id' field",
    ],
    ['what cannot be read', '{ locations', 'Invalid bulk query'],
  ])('%s is refused', async (_, query, message) => {
    await start1();
    const { data } = await bulk(query);
    expect(JSON.stringify(data)).toContain(message);
    expect(data.bulkOperationRunQuery.bulkOperation).toBeNull();
  });

  test('every node is a line that names its parent, whole or in parts', async () => {
    await start1();
    const { data } = await bulk(LEVELS);
    const { status, url } = await finished(data.bulkOperationRunQuery.bulkOperation!.id);
    expect(status).toBe('COMPLETED');
    const text = await (await fetch(url!)).text();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; __parentId?: string });
    expect(lines.slice(0, 2)).toEqual([{ id: gid('Location', HERE) }, { id: gid('Location', THERE) }]);
    expect(lines.slice(2).map((line) => line.__parentId)).toEqual(Array(3).fill(gid('Location', HERE)));
    const part = await fetch(url!, { headers: { range: 'bytes=3-9' } });
    expect([part.status, await part.text()]).toEqual([206, text.slice(3, 10)]);
    expect((await fetch(url!, { headers: { range: `bytes=${text.length}-` } })).status).toBe(416);
  });

  test('one that fails has no result, and five at once are enough', async () => {
    await start({ bulkLastsMs: 200 });
    shop.bulk.breakNext();
    const started = await Promise.all(Array.from({ length: 6 }, () => bulk(LEVELS)));
    const ids = started.map(({ data }) => data.bulkOperationRunQuery.bulkOperation?.id);
    expect(ids.filter((id) => id === undefined)).toHaveLength(1);
    expect(await finished(ids[0]!)).toMatchObject({ status: 'FAILED', url: null });
  });
});
