import { startTestHost, type TestHost } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';
import { countRows } from '../support/row-counts';

/** Values that no field of a kind takes. */
const NO_TEXT = [7, true, null, [], {}, ['A'], { $ne: '' }];
const UNPRINTABLE = ['A\0', '\0', 'A\r\nB', 'A\nInjected: yes', 'A\x1b[31m', 'A\x7f', 'A\u0085B', '\ud800'];
const NO_CODE = [...NO_TEXT, ...UNPRINTABLE, '', ' A', 'A ', '\u00a0A', 'x'.repeat(101), 'x'.repeat(100_000)];
const NO_WHOLE_NUMBER = ['1', '', 'NaN', 1.5, 0.1 + 0.2, 1e21, -1e21, 2 ** 53, null, true, [], [1], {}];
const NO_QUANTITY = [...NO_WHOLE_NUMBER, 0, -1, 1_000_000_001];
const NO_BOOLEAN = ['true', 1, 0, null, 'yes', [], {}];
const NO_TIME = [
  ...[0, 1_700_000_000_000, null, true, [], {}, '', 'now', 'yesterday'],
  ...['2024-01-01', '2024-01-01T00:00:00', '2024-01-01 00:00:00Z', '2024-01-01T00:00:00+02'],
  ...['99999-01-01T00:00:00Z', '+099999-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '0000-01-01T00:00:00Z'],
  ...['2024-02-31T00:00:00Z', '2023-02-29T00:00:00Z', '2024-13-01T00:00:00Z', '2024-00-10T00:00:00Z'],
  ...['2024-01-01T24:00:00Z', '2024-01-01T25:00:00Z', '2024-01-01T23:59:60Z', '2024-01-01T00:00:00+24:00'],
  // What ISO 8601 allows and a date of JavaScript does not.
  ...['2024-W05-3T08:00:00Z', '2024-335T08:00:00Z', '20240101T000000Z', '2024-01T00:00:00Z'],
  ...['2024-01-01T00Z', '2024-01-01T00:00:00,5Z', '2024-01-01t00:00:00z', '2024-01-01T00:00:00Z\n'],
  ...['2024-01-01T00:00:00Z\0', 'x'.repeat(100_000)],
];
const IN_THE_FUTURE = ['2099-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
const textLongerThan = (length: number) => [...NO_TEXT, ...UNPRINTABLE, '', 'x'.repeat(length + 1)];

const SKU = { sku: 'NEW', name: 'New', barcode: '1', unitOfMeasure: 'each', tags: ['t'] };
const LOCATION = { code: 'new', name: 'New', priority: 5 };
const RESTOCK = { type: 'RESTOCK', sku: 'A', quantity: 1 };
const ADJUST = { type: 'ADJUST', sku: 'A', quantity: 1, reason: 'count' };
const TRANSFER = { type: 'TRANSFER', sku: 'A', quantity: 1, toLocation: 'north' };
const LINE = { sku: 'A', quantity: 1 };
const RESERVATION = { lines: [LINE] };
const KEY = { name: 'new', scopes: ['stock:read'] };

interface Case {
  path: string;
  /** Accepted as it stands, but for the field. */
  body: Record<string, unknown>;
  field: string;
  values: unknown[];
}

/** `:held` and `:confirmed` stand for reservations that are there. */
const CASES: Case[] = [
  { path: '/v1/skus', body: SKU, field: 'sku', values: [undefined, ...NO_CODE] },
  { path: '/v1/skus', body: SKU, field: 'name', values: textLongerThan(500) },
  { path: '/v1/skus', body: SKU, field: 'barcode', values: NO_CODE },
  { path: '/v1/skus', body: SKU, field: 'unitOfMeasure', values: textLongerThan(20) },
  { path: '/v1/skus', body: SKU, field: 'tags', values: ['t', 7, null, {}, Array(51).fill('t')] },
  { path: '/v1/skus', body: SKU, field: 'tags', values: NO_CODE.map((value) => ['good', value]) },
  {
    path: '/v1/skus',
    body: SKU,
    field: 'reorderPoint',
    values: [...NO_WHOLE_NUMBER.filter((value) => value !== null), -1, 1_000_000_001],
  },
  { path: '/v1/locations', body: LOCATION, field: 'code', values: [undefined, ...NO_CODE] },
  { path: '/v1/locations', body: LOCATION, field: 'name', values: textLongerThan(200) },
  {
    path: '/v1/locations',
    body: LOCATION,
    field: 'priority',
    values: [...NO_WHOLE_NUMBER, 0, -1, 1_000_001],
  },
  {
    path: '/v1/events',
    body: RESTOCK,
    field: 'type',
    values: [undefined, ...NO_CODE, 'restock', 'RESERVE', 'RELEASE', 'FULFILL', 'constructor'],
  },
  { path: '/v1/events', body: RESTOCK, field: 'sku', values: [undefined, ...NO_CODE] },
  { path: '/v1/events', body: RESTOCK, field: 'location', values: NO_CODE },
  { path: '/v1/events', body: RESTOCK, field: 'quantity', values: [undefined, ...NO_QUANTITY] },
  {
    path: '/v1/events',
    body: ADJUST,
    field: 'quantity',
    values: [undefined, ...NO_WHOLE_NUMBER, 0, 1_000_000_001, -1_000_000_001],
  },
  { path: '/v1/events', body: ADJUST, field: 'reason', values: [undefined, ...textLongerThan(500)] },
  {
    path: '/v1/events',
    body: ADJUST,
    field: 'state',
    values: [...NO_CODE, 'reserved', 'outside', 'physical', 'toString'],
  },
  { path: '/v1/events', body: ADJUST, field: 'from', values: ['available'] },
  { path: '/v1/events', body: ADJUST, field: 'to', values: ['available'] },
  { path: '/v1/events', body: RESTOCK, field: 'state', values: ['available'] },
  {
    path: '/v1/events',
    body: RESTOCK,
    field: 'from',
    values: [...NO_CODE, 'available', 'reserved', 'constructor'],
  },
  { path: '/v1/events', body: RESTOCK, field: 'to', values: [...NO_CODE, 'available', 'damaged'] },
  {
    path: '/v1/events',
    body: { ...RESTOCK, type: 'RETURN' },
    field: 'to',
    values: ['reserved', 'outside', 'damaged', '__proto__'],
  },
  {
    path: '/v1/events',
    body: { ...RESTOCK, type: 'INSPECT', to: 'damaged' },
    field: 'to',
    values: [undefined, 'reserved', 'quarantined'],
  },
  { path: '/v1/events', body: RESTOCK, field: 'toLocation', values: [...NO_CODE, 'north'] },
  { path: '/v1/events', body: TRANSFER, field: 'toLocation', values: [undefined, ...NO_CODE, 'main'] },
  { path: '/v1/events', body: TRANSFER, field: 'from', values: ['available', 'outside'] },
  { path: '/v1/events', body: RESTOCK, field: 'reference', values: textLongerThan(200) },
  { path: '/v1/events', body: RESTOCK, field: 'idempotencyKey', values: NO_CODE },
  { path: '/v1/events', body: RESTOCK, field: 'occurredAt', values: [...NO_TIME, ...IN_THE_FUTURE] },
  { path: '/v1/reservations', body: RESERVATION, field: 'reference', values: textLongerThan(200) },
  {
    path: '/v1/reservations',
    body: RESERVATION,
    field: 'ttlSeconds',
    values: [...NO_WHOLE_NUMBER, 0, -1, 604_801],
  },
  { path: '/v1/reservations', body: RESERVATION, field: 'partial', values: NO_BOOLEAN },
  {
    path: '/v1/reservations',
    body: RESERVATION,
    field: 'lines',
    values: [undefined, null, 'A', 1, {}, [], Array(501).fill(LINE)],
  },
  {
    path: '/v1/reservations',
    body: RESERVATION,
    field: 'lines',
    values: ['A', 1, null, [], [LINE], {}].map((line) => [LINE, line]),
  },
  ...['/v1/reservations', '/v1/reservations/:held/release', '/v1/reservations/:confirmed/fulfil'].flatMap(
    (path) => [
      { path, body: RESERVATION, field: 'lines[0].sku', values: NO_CODE.map((sku) => [{ ...LINE, sku }]) },
      {
        path,
        body: RESERVATION,
        field: 'lines[0].quantity',
        values: NO_QUANTITY.map((quantity) => [{ ...LINE, quantity }]),
      },
      {
        path,
        body: RESERVATION,
        field: 'lines[0].location',
        values: NO_CODE.map((location) => [{ ...LINE, location }]),
      },
    ],
  ),
  ...['/v1/reservations/:held/release', '/v1/reservations/:confirmed/fulfil'].flatMap((path) => [
    { path, body: RESERVATION, field: 'lines', values: [null, 'A', {}, [], Array(501).fill(LINE)] },
    { path, body: RESERVATION, field: 'occurredAt', values: [...NO_TIME, ...IN_THE_FUTURE] },
  ]),
  { path: '/v1/keys', body: KEY, field: 'name', values: [undefined, ...textLongerThan(100)] },
  {
    path: '/v1/keys',
    body: KEY,
    field: 'scopes',
    values: [
      undefined,
      null,
      'admin',
      {},
      [],
      ['root'],
      [null],
      [['admin']],
      ['admin', 'root'],
      Array(7).fill('admin'),
    ],
  },
];

const NAMED_CASES = CASES.map((each) => {
  const { type, to } = each.body as { type?: string; to?: string };
  return { ...each, name: [each.path, type, to, each.field].filter(Boolean).join(' ') };
});

describe('a field that is not what it must be', () => {
  let host: TestHost;
  let ids: Record<string, string>;
  let before: Record<string, number>;

  beforeAll(async () => {
    host = await startTestHost({ locations: [{ code: 'main' }, { code: 'north', priority: 2 }] });
    await host.api.post('/v1/skus', { sku: 'A' });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 100 });
    const reserved = async (body: object) =>
      (await host.api.post<{ id: string }>('/v1/reservations', { ...RESERVATION, ...body })).body.id;
    ids = { ':held': await reserved({ ttlSeconds: 3_600 }), ':confirmed': await reserved({}) };
  });

  beforeEach(async () => {
    before = await countRows(host.dataSource);
  });

  afterAll(() => host.close());

  const address = (path: string) => path.replace(/:\w+/, (name) => ids[name]!);

  /** What is wrong with the answer, or nothing. */
  function faultOf(value: unknown, field: string, { status, body }: { status: number; body: ProblemAnswer }) {
    const named = body.errors?.some(
      (error) =>
        error.field === field || error.field.startsWith(`${field}[`) || error.field.startsWith(`${field}.`),
    );
    if (status === 400 && body.type === 'urn:onhand:problem:invalid-request' && named) return [];
    return [
      {
        value: String(JSON.stringify(value)).slice(0, 80),
        status,
        problem: JSON.stringify(body).slice(0, 300),
      },
    ];
  }

  test.each(NAMED_CASES)('$name', async ({ path, body, field, values }) => {
    const top = field.replace(/\[.*/, '');
    const faults = [];
    for (const value of values) {
      const answer = await host.api.post<ProblemAnswer>(address(path), { ...body, [top]: value }, undefined);
      // Where a list is sent, any of its places may be named.
      faults.push(
        ...faultOf(value, field.startsWith('lines[') || Array.isArray(value) ? top : field, answer),
      );
    }
    expect(faults).toEqual([]);
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each([
    ['/v1/skus', SKU],
    ['/v1/locations', LOCATION],
    ['/v1/events', RESTOCK],
    ['/v1/reservations', RESERVATION],
    ['/v1/reservations/:held/release', RESERVATION],
    ['/v1/reservations/:confirmed/fulfil', RESERVATION],
    ['/v1/keys', KEY],
  ])('%s takes no field that it does not know', async (path, body) => {
    for (const field of [
      'reserved',
      'tenantId',
      'id',
      'available',
      'Sku',
      'toString',
      'hasOwnProperty',
      'x\u0000y',
      '',
    ]) {
      const answer = await host.api.post<ProblemAnswer>(address(path), { ...body, [field]: 1 });
      expect({ field, status: answer.status, code: answer.body.code }).toEqual({
        field,
        status: 400,
        code: 'invalid-request',
      });
      expect(answer.body.errors?.map((error) => error.field)).toContain(field.replaceAll('\0', ''));
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('a line takes no field that it does not know', async () => {
    for (const path of [
      '/v1/reservations',
      '/v1/reservations/:held/release',
      '/v1/reservations/:confirmed/fulfil',
    ]) {
      for (const field of ['reserved', 'price', 'toString']) {
        const answer = await host.api.post<ProblemAnswer>(address(path), {
          lines: [LINE, { ...LINE, [field]: 1 }],
        });
        expect(answer.status).toBe(400);
        expect(answer.body.errors).toEqual([
          {
            field: `lines[1].${field}`,
            message: expect.stringMatching(/^is not a field/) as string,
          },
        ]);
      }
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each([
    ['/v1/events', { ...RESTOCK, sku: 'NONE' }, 'unknown-sku', 'sku'],
    ['/v1/events', { ...RESTOCK, sku: 'a' }, 'unknown-sku', 'sku'],
    ['/v1/events', { ...RESTOCK, sku: 'constructor' }, 'unknown-sku', 'sku'],
    ['/v1/events', { ...RESTOCK, location: 'none' }, 'unknown-location', 'location'],
    ['/v1/events', { ...TRANSFER, toLocation: 'none' }, 'unknown-location', 'toLocation'],
    ['/v1/reservations', { lines: [LINE, { ...LINE, sku: 'NONE' }] }, 'unknown-sku', 'lines[1].sku'],
    ['/v1/reservations', { lines: [{ ...LINE, location: 'none' }] }, 'unknown-location', 'lines[0].location'],
    ['/v1/reservations/:held/release', { lines: [{ ...LINE, sku: 'NONE' }] }, 'unknown-sku', 'lines[0].sku'],
    [
      '/v1/reservations/:confirmed/fulfil',
      { lines: [{ ...LINE, location: 'none' }] },
      'unknown-location',
      'lines[0].location',
    ],
  ])('%s with %j names what is unknown', async (path, body, code, field) => {
    const answer = await host.api.post<ProblemAnswer>(address(path), body);
    expect(answer).toMatchObject({ status: 422, body: { code, errors: [{ field }] } });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('more SKUs, or events, than are taken at once are refused', async () => {
    for (const [path, list] of [
      ['/v1/skus', Array.from({ length: 5_001 }, (_, index) => ({ sku: `S${index}` }))],
      ['/v1/events', Array<object>(1_001).fill(RESTOCK)],
      ['/v1/skus', []],
      ['/v1/events', []],
    ] as const) {
      const answer = await host.api.post<ProblemAnswer>(path, list);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
      expect(answer.body.detail).toMatch(/^the body must hold 1 to/);
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('of a list of events each faulty one is answered by itself, and none is stored', async () => {
    const faulty = [
      null,
      7,
      'x',
      [],
      [RESTOCK],
      {},
      { ...RESTOCK, quantity: '1' },
      { ...RESTOCK, sku: 'NONE' },
      { ...RESTOCK, extra: 1 },
    ];
    const { status, body } = await host.api.post<{ items: { status: number; problem: ProblemAnswer }[] }>(
      '/v1/events',
      faulty,
      'list',
    );
    expect(status).toBe(200);
    expect(body.items.map((item) => item.status)).toEqual([400, 400, 400, 400, 400, 400, 400, 422, 400]);
    for (const { problem } of body.items) expect(problem.errors?.length).toBeGreaterThan(0);
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each(['', ' ', 'a b', 'x'.repeat(201), 'é'])('the idempotency key %j is refused', async (key) => {
    const answer = await host.api.send<ProblemAnswer>('POST', '/v1/reservations', {
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(RESERVATION),
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'Idempotency-Key' }] } });
    expect(await countRows(host.dataSource)).toEqual(before);
  });
});
