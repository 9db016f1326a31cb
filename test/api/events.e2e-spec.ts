import { setTimeout as sleep } from 'node:timers/promises';
import { startTestHost, type TestHost } from '../support/host';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

interface Stock {
  total: Record<string, number>;
  locations: ({ location: string } & Record<string, number>)[];
}

interface Events {
  items: { seq: number; type: string; quantity: number; recordedAt: string }[];
  nextCursor?: string;
}

describe('stock events', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await startTestHost({
      locations: [
        { code: 'main', priority: 1 },
        { code: 'north', priority: 2 },
      ],
    });
    const skus = ['MUG', 'PEN', 'BOX', 'CUP', 'LOG', 'PAST', 'BULK'].map((sku) => ({ sku }));
    await host.api.post('/v1/skus', skus);
  });

  afterAll(() => host.close());

  const post = (event: object) => host.api.post('/v1/events', event);
  const stockOf = async (sku: string, moment = '') =>
    (await host.api.get<Stock>(`/v1/stock/${sku}${moment}`)).body;

  test('a restock answers the level after it', async () => {
    const { status, body } = await post({ type: 'RESTOCK', sku: 'MUG', quantity: 10 });
    expect(status).toBe(201);
    expect(body).toEqual({
      type: 'RESTOCK',
      sku: 'MUG',
      quantity: 10,
      recordedAt: TIME,
      levels: [{ location: 'main', version: 1, available: 10 }],
      duplicate: false,
    });
  });

  test('the stock of a SKU is told in all states, summed and by location', async () => {
    const { status, body } = await host.api.get('/v1/stock/MUG');
    const level = {
      physical: 10,
      available: 10,
      reserved: 0,
      quarantined: 0,
      damaged: 0,
      inTransit: 0,
      onOrder: 0,
      version: 1,
    };
    expect(status).toBe(200);
    expect(body).toEqual({
      sku: 'MUG',
      name: null,
      barcode: null,
      tags: [],
      total: level,
      locations: [{ location: 'main', ...level }],
    });
  });

  /** Each type with the states it changes, from a level that has ten of each. */
  test.each([
    [{ type: 'RESTOCK', quantity: 3 }, { available: 13 }],
    [
      { type: 'RESTOCK', quantity: 3, from: 'on_order' },
      { available: 13, onOrder: 7 },
    ],
    [{ type: 'RETURN', quantity: 3 }, { quarantined: 13 }],
    [{ type: 'RETURN', quantity: 3, to: 'available' }, { available: 13 }],
    [
      { type: 'INSPECT', quantity: 3, to: 'available' },
      { quarantined: 7, available: 13 },
    ],
    [
      { type: 'INSPECT', quantity: 3, to: 'damaged' },
      { quarantined: 7, damaged: 13 },
    ],
    [{ type: 'ADJUST', quantity: -3, reason: 'count' }, { available: 7 }],
    [{ type: 'ADJUST', quantity: 3, reason: 'count', state: 'damaged' }, { damaged: 13 }],
    [
      { type: 'DAMAGE', quantity: 3 },
      { available: 7, damaged: 13 },
    ],
    [{ type: 'EXPECT', quantity: 3 }, { onOrder: 13 }],
    [
      { type: 'RECEIVE', quantity: 3 },
      { available: 13, inTransit: 7 },
    ],
  ])('%j changes its states and no other', async (event, changed) => {
    const sku = `ALL-${JSON.stringify(event).replace(/\W+/g, '-')}end`;
    await host.api.post('/v1/skus', { sku });
    const states = ['available', 'quarantined', 'damaged', 'in_transit', 'on_order'];
    for (const state of states) await post({ type: 'ADJUST', sku, quantity: 10, state, reason: 'opening' });
    const answer = await post({ ...event, sku });
    expect(answer.status).toBe(201);
    const expected = { available: 10, quarantined: 10, damaged: 10, inTransit: 10, onOrder: 10, ...changed };
    const { available, quarantined, damaged } = expected;
    expect((await stockOf(sku)).total).toEqual({
      ...expected,
      reserved: 0,
      physical: available + quarantined + damaged,
      version: 6,
    });
  });

  test('a transfer leaves one location, is in transit to the other and arrives there', async () => {
    await post({ type: 'RESTOCK', sku: 'PEN', quantity: 8 });
    const { body } = await post({ type: 'TRANSFER', sku: 'PEN', quantity: 5, toLocation: 'north' });
    expect(body).toMatchObject({
      levels: [
        { location: 'main', version: 2, available: 3 },
        { location: 'north', version: 1, available: 0 },
      ],
    });
    expect((await stockOf('PEN')).total).toMatchObject({ available: 3, inTransit: 5, physical: 3 });
    await post({ type: 'RECEIVE', sku: 'PEN', location: 'north', quantity: 5 });
    const { total, locations } = await stockOf('PEN');
    expect(total).toMatchObject({ available: 8, inTransit: 0 });
    expect(locations.map(({ location, available }) => [location, available])).toEqual([
      ['main', 3],
      ['north', 5],
    ]);
  });

  test('units that are not there cannot be moved', async () => {
    await post({ type: 'RESTOCK', sku: 'BOX', quantity: 2 });
    const { status, body } = await post({ type: 'DAMAGE', sku: 'BOX', quantity: 3 });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'insufficient-state', state: 'available', needed: 3, present: 2 });
    expect((await stockOf('BOX')).total).toMatchObject({ available: 2, damaged: 0, version: 1 });
  });

  test('no level holds more than a million million units', async () => {
    const whole = { type: 'ADJUST', sku: 'BULK', quantity: 1_000_000_000, reason: 'count' };
    const answers = await host.api.post<{ items: { status: number; problem?: object }[] }>(
      '/v1/events',
      Array<object>(1_000).fill(whole),
    );
    expect(new Set(answers.body.items.map((item) => item.status))).toEqual(new Set([201]));
    const { status, body } = await post({ ...whole, quantity: 1 });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'quantity-too-large', limit: 1_000_000_000_000 });
  });

  test('a count that finds fewer than are reserved is taken, and is a shortfall until stock comes', async () => {
    await post({ type: 'RESTOCK', sku: 'CUP', quantity: 5 });
    await host.api.post('/v1/reservations', { lines: [{ sku: 'CUP', quantity: 4 }] });
    const count = await post({ type: 'ADJUST', sku: 'CUP', quantity: -3, reason: 'cycle count' });
    expect(count.body).toMatchObject({ levels: [{ available: -2 }] });
    const open = await host.api.get('/v1/shortfalls');
    const shortfall = {
      id: expect.any(Number) as number,
      cause: 'count',
      quantity: 2,
      channel: null,
      orderId: null,
      lineId: null,
      reservationId: null,
      recordedAt: TIME,
      sku: 'CUP',
      location: 'main',
    };
    expect(open.body).toEqual({ items: [{ ...shortfall, state: 'open', resolvedAt: null }] });
    await post({ type: 'RESTOCK', sku: 'CUP', quantity: 2 });
    expect((await host.api.get('/v1/shortfalls')).body).toEqual({ items: [] });
    const resolved = await host.api.get('/v1/shortfalls?state=resolved');
    expect(resolved.body).toEqual({ items: [{ ...shortfall, state: 'resolved', resolvedAt: TIME }] });
  });

  test('events of a SKU are told whole, newest first, in pages', async () => {
    const occurredAt = '2024-02-29T10:00:00+02:00';
    const details = { reason: 'count', reference: 'PO 7', idempotencyKey: 'log 1', occurredAt };
    await post({ type: 'ADJUST', sku: 'LOG', quantity: 5, ...details });
    await post({ type: 'TRANSFER', sku: 'LOG', quantity: 2, toLocation: 'north' });
    const first = await host.api.get<Events>('/v1/stock/LOG/events?limit=2');
    expect(first.body.items.map(({ type, quantity }) => [type, quantity])).toEqual([
      ['TRANSFER', 2],
      ['TRANSFER', 2],
    ]);
    expect(first.body.items).toMatchObject([
      { location: 'north', from: 'outside', to: 'in_transit', counterpartLocation: 'main' },
      { location: 'main', from: 'available', to: 'outside', counterpartLocation: 'north' },
    ]);
    const last = await host.api.get<Events>(`/v1/stock/LOG/events?limit=2&cursor=${first.body.nextCursor}`);
    expect(last.body).toEqual({
      items: [
        {
          seq: expect.any(Number) as number,
          type: 'ADJUST',
          sku: 'LOG',
          location: 'main',
          from: 'outside',
          to: 'available',
          quantity: 5,
          after: {
            physical: 5,
            available: 5,
            reserved: 0,
            quarantined: 0,
            damaged: 0,
            inTransit: 0,
            onOrder: 0,
            version: 1,
          },
          counterpartLocation: null,
          channel: null,
          orderId: null,
          lineId: null,
          reservationId: null,
          idempotencyKey: 'api:log 1',
          reference: 'PO 7',
          reason: 'count',
          actor: 'api:ONHAND_ADMIN_KEY',
          occurredAt: '2024-02-29T08:00:00.000Z',
          recordedAt: TIME,
        },
      ],
    });
  });

  test('asOf tells what was true then, knownAt what we knew then', async () => {
    const event = { type: 'RESTOCK', sku: 'PAST', quantity: 4 };
    await post({ ...event, occurredAt: '2024-03-01T00:00:00Z' });
    const between = (await host.api.get<Events>('/v1/stock/PAST/events')).body.items[0]!.recordedAt;
    await sleep(5);
    await post({ ...event, quantity: 3, occurredAt: '2024-01-01T00:00:00Z' });

    expect((await stockOf('PAST', '?asOf=2023-12-31T23:59:59Z')).total).toMatchObject({ available: 0 });
    expect((await stockOf('PAST', '?asOf=2024-01-01T00:00:00Z')).total).toMatchObject({ available: 3 });
    const offset = encodeURIComponent('2024-03-01T01:00:00+01:00');
    expect((await stockOf('PAST', `?asOf=${offset}`)).total).toMatchObject({ available: 7, version: 2 });

    expect((await stockOf('PAST', '?knownAt=2024-04-01T00:00:00Z')).locations).toEqual([]);
    expect((await stockOf('PAST', `?knownAt=${between}`)).total).toMatchObject({ available: 4, version: 1 });
    expect(await stockOf('PAST', `?knownAt=${between}`)).toMatchObject({ knownAt: between });
    expect((await stockOf('PAST')).total).toMatchObject({ available: 7, version: 2 });

    // The events up to a moment are those that made its level.
    const units = async (moment: string) =>
      (await host.api.get<Events>(`/v1/stock/PAST/events?${moment}`)).body.items.map(
        (event) => event.quantity,
      );
    expect(await units('asOf=2023-12-31T23:59:59Z')).toEqual([]);
    expect(await units('asOf=2024-01-01T00:00:00Z')).toEqual([3]);
    expect(await units(`asOf=${offset}`)).toEqual([3, 4]);
    expect(await units(`knownAt=${between}`)).toEqual([4]);
    const both = await host.api.get(`/v1/stock/PAST/events?knownAt=${between}&asOf=${between}`);
    expect(both).toMatchObject({ status: 400, body: { errors: [{ field: 'knownAt' }] } });
  });

  test('a list of SKUs is told as it was and as it was known, too', async () => {
    const restock = { type: 'RESTOCK', sku: 'PAST-2', quantity: 2, occurredAt: '2024-02-01T00:00:00Z' };
    await host.api.post('/v1/skus', { sku: 'PAST-2' });
    await post(restock);
    const listed = async (moment: string) => {
      const { body } = await host.api.get<{ items: { sku: string; total: { available: number } }[] }>(
        `/v1/stock?search=PAST&${moment}`,
      );
      return body.items.map(({ sku, total }) => [sku, total.available]);
    };
    expect(await listed('asOf=2024-01-15T00:00:00Z')).toEqual([
      ['PAST', 3],
      ['PAST-2', 0],
    ]);
    expect(await listed('asOf=2024-02-02T00:00:00Z')).toEqual([
      ['PAST', 3],
      ['PAST-2', 2],
    ]);
    expect(await listed('knownAt=2024-02-02T00:00:00Z')).toEqual([
      ['PAST', 0],
      ['PAST-2', 0],
    ]);
    expect(await listed('')).toEqual([
      ['PAST', 7],
      ['PAST-2', 2],
    ]);
    const both = 'asOf=2024-02-02T00:00:00Z&knownAt=2024-02-02T00:00:00Z';
    expect((await host.api.get(`/v1/stock?${both}`)).status).toBe(400);
  });

  test('many events are answered one by one, and a faulty one costs no other', async () => {
    const good = { type: 'RESTOCK', sku: 'PEN', quantity: 1 };
    const { status, body } = await host.api.post<{ items: object[] }>('/v1/events', [
      good,
      { ...good, sku: 'NONE' },
      { ...good, quantity: 1.5 },
      { type: 'DAMAGE', sku: 'PEN', quantity: 999 },
      null,
      good,
    ]);
    expect(status).toBe(200);
    expect(body.items).toMatchObject([
      { status: 201, event: { quantity: 1, levels: [{ available: 4 }] } },
      { status: 422, problem: { code: 'unknown-sku', errors: [{ field: 'sku' }] } },
      { status: 400, problem: { code: 'invalid-request', errors: [{ field: 'quantity' }] } },
      { status: 409, problem: { code: 'insufficient-state' } },
      { status: 400, problem: { code: 'invalid-request', errors: [{ field: '' }] } },
      { status: 201, event: { quantity: 1, levels: [{ available: 5 }] } },
    ]);
  });

  test('stock is listed in pages of SKUs, oldest first and by code where made at once', async () => {
    const page = await host.api.get<{ items: { sku: string }[]; nextCursor?: string }>('/v1/stock?limit=3');
    expect(page.body.items.map(({ sku }) => sku)).toEqual(['BOX', 'BULK', 'CUP']);
    const next = await host.api.get<{ items: { sku: string }[] }>(
      `/v1/stock?limit=1&cursor=${page.body.nextCursor}`,
    );
    expect(next.body.items.map(({ sku }) => sku)).toEqual(['LOG']);
    const named = await host.api.get<{ items: Stock[] }>('/v1/stock?sku=BOX,CUP');
    expect(named.body.items).toEqual([await stockOf('BOX'), await stockOf('CUP')]);
  });

  test('the ledger is counted, verified, and the levels made from it are the same rows', async () => {
    const counted = (await host.api.get<{ events: number; byType: Record<string, number> }>('/v1/ledger'))
      .body;
    expect(counted.byType).toMatchObject({ TRANSFER: 4, RECEIVE: 2, EXPECT: 1, RESERVE: 1 });
    expect(Object.values(counted.byType).reduce((sum, count) => sum + count, 0)).toBe(counted.events);
    const levels = await host.dataSource.query('SELECT * FROM levels ORDER BY sku_id, location_id');
    const verified = await host.api.post('/v1/ledger/verify');
    expect(verified.status).toBe(200);
    expect(verified.body).toEqual({
      ok: true,
      events: counted.events,
      levels: levels.length,
      reservations: 1,
      listings: 0,
      violationCount: 0,
      violations: [],
    });
    const rebuilt = await host.api.post('/v1/ledger/rebuild');
    expect(rebuilt.status).toBe(200);
    expect(rebuilt.body).toMatchObject({ events: counted.events, levels: levels.length, corrected: 0 });
    expect(await host.dataSource.query('SELECT * FROM levels ORDER BY sku_id, location_id')).toEqual(levels);
  });

  test('a level that its events do not explain is found, named, and put right by a rebuild, in memory too', async () => {
    await host.dataSource.query(
      "UPDATE levels SET available = available + 1 WHERE sku_id = (SELECT id FROM skus WHERE code = 'BOX')",
    );
    // It has the wrong level in memory from its start.
    const other = await startTestHost({}, { database: host.database });
    const availability = async () => (await other.api.get('/v1/availability?sku=BOX')).body;
    try {
      expect(await availability()).toMatchObject({ items: [{ available: 3 }] });
      const broken = await other.api.post('/v1/ledger/verify');
      expect(broken.body).toMatchObject({
        ok: false,
        violationCount: 1,
        violations: [{ invariant: 'I1', message: expect.stringContaining('BOX at main') as string }],
      });
      await other.api.post('/v1/ledger/rebuild');
      expect((await other.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
      expect((await stockOf('BOX')).total).toMatchObject({ available: 2 });
      expect(await availability()).toMatchObject({ items: [{ available: 2 }] });
    } finally {
      await other.close();
    }
  });
});
