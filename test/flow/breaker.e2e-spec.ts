import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult } from '../../src/channel-api';
import { BreakerService } from '../../src/channels/breaker.service';
import { ChannelsService, type ReadyChannel } from '../../src/channels/channels.service';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

interface Breaker {
  state: 'closed' | 'open' | 'half-open';
  since: string;
  reason: string | null;
  held: boolean;
  probeAt: string | null;
  changes: { change: string; reason: string | null; actor: string; changedAt: string }[];
}

const SKUS = Array.from({ length: 500 }, (_, index) => `SKU-${index}`);
/** Mapped, but the shop has no such items: it refuses each of their updates. */
const REFUSED = Array.from({ length: 6 }, (_, index) => `REFUSED-${index}`);
const LISTINGS = listingsCsv([...SKUS, ...REFUSED].map((sku) => [sku, sku, 1]));
const breaker = { failures: 3, openSeconds: 1, maxOpenSeconds: 60 };

const breakerOf = async ({ api }: Pick<TestHost, 'api'>) =>
  (await api.get<Breaker>('/v1/channels/shop/breaker')).body;
const hold = (host: Pick<TestHost, 'api'>, state: string, reason = 'a test') =>
  host.api.post<Breaker>('/v1/channels/shop/breaker', { state, reason });
const restock = ({ api }: Pick<TestHost, 'api'>, skus: string[], quantity: number) =>
  api.post(
    '/v1/events',
    skus.map((sku) => ({ type: 'RESTOCK', sku, quantity })),
  );

/** Makes a call to the shop, and waits for what becomes of it. */
const read = ({ api }: Pick<TestHost, 'api'>) => api.post('/v1/channels/shop/reconcile');

/** What the channel shows, asked of it by its plugin. */
async function firstPage({ app }: Pick<TestHost, 'app'>): Promise<unknown> {
  const shop = app.get(ChannelsService).get('shop') as ReadyChannel;
  for await (const page of shop.channel.readInventory({})) return page;
  return undefined;
}

/** Updates of stock that the shop took, by SKU; a batch is one call of many. */
const isPush = ({ method }: { method: string }) => method !== 'GET';

async function isOpen(host: Pick<TestHost, 'api'>): Promise<void> {
  await eventually(async () => expect((await breakerOf(host)).state).not.toBe('closed'));
}
async function nothingWaits(host: ShopHost): Promise<void> {
  await eventually(async () => {
    const left = await host.dataSource.query('SELECT FROM dirty_listings WHERE parked_at IS NULL');
    expect(left).toEqual([]);
  }, 25_000);
}
async function isClosed(host: Pick<TestHost, 'api'>): Promise<void> {
  await eventually(async () => expect((await breakerOf(host)).state).toBe('closed'));
}

describe('a channel that is away', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      breaker: { ...breaker, maxOpenSeconds: 2 },
      buffers: { units: 1, stalePercent: 50 },
      shows: SKUS,
      shop: { listings: LISTINGS, options: { push: { batch: false } } },
    });
    await restock(host, SKUS.slice(0, 3), 10);
    await eventually(() => expect(host.shop.shown().get('SKU-2')).toBe(9), 25_000);
    await nothingWaits(host);
  }, 60_000);

  afterAll(() => host.close());

  test('is left alone once its calls fail in a row, with one probe at a time, and its listings wait untried', async () => {
    host.shop.faults({ fail: 1 });
    await restock(host, ['SKU-0'], 1);
    await isOpen(host);
    await restock(host, ['SKU-1'], 1);
    const before = host.shop.calls.length;
    await sleep(2_500);
    const since = host.shop.calls.slice(before);
    expect(since.filter(isPush)).toEqual([]);
    expect(since.length).toBeGreaterThanOrEqual(1);
    expect(since.length).toBeLessThanOrEqual(3);
    expect(await breakerOf(host)).toMatchObject({
      held: false,
      reason: expect.stringMatching(/answered 503/) as string,
      changes: expect.arrayContaining([
        expect.objectContaining({ change: 'reopened', actor: 'host' }),
        expect.objectContaining({
          change: 'opened',
          reason: expect.stringMatching(/^3 calls in a row/) as string,
        }),
      ]) as object[],
    });
    const dirty = await host.dataSource.query(
      `SELECT attempts, lease FROM dirty_listings d JOIN listings l ON l.id = d.listing_id WHERE l.channel_sku = 'SKU-1'`,
    );
    expect(dirty).toEqual([{ attempts: 0, lease: null }]);
  });

  test('is stale, and more of its stock is withheld', async () => {
    const { body } = await host.api.get<{ items: { stale: object; breaker: object }[] }>('/v1/channels');
    const reason = expect.stringMatching(/^the channel cannot be reached since \d{4}-.*503/) as string;
    expect(body.items[0]).toMatchObject({
      breaker: { state: expect.stringMatching('open') as string },
      stale: { reason },
    });
    const [{ id }] = (await host.dataSource.query(`SELECT id FROM listings WHERE channel_sku = 'SKU-2'`)) as [
      { id: number },
    ];
    expect((await host.api.get(`/v1/listings/${id}/waterfall`)).body).toMatchObject({
      quantity: 4,
      components: [
        {
          available: 10,
          buffers: [
            { kind: 'static', units: 1 },
            { kind: 'stale', units: 5, reason },
          ],
        },
      ],
    });
  });

  test('answers no caller: what is asked of it is refused at once', async () => {
    const startedAt = Date.now();
    const { status, body } = await host.api.post<{ code: string; detail: string }>(
      '/v1/channels/shop/reconcile',
    );
    expect([status, body.code]).toEqual([503, 'channel-breaker-open']);
    expect(body.detail).toMatch(/not sent: the breaker of shop is open since/);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });

  test('is sent one update per listing when it is back, however many changes there were, of the newest quantity', async () => {
    for (let round = 0; round < 10; round++) await restock(host, SKUS, 1);
    const before = host.shop.calls.length;
    host.shop.faults({ fail: 0 });
    await isClosed(host);
    await eventually(() => expect(host.shop.shown().get('SKU-499')).toBe(9), 25_000);
    await nothingWaits(host);
    expect(host.shop.shown().get('SKU-0')).toBe(20);
    const pushes = host.shop.calls.slice(before).filter((call) => isPush(call) && call.status === 200);
    expect(pushes).toHaveLength(SKUS.length);
    expect(new Set(pushes.map(({ path }) => path)).size).toBe(SKUS.length);
    const { body } = await host.api.get<{ items: { stale: null }[] }>('/v1/channels');
    expect(body.items[0]).toMatchObject({ breaker: { state: 'closed' }, stale: null });
  }, 60_000);

  test('is not one that refuses rows, or throttles', async () => {
    await restock(host, REFUSED, 1);
    await eventually(() =>
      expect(host.shop.calls.filter(({ status }) => status === 404)).toHaveLength(REFUSED.length),
    );
    host.shop.faults({ throttle: 1, retryAfter: '0' });
    const throttled = () => host.shop.calls.filter(({ status }) => status === 429).length;
    while (throttled() < 6) await read(host);
    host.shop.faults({ throttle: 0 });
    await restock(host, ['SKU-19'], 1);
    await eventually(() => expect(host.shop.shown().get('SKU-19')).toBe(10));
    const { state, changes } = await breakerOf(host);
    expect([state, changes[0]!.change]).toEqual(['closed', 'closed']);
  });
});

describe('a breaker of several hosts', () => {
  let first: ShopHost;
  let second: TestHost;

  const another = () =>
    startTestHost(
      {
        breaker,
        channels: [
          {
            name: 'shop',
            plugin: GENERIC_REST_SOURCE,
            options: { ...first.shop.pluginOptions, limit: { perSecond: 10_000, burst: 10_000 } },
            listings: LISTINGS,
          },
        ],
      },
      { database: first.database },
    );

  beforeAll(async () => {
    first = await startShopHost({ breaker, shows: SKUS, shop: { listings: LISTINGS } });
    second = await another();
  });

  afterAll(async () => {
    await second.close();
    await first.close();
  });

  test('is seen open by all of them, and by one that starts while it is', async () => {
    await hold(first, 'open', 'maintenance');
    await eventually(() => expect(second.app.get(BreakerService).isOpen('shop')).toBe(true), 1_000);
    const third = await another();
    try {
      const before = first.shop.calls.length;
      await restock(third, ['SKU-0'], 3);
      await sleep(1_500);
      expect(first.shop.calls.slice(before)).toEqual([]);
      expect(await breakerOf(third)).toMatchObject({
        state: 'open',
        held: true,
        reason: 'maintenance',
        probeAt: null,
        changes: [
          { change: 'held-open', reason: 'maintenance', actor: expect.stringMatching(/^api:/) as string },
        ],
      });
    } finally {
      await third.close();
    }
  });

  test('closes by itself once a person lets it, and what waited is pushed', async () => {
    await hold(second, 'auto', 'maintenance is over');
    await isClosed(first);
    await eventually(() => expect(first.shop.shown().get('SKU-0')).toBe(3));
    expect((await breakerOf(first)).changes.map(({ change }) => change)).toEqual([
      'closed',
      'released',
      'held-open',
    ]);
  });

  test('that is held closed stays so, whatever fails', async () => {
    await hold(first, 'closed', 'we know better');
    first.shop.faults({ fail: 1 });
    // Not by a comparison: the one that follows a closed breaker is under way, and there is one at a time.
    for (let call = 0; call < 6; call++)
      await expect(firstPage(first)).rejects.toMatchObject({ code: 'channel-unavailable' });
    await restock(first, ['SKU-1'], 1);
    expect(await breakerOf(first)).toMatchObject({ state: 'closed', held: true });
    first.shop.faults({ fail: 0 });
    await hold(first, 'auto');
    await eventually(() => expect(first.shop.shown().get('SKU-1')).toBe(1));
  });

  test('that is half-open has one probe at a time, however many ask, on whichever host', async () => {
    await hold(first, 'open');
    await eventually(() => expect(second.app.get(BreakerService).isOpen('shop')).toBe(true), 1_000);
    const services = [first, second].map(({ app }) => app.get(BreakerService));
    let asked = 0;
    let answer!: (result: CheckResult) => void;
    const answered = new Promise<CheckResult>((resolve) => (answer = resolve));
    const check = () => {
      asked++;
      return answered;
    };
    // Due, and not yet told to anybody, so that the hosts' own probes do not come first.
    await first.dataSource.query(
      `UPDATE breakers SET held = false, probe_at = clock_timestamp() + interval '1 hour'`,
    );
    await eventually(
      () => expect(services.map((each) => each.stateOf('shop').held)).toEqual([false, false]),
      8_000,
    );
    await first.dataSource.query(`UPDATE breakers SET probe_at = clock_timestamp()`);
    const probes = Array.from({ length: 20 }, (_, caller) => services[caller % 2]!.probe('shop', check));
    await eventually(() => expect(asked).toBe(1));
    await eventually(() =>
      expect(services.map((each) => each.stateOf('shop').state)).toEqual(['half-open', 'half-open']),
    );
    answer({ ok: true, findings: [] });
    expect((await Promise.all(probes)).filter((didAsk) => didAsk)).toHaveLength(1);
    await eventually(() => expect(services.map((each) => each.isOpen('shop'))).toEqual([false, false]));
    expect(asked).toBe(1);
  }, 40_000);

  test('waits ever longer for a channel that comes and goes', async () => {
    const service = first.app.get(BreakerService);
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      first.shop.faults({ fail: 1 });
      while (!service.isOpen('shop'))
        await Promise.allSettled([first, second].map((host) => firstPage(host)));
      await eventually(() => expect(service.stateOf('shop').probeAt).not.toBeNull());
      waits.push(service.stateOf('shop').probeAt!.getTime() - Date.now());
      first.shop.faults({ fail: 0 });
      await eventually(() => expect(service.isOpen('shop')).toBe(false), 20_000);
    }
    expect(waits[1]! / waits[0]!).toBeGreaterThan(1.3);
    expect(waits[2]! / waits[1]!).toBeGreaterThan(1.3);
  }, 60_000);

  test.each([
    [{ state: 'ajar', reason: 'x' }, 'state'],
    [{ state: 'open' }, 'reason'],
    [{ state: 'open', reason: '' }, 'reason'],
    [{ reason: 'x' }, 'state'],
    [{ state: 'open', reason: 'a\u0000b' }, 'reason'],
  ])('refuses %j', async (body, field) => {
    const { status, body: problem } = await first.api.post<{ code: string; errors: { field: string }[] }>(
      '/v1/channels/shop/breaker',
      body,
    );
    expect([status, problem.code, problem.errors[0]!.field]).toEqual([400, 'invalid-request', field]);
    expect((await breakerOf(first)).state).toBe('closed');
  });

  test('of a channel that is none is not found', async () => {
    expect((await first.api.get('/v1/channels/none/breaker')).status).toBe(404);
    expect((await first.api.post('/v1/channels/none/breaker', { state: 'open', reason: 'x' })).status).toBe(
      404,
    );
  });
});
