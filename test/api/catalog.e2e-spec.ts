import { startTestHost, type TestHost } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

interface Skus {
  items: { sku: string; created?: boolean }[];
  nextCursor?: string;
}

describe('the catalog', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await startTestHost({
      locations: [
        { code: 'main', name: 'Main warehouse', priority: 10 },
        { code: 'overflow', priority: 20 },
      ],
    });
  });

  afterAll(() => host.close());

  test('a SKU of nothing but its code has the defaults', async () => {
    const { status, body } = await host.api.post('/v1/skus', { sku: 'MUG-RED' });
    expect(status).toBe(201);
    expect(body).toEqual({
      sku: 'MUG-RED',
      name: null,
      barcode: null,
      unitOfMeasure: 'each',
      tags: [],
      reorderPoint: null,
      createdAt: TIME,
      updatedAt: TIME,
      created: true,
    });
  });

  test('a SKU posted again keeps what is not named and says that it was there', async () => {
    const whole = { sku: 'MUG-BLUE', name: 'Blue mug', barcode: '5012345678900', tags: ['pilot', 'mugs'] };
    await host.api.post('/v1/skus', { ...whole, unitOfMeasure: 'piece' });
    await host.api.post('/v1/skus', { sku: 'MUG-BLUE', barcode: '5012345678917' });
    const { body } = await host.api.post('/v1/skus', { sku: 'MUG-BLUE', tags: ['mugs'] });
    expect(body).toEqual({
      ...whole,
      barcode: '5012345678917',
      tags: ['mugs'],
      unitOfMeasure: 'piece',
      reorderPoint: null,
      createdAt: TIME,
      updatedAt: TIME,
      created: false,
    });
  });

  test('a reorder point is set, kept, changed and taken away', async () => {
    const points: unknown[] = [];
    const told = ({ body }: { body: unknown }) =>
      points.push((body as { reorderPoint: unknown }).reorderPoint);
    told(await host.api.post('/v1/skus', { sku: 'MUG-BLUE', reorderPoint: 12 }));
    told(await host.api.post('/v1/skus', { sku: 'MUG-BLUE', name: 'Blue mug' }));
    told(await host.api.patch('/v1/skus/MUG-BLUE', { reorderPoint: 3 }));
    told(await host.api.post('/v1/skus', { sku: 'MUG-BLUE', reorderPoint: null }));
    expect(points).toEqual([12, 12, 3, null]);
    expect(await host.api.patch('/v1/skus/MUG-BLUE', {})).toMatchObject({ status: 400 });
    expect(await host.api.patch('/v1/skus/NONE', { reorderPoint: 3 })).toMatchObject({ status: 404 });
  });

  test('many SKUs are answered in the order sent, each with whether it is new', async () => {
    const { status, body } = await host.api.post<Skus>('/v1/skus', [
      { sku: 'Z-1' },
      { sku: 'MUG-RED', tags: ['x'] },
      { sku: 'A-1' },
    ]);
    expect(status).toBe(201);
    expect(body.items.map(({ sku, created }) => [sku, created])).toEqual([
      ['Z-1', true],
      ['MUG-RED', false],
      ['A-1', true],
    ]);
  });

  test('one faulty SKU keeps all of its request from being stored', async () => {
    const { status, body } = await host.api.post('/v1/skus', [{ sku: 'GOOD' }, { sku: 7 }]);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid-request' });
    expect((body as ProblemAnswer).errors![0]).toEqual({ field: '[1].sku', message: 'must be a string' });
    expect((await host.api.get<Skus>('/v1/skus?sku=GOOD')).body.items).toEqual([]);
  });

  test('SKUs are listed in pages, oldest first, and found by code', async () => {
    const codes: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await host.api.get<Skus>(`/v1/skus?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      codes.push(...body.items.map(({ sku }) => sku));
      cursor = body.nextCursor;
    } while (cursor);
    expect(codes).toEqual(['MUG-RED', 'MUG-BLUE', 'A-1', 'Z-1']);
    const found = await host.api.get<Skus>('/v1/skus?sku=Z-1,NONE,MUG-RED');
    expect(found.body.items).toEqual([
      {
        sku: 'MUG-RED',
        name: null,
        barcode: null,
        unitOfMeasure: 'each',
        tags: ['x'],
        reorderPoint: null,
        createdAt: TIME,
        updatedAt: TIME,
      },
      expect.objectContaining({ sku: 'Z-1' }),
    ]);
    expect(found.body).not.toHaveProperty('nextCursor');
  });

  test('stock is found by tag, by what little of it is available, and by both', async () => {
    await host.api.post('/v1/skus', [
      { sku: 'LOW-1', name: 'Low one', tags: ['fragile', 'low'] },
      { sku: 'LOW-2', tags: ['low'] },
      { sku: 'LOW-3', tags: ['low'] },
    ]);
    for (const [location, quantity] of [
      ['main', 3],
      ['overflow', 4],
    ])
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'LOW-1', location, quantity });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'LOW-2', quantity: 8 });
    const found = async (query: string) =>
      (await host.api.get<Skus>(`/v1/stock?${query}`)).body.items.map(({ sku }) => sku);
    expect(await found('tag=low')).toEqual(['LOW-1', 'LOW-2', 'LOW-3']);
    expect(await found('tag=low&atMost=7')).toEqual(['LOW-1', 'LOW-3']);
    expect(await found('tag=low&atMost=6')).toEqual(['LOW-3']);
    expect(await found('tag=low&search=low-2')).toEqual(['LOW-2']);
    expect(await found('tag=LOW')).toEqual([]);
    expect((await host.api.get<Skus>('/v1/stock?tag=fragile')).body.items).toMatchObject([
      { sku: 'LOW-1', name: 'Low one', barcode: null, tags: ['fragile', 'low'], total: { available: 7 } },
    ]);
    // Made by another host, which this one has not heard of.
    await host.dataSource.query(`INSERT INTO skus (code, tags) VALUES ('LOW-4', '{elsewhere}')`);
    expect(await found('tag=elsewhere')).toEqual(['LOW-4']);
    expect((await host.api.get('/v1/tags')).body).toMatchObject({
      items: [{ tag: 'elsewhere' }, { tag: 'fragile', skus: 1 }, { tag: 'low', skus: 3 }, {}, {}],
    });
    for (const query of ['atMost=x', 'atMost=1.5', 'tag=', 'color=red'])
      expect((await host.api.get(`/v1/stock?${query}`)).status).toBe(400);
  });

  test('codes are told apart by case, accents and inner spaces', async () => {
    const codes = ['café', 'cafe', 'CAFE', 'ca fe', '日本 1', '😀'];
    await host.api.post(
      '/v1/skus',
      codes.map((sku) => ({ sku })),
    );
    for (const sku of codes) {
      const { status, body } = await host.api.get(`/v1/stock/${encodeURIComponent(sku)}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ sku });
    }
  });

  test('locations are listed in the order that stock is taken from them', async () => {
    const first = await host.api.post('/v1/locations', { code: 'shop floor', name: 'Shop', priority: 1 });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({ code: 'shop floor', name: 'Shop', priority: 1, createdAt: TIME });
    await host.api.post('/v1/locations', { code: 'attic' });
    const { body } = await host.api.get('/v1/locations');
    expect(body).toEqual({
      items: [
        { code: 'shop floor', name: 'Shop', priority: 1, createdAt: TIME },
        { code: 'main', name: 'Main warehouse', priority: 10, createdAt: TIME },
        { code: 'overflow', name: 'overflow', priority: 20, createdAt: TIME },
        { code: 'attic', name: 'attic', priority: 100, createdAt: TIME },
      ],
    });
  });

  test('a location posted again keeps what is not named', async () => {
    const { body } = await host.api.post('/v1/locations', { code: 'attic', priority: 7 });
    expect(body).toEqual({ code: 'attic', name: 'attic', priority: 7, createdAt: TIME });
  });

  describe('of a SKU that is renamed', () => {
    const rename = (from: string, to: unknown) =>
      host.api.patch<ProblemAnswer>(`/v1/skus/${encodeURIComponent(from)}`, { sku: to });

    test('knows it by both codes, and gives neither to another', async () => {
      await host.api.post('/v1/skus', [{ sku: 'R-1', name: 'One', tags: ['t'] }, { sku: 'R-2' }]);
      const { status, body } = await rename('R-1', 'R-3');
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          sku: 'R-3',
          name: 'One',
          barcode: null,
          unitOfMeasure: 'each',
          tags: ['t'],
          reorderPoint: null,
          createdAt: TIME,
          updatedAt: TIME,
        },
      });
      for (const code of ['R-1', 'R-3'])
        expect((await host.api.get<Skus>(`/v1/skus?sku=${code}`)).body.items).toMatchObject([{ sku: 'R-3' }]);
      const taken = { status: 409, body: { code: 'sku-taken' } };
      expect(await rename('R-2', 'R-3')).toMatchObject(taken);
      expect(await rename('R-2', 'R-1')).toMatchObject(taken);
      expect(await rename('R-1', 'R-2')).toMatchObject(taken);
    });

    test('does nothing more when it is told twice, and gives back an old code', async () => {
      expect(await rename('R-1', 'R-3')).toMatchObject({ status: 200, body: { sku: 'R-3' } });
      expect(await rename('R-3', 'R-3')).toMatchObject({ status: 200, body: { sku: 'R-3' } });
      expect(await rename('R-3', 'R-1')).toMatchObject({ status: 200, body: { sku: 'R-1' } });
      for (const code of ['R-1', 'R-3'])
        expect((await host.api.get(`/v1/stock/${code}`)).body).toMatchObject({ sku: 'R-1' });
      const aliases = await host.dataSource.query(`SELECT code FROM sku_aliases WHERE code LIKE 'R-%'`);
      expect(aliases).toEqual([{ code: 'R-3' }]);
    });

    test('takes two drafts by its two codes for one SKU', async () => {
      const { body } = await host.api.post<Skus>('/v1/skus', [
        { sku: 'R-3', name: 'First' },
        { sku: 'R-1', name: 'Last' },
        { sku: 'R-NEW' },
      ]);
      expect(body.items).toMatchObject([
        { sku: 'R-1', name: 'Last', created: false },
        { sku: 'R-1', name: 'Last', created: false },
        { sku: 'R-NEW', created: true },
      ]);
    });

    test.each([undefined, null, 7, '', ' R', 'R\r\nX', 'R\u0000', '\ud800', 'x'.repeat(101), ['R'], {}])(
      'refuses the code %j',
      async (code) => {
        expect(await rename('R-1', code)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
        expect((await host.api.get('/v1/stock/R-1')).status).toBe(200);
      },
    );

    test('refuses what is not there, and fields that are none of its', async () => {
      expect(await rename('NONE', 'X')).toMatchObject({ status: 404, body: { code: 'not-found' } });
      expect(await rename('constructor', 'X')).toMatchObject({ status: 404 });
      const more = await host.api.patch('/v1/skus/R-1', { sku: 'R-9', id: 1 });
      expect(more).toMatchObject({ status: 400 });
    });

    test.each(['__proto__', 'constructor', 'a/b', '%41', '日本'])('may be called %s', async (code) => {
      await host.api.post('/v1/skus', { sku: `was ${code}` });
      expect(await rename(`was ${code}`, code)).toMatchObject({ status: 200, body: { sku: code } });
      const { body } = await host.api.get(`/v1/stock/${encodeURIComponent(`was ${code}`)}`);
      expect(body).toMatchObject({ sku: code });
    });
  });
});
