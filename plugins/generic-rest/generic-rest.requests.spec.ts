import nock from 'nock';
import type { Channel, ChannelError, InventoryUpdate } from 'onhand/channel-api';
import {
  collect,
  failureOf,
  networkOff,
  QuietHost,
  type QuietHostSettings,
} from 'onhand/channel-api/testing';
import plugin from './generic-rest.plugin';

const SHOP = 'https://shop.example';

networkOff(nock);

function channelWith(
  options: Record<string, unknown> = {},
  settings: QuietHostSettings = {},
): Promise<Channel> {
  return new QuietHost(settings).connect(plugin, {
    baseUrl: SHOP,
    webhook: { secret: 'webhook-secret' },
    ...options,
  });
}

function updates(...rows: [string, number, string?][]) {
  return rows.map(([channelSku, quantityUnits, channelLocation], index) => ({
    pushId: `p${index}`,
    channelSku,
    quantityUnits,
    ...(channelLocation === undefined ? {} : { channelLocation }),
  }));
}

describe('a batch push', () => {
  it('is one POST of the rows and nothing else', async () => {
    nock(SHOP)
      .post('/api/inventory/batch', [
        { sku: 'A', quantity: 3 },
        { sku: 'B', quantity: 0 },
      ])
      .matchHeader('content-type', 'application/json')
      .reply(200, { results: [{ sku: 'A' }, { sku: 'B' }] });
    const results = await (await channelWith()).pushInventory(updates(['A', 3], ['B', 0]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      { pushId: 'p1', outcome: 'applied' },
    ]);
  });

  it('follows the options: method, path, place and names of the fields', async () => {
    nock(`${SHOP}/v2`)
      .put('/stock', {
        data: {
          rows: [
            { variant: { sku: 'A' }, on_hand: 3, at: 'WH' },
            { variant: { sku: 'B' }, on_hand: 1 },
          ],
        },
      })
      .reply(200, '');
    const fields = { sku: 'variant.sku', quantity: 'on_hand', location: 'at' };
    const push = { method: 'PUT', path: '/stock', itemsPath: 'data.rows', fields, answers: 'status' };
    const channel = await channelWith({ baseUrl: `${SHOP}/v2/`, push });
    const results = await channel.pushInventory(updates(['A', 3, 'WH'], ['B', 1]));
    expect(results.map((result) => result.outcome)).toEqual(['applied', 'applied']);
  });

  it('a 207 is told apart row by row, and a row without a result is to be tried again', async () => {
    nock(SHOP)
      .post('/api/inventory/batch')
      .reply(207, {
        results: [
          { sku: 'C', error: { code: 'locked', message: 'Being edited.', retryable: true } },
          { sku: 'B', error: { code: 'unknown-sku', message: 'No such SKU.' } },
          { sku: 'A' },
        ],
      });
    const results = await (
      await channelWith()
    ).pushInventory(updates(['A', 1], ['B', 2], ['C', 3], ['D', 4]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      { pushId: 'p1', outcome: 'rejected', code: 'unknown-sku', reason: 'No such SKU.', retryable: false },
      { pushId: 'p2', outcome: 'rejected', code: 'locked', reason: 'Being edited.', retryable: true },
      {
        pushId: 'p3',
        outcome: 'rejected',
        code: 'no-result',
        reason: expect.any(String) as string,
        retryable: true,
      },
    ]);
  });

  it('a SKU sent for two locations gets its results in the order sent', async () => {
    nock(SHOP)
      .post('/api/inventory/batch')
      .reply(207, { results: [{ sku: 'A' }, { sku: 'A', error: { code: 'closed' } }] });
    const channel = await channelWith({ push: { fields: { location: 'location' } } });
    const results = await channel.pushInventory(updates(['A', 1, 'X'], ['A', 2, 'Y']));
    expect(results.map((result) => result.outcome)).toEqual(['applied', 'rejected']);
  });

  it('a batch refused for one row is halved until that row stands alone', async () => {
    const sent: string[][] = [];
    nock(SHOP)
      .post('/api/inventory/batch')
      .times(5)
      .reply((_, body) => {
        const skus = (body as { sku: string }[]).map((row) => row.sku);
        sent.push(skus);
        if (skus.includes('BAD')) return [422, { error: { code: 'invalid' } }];
        return [200, { results: skus.map((sku) => ({ sku })) }];
      });
    const results = await (
      await channelWith()
    ).pushInventory(updates(['A', 1], ['B', 1], ['BAD', 1], ['C', 1]));
    expect(results.map((result) => [result.pushId, result.outcome])).toEqual([
      ['p0', 'applied'],
      ['p1', 'applied'],
      ['p2', 'rejected'],
      ['p3', 'applied'],
    ]);
    expect(sent).toEqual([['A', 'B', 'BAD', 'C'], ['A', 'B'], ['BAD', 'C'], ['BAD'], ['C']]);
  });

  it('a half that goes unanswered is to be tried again, and the answered half keeps its results', async () => {
    const replies = [422, 200, 503];
    nock(SHOP)
      .post('/api/inventory/batch')
      .times(3)
      .reply((_, body) => {
        const results = (body as { sku: string }[]).map(({ sku }) => ({ sku }));
        return [replies.shift() as number, { results }];
      });
    const results = await (await channelWith()).pushInventory(updates(['A', 1], ['B', 1]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      expect.objectContaining({
        pushId: 'p1',
        outcome: 'rejected',
        code: 'channel-unavailable',
        retryable: true,
      }),
    ]);
  });

  it.each([
    [404, 'channel-request', 'options.push.path'],
    [405, 'channel-request', 'options.push.method'],
    [402, 'channel-protocol', '402'],
  ])('a %s to the whole batch is a %s error', async (status, code, advice) => {
    nock(SHOP).post('/api/inventory/batch').reply(status, {});
    const error = await failureOf((await channelWith()).pushInventory(updates(['A', 1], ['B', 1])));
    expect(error.code).toBe(code);
    expect(error.message).toContain(advice);
  });

  it('a 2xx without results is a protocol error that says which option to look at', async () => {
    nock(SHOP).post('/api/inventory/batch').reply(200, { ok: true });
    const error = await failureOf((await channelWith()).pushInventory(updates(['A', 1])));
    expect(error.code).toBe('channel-protocol');
    expect(error.message).toContain('options.push.results');
  });
});

describe('a push of one call each', () => {
  const push = { batch: false };

  it('is a PUT per SKU, with the SKU encoded into the path', async () => {
    nock(SHOP).put('/api/inventory/A%2FB%20%C3%A9', { sku: 'A/B é', quantity: 2 }).reply(204);
    nock(SHOP).put('/api/inventory/C', { sku: 'C', quantity: 0 }).reply(200, {});
    const results = await (await channelWith({ push })).pushInventory(updates(['A/B é', 2], ['C', 0]));
    expect(results.map((result) => result.outcome)).toEqual(['applied', 'applied']);
  });

  it('a row that is refused, in the status or in the body of a 200, costs no other row', async () => {
    nock(SHOP).put('/api/inventory/A').reply(404, '<html>');
    nock(SHOP)
      .put('/api/inventory/B')
      .reply(200, { error: { code: 'frozen', message: 'Not now.' } });
    nock(SHOP).put('/api/inventory/C').reply(409, {});
    nock(SHOP).put('/api/inventory/D').reply(200, {});
    const results = await (
      await channelWith({ push })
    ).pushInventory(updates(['A', 1], ['B', 1], ['C', 1], ['D', 1]));
    expect(results).toEqual([
      expect.objectContaining({ outcome: 'rejected', code: 'status-404', retryable: false }),
      { pushId: 'p1', outcome: 'rejected', code: 'frozen', reason: 'Not now.', retryable: false },
      expect.objectContaining({ outcome: 'rejected', code: 'status-409', retryable: true }),
      { pushId: 'p3', outcome: 'applied' },
    ]);
  });

  it('what is believed goes with the row, and a refusal that says what is shown is stale', async () => {
    const expecting = { batch: false, fields: { expected: 'was' } };
    nock(SHOP)
      .put('/api/inventory/A', { sku: 'A', quantity: 1, was: 4 })
      .reply(409, { error: { code: 'x' }, shown: 6 });
    nock(SHOP).put('/api/inventory/B', { sku: 'B', quantity: 1, was: 0 }).reply(409, '<html>');
    nock(SHOP)
      .put('/api/inventory/C', { sku: 'C', quantity: 1 })
      .reply(404, { error: { code: 'gone' } });
    const [a, b, c] = updates(['A', 1], ['B', 1], ['C', 1]) as [
      InventoryUpdate,
      InventoryUpdate,
      InventoryUpdate,
    ];
    const channel = await channelWith({ push: expecting });
    const results = await channel.pushInventory([{ ...a, believedUnits: 4 }, { ...b, believedUnits: 0 }, c]);
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'stale', shownUnits: 6 },
      expect.objectContaining({ outcome: 'rejected', code: 'status-409', retryable: true }),
      expect.objectContaining({ outcome: 'rejected', code: 'status-404', retryable: false }),
    ]);
  });

  it.each(['.', '..', '\ud800'])('the SKU %j never becomes another address', async (sku) => {
    nock(SHOP).put('/api/inventory/A').reply(204);
    const results = await (await channelWith({ push })).pushInventory(updates([sku, 1], ['A', 1]));
    expect(results.map((result) => result.outcome)).toEqual(['rejected', 'applied']);
    expect(results[0]).toMatchObject({ code: 'unaddressable', retryable: false });
  });

  it('a row on which the shop breaks costs no other row', async () => {
    nock(SHOP).put('/api/inventory/A').reply(500);
    nock(SHOP).put('/api/inventory/B').reply(200, '<html>');
    nock(SHOP).put('/api/inventory/C').reply(204);
    const results = await (await channelWith({ push })).pushInventory(updates(['A', 1], ['B', 1], ['C', 1]));
    expect(results.map((result) => ('code' in result ? result.code : result.outcome))).toEqual([
      'channel-unavailable',
      'channel-protocol',
      'applied',
    ]);
  });

  it('rows on which the shop breaks now and then do not end the rest', async () => {
    const skus = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    for (const [index, sku] of skus.entries()) {
      nock(SHOP)
        .put(`/api/inventory/${sku}`)
        .reply(index % 2 === 0 ? 500 : 204);
    }
    const rows = updates(...skus.map((sku): [string, number] => [sku, 1]));
    const results = await (await channelWith({ push })).pushInventory(rows);
    expect(results.map((result) => result.outcome)).toEqual([
      ...['rejected', 'applied', 'rejected', 'applied'],
      ...['rejected', 'applied', 'rejected', 'applied'],
    ]);
  });

  it('a shop that answers none of three rows is not asked for the rest', async () => {
    let calls = 0;
    nock(SHOP)
      .persist()
      .put(/inventory/)
      .reply(() => {
        calls += 1;
        return [503];
      });
    const channel = await channelWith({ push });
    const rows = updates(['A', 1], ['B', 1], ['C', 1], ['D', 1], ['E', 1]);
    expect((await failureOf(channel.pushInventory(rows))).code).toBe('channel-unavailable');
    expect(calls).toBe(3);
  });

  it('a 429 midway stops the calls, and what is left is to be tried again', async () => {
    nock(SHOP).put('/api/inventory/A').reply(204);
    nock(SHOP).put('/api/inventory/B').reply(429);
    const results = await (await channelWith({ push })).pushInventory(updates(['A', 1], ['B', 1], ['C', 1]));
    expect(results).toEqual([
      { pushId: 'p0', outcome: 'applied' },
      expect.objectContaining({ pushId: 'p1', code: 'channel-throttled', retryable: true }),
      expect.objectContaining({ pushId: 'p2', code: 'channel-throttled', retryable: true }),
    ]);
  });
});

describe('authentication', () => {
  it.each([
    ['bearer', { kind: 'bearer', token: 'tok-123' }, { authorization: 'Bearer tok-123' }],
    ['basic', { kind: 'basic', username: 'u', password: 'pä:ss' }, { authorization: 'Basic dTpww6Q6c3M=' }],
    ['header', { kind: 'header', name: 'X-Api-Key', value: 'key-123' }, { 'x-api-key': 'key-123' }],
  ])('%s sends its header', async (_, auth, reqheaders) => {
    nock(SHOP, { reqheaders: reqheaders as unknown as Record<string, string> })
      .get('/api/inventory')
      .query(true)
      .reply(200, { items: [] });
    expect(await collect((await channelWith({ auth })).readInventory({}))).toMatchObject({ items: [] });
  });

  it('none sends no header', async () => {
    nock(SHOP, { badheaders: ['authorization'] })
      .get('/api/inventory')
      .query(true)
      .reply(200, { items: [] });
    expect(await collect((await channelWith()).readInventory({}))).toMatchObject({ items: [] });
  });

  it.each([401, 403])('a %s is unauthorized, and says what to look at', async (status) => {
    nock(SHOP).post('/api/inventory/batch').reply(status, { error: 'tok-123' });
    const channel = await channelWith({ auth: { kind: 'bearer', token: 'tok-123' } });
    const error = await failureOf(channel.pushInventory(updates(['A', 1])));
    expect(error).toMatchObject({ code: 'channel-unauthorized', retryable: false });
    expect(error.message).toContain('options.auth');
    expect(error.message).not.toContain('tok-123');
  });
});

describe('an answer that is not one', () => {
  async function readFailure(http: QuietHostSettings = {}, options = {}): Promise<ChannelError> {
    return failureOf(collect((await channelWith(options, http)).readInventory({})));
  }

  it('a redirect is not followed', async () => {
    nock(SHOP).get('/api/inventory').query(true).reply(302, '', { location: 'http://169.254.169.254/' });
    expect(await readFailure()).toMatchObject({ code: 'channel-protocol' });
  });

  it('one that is too large is refused', async () => {
    nock(SHOP)
      .get('/api/inventory')
      .query(true)
      .reply(200, { items: ['x'.repeat(2_000)] });
    expect(await readFailure({ maxResponseBytes: 1_000 })).toMatchObject({ code: 'channel-unavailable' });
  });

  it('one that is too slow is given up', async () => {
    nock(SHOP).get('/api/inventory').query(true).delay(5_000).reply(200, { items: [] });
    const startedAt = Date.now();
    expect(await readFailure({}, { timeoutMs: 150 })).toMatchObject({ code: 'channel-unavailable' });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });

  it.each([
    ['no list', { items: {} }, 'options.read.itemsPath'],
    ['null', null, 'options.read.itemsPath'],
    ['a cursor that is an object', { items: [], next_cursor: {} }, 'options.read.paging'],
  ])('%s is a protocol error', async (_, body, advice) => {
    nock(SHOP)
      .get('/api/inventory')
      .query(true)
      .reply(200, body as nock.Body);
    const error = await readFailure();
    expect(error.code).toBe('channel-protocol');
    expect(error.message).toContain(advice);
  });

  it('a 404 says which option to look at', async () => {
    nock(SHOP).get('/api/inventory').query(true).reply(404);
    const error = await readFailure();
    expect(error).toMatchObject({ code: 'channel-request', retryable: false });
    expect(error.message).toContain('options.read.path');
  });
});

describe('paging', () => {
  const row = (sku: number) => ({ sku: `S${sku}`, quantity: sku });

  async function skusRead(paging: object, cursor?: string): Promise<string[]> {
    const channel = await channelWith({ read: { paging } });
    const { items } = await collect(channel.readInventory(cursor === undefined ? {} : { cursor }));
    return items.map((item) => item.channelSku);
  }

  it('none reads one answer, without a query', async () => {
    nock(SHOP)
      .get('/api/inventory')
      .reply(200, { items: [row(1)], next_cursor: 'ignored' });
    expect(await skusRead({ kind: 'none' })).toEqual(['S1']);
  });

  it('cursor follows the answer until it names none', async () => {
    const inventory = () => nock(SHOP).get('/api/inventory');
    inventory()
      .query({ size: '2' })
      .reply(200, { items: [row(1), row(2)], meta: { next: 'a&b' } });
    inventory()
      .query({ size: '2', after: 'a&b' })
      .reply(200, { items: [row(3)], meta: { next: null } });
    const paging = {
      kind: 'cursor',
      parameter: 'after',
      nextCursorPath: 'meta.next',
      pageSizeParameter: 'size',
      pageSize: 2,
    };
    expect(await skusRead(paging)).toEqual(['S1', 'S2', 'S3']);
  });

  it('a numeric cursor beyond 2^53 is passed on digit by digit', async () => {
    const inventory = () => nock(SHOP).get('/api/inventory');
    inventory().query({ limit: '100' }).reply(200, '{"items":[],"next_cursor":820982911946154508}');
    inventory()
      .query({ limit: '100', cursor: '820982911946154508' })
      .reply(200, { items: [row(1)] });
    expect(await skusRead({})).toEqual(['S1']);
  });

  it('page counts on over short pages, up to the first empty one', async () => {
    const pages = [[row(1), row(2)], [row(3)], [row(4)], []];
    for (const [index, items] of pages.entries()) {
      nock(SHOP)
        .get('/api/inventory')
        .query({ limit: '2', page: String(index + 1) })
        .reply(200, { items });
    }
    expect(await skusRead({ kind: 'page', pageSize: 2 })).toEqual(['S1', 'S2', 'S3', 'S4']);
  });

  it('offset moves on by what was given, not by what was asked for', async () => {
    const inventory = (offset: string) => nock(SHOP).get('/api/inventory').query({ limit: '100', offset });
    inventory('0').reply(200, { items: [row(1), row(2)] });
    inventory('2').reply(200, { items: [row(3)] });
    inventory('3').reply(200, { items: [] });
    expect(await skusRead({ kind: 'offset' })).toEqual(['S1', 'S2', 'S3']);
  });

  it.each([
    ['page', { limit: '100', page: '3' }, { limit: '100', page: '4' }],
    ['offset', { limit: '100', offset: '3' }, { limit: '100', offset: '4' }],
  ])('%s goes on from a cursor', async (kind, first, second) => {
    nock(SHOP)
      .get('/api/inventory')
      .query(first)
      .reply(200, { items: [row(5)] });
    nock(SHOP).get('/api/inventory').query(second).reply(200, { items: [] });
    expect(await skusRead({ kind }, '3')).toEqual(['S5']);
  });

  it.each([
    ['cursor', { items: [row(1)], next_cursor: 'same' }],
    ['page', { items: [row(1)] }],
    ['offset', { items: [row(1)] }],
  ])('a shop that gives the same page for ever ends a read by %s', async (kind, body) => {
    nock(SHOP).get('/api/inventory').query(true).times(2).reply(200, body);
    const error = await failureOf(skusRead({ kind }));
    expect(error.code).toBe('channel-protocol');
    expect(error.message).toContain('options.read.paging');
  });

  it('a cursor that leads back ends the read, even where the rows change', async () => {
    const answers = ['a', 'b', 'a'].map((next, index) => ({ items: [row(index)], next_cursor: next }));
    for (const answer of answers) nock(SHOP).get('/api/inventory').query(true).reply(200, answer);
    expect((await failureOf(skusRead({}))).code).toBe('channel-protocol');
  });

  it('a list is read to its last page, and one that goes on after so many ends the read', async () => {
    const page = (index: number, next?: string) =>
      nock(SHOP)
        .get('/api/inventory')
        .query(true)
        .reply(200, { items: [row(index)], next_cursor: next });
    page(1, 'a');
    page(2, 'b');
    page(3);
    expect(await skusRead({ maxPages: 3 })).toEqual(['S1', 'S2', 'S3']);
    page(1, 'a');
    page(2, 'b');
    page(3, 'c');
    const error = await failureOf(skusRead({ maxPages: 3 }));
    expect(error.code).toBe('channel-protocol');
    expect(error.message).toContain('goes on after 3 pages');
  });

  it.each([
    [2_000, 'channel-request'],
    [2_001, 'channel-protocol'],
  ])('a cursor of %s characters ends in %s', async (length, code) => {
    nock(SHOP)
      .get('/api/inventory')
      .query(true)
      .reply(200, { items: [], next_cursor: 'x'.repeat(length) });
    if (code === 'channel-request') nock(SHOP).get('/api/inventory').query(true).reply(404);
    expect((await failureOf(skusRead({}))).code).toBe(code);
  });
});

describe('field mapping', () => {
  it('nested paths of inventory are read, and a bad row costs no other', async () => {
    const good = {
      variant: { codes: ['SKU-1'] },
      stock: { free: 4 },
      names: { en: 'One' },
      ean: 400638133393,
    };
    nock(SHOP)
      .get('/v1/stock')
      .reply(200, [good, { variant: { codes: ['SKU-2'] }, stock: { free: -1 } }, null]);
    const fields = { sku: 'variant.codes.0', quantity: 'stock.free', title: 'names.en', barcode: 'ean' };
    const read = { path: '/v1/stock', itemsPath: '', fields, paging: { kind: 'none' } };
    const { items, pages } = await collect((await channelWith({ read })).readInventory({}));
    expect(items).toEqual([{ channelSku: 'SKU-1', quantityUnits: 4, title: 'One', barcode: '400638133393' }]);
    expect(pages[0]?.unreadable).toEqual([
      {
        id: 'SKU-2',
        reason: 'stock.free must be a whole number, 0 or more',
        body: expect.stringContaining('-1') as string,
      },
      { reason: 'the inventory row must be a JSON object', body: 'null' },
    ]);
  });

  it('orders are asked for since a time, and nested paths of them are read', async () => {
    nock(SHOP)
      .get('/v1/sales')
      .query({ changed: '2025-01-01T00:00:00Z' })
      .reply(
        200,
        '{"data":[{"meta":{"no":820982911946154508,"changed":"2025-01-02T03:04:05+01:00"},"made":1735786800,"rows":[{"n":1,"article":{"no":"A"},"qty":2}]},{"meta":{}}]}',
      );
    const fields = {
      ...{ id: 'meta.no', updatedAt: 'meta.changed', placedAt: 'made', lines: 'rows' },
      ...{ lineId: 'n', sku: 'article.no', ordered: 'qty' },
    };
    const orders = {
      path: '/v1/sales',
      itemsPath: 'data',
      sinceParameter: 'changed',
      paging: { kind: 'none' },
      fields,
    };
    const channel = await channelWith({ orders });
    const { items, pages } = await collect(channel.readOrders({ since: '2025-01-01T00:00:00Z' }));
    expect(items).toEqual([
      {
        kind: 'order',
        orderId: '820982911946154508',
        revision: Date.parse('2025-01-02T02:04:05Z'),
        placedAt: '2025-01-02T03:00:00.000Z',
        updatedAt: '2025-01-02T02:04:05.000Z',
        lines: [{ lineId: '1', channelSku: 'A', ordered: 2, cancelled: 0, fulfilled: 0, returned: 0 }],
      },
    ]);
    expect(pages[0]?.unreadable).toHaveLength(1);
  });
});

describe('cancelOrder', () => {
  const request = {
    cancelId: 'c-1',
    orderId: 'o/1',
    lines: [{ lineId: 'l', quantityUnits: 2 }],
    reason: 'oversold',
    message: 'Sorry.',
  };

  async function cancelled(status: number, body: nock.Body) {
    nock(SHOP, { reqheaders: { 'idempotency-key': 'c-1' } })
      .post('/shop/o%2F1/void', { reason: 'oversold', message: 'Sorry.', lines: [{ id: 'l', quantity: 2 }] })
      .reply(status, body);
    const channel = await channelWith({ cancel: { path: '/shop/{orderId}/void', receiptPath: 'job.id' } });
    return channel.cancelOrder?.(request);
  }

  it.each([
    [200, {}, { outcome: 'cancelled' }],
    [204, '', { outcome: 'cancelled' }],
    [202, { job: { id: 'j-7' } }, { outcome: 'pending', receipt: 'j-7' }],
    [202, {}, { outcome: 'pending', receipt: 'c-1' }],
    [409, {}, { outcome: 'impossible', reason: 'the shop answered 409 to the cancellation' }],
  ])('a %s with %j is %j', async (status, body, expected) => {
    expect(await cancelled(status, body)).toEqual(expected);
  });

  it('a shop without the option has no cancellation', async () => {
    expect((await channelWith()).cancelOrder).toBeUndefined();
  });
});
