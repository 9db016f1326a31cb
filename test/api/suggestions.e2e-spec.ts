import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually';
import type { ProblemAnswer } from '../support/host-client';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const NUMBER = expect.any(Number) as number;
const UNMAPPED = '/v1/channels/shop/unmapped';
const SUGGESTIONS = '/v1/channels/shop/suggestions';

interface Unmapped {
  items: { channelSku: string; title: string | null; lastSeenAt: string; ignored: boolean }[];
  nextCursor?: string;
}

interface Suggestion {
  id: number;
  channelSku: string;
  sku: string;
  reasons: string[];
  score: number;
  alternatives: string[];
  sharedWith: string[];
}

describe('what nobody mapped', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({ shop: { listings: listingsCsv([['MAPPED', 'A', 1]]) } });
    host.shop.list([
      { channelSku: 'MAPPED', quantityUnits: 0 },
      { channelSku: 'SHOWN', quantityUnits: 3, title: 'A mug', barcode: '5012345678900' },
      { channelSku: 'BOTH', quantityUnits: 1, title: 'A plate' },
    ]);
    await deliver(
      host,
      signedWebhook({
        id: 'O-1',
        revision: 1,
        placed_at: '2024-05-01T10:00:00Z',
        lines: ['ORDERED', 'BOTH', 'BOTH'].map((sku, index) => ({ id: `L-${index}`, sku, ordered: 1 })),
      }),
    );
    await eventually(async () => expect((await unmapped()).length).toBe(2));
  });

  afterAll(() => host.close());

  const unmapped = async (query = '') => (await host.api.get<Unmapped>(`${UNMAPPED}${query}`)).body.items;

  test('is a queue of what orders named and what the channel shows, with where and when', async () => {
    await host.api.post('/v1/channels/shop/reconcile');
    const expected = {
      ORDERED: { title: null, barcode: null, firstSeenIn: 'order', lastSeenIn: 'order', parkedLines: 1 },
      BOTH: { title: 'A plate', barcode: null, firstSeenIn: 'order', lastSeenIn: 'read', parkedLines: 2 },
      SHOWN: {
        title: 'A mug',
        barcode: '5012345678900',
        firstSeenIn: 'read',
        lastSeenIn: 'read',
        parkedLines: 0,
      },
    };
    const items = await unmapped();
    expect(items).toHaveLength(3);
    expect(items).toEqual(
      expect.arrayContaining(
        Object.entries(expected).map(([channelSku, seen]) => ({
          channelSku,
          ...seen,
          firstSeenAt: TIME,
          lastSeenAt: TIME,
          ignored: false,
        })),
      ),
    );
    expect(items.map(({ channelSku }) => channelSku)).toContain('SHOWN');
  });

  test('is not written again at each comparison that says the same', async () => {
    const rows = () => host.dataSource.query('SELECT xmin::text, * FROM unmapped_skus ORDER BY id');
    const before = await rows();
    await host.api.post('/v1/channels/shop/reconcile');
    expect(await rows()).toEqual(before);
    host.shop.list([{ channelSku: 'SHOWN', quantityUnits: 3, title: 'A red mug', barcode: '5012345678900' }]);
    await host.api.post('/v1/channels/shop/reconcile');
    expect((await unmapped()).find(({ channelSku }) => channelSku === 'SHOWN')).toMatchObject({
      title: 'A red mug',
    });
  });

  test('leaves the queue when it is ignored, and comes back when it is not', async () => {
    const answer = await host.api.post(`${UNMAPPED}/ignore`, { channelSkus: ['SHOWN', 'NONE', 'SHOWN'] });
    expect(answer).toMatchObject({ status: 200, body: { ignored: true, changed: 1, unknown: ['NONE'] } });
    await host.api.post('/v1/channels/shop/reconcile');
    expect((await unmapped()).map(({ channelSku }) => channelSku).sort()).toEqual(['BOTH', 'ORDERED']);
    expect(await unmapped('?ignored=true')).toEqual([
      expect.objectContaining({ channelSku: 'SHOWN', ignored: true }),
    ]);
    await host.api.post(`${UNMAPPED}/unignore`, { channelSkus: ['SHOWN'] });
    expect(await unmapped()).toHaveLength(3);
  });

  test('is told page by page', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await host.api.get<Unmapped>(`${UNMAPPED}?limit=1${cursor}`);
      seen.push(...body.items.map(({ channelSku }) => channelSku));
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen.sort()).toEqual(['BOTH', 'ORDERED', 'SHOWN']);
  });

  test('leaves the queue when it is mapped, and is in it again when that is taken back', async () => {
    await host.api.put('/v1/channels/shop/listings/SHOWN', { components: [{ sku: 'A' }] });
    expect((await unmapped()).map(({ channelSku }) => channelSku)).not.toContain('SHOWN');
    await host.api.delete('/v1/channels/shop/listings/SHOWN');
    expect((await unmapped()).map(({ channelSku }) => channelSku)).toContain('SHOWN');
  });

  test.each<[string, unknown]>([
    ['ignore', {}],
    ['ignore', { channelSkus: [] }],
    ['ignore', { channelSkus: 'SHOWN' }],
    ['ignore', { channelSkus: ['A\r\nB'] }],
    ['ignore', { channelSkus: [7] }],
    ['ignore', { channelSkus: [''] }],
    ['unignore', { channelSkus: Array(1_001).fill('A') }],
    ['unignore', { channelSkus: ['A'], all: true }],
  ])('is not changed by %s %j', async (verb, body) => {
    const { status, body: problem } = await host.api.post<ProblemAnswer>(`${UNMAPPED}/${verb}`, body);
    expect({ status, code: problem.code }).toEqual({ status: 400, code: 'invalid-request' });
  });

  test('of an unknown channel is not found', async () => {
    for (const [method, path] of [
      ['GET', 'unmapped'],
      ['GET', 'suggestions'],
      ['POST', 'suggestions'],
    ] as const)
      expect((await host.api.send(method, `/v1/channels/none/${path}`)).status).toBe(404);
    expect((await host.api.get(`${UNMAPPED}?ignored=maybe`)).status).toBe(400);
    expect((await host.api.get(`${SUGGESTIONS}?dismissed=1`)).status).toBe(400);
  });
});

describe('suggestions', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({ shop: { listings: listingsCsv([['TAKEN', 'MUG-RED', 1]]) } });
    await host.api.post('/v1/skus', [
      { sku: 'MUG-RED', name: 'Red mug' },
      { sku: 'mug blue' },
      { sku: 'Mug_Blue' },
      { sku: 'EXACT' },
      { sku: 'exact' },
      { sku: 'CUP', barcode: '0012345678905' },
      { sku: 'CUP-2', barcode: '12345678905' },
      { sku: 'POT', barcode: '5012345678900' },
      { sku: 'BEFORE' },
      { sku: 'LID', barcode: 'Does not apply' },
    ]);
    await host.api.patch('/v1/skus/BEFORE', { sku: 'AFTER' });
    host.shop.list([
      { channelSku: 'TAKEN', quantityUnits: 0 },
      { channelSku: 'mug-red', quantityUnits: 0, title: 'Red' },
      { channelSku: 'MUG RED ', quantityUnits: 0 },
      { channelSku: 'MUG–BLUE', quantityUnits: 0 },
      { channelSku: 'EXACT', quantityUnits: 0 },
      { channelSku: 'X-1', quantityUnits: 0, barcode: '012345678905' },
      { channelSku: 'pot', quantityUnits: 0, barcode: '5012345678900' },
      { channelSku: 'BEFORE', quantityUnits: 0 },
      { channelSku: 'NOTHING', quantityUnits: 0, barcode: '00000000' },
      { channelSku: 'IGNORED', quantityUnits: 0 },
    ]);
  });

  afterAll(() => host.close());

  const suggest = () => host.api.post<Record<string, number>>(SUGGESTIONS);
  const suggested = async (query = '') =>
    (await host.api.get<{ items: Suggestion[] }>(`${SUGGESTIONS}?limit=500${query}`)).body.items;
  const find = async (channelSku: string, sku: string) =>
    (await suggested()).find((each) => each.channelSku === channelSku && each.sku === sku)!;
  const listings = async () =>
    (await host.api.get<{ items: { channelSku: string }[] }>('/v1/channels/shop/listings')).body.items;

  test('are made by code and barcode, with what makes them ambiguous, and map nothing', async () => {
    const { status, body } = await suggest();
    expect(status).toBe(200);
    expect(body).toEqual({ read: 10, unmapped: 9, proposed: 9, ambiguous: 6 });
    const items = (await suggested()).map(({ channelSku, sku, reasons, score, alternatives, sharedWith }) => [
      channelSku,
      sku,
      reasons.join('+'),
      score,
      alternatives.join(),
      sharedWith.join(),
    ]);
    expect(items.sort()).toEqual([
      ['BEFORE', 'AFTER', 'former-sku', 95, '', ''],
      ['EXACT', 'EXACT', 'sku', 100, '', ''],
      ['MUG RED ', 'MUG-RED', 'similar-sku', 80, '', 'TAKEN,mug-red'],
      ['MUG–BLUE', 'Mug_Blue', 'similar-sku', 80, 'mug blue', ''],
      ['MUG–BLUE', 'mug blue', 'similar-sku', 80, 'Mug_Blue', ''],
      ['X-1', 'CUP', 'barcode', 90, 'CUP-2', ''],
      ['X-1', 'CUP-2', 'barcode', 90, 'CUP', ''],
      ['mug-red', 'MUG-RED', 'similar-sku', 80, '', 'MUG RED ,TAKEN'],
      ['pot', 'POT', 'barcode+similar-sku', 95, '', ''],
    ]);
    expect(await find('mug-red', 'MUG-RED')).toEqual({
      id: NUMBER,
      channelSku: 'mug-red',
      title: 'Red',
      barcode: null,
      sku: 'MUG-RED',
      skuName: 'Red mug',
      reasons: ['similar-sku'],
      score: 80,
      alternatives: [],
      sharedWith: ['MUG RED ', 'TAKEN'],
      proposedAt: TIME,
      dismissed: false,
    });
    expect((await listings()).map(({ channelSku }) => channelSku)).toEqual(['TAKEN']);
  });

  test('made again are the same ones, and follow what the channel and the catalog say', async () => {
    const before = await suggested();
    expect((await suggest()).body).toMatchObject({ proposed: 9 });
    expect(await suggested()).toEqual(before);
    host.shop.list([{ channelSku: 'X-1', quantityUnits: 0, barcode: '99999999' }]);
    await host.api.post('/v1/skus', { sku: 'NOTHING' });
    expect((await suggest()).body).toMatchObject({ proposed: 8 });
    expect(await find('X-1', 'CUP')).toBeUndefined();
    expect(await find('NOTHING', 'NOTHING')).toMatchObject({ reasons: ['sku'], score: 100 });
  });

  test('that are dismissed are not made again, and may be confirmed all the same', async () => {
    const { id } = await find('NOTHING', 'NOTHING');
    const answer = await host.api.post(`${SUGGESTIONS}/dismiss`, { ids: [id, 999_999] });
    expect(answer.body).toEqual({
      items: [
        { id, status: 'dismissed', channelSku: 'NOTHING', sku: 'NOTHING' },
        { id: 999_999, status: 'refused', reason: 'there is no such suggestion any more' },
      ],
    });
    await suggest();
    expect(await find('NOTHING', 'NOTHING')).toBeUndefined();
    expect(await suggested('&dismissed=true')).toEqual([expect.objectContaining({ id, dismissed: true })]);
    const confirmed = await host.api.post(`${SUGGESTIONS}/confirm`, { ids: [id] });
    expect(confirmed.body).toMatchObject({ items: [{ id, status: 'mapped' }] });
    expect(await suggested('&dismissed=true')).toEqual([]);
  });

  test('that are dismissed stay so although they did not match for a while', async () => {
    for (const [round, barcode] of ['012345678905', '99999999', '012345678905'].entries()) {
      host.shop.list([{ channelSku: 'X-1', quantityUnits: 0, barcode }]);
      await suggest();
      const wrong = await find('X-1', 'CUP-2');
      if (wrong && round === 0) await host.api.post(`${SUGGESTIONS}/dismiss`, { ids: [wrong.id] });
    }
    expect(await find('X-1', 'CUP-2')).toBeUndefined();
    expect(await find('X-1', 'CUP')).toMatchObject({ alternatives: [] });
  });

  test('are confirmed each on its own, and applied', async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'POT', quantity: 9 });
    const ids = await Promise.all(
      [
        ['pot', 'POT'],
        ['MUG–BLUE', 'mug blue'],
        ['MUG–BLUE', 'Mug_Blue'],
        ['BEFORE', 'AFTER'],
        ['EXACT', 'EXACT'],
      ].map(async ([channelSku, sku]) => (await find(channelSku!, sku!)).id),
    );
    await host.api.put('/v1/channels/shop/listings/EXACT', { components: [{ sku: 'POT' }] });
    const { body } = await host.api.post<{ items: unknown[] }>(`${SUGGESTIONS}/confirm`, { ids });
    const several = 'MUG–BLUE is confirmed for several SKUs; choose one';
    expect(body.items).toEqual([
      { id: ids[0], status: 'mapped', channelSku: 'pot', sku: 'POT' },
      { id: ids[1], status: 'refused', channelSku: 'MUG–BLUE', sku: 'mug blue', reason: several },
      { id: ids[2], status: 'refused', channelSku: 'MUG–BLUE', sku: 'Mug_Blue', reason: several },
      { id: ids[3], status: 'mapped', channelSku: 'BEFORE', sku: 'AFTER' },
      { id: ids[4], status: 'refused', channelSku: 'EXACT', sku: 'EXACT', reason: 'EXACT is mapped already' },
    ]);
    await eventually(() => expect(host.shop.shown().get('pot')).toBe(9));
    const again = await host.api.post(`${SUGGESTIONS}/confirm`, { ids: [ids[0]] });
    expect(again.body).toMatchObject({ items: [{ status: 'refused' }] });
    // What one of the two was is decided, so the other is no question any more.
    await host.api.post(`${SUGGESTIONS}/confirm`, { ids: [ids[1]] });
    expect((await suggested()).filter(({ channelSku }) => channelSku === 'MUG–BLUE')).toEqual([]);
    expect(await listings()).toEqual(
      expect.arrayContaining([expect.objectContaining({ channelSku: 'MUG–BLUE', origin: 'api' })]),
    );
  });

  test.each<unknown>([
    {},
    { ids: [] },
    { ids: ['1'] },
    { ids: [0] },
    { ids: [1.5] },
    { ids: [1e21] },
    { ids: 1 },
  ])('are not decided by %j', async (body) => {
    for (const verb of ['confirm', 'dismiss'])
      expect((await host.api.post(`${SUGGESTIONS}/${verb}`, body)).status).toBe(400);
  });

  test('of a channel that does not answer fail with its reason, and leave what there is', async () => {
    const before = await suggested();
    host.shop.faults({ fail: 1 });
    try {
      const { status, body } = await host.api.post<ProblemAnswer>(SUGGESTIONS);
      expect({ status, code: body.code }).toEqual({ status: 502, code: 'channel-unavailable' });
    } finally {
      host.shop.faults({ fail: 0 });
    }
    expect(await suggested()).toEqual(before);
  }, 60_000);

  test('of thousands that share a barcode are a few for each', async () => {
    const barcode = '7612345678900';
    const name = () => randomBytes(8).toString('hex');
    await host.api.post(
      '/v1/skus',
      Array.from({ length: 2_000 }, () => ({ sku: name(), barcode })),
    );
    host.shop.list(Array.from({ length: 500 }, () => ({ channelSku: name(), quantityUnits: 0, barcode })));
    const started = performance.now();
    const { body } = await suggest();
    expect(body.proposed).toBeLessThanOrEqual(500 * 5 + 20);
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 30_000);
});
