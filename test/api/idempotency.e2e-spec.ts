import { startTestHost, type TestHost } from '../support/host';
import { countRows } from '../support/row-counts';

interface Reservation {
  id: string;
}

describe('an idempotency key', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await startTestHost({ locations: [{ code: 'main' }, { code: 'north', priority: 2 }] });
    await host.api.post('/v1/skus', [{ sku: 'A' }, { sku: 'B' }]);
    await host.api.post('/v1/events', [
      { type: 'RESTOCK', sku: 'A', quantity: 1_000 },
      { type: 'RESTOCK', sku: 'B', quantity: 1 },
    ]);
  });

  afterAll(() => host.close());

  const restock = { type: 'RESTOCK', sku: 'A', quantity: 2, reason: 'delivery', reference: 'PO 1' };
  const reserve = { reference: 'basket', lines: [{ sku: 'A', quantity: 3 }], ttlSeconds: 600 };
  const held = async () => (await host.api.post<Reservation>('/v1/reservations', reserve)).body.id;

  test('of an event gives the same answer again, marked as a duplicate, and no row', async () => {
    const first = await host.api.post('/v1/events', restock, 'event-1');
    const before = await countRows(host.dataSource);
    const second = await host.api.post('/v1/events', restock, 'event-1');
    expect(second.status).toBe(201);
    expect(second.body).toEqual({ ...(first.body as object), duplicate: true });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('may stand in the event itself, and is then the same key', async () => {
    const inside = await host.api.post('/v1/events', { ...restock, idempotencyKey: 'event-2' });
    expect(inside.body).toMatchObject({ duplicate: false });
    const outside = await host.api.post('/v1/events', restock, 'event-2');
    expect(outside.body).toMatchObject({ duplicate: true });
  });

  test('of a list gives the same answers again, each by its place', async () => {
    const list = [restock, { ...restock, sku: 'NONE' }, { type: 'DAMAGE', sku: 'B', quantity: 9 }, restock];
    const first = await host.api.post<{ items: { event?: object }[] }>('/v1/events', list, 'list-1');
    const before = await countRows(host.dataSource);
    const second = await host.api.post('/v1/events', list, 'list-1');
    expect(second.body).toEqual({
      items: first.body.items.map((item) =>
        item.event ? { ...item, event: { ...item.event, duplicate: true } } : item,
      ),
    });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('of a reservation gives the same reservation again and no row, however it changed since', async () => {
    const first = await host.api.post<Reservation>('/v1/reservations', reserve, 'reserve-1');
    await host.api.post(`/v1/reservations/${first.body.id}/release`);
    const before = await countRows(host.dataSource);
    const second = await host.api.post('/v1/reservations', reserve, 'reserve-1');
    expect(second).toMatchObject({ status: first.status, body: first.body });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each(['confirm', 'release', 'fulfil'])(
    'of %s gives the same answer again and no row',
    async (verb) => {
      const id = await held();
      if (verb === 'fulfil') await host.api.post(`/v1/reservations/${id}/confirm`);
      const path = `/v1/reservations/${id}/${verb}`;
      const first = await host.api.post(path, {}, `${verb}-1`);
      expect(first.status).toBe(200);
      const before = await countRows(host.dataSource);
      const second = await host.api.post(path, {}, `${verb}-1`);
      expect(second).toMatchObject({ status: 200, body: first.body });
      expect(await countRows(host.dataSource)).toEqual(before);
    },
  );

  test('of a refused request stays refused, even when stock has come since', async () => {
    const body = { lines: [{ sku: 'B', quantity: 5 }] };
    const first = await host.api.post<Record<string, unknown>>('/v1/reservations', body, 'refused-1');
    expect(first.status).toBe(409);
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'B', quantity: 50 });
    const before = await countRows(host.dataSource);
    const second = await host.api.post<Record<string, unknown>>('/v1/reservations', body, 'refused-1');
    expect({ ...second.body, requestId: '' }).toEqual({ ...first.body, requestId: '' });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each<[string, object]>([
    ['another quantity', { ...reserve, lines: [{ sku: 'A', quantity: 4 }] }],
    ['another SKU', { ...reserve, lines: [{ sku: 'B', quantity: 3 }] }],
    ['a location', { ...reserve, lines: [{ sku: 'A', quantity: 3, location: 'main' }] }],
    ['one line more', { ...reserve, lines: [...reserve.lines, { sku: 'B', quantity: 1 }] }],
    ['another reference', { ...reserve, reference: 'other' }],
    ['another time to live', { ...reserve, ttlSeconds: 601 }],
    ['no time to live', { reference: 'basket', lines: reserve.lines }],
    ['partial', { ...reserve, partial: true }],
  ])('with %s is a conflict and writes nothing', async (_name, other) => {
    await host.api.post('/v1/reservations', reserve, 'conflict-1');
    const before = await countRows(host.dataSource);
    const { status, body } = await host.api.post('/v1/reservations', other, 'conflict-1');
    expect(status).toBe(422);
    expect(body).toMatchObject({
      type: 'urn:onhand:problem:idempotency-conflict',
      code: 'idempotency-conflict',
      status: 422,
    });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test.each<[string, object]>([
    ['another type', { ...restock, type: 'EXPECT' }],
    ['another quantity', { ...restock, quantity: 3 }],
    ['another SKU', { ...restock, sku: 'B' }],
    ['another location', { ...restock, location: 'north' }],
    ['another reason', { ...restock, reason: 'found' }],
    ['another reference', { ...restock, reference: 'PO 2' }],
    ['another time', { ...restock, occurredAt: '2024-01-01T00:00:00Z' }],
    ['another source', { ...restock, from: 'on_order' }],
  ])('of an event with %s is a conflict and writes nothing', async (_name, other) => {
    await host.api.post('/v1/events', restock, 'conflict-2');
    const before = await countRows(host.dataSource);
    const { status, body } = await host.api.post('/v1/events', other, 'conflict-2');
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'idempotency-conflict' });
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('used for another kind of request is a conflict', async () => {
    const [id, otherId] = [await held(), await held()];
    await host.api.post(`/v1/reservations/${id}/confirm`, {}, 'kind-1');
    const before = await countRows(host.dataSource);
    for (const answer of [
      await host.api.post(`/v1/reservations/${id}/release`, {}, 'kind-1'),
      await host.api.post(`/v1/reservations/${otherId}/confirm`, {}, 'kind-1'),
      await host.api.post('/v1/events', restock, 'kind-1'),
    ]) {
      expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency-conflict' } });
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('sent by fifty callers at once reserves once and answers all of them alike', async () => {
    const before = await countRows(host.dataSource);
    const startedAt = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => host.api.post('/v1/reservations', reserve, 'race-1')),
    );
    // Those that meet in one transaction must not fail each other until they are tried one by one.
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(body).toEqual(answers[0]!.body);
    }
    const after = await countRows(host.dataSource);
    expect(after['public.reservations']! - before['public.reservations']!).toBe(1);
    expect(after['public.ledger']! - before['public.ledger']!).toBe(1);
  });

  test('sent at once with two contents is done once and is a conflict for the other', async () => {
    const other = { ...reserve, reference: 'other' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        host.api.post('/v1/reservations', index % 2 ? other : reserve, 'race-2'),
      ),
    );
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(10);
    expect(statuses.filter((status) => status === 422)).toHaveLength(10);
    expect(
      new Set(answers.filter(({ status }) => status === 201).map(({ body }) => (body as Reservation).id))
        .size,
    ).toBe(1);
  });

  test('is known to another host and after a restart', async () => {
    const first = await host.api.post('/v1/reservations', reserve, 'hosts-1');
    const other = await startTestHost({}, { database: host.database });
    try {
      const second = await other.api.post('/v1/reservations', reserve, 'hosts-1');
      expect(second).toMatchObject({ status: 201, body: first.body });
    } finally {
      await other.close();
    }
  });

  test('that a caller chose never meets one of the host itself', async () => {
    const keys: { key: string }[] = await host.dataSource.query('SELECT key FROM idempotency_keys');
    expect(keys.every(({ key }) => /^(api|once|order|expire):/.test(key))).toBe(true);
    const sent = await host.api.post('/v1/events', restock, 'order:shop:1:1');
    expect(sent.body).toMatchObject({ duplicate: false });
    const stored = await host.dataSource.query(
      "SELECT 1 FROM idempotency_keys WHERE key = 'api:order:shop:1:1'",
    );
    expect(stored).toHaveLength(1);
  });
});
