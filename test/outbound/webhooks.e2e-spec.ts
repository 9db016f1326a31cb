import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';
import { answers, isSigned, WebhookReceiver } from '../support/webhook-receiver';

const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
const [OLD_SECRET, NEW_SECRET, OTHER_SECRET] = [secret(), secret(), secret()];

interface Delivery {
  id: string;
  receiver: string;
  event: string;
  subject: string;
  state: string;
  attempts: number;
  status: number | null;
  error: string | null;
  nextAt: string | null;
  createdAt: string;
}

async function deliveries({ api }: TestHost, query: string): Promise<Delivery[]> {
  return (await api.get<{ items: Delivery[] }>(`/v1/deliveries?limit=500&${query}`)).body.items;
}

async function stateOf({ api }: TestHost, receiver: string): Promise<object> {
  const { body } = await api.get<{ items: { name: string }[] }>('/v1/receivers');
  return body.items.find(({ name }) => name === receiver)!;
}

const restock = async ({ api }: TestHost, sku: string, quantity = 1) =>
  expect((await api.post('/v1/events', { type: 'RESTOCK', sku, quantity })).status).toBe(201);

/** Lets the pauses between attempts pass. */
const letPausesEnd = ({ dataSource }: TestHost) =>
  dataSource.query(
    `WITH r AS (UPDATE receivers SET not_before = '-infinity')
     UPDATE deliveries SET next_at = clock_timestamp(), lease_until = '-infinity' WHERE state = 'waiting'`,
  );

describe('webhooks to receivers', () => {
  let host: ShopHost;
  let erp: WebhookReceiver;
  let fragile: WebhookReceiver;

  beforeAll(async () => {
    [erp, fragile] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
    host = await startShopHost({
      deliveries: { sweepEverySeconds: 1 },
      shows: ['A', 'B'],
      shop: {
        listings: listingsCsv([
          ['A', 'A', 1],
          ['B', 'B', 1],
        ]),
        pollOrdersEverySeconds: 0,
      },
      receivers: [
        { name: 'erp', kind: 'webhook', url: erp.url, secrets: [NEW_SECRET, OLD_SECRET], events: ['*'] },
        {
          name: 'fragile',
          kind: 'webhook',
          url: fragile.url,
          secrets: [OTHER_SECRET],
          events: ['stock.changed', 'reservation.*'],
          tags: ['fragile'],
          channels: ['shop'],
        },
      ],
    });
    await host.api.post('/v1/skus', [
      { sku: 'A', tags: ['fragile'] },
      { sku: 'B' },
      { sku: 'C', tags: ['fragile'] },
    ]);
  });

  afterAll(async () => {
    await host.close();
    await Promise.all([erp.close(), fragile.close()]);
  });

  test('a change of stock is told with the level as it is, signed with every secret', async () => {
    await restock(host, 'A', 10);
    const told = await eventually(() => {
      const last = erp.of('stock.changed').at(-1);
      expect(last).toBeDefined();
      return last!;
    });
    expect(told.event).toEqual({
      type: 'stock.changed',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        ...{ sku: 'A', location: 'main', version: 1, physical: 10, available: 10, reserved: 0 },
        ...{ quarantined: 0, damaged: 0, inTransit: 0, onOrder: 0 },
      },
    });
    for (const each of [OLD_SECRET, NEW_SECRET]) expect(isSigned(told, each)).toBe(true);
    expect(isSigned(told, OTHER_SECRET)).toBe(false);
    expect(isSigned({ ...told, body: told.body.replace('10', '11') }, NEW_SECRET)).toBe(false);
    await eventually(async () =>
      expect(await deliveries(host, 'receiver=erp')).toContainEqual(
        expect.objectContaining({
          ...{ id: told.id, event: 'stock.changed', subject: 'A at main', state: 'delivered', attempts: 1 },
          ...{ status: 204, error: null, nextAt: null, deliveredAt: expect.any(String) },
        }),
      ),
    );
  });

  test('a receiver is told of its own tags and channels only', async () => {
    await restock(host, 'B');
    await restock(host, 'C');
    await restock(host, 'A');
    await eventually(() => expect(fragile.of('stock.changed').at(-1)?.event.data.version).toBe(2));
    expect(new Set(fragile.received.map(({ event }) => event.data.sku))).toEqual(new Set(['A']));
    expect(isSigned(fragile.received[0]!, OTHER_SECRET)).toBe(true);
  });

  test('each state of a reservation is told with its lines, and its versions grow', async () => {
    const made = await host.api.post<{ id: string }>('/v1/reservations', {
      lines: [{ sku: 'A', quantity: 2 }],
      ttlSeconds: 600,
      reference: 'basket-7',
    });
    const { id } = made.body;
    const last = () => erp.received.filter(({ event }) => event.data.id === id).at(-1)?.event;
    await eventually(() => expect(last()?.type).toBe('reservation.held'));
    const held = last()!.data;
    expect(held).toMatchObject({
      ...{ state: 'held', reference: 'basket-7', channel: null, expiresAt: expect.any(String) },
      lines: [{ line: 0, sku: 'A', location: 'main', quantity: 2, reserved: 2, fulfilled: 0, released: 0 }],
    });
    await host.api.post(`/v1/reservations/${id}/confirm`);
    await eventually(() => expect(last()?.type).toBe('reservation.confirmed'));
    await host.api.post(`/v1/reservations/${id}/fulfil`, {});
    await eventually(() => expect(last()?.type).toBe('reservation.fulfilled'));
    expect(last()!.data).toMatchObject({ lines: [{ fulfilled: 2 }] });
    const versions = erp.received
      .filter(({ event }) => event.data.id === id)
      .map(({ event }) => event.data.version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => Number(a) - Number(b)));
    // It is of no channel, and `fragile` asked for those of the shop.
    expect(fragile.received.filter(({ event }) => event.data.id === id)).toEqual([]);
  });

  test('drift is told when it is found and when it is over', async () => {
    const pushed = () =>
      eventually(async () => expect([...host.shop.shown().values()]).toEqual(expect.arrayContaining([1])));
    await pushed();
    const told = () =>
      erp.received.filter(({ event }) => event.data.channelSku === 'B').map(({ event }) => event);
    await eventually(async () => {
      host.shop.list([{ channelSku: 'B', quantityUnits: 9 }]);
      await host.api.post('/v1/channels/shop/reconcile');
      await eventually(() => expect(told().map(({ type }) => type)).toContain('drift.found'), 2_000);
    });
    expect(told().find(({ type }) => type === 'drift.found')!.data).toMatchObject({
      ...{ channel: 'shop', state: 'found', shownUnits: 9, expectedUnits: 1 },
    });
    await eventually(async () => {
      await host.api.post('/v1/channels/shop/reconcile');
      await eventually(() => expect(told().at(-1)?.type).toBe('drift.resolved'), 2_000);
    });
  });

  test('a receiver that fails is tried again under the same id, and what it never took is given up', async () => {
    erp.behaviour = answers(500);
    await restock(host, 'B');
    const first = await eventually(async () => {
      const [waiting] = await deliveries(host, 'receiver=erp&state=waiting');
      expect(waiting).toMatchObject({ attempts: 1, status: 500, error: 'it answered 500' });
      return waiting!;
    });
    const pauseMs = Date.parse(first.nextAt!) - Date.parse(first.createdAt);
    expect(pauseMs).toBeGreaterThan(4_400);
    expect(pauseMs).toBeLessThan(9_000);
    expect(await stateOf(host, 'erp')).toMatchObject({ state: 'failing', lastStatus: 500, waiting: 1 });
    const bodies = () => erp.received.filter(({ id }) => id === first.id).map(({ body }) => body);
    await eventually(async () => {
      await letPausesEnd(host);
      await host.api.post(`/v1/schedule/send-deliveries:erp/run`);
      expect(await deliveries(host, 'receiver=erp&state=given-up')).toMatchObject([
        { id: first.id, attempts: 8 },
      ]);
    });
    expect(bodies()).toHaveLength(8);
    expect(new Set(bodies()).size).toBe(1);
    erp.behaviour = answers(204);
    expect((await host.api.post('/v1/deliveries/retry', { receiver: 'erp' })).body).toEqual({ retried: 1 });
    await eventually(async () => {
      await letPausesEnd(host);
      expect(await deliveries(host, 'receiver=erp&state=delivered')).toContainEqual(
        expect.objectContaining({ id: first.id }),
      );
    });
    expect(await stateOf(host, 'erp')).toMatchObject({ state: 'active', failures: 0, givenUp: 0 });
    expect(await host.api.post(`/v1/deliveries/${first.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'wrong-state' },
    });
  });

  test('a Retry-After that is longer than the pause is kept', async () => {
    erp.behaviour = answers(429, { 'retry-after': '3000' });
    await restock(host, 'B');
    await eventually(async () => {
      const [waiting] = await deliveries(host, 'receiver=erp&state=waiting');
      expect(waiting).toMatchObject({ status: 429 });
      const pauseMs = Date.parse(waiting!.nextAt!) - Date.now();
      expect(pauseMs).toBeGreaterThan(2_900_000);
      expect(pauseMs).toBeLessThan(3_010_000);
    });
    // It takes the delivery only once the retry was answered.
    let take = (): void => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    erp.behaviour = (_request, response) => void taken.then(() => response.writeHead(204).end());
    const [{ id }] = (await deliveries(host, 'receiver=erp&state=waiting')) as [Delivery];
    expect((await host.api.post(`/v1/deliveries/${id}/retry`)).body).toMatchObject({ id, state: 'waiting' });
    take();
    await eventually(async () => expect(await deliveries(host, 'receiver=erp&state=waiting')).toEqual([]));
  });

  test('states that a receiver was away for come as the newest one', async () => {
    erp.behaviour = answers(503);
    for (let time = 0; time < 12; time++) {
      await restock(host, 'B');
      await sleep(40);
    }
    await eventually(async () =>
      expect((await deliveries(host, 'receiver=erp&state=waiting'))[0]?.subject).toBe('B at main'),
    );
    const before = erp.received.length;
    erp.behaviour = answers(204);
    const { body } = await host.api.get<{ total: { version: number } }>('/v1/stock/B');
    // A change becomes a delivery a moment after it: that none waits does not tell that the newest one has come.
    await eventually(async () => {
      await letPausesEnd(host);
      expect(await deliveries(host, 'receiver=erp&state=waiting')).toEqual([]);
      const arrived = erp.received.slice(before).filter(({ event }) => event.data.sku === 'B');
      expect(Math.max(...arrived.map(({ event }) => Number(event.data.version)))).toBe(body.total.version);
    });
    expect(
      (await deliveries(host, 'receiver=erp')).filter(({ subject }) => subject === 'B at main').length,
    ).toBeLessThan(12);
  });

  test('a receiver that answers 410 is sent nothing more, until a test arrives', async () => {
    fragile.behaviour = answers(410);
    await restock(host, 'A');
    await eventually(async () =>
      expect(await stateOf(host, 'fragile')).toMatchObject({ state: 'disabled', waiting: 0 }),
    );
    expect(await deliveries(host, 'receiver=fragile&state=given-up')).toMatchObject([{ status: 410 }]);
    await eventually(async () => expect(await stateOf(host, 'erp')).toMatchObject({ waiting: 0 }));
    const [before, toldOthers] = [fragile.received.length, erp.received.length];
    await restock(host, 'A');
    await eventually(() => expect(erp.received.length).toBeGreaterThan(toldOthers));
    expect(fragile.received).toHaveLength(before);
    expect(await stateOf(host, 'fragile')).toMatchObject({ waiting: 0 });
    expect((await host.api.post('/v1/receivers/fragile/test')).body).toEqual({
      ...{ delivered: false, status: 410, error: 'it answered 410: it wants nothing any more' },
    });
    fragile.behaviour = answers(200);
    expect((await host.api.post('/v1/receivers/fragile/test')).body).toEqual({
      delivered: true,
      status: 200,
      error: null,
    });
    expect(fragile.received.at(-1)).toMatchObject({ event: { type: 'receiver.test' } });
    expect(isSigned(fragile.received.at(-1)!, OTHER_SECRET)).toBe(true);
    await restock(host, 'A');
    await eventually(() => expect(fragile.received.at(-1)?.event.type).toBe('stock.changed'));
  });

  test('what was never sent for five days is given up, and what is over is forgotten after thirty', async () => {
    erp.behaviour = answers(503);
    await restock(host, 'C');
    // Alerts may be told meanwhile, so that it need not be the last one.
    const id = await eventually(async () => {
      const waiting = await deliveries(host, 'receiver=erp&state=waiting');
      const sent = waiting.find(({ subject, attempts }) => subject === 'C at main' && attempts === 1);
      expect(sent).toBeDefined();
      return sent!.id;
    });
    const age = (column: string, days: number) =>
      host.dataSource.query(
        `UPDATE deliveries SET ${column} = clock_timestamp() - make_interval(secs => $1) WHERE id = $2`,
        [days * 86_400, id],
      );
    const purge = () => host.app.get(JobsService).run('purge-deliveries');
    const found = async () => (await host.api.get<Delivery>(`/v1/deliveries/${id}`)).body;
    const givenUp = async () => {
      const { body } = await host.api.get<string>('/metrics');
      return Number(/^onhand_deliveries\{receiver="erp",state="given-up"\} (\d+)$/m.exec(body)?.[1]);
    };
    // Nothing sends it meanwhile, as to a receiver that is configured no more.
    await host.dataSource.query(`UPDATE receivers SET not_before = 'infinity' WHERE name = 'erp'`);
    const before = await givenUp();
    await age('next_at', 4.9);
    await purge();
    expect(await found()).toMatchObject({ state: 'waiting' });
    expect(await givenUp()).toBe(before);
    await age('next_at', 5.1);
    await purge();
    expect(await found()).toMatchObject({ state: 'given-up', error: 'it answered 503' });
    expect(await givenUp()).toBe(before + 1);
    await age('finished_at', 29.9);
    await purge();
    expect(await found()).toMatchObject({ id });
    await age('finished_at', 30.1);
    await purge();
    expect(await found()).toMatchObject({ status: 404 });
    erp.behaviour = answers(204);
  });

  test('what is no receiver or no delivery is told as such', async () => {
    for (const [method, path, status] of [
      ['POST', '/v1/receivers/nobody/test', 404],
      ['GET', '/v1/deliveries/00000000-0000-4000-8000-000000000000', 404],
      ['POST', '/v1/deliveries/00000000-0000-4000-8000-000000000000/retry', 404],
      ['GET', '/v1/deliveries/x', 400],
      ['GET', '/v1/deliveries?state=lost', 400],
    ] as const)
      expect(await host.api.send(method, path)).toMatchObject({ status });
  });

  test('no answer of the host holds a secret or the path of an address', async () => {
    const [{ id }] = (await deliveries(host, 'receiver=erp')) as [Delivery];
    const asked = ['/v1/receivers', '/v1/deliveries?limit=500', `/v1/deliveries/${id}`, '/v1/schedule'];
    const told = JSON.stringify(
      await Promise.all(asked.map(async (path) => (await host.api.get(path)).body)),
    );
    expect(told).toContain(new URL(erp.url).origin);
    for (const canary of ['canary-path-token', OLD_SECRET, NEW_SECRET, OTHER_SECRET, NEW_SECRET.slice(6)])
      expect(told).not.toContain(canary);
  });
});

describe('a receiver that misbehaves', () => {
  let host: TestHost;
  let answer: string | null;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (answer === null) socket.destroy();
      else socket.write(answer);
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const webhook = { kind: 'webhook', secrets: [NEW_SECRET], events: ['alert.*'] };
    host = await startTestHost({
      outbound: { allow: [`127.0.0.1:${port}`] },
      deliveries: { timeoutSeconds: 1 },
      receivers: [
        { ...webhook, name: 'odd', url: `http://127.0.0.1:${port}/` },
        { ...webhook, name: 'inside', url: 'http://127.0.0.1:18443/' },
        { ...webhook, name: 'metadata', url: 'http://169.254.169.254/latest' },
      ],
    });
  });

  afterAll(async () => {
    await host.close();
    server.close();
  });

  test.each([
    ['closes', null, /^no answer: /],
    ['says nothing', '', /^no answer within 1 s$/],
    ['answers garbage', 'garbage\r\n\r\n', /^no answer: HPE_/],
    ['never ends its headers', 'HTTP/1.1 200 OK\r\nx-a: ', /^no answer within 1 s$/],
    ['redirects', 'HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n', /redirect \(302\)/],
  ])('%s has not taken it', async (_what, given, error) => {
    answer = given;
    const { body } = await host.api.post<{ error: string }>('/v1/receivers/odd/test');
    expect(body).toMatchObject({ delivered: false, error: expect.stringMatching(error) });
  });

  test('an answer that never ends is taken by its status', async () => {
    answer = 'HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nsome';
    expect((await host.api.post('/v1/receivers/odd/test')).body).toMatchObject({
      delivered: true,
      status: 200,
    });
  });

  test.each(['inside', 'metadata'])(
    'an address that is not allowed is not connected to (%s)',
    async (name) => {
      const { body } = await host.api.post<{ error: string }>(`/v1/receivers/${name}/test`);
      expect(body).toMatchObject({
        delivered: false,
        status: null,
        error: expect.stringMatching(
          /receivers may have public addresses only;.*add ".*" to outbound\.allow/,
        ),
      });
    },
  );

  test('where nobody wants to know of stock, the ledger leaves no marks', async () => {
    await host.api.post('/v1/skus', { sku: 'X' });
    await restock(host, 'X');
    expect(await host.dataSource.query('SELECT is_called FROM outbound_marks_id_seq')).toEqual([
      { is_called: false },
    ]);
  });
});
