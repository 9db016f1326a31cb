import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';

const UUID = expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/) as string;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

interface Reservation {
  id: string;
  state: string;
  expiresAt: string | null;
  lines: { sku: string; location: string | null; reserved: number; fulfilled: number; released: number }[];
}

describe('reservations', () => {
  let host: TestHost;
  let skuCount = 0;

  beforeAll(async () => {
    host = await startTestHost({
      locations: [
        { code: 'main', priority: 1 },
        { code: 'north', priority: 2 },
      ],
    });
  });

  afterAll(async () => {
    const { body } = await host.api.post('/v1/ledger/verify');
    expect(body).toMatchObject({ ok: true });
    await host.close();
  });

  /** A SKU of the test's own with so many units at main, and at north. */
  async function stocked(main: number, north = 0): Promise<string> {
    const sku = `SKU-${++skuCount}`;
    await host.api.post('/v1/skus', { sku });
    for (const [location, quantity] of Object.entries({ main, north })) {
      if (quantity > 0) await host.api.post('/v1/events', { type: 'RESTOCK', sku, location, quantity });
    }
    return sku;
  }

  const reserve = (body: object, key?: string) => host.api.post<Reservation>('/v1/reservations', body, key);
  const change = (id: string, verb: string, body?: object) =>
    host.api.post<Reservation>(`/v1/reservations/${id}/${verb}`, body);
  const totalOf = async (sku: string) =>
    (
      await host.api.get<{ total: { available: number; reserved: number; physical: number } }>(
        `/v1/stock/${sku}`,
      )
    ).body.total;

  test('units are moved from available to reserved', async () => {
    const sku = await stocked(10);
    const { status, body } = await reserve({ reference: 'basket 7', lines: [{ sku, quantity: 4 }] });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: UUID,
      reference: 'basket 7',
      state: 'confirmed',
      expiresAt: null,
      lines: [{ line: 0, sku, location: 'main', quantity: 4, reserved: 4, fulfilled: 0, released: 0 }],
    });
    expect(await totalOf(sku)).toMatchObject({ available: 6, reserved: 4, physical: 10 });
    expect((await host.api.get(`/v1/reservations/${body.id}`)).body).toEqual(body);
  });

  test('a line is taken from the first location that covers it, and split only when none does', async () => {
    const sku = await stocked(3, 5);
    const whole = await reserve({ lines: [{ sku, quantity: 4 }] });
    expect(whole.body.lines).toMatchObject([{ location: 'north', reserved: 4 }]);
    const split = await reserve({ lines: [{ sku, quantity: 4 }] });
    expect(split.body.lines).toMatchObject([
      { line: 0, location: 'main', reserved: 3 },
      { line: 0, location: 'north', reserved: 1 },
    ]);
  });

  test('a line that names its location is taken from there alone', async () => {
    const sku = await stocked(5, 1);
    const { status, body } = await reserve({ lines: [{ sku, quantity: 2, location: 'north' }] });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'insufficient-stock',
      lines: [{ line: 0, sku, location: 'north', requested: 2, available: 1 }],
    });
  });

  test('every line is reserved or none', async () => {
    const [plenty, scarce] = [await stocked(10), await stocked(1)];
    const lines = [
      { sku: plenty, quantity: 2 },
      { sku: scarce, quantity: 2 },
    ];
    const { status, body } = await reserve({ lines });
    expect(status).toBe(409);
    expect(body).toMatchObject({ lines: [{ line: 1, sku: scarce, requested: 2, available: 1 }] });
    expect(await totalOf(plenty)).toMatchObject({ available: 10, reserved: 0 });
    expect(await totalOf(scarce)).toMatchObject({ available: 1, reserved: 0 });
  });

  test('with partial there is reserved what there is', async () => {
    const [scarce, none] = [await stocked(1), await stocked(0)];
    const { status, body } = await reserve({
      partial: true,
      lines: [
        { sku: scarce, quantity: 3 },
        { sku: none, quantity: 1 },
      ],
    });
    expect(status).toBe(201);
    expect(body.lines).toMatchObject([
      { sku: scarce, location: 'main', quantity: 3, reserved: 1 },
      { sku: none, location: null, quantity: 1, reserved: 0 },
    ]);
    const nothing = await reserve({ partial: true, lines: [{ sku: none, quantity: 1 }] });
    expect(nothing.status).toBe(409);
  });

  test('those of a SKU are listed newest first, and what they hold is what its level shows', async () => {
    const sku = await stocked(9, 5);
    const other = await stocked(5);
    const made: string[] = [];
    for (const quantity of [2, 12, 3])
      made.push(
        (await reserve({ reference: `of ${quantity}`, partial: true, lines: [{ sku, quantity }] })).body.id,
      );
    await reserve({ lines: [{ sku: other, quantity: 1 }] });
    await change(made[0]!, 'fulfil');
    interface Listed {
      id: string;
      state: string;
      reference: string;
      openUnits: number;
      lines: object[];
    }
    const list = async (query: string) =>
      (await host.api.get<{ items: Listed[]; nextCursor?: string }>(`/v1/reservations?sku=${sku}${query}`))
        .body;
    const open = await list('');
    expect(open.items).toMatchObject([
      {
        id: made[1],
        reference: 'of 12',
        channel: null,
        state: 'confirmed',
        openUnits: 12,
        lines: [
          { location: 'main', reserved: 7, fulfilled: 0, released: 0 },
          { location: 'north', reserved: 5 },
        ],
      },
    ]);
    const held = open.items.reduce((sum, { openUnits }) => sum + openUnits, 0);
    expect(await totalOf(sku)).toMatchObject({ reserved: held });
    expect((await list('&state=fulfilled')).items).toMatchObject([{ id: made[0], openUnits: 0 }]);
    const first = await list('&state=all&limit=1');
    expect(first.items.map(({ id }) => id)).toEqual([made[1]]);
    const second = await list(`&state=all&limit=1&cursor=${first.nextCursor}`);
    expect(second.items.map(({ id }) => id)).toEqual([made[0]]);
    expect(second.nextCursor).toBeUndefined();
    expect((await host.api.get('/v1/reservations')).status).toBe(400);
    expect((await host.api.get('/v1/reservations?sku=NONE')).status).toBe(422);
  });

  test('the events of a SKU are narrowed to those that explain a figure', async () => {
    const sku = await stocked(9, 5);
    const { body } = await reserve({ lines: [{ sku, quantity: 4, location: 'north' }] });
    await change(body.id, 'fulfil');
    await host.api.post('/v1/events', { type: 'DAMAGE', sku, quantity: 1 });
    const events = async (query: string) =>
      (
        await host.api.get<{ items: { type: string; location: string }[] }>(
          `/v1/stock/${sku}/events?${query}`,
        )
      ).body.items.map(({ type, location }) => `${type} ${location}`);
    expect(await events('state=reserved')).toEqual(['FULFILL north', 'RESERVE north']);
    expect(await events('state=physical')).toEqual(['FULFILL north', 'RESTOCK north', 'RESTOCK main']);
    expect(await events('state=available&location=main')).toEqual(['DAMAGE main', 'RESTOCK main']);
    expect(await events('type=RESTOCK&location=main,north')).toEqual(['RESTOCK north', 'RESTOCK main']);
    expect(await events(`reservationId=${body.id}`)).toEqual(['FULFILL north', 'RESERVE north']);
    expect(await events('channel=shop')).toEqual([]);
    for (const [query, status] of [
      ['type=SALE', 400],
      ['state=outside', 400],
      ['reservationId=7', 400],
      ['location=moon', 422],
    ] as const)
      expect((await host.api.get(`/v1/stock/${sku}/events?${query}`)).status).toBe(status);
  });

  test('a hold is confirmed, and then does not expire', async () => {
    const sku = await stocked(5);
    const hold = await reserve({ ttlSeconds: 60, lines: [{ sku, quantity: 2 }] });
    expect(hold.body).toMatchObject({ state: 'held', expiresAt: TIME });
    const confirmed = await change(hold.body.id, 'confirm');
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toEqual({ ...hold.body, state: 'confirmed', expiresAt: null });
  });

  test('a hold that nobody confirms gives its units back', async () => {
    const sku = await stocked(5);
    const hold = await reserve({ ttlSeconds: 1, lines: [{ sku, quantity: 2 }] });
    expect(await totalOf(sku)).toMatchObject({ available: 3, reserved: 2 });
    await eventually(async () => expect(await totalOf(sku)).toMatchObject({ available: 5, reserved: 0 }));
    const { body } = await host.api.get(`/v1/reservations/${hold.body.id}`);
    expect(body).toMatchObject({ state: 'expired', lines: [{ reserved: 2, released: 2 }] });
    const late = await change(hold.body.id, 'confirm');
    expect(late).toMatchObject({ status: 409, body: { code: 'reservation-expired' } });
  });

  test('a hold is confirmed before it is fulfilled', async () => {
    const sku = await stocked(5);
    const hold = await reserve({ ttlSeconds: 60, lines: [{ sku, quantity: 2 }] });
    const early = await change(hold.body.id, 'fulfil');
    expect(early).toMatchObject({ status: 409, body: { code: 'reservation-held' } });
    expect(await totalOf(sku)).toMatchObject({ reserved: 2 });
  });

  test('fulfilling takes the units off the shelves and ends the reservation', async () => {
    const sku = await stocked(5);
    const { id } = (await reserve({ lines: [{ sku, quantity: 2 }] })).body;
    const occurredAt = '2024-05-01T12:00:00Z';
    const { status, body } = await change(id, 'fulfil', { occurredAt });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'fulfilled', lines: [{ reserved: 2, fulfilled: 2, released: 0 }] });
    expect(await totalOf(sku)).toEqual(expect.objectContaining({ available: 3, reserved: 0, physical: 3 }));
    const events = await host.api.get<{ items: object[] }>(`/v1/stock/${sku}/events`);
    expect(events.body.items[0]).toMatchObject({
      type: 'FULFILL',
      reservationId: id,
      occurredAt: '2024-05-01T12:00:00.000Z',
    });
    const again = await change(id, 'fulfil');
    expect(again).toMatchObject({ status: 409, body: { code: 'reservation-closed', state: 'fulfilled' } });
  });

  test('releasing gives the units back and ends the reservation', async () => {
    const sku = await stocked(5);
    const { id } = (await reserve({ lines: [{ sku, quantity: 2 }] })).body;
    const { status, body } = await change(id, 'release');
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'released', lines: [{ reserved: 2, fulfilled: 0, released: 2 }] });
    expect(await totalOf(sku)).toMatchObject({ available: 5, reserved: 0 });
    expect(await change(id, 'confirm')).toMatchObject({ status: 409, body: { code: 'reservation-closed' } });
  });

  test('lines are shipped and given back in parts until nothing is open', async () => {
    const [sku, other] = [await stocked(3, 3), await stocked(5)];
    const { id } = (
      await reserve({
        lines: [
          { sku, quantity: 6 },
          { sku: other, quantity: 2 },
        ],
      })
    ).body;
    const north = [{ sku, quantity: 2, location: 'north' }];
    expect((await change(id, 'fulfil', { lines: north })).body).toMatchObject({
      state: 'confirmed',
      lines: [
        { sku, location: 'main', fulfilled: 0 },
        { sku, location: 'north', fulfilled: 2 },
        { sku: other, fulfilled: 0 },
      ],
    });
    const tooMany = await change(id, 'release', {
      lines: [
        { sku: other, quantity: 1 },
        { sku, quantity: 5 },
      ],
    });
    expect(tooMany).toMatchObject({
      status: 409,
      body: { code: 'exceeds-reservation', lines: [{ sku, requested: 5, open: 4 }] },
    });
    expect((await change(id, 'release', { lines: [{ sku, quantity: 4 }] })).body).toMatchObject({
      state: 'confirmed',
      lines: [{ released: 3 }, { released: 1, fulfilled: 2 }, { released: 0 }],
    });
    expect((await change(id, 'fulfil')).body).toMatchObject({
      state: 'fulfilled',
      lines: [{}, {}, { fulfilled: 2 }],
    });
    expect(await totalOf(sku)).toMatchObject({ available: 4, reserved: 0 });
    expect(await totalOf(other)).toMatchObject({ available: 3, reserved: 0 });
  });

  test.each(['confirm', 'release', 'fulfil'])(
    '%s of a reservation that does not exist is not found',
    async (verb) => {
      for (const id of [randomUUID(), 'nonsense', '0', '%20']) {
        expect(await change(id, verb)).toMatchObject({ status: 404, body: { code: 'not-found' } });
      }
    },
  );

  test('a reservation that does not exist is not found', async () => {
    for (const id of [randomUUID(), 'nonsense']) {
      expect(await host.api.get(`/v1/reservations/${id}`)).toMatchObject({ status: 404 });
    }
  });

  test('of 500 at once exactly as many win as there are units', async () => {
    const sku = await stocked(3, 2);
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => reserve({ lines: [{ sku, quantity: 1 }] })),
    );
    const answered = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect({ won: answered(201), lost: answered(409) }).toEqual({ won: 5, lost: 495 });
    expect(await totalOf(sku)).toMatchObject({ available: 0, reserved: 5 });
  });

  test('orders of the same SKUs in opposite directions do not block each other', async () => {
    const skus = [await stocked(200), await stocked(200), await stocked(200)];
    const lines = skus.map((sku) => ({ sku, quantity: 1 }));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => reserve({ lines: index % 2 ? lines : lines.toReversed() })),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    for (const sku of skus) expect(await totalOf(sku)).toMatchObject({ available: 0, reserved: 200 });
  });

  test('two releases at once have one winner', async () => {
    const sku = await stocked(50);
    const holds = await Promise.all(
      Array.from({ length: 50 }, () => reserve({ ttlSeconds: 60, lines: [{ sku, quantity: 1 }] })),
    );
    const ended = await Promise.all(
      holds.map(({ body }) => Promise.all([change(body.id, 'release'), change(body.id, 'release')])),
    );
    for (const pair of ended) expect(pair.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(await totalOf(sku)).toMatchObject({ available: 50, reserved: 0 });
  });
});
