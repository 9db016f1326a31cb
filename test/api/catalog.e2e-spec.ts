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
      createdAt: TIME,
      updatedAt: TIME,
      created: false,
    });
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
        createdAt: TIME,
        updatedAt: TIME,
      },
      expect.objectContaining({ sku: 'Z-1' }),
    ]);
    expect(found.body).not.toHaveProperty('nextCursor');
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
});
