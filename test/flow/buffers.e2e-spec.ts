import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { countSale, HALF_LIFE_MS, HOUR_MS, type SalesRate, signalsAt } from '../../src/buffers/sales-rate';
import { addBacktestCommand } from '../../src/cli/backtest';
import { addBufferCommands } from '../../src/cli/buffers';
import { createTestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/host';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

interface Applied {
  kind: string;
  units: number;
  policy: string;
  reason: string;
}

interface Explained {
  sales: { hourUnits: number }[];
  channels: { channel: string; syncP99Ms: number | null; cancelPercent: number; confirmationMs: number }[];
  items: { listingId: number; channelSku: string; quantity: number; components: { buffers: Applied[] }[] }[];
}

const SKUS = ['A', 'B', 'C', 'D', 'E', 'POT'];

describe('the buffers of a host with the base rule', () => {
  let host: ShopHost;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onhand-buffers-'));
    host = await startShopHost({
      buffers: {
        rule: 'base',
        everySeconds: 1,
        releaseSeconds: 1,
        releasePercent: 50,
        assumedLatencySeconds: 60,
      },
      shows: SKUS,
      shop: { listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])), pollOrdersEverySeconds: 0 },
    });
    await host.api.post('/v1/skus', [{ sku: 'POT', tags: ['fragile'] }]);
    await restock(100);
    await eventually(() => expect(host.shop.shown().get('POT')).toBe(95));
  }, 60_000);

  afterAll(async () => {
    await host.close();
    await rm(folder, { recursive: true });
  });

  const restock = (quantity: number, skus = SKUS) =>
    host.api.post(
      '/v1/events',
      skus.map((sku) => ({
        type: 'RESTOCK',
        sku,
        quantity,
        occurredAt: new Date(Date.now() - HOUR_MS).toISOString(),
      })),
    );
  const explain = async (sku: string) => (await host.api.get<Explained>(`/v1/buffers?sku=${sku}`)).body;
  const buffersOf = async (sku: string) => (await explain(sku)).items[0]!.components[0]!.buffers;
  const unitsOf = async (sku: string) => (await buffersOf(sku)).map(({ kind, units }) => [kind, units]);
  const shows = (sku: string, units: number) =>
    eventually(() => expect([sku, host.shop.shown().get(sku)]).toEqual([sku, units]));
  const recalculate = () =>
    eventually(async () => {
      const { status, body } = await host.api.post('/v1/buffers/recalculate', {});
      expect([status, body]).toEqual([200, body]);
    });
  let orders = 0;
  /** One order a unit, at once. */
  const sell = (sku: string, units: number) =>
    Promise.all(
      Array.from({ length: units }, () =>
        host.api.post('/v1/reservations', { lines: [{ sku, quantity: 1 }] }, `order-${orders++}`),
      ),
    );
  /** As if it had happened so long ago. */
  const age = (sku: string, ms: number) =>
    host.dataSource.query(
      `UPDATE sales_rates r SET hour = hour - make_interval(secs => $2), counted_at = counted_at - make_interval(secs => $2),
              since = since - make_interval(secs => $2), due_at = clock_timestamp()
         FROM skus s WHERE s.id = r.sku_id AND s.code = $1`,
      [sku, ms / 1000],
    );

  test('a SKU that sells fast is withheld more at once, is pushed so, and is released step by step when it is over', async () => {
    await sell('A', 40);
    await eventually(async () => {
      expect((await explain('A')).sales).toMatchObject([{ hourUnits: 40 }]);
    });
    // 40 an hour are 2 units in 2 × 60 s at most, which are among the 5; as a rate of 600 an hour they are not.
    expect(await unitsOf('A')).toEqual([['static', 5]]);
    await host.dataSource.query(
      `UPDATE sales_rates SET hour_units = 600, due_at = clock_timestamp() WHERE sku_id = (SELECT id FROM skus WHERE code = 'A')`,
    );
    await host.dataSource.query(`UPDATE channel_signals SET sync_p99_ms = 60000`);
    await recalculate();
    await eventually(async () => expect((await unitsOf('A'))[1]?.[0]).toBe('velocity'));
    const [, velocity] = await buffersOf('A');
    expect(velocity).toMatchObject({
      policy: 'channel shop',
      reason: expect.stringMatching(
        /units expected to be sold in 2 × [\d.]+ s \(P99 sync latency, measured\) at 600 an hour, 5 of them withheld already/,
      ) as string,
    });
    await shows('A', 60 - 5 - velocity!.units);
    const rows = await host.api.get<{ items: object[]; nextCursor?: string }>(
      '/v1/buffers/rows?sku=A&limit=1',
    );
    expect(rows.body).toMatchObject({
      items: [
        {
          sku: 'A',
          location: 'main',
          channel: 'shop',
          isSlow: false,
          needs: [{ kind: 'velocity', policy: 'channel shop' }],
        },
      ],
    });
    const next = Buffer.from('1 1 shop').toString('base64url');
    expect((await host.api.get<typeof rows.body>(`/v1/buffers/rows?sku=A&cursor=${next}`)).body).toEqual({
      items: [],
    });
    expect((await host.api.get('/v1/buffers/rows?cursor=MQ')).status).toBe(400);
    const inMemory = async () => {
      const asked = await host.api.get<{ items: { available: number }[] }>(
        '/v1/availability?channel=shop&sku=A',
      );
      return asked.body.items[0]!.available;
    };
    await eventually(async () => expect(await inMemory()).toBe(60 - 5 - velocity!.units));
    await age('A', 3 * HOUR_MS);
    const seen = new Set<number>();
    await eventually(async () => {
      seen.add(host.shop.shown().get('A')!);
      expect(await unitsOf('A')).toEqual([['static', 5]]);
    });
    await shows('A', 55);
    await eventually(async () => expect(await inMemory()).toBe(55));
    expect(seen.size).toBeGreaterThanOrEqual(2);
    const { body } = await host.api.get<string>('/metrics');
    expect(
      Number(/^onhand_buffers_released_total\{channel="shop"\} (\d+)$/m.exec(body)?.[1]),
    ).toBeGreaterThan(0);
    const history = await host.api.get<{ items: { cause: string; after: object }[] }>(
      '/v1/buffers/history?sku=A',
    );
    expect(history.body.items.length).toBeGreaterThanOrEqual(3);
  });

  test('a small stock of a slow mover does not vanish, of one that sells it does', async () => {
    await host.api.post('/v1/events', { type: 'ADJUST', sku: 'C', quantity: -97, reason: 'count' });
    await shows('C', 2);
    expect((await buffersOf('C'))[0]).toMatchObject({
      units: 1,
      reason: expect.stringMatching(/keeps 50 %/) as string,
    });
    await restock(2, ['C']);
    await sell('C', 2);
    await shows('C', 0);
  });

  test('an operator’s hold counts at once, on top, and ends by itself', async () => {
    const until = new Date(Date.now() + 3_000).toISOString();
    const hold = { sku: 'D', percent: 100, reason: 'recall', until };
    const placed = await host.api.post<{ id: number }>('/v1/buffers/holds', hold);
    expect(placed.status).toBe(201);
    await shows('D', 0);
    expect(await buffersOf('D')).toMatchObject([
      { kind: 'static', units: 5 },
      {
        kind: 'hold',
        units: 95,
        policy: `hold ${placed.body.id}`,
        reason: expect.stringMatching(/^recall \(by api:/) as string,
      },
    ]);
    await shows('D', 95);
    const again = await host.api.post<{ id: number }>('/v1/buffers/holds', {
      sku: 'D',
      units: 10,
      reason: 'photo',
    });
    await shows('D', 85);
    expect((await host.api.delete(`/v1/buffers/holds/${again.body.id}`)).status).toBe(204);
    await shows('D', 95);
    expect((await host.api.delete(`/v1/buffers/holds/${again.body.id}`)).status).toBe(404);
    expect((await host.api.post('/v1/buffers/holds', { sku: 'D', reason: 'nothing' })).status).toBe(400);
  });

  test('a policy is tried out before it is made, counts where it is most specific, and is named', async () => {
    const policies = [
      { name: 'fragile things', tag: 'fragile', units: 20 },
      { name: 'e alone', sku: 'E', units: 30 },
    ];
    const dry = await host.api.post<object>('/v1/buffers/policies?dryRun=true', { policies });
    expect(dry.body).toMatchObject({
      listings: 2,
      changes: 2,
      unitsFrom: 190,
      unitsTo: 150,
      items: expect.arrayContaining([
        { listingId: expect.any(Number) as number, channel: 'shop', channelSku: 'POT', from: 95, to: 80 },
      ]) as object[],
    });
    await shows('POT', 95);
    expect((await host.api.post('/v1/buffers/policies', { policies })).status).toBe(200);
    await shows('POT', 80);
    await shows('E', 70);
    expect((await buffersOf('POT'))[0]).toMatchObject({
      policy: 'fragile things',
      reason: '20 units (fragile things)',
    });
    await host.api.post('/v1/skus', [
      { sku: 'E', tags: ['fragile'] },
      { sku: 'POT', tags: [] },
    ]);
    await shows('POT', 95);
    await shows('E', 70);
    const without = await host.api.delete<object>('/v1/buffers/policies/e%20alone?dryRun=true');
    expect(without.body).toMatchObject({ items: [{ channelSku: 'E', from: 70, to: 80 }] });
    await host.api.delete('/v1/buffers/policies/e%20alone');
    await shows('E', 80);
    await host.api.delete('/v1/buffers/policies/fragile%20things');
    await shows('E', 95);
  });

  test('a policy that is wrong is refused with every fault, and none of its company is made', async () => {
    const { status, body } = await host.api.post<{ errors: { field: string }[] }>('/v1/buffers/policies', {
      policies: [
        { name: 'good', units: 1 },
        { name: 'bad', units: -1, percents: 3 },
      ],
    });
    expect([status, body.errors.map(({ field }) => field)]).toEqual([
      400,
      ['policies[1].percents', 'policies[1].units'],
    ]);
    const unknown = await host.api.post('/v1/buffers/policies', { policies: [{ name: 'x', sku: 'NONE' }] });
    expect(unknown.status).toBe(422);
    expect((await host.api.get('/v1/buffers/policies')).body).toEqual({ items: [] });
  });

  test('a window opens, is released in steps, and each number says so', async () => {
    const from = new Date(Date.now() + 1_000).toISOString();
    const to = new Date(Date.now() + 2_500).toISOString();
    const windows = [{ from, to, percent: 40, releaseSteps: 2, releaseSeconds: 2 }];
    await host.api.post('/v1/buffers/policies', { policies: [{ name: 'flash sale', sku: 'E', windows }] });
    await shows('E', 55);
    expect((await buffersOf('E'))[1]).toMatchObject({ kind: 'window', units: 40, policy: 'flash sale' });
    await shows('E', 75);
    await shows('E', 95);
  });

  test('sales counted by SQL, pass by pass and late commits twice over, are those of the pure function', async () => {
    const [{ id }] = (await host.dataSource.query(`SELECT id FROM skus WHERE code = 'B'`)) as [
      { id: number },
    ];
    await sell('B', 33);
    await recalculate();
    await host.dataSource.query(
      `UPDATE buffer_progress SET counted_until = counted_until - interval '30 seconds'`,
    );
    await sell('B', 2);
    await recalculate();
    const read = async () => {
      const [row] = (await host.dataSource.query(
        `SELECT extract(epoch FROM hour)::float8 * 1000 AS "hourMs", hour_units AS "hourUnits", previous_units AS "previousUnits",
                weighted_units AS "weightedUnits", extract(epoch FROM counted_at)::float8 * 1000 AS "countedMs",
                extract(epoch FROM since)::float8 * 1000 AS "sinceMs" FROM sales_rates WHERE sku_id = $1`,
        [id],
      )) as SalesRate[];
      return signalsAt(row!, Date.now());
    };
    const sold: { units: number; at: number }[] = await host.dataSource.query(
      `SELECT quantity AS units, extract(epoch FROM recorded_at)::float8 * 1000 AS at FROM ledger
        WHERE sku_id = $1 AND type = 'RESERVE' ORDER BY version`,
      [id],
    );
    expect(sold.length).toBe(35);
    const folded = sold.reduce<SalesRate | undefined>(
      (rate, { units, at }) => countSale(rate, units, at),
      undefined,
    );
    const { hourUnits, usualPerHour } = signalsAt(folded!, Date.now());
    const inSql = await read();
    expect(inSql.hourUnits).toBeCloseTo(hourUnits, 3);
    expect(inSql.usualPerHour).toBeCloseTo(usualPerHour, 3);
    await host.api.post('/v1/buffers/recalculate', { full: true });
    expect((await read()).hourUnits).toBeCloseTo(hourUnits, 3);
    expect(HALF_LIFE_MS).toBe(7 * 24 * HOUR_MS);
  });

  test('what a channel cancels late, and how late it tells, is measured and withheld', async () => {
    const placedAt = new Date(Date.now() - 300_000).toISOString();
    host.shop.placeOrder({
      orderId: 'late',
      placedAt,
      lines: [{ lineId: '1', channelSku: 'POT', quantityUnits: 60 }],
    });
    expect((await deliver(host, host.shop.webhookFor('late'))).status).toBe(200);
    await eventually(async () => {
      const [measured] = (await explain('POT')).channels;
      expect(measured).toMatchObject({
        confirmationMs: expect.closeTo(300_000, -4) as number,
        cancelPercent: 0,
      });
    });
    // 60 in the last hour are 5 in these five minutes.
    await eventually(async () =>
      expect(await unitsOf('POT')).toEqual([
        ['static', 5],
        ['confirmation', 6],
      ]),
    );
    await host.dataSource.query(
      `UPDATE reservations SET created_at = created_at - interval '2 hours' WHERE order_id = 'late'`,
    );
    host.shop.cancelOrder('late', new Date().toISOString());
    await deliver(host, host.shop.webhookFor('late'));
    await eventually(async () => {
      expect((await explain('POT')).channels[0]).toMatchObject({ cancelPercent: 50 });
    });
    expect((await buffersOf('POT')).at(-1)).toMatchObject({
      kind: 'cancellation',
      units: 50,
      reason: '50 % of 100 available, as the channel cancels that share late, as measured (channel shop)',
    });
    await shows('POT', 39);
    await host.dataSource.query(
      `UPDATE channel_signals SET cancel_percent = 0, cancelled_units = 0, confirmation_ms = 0`,
    );
    await host.api.post('/v1/buffers/policies', {
      policies: [{ name: 'settled', cancelPercent: 0, confirmationSeconds: 0 }],
    });
  });

  test('a backtest on the ledger replays what was ordered and changes nothing', async () => {
    const { status, body } = await host.api.post<{ candidates: Record<string, unknown>[] }>(
      '/v1/buffers/backtest',
      {
        candidates: [{ name: 'all', policies: [{ name: 'all', channel: 'shop', percent: 100 }] }],
        latencySeconds: 5,
      },
    );
    expect(status).toBe(200);
    expect(body.candidates).toMatchObject([
      { name: 'nothing withheld', orders: 1, sold: 60, oversold: 0, lost: 0, withheldUnitHours: 0 },
      { name: 'in force', orders: 1 },
      { name: 'all', orders: 0, lostOrders: 1, lost: 60, byChannel: { shop: { lost: 60 } } },
    ]);
    const chart = join(folder, 'chart.svg');
    const policy = join(folder, 'all.yaml');
    await writeFile(policy, 'policies: [{ name: all, channel: shop, percent: 100 }]');
    const table = await onhand('backtest', '--policy', policy, '--latency', '5s', '--svg', chart);
    expect(table.split('\n')).toContainEqual(
      expect.stringMatching(/^all +0 +0 +0\.00 % +0 +0 +[\d,]+ +1 +60$/),
    );
    expect(await readFile(chart, 'utf8')).toMatch(/^<svg/);
    const { items } = (await host.api.get<{ items: { name: string }[] }>('/v1/buffers/policies')).body;
    expect(items.map(({ name }) => name)).toEqual(['flash sale', 'settled']);
  });

  test('one recalculation at a time: another is told to wait', async () => {
    await host.dataSource.query(
      `UPDATE buffer_progress SET lease_until = clock_timestamp() + interval '2 seconds'`,
    );
    const { status, body } = await host.api.post('/v1/buffers/recalculate', {});
    expect([status, body]).toEqual([409, expect.objectContaining({ code: 'busy' })]);
    await recalculate();
  });

  test('on the command line each number is explained, and policies come from a file', async () => {
    const explained = await onhand('explain', 'D');
    expect(explained).toMatch(/shop: P99 sync latency [\d.]+ s/);
    expect(explained.split('\n').slice(-6)).toEqual([
      'shop D',
      '  physical           100  D',
      '  available          100',
      '  static              -5  5 units (channel shop)',
      '  sellable            95',
      '  shows               95',
    ]);
    const file = join(folder, 'policies.yaml');
    await writeFile(file, 'policies:\n  - { name: few, channel: shop, percent: 50 }\n');
    expect(await onhand('apply', file, '--dry-run')).toMatch(
      /shop D {2}95 → 50\n[^]*Of 6 listings \d would change/,
    );
    expect(await onhand('apply', file)).toBe('1 policies are in force.');
    expect(await onhand('policies')).toMatch(/\nfew +channel shop +percent 50 +api/);
    await shows('D', 50);
    expect(await onhand('remove', 'few')).toBe('Removed few.');
    await shows('D', 95);
    expect(await onhand('history', 'D')).toMatch(/few +.*policy +api:/);
    expect(await onhand('hold', 'D', '--units', '5', '--reason', 'photo')).toMatch(/^Hold \d+ is in force/);
    await shows('D', 90);
  });

  async function onhand(...words: string[]): Promise<string> {
    const said: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
    const news = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    try {
      const program = new Command('onhand').exitOverride();
      addBufferCommands(program);
      addBacktestCommand(program);
      const command = words[0] === 'backtest' ? words : ['buffers', ...words];
      await program.parseAsync([...command, '--url', host.url, '--api-key', ADMIN_KEY], {
        from: 'user',
      });
      return said.join('\n');
    } finally {
      log.mockRestore();
      news.mockRestore();
    }
  }
});

describe('a host that looks at its buffers once an hour', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      buffers: { rule: 'base', everySeconds: 3_600 },
      shows: ['A'],
      shop: { listings: listingsCsv([['A', 'A', 1]]), pollOrdersEverySeconds: 0 },
    });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 100 });
    await host.api.post('/v1/buffers/recalculate', {});
  }, 60_000);

  afterAll(() => host.close());

  const hourUnits = async () => {
    const { body } = await host.api.get<Explained>('/v1/buffers?sku=A');
    return body.sales[0]?.hourUnits ?? 0;
  };
  const sell = (count: number, from: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        host.api.post('/v1/reservations', { lines: [{ sku: 'A', quantity: 1 }] }, `order-${from + index}`),
      ),
    );

  test('looks at once on a surge of orders, and not for a few', async () => {
    await sell(10, 0);
    expect(await hourUnits()).toBe(0);
    await sell(30, 10);
    await eventually(async () => expect(await hourUnits()).toBeGreaterThanOrEqual(20));
    await eventually(async () => {
      const { body } = await host.api.get<{ items: { cause: string }[] }>('/v1/buffers/history?sku=A');
      expect(body.items.map(({ cause }) => cause)).toContain('order surge');
    });
  });

  test('looks at once when a breaker changes', async () => {
    const before = await hourUnits();
    await sell(5, 40);
    await host.api.post('/v1/channels/shop/breaker', { state: 'open', reason: 'a test' });
    await eventually(async () => expect(await hourUnits()).toBeGreaterThan(before));
    await host.api.post('/v1/channels/shop/breaker', { state: 'auto', reason: 'a test' });
  });
});

test('a host that starts with another rule than the last one pushes what follows from it', async () => {
  const database = await createTestDatabase();
  const shop = { listings: listingsCsv([['A', 'A', 1]]), pollOrdersEverySeconds: 0 };
  const first = await startShopHost({ shows: ['A'], shop }, { database });
  await first.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 100 });
  await eventually(() => expect(first.shop.shown().get('A')).toBe(100));
  await first.api.post('/v1/buffers/recalculate', {});
  await first.close();
  const second = await startShopHost(
    { shows: ['A'], shop, buffers: { units: 7, everySeconds: 1 } },
    { database },
  );
  await eventually(() => expect(second.shop.shown().get('A')).toBe(93));
  await second.close();
  await database.drop();
}, 60_000);
