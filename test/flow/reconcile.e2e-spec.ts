import { JobsService } from '../../src/jobs/jobs.service';
import { TasksService } from '../../src/jobs/tasks.service';
import { eventually } from '../support/eventually';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';
import { pagesOf } from '../support/pages-of';

interface Report {
  id: string;
  [count: string]: unknown;
}

const SKUS = Array.from({ length: 250 }, (_, index) => `SKU-${String(index).padStart(3, '0')}`);
const NO_FAULTS = { fail: 0, slow: 0, html: 0 };

describe('reconciling a channel', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      shows: SKUS,
      shop: { listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])) },
    });
    await host.api.post(
      '/v1/events',
      SKUS.map((sku) => ({ type: 'RESTOCK', sku, quantity: 10 })),
    );
    await shown(Object.fromEntries(SKUS.map((sku) => [sku, 10])));
    await nothingWaits();
  });

  afterEach(() => host.shop.faults(NO_FAULTS));
  afterAll(() => host.close());

  const reconcile = () => host.api.post<Report>('/v1/channels/shop/reconcile');
  const shown = (expected: Record<string, number>) =>
    eventually(() => expect(Object.fromEntries(host.shop.shown())).toMatchObject(expected));

  async function nothingWaits(): Promise<void> {
    await eventually(async () =>
      expect((await host.api.get('/v1/channels')).body).toMatchObject({ items: [{ dirty: 0 }] }),
    );
  }

  async function driftsOf({ body: { id } }: { body: Report }): Promise<object[]> {
    const { body } = await host.api.get<{ items: { runId: string; channelSku: string }[] }>(
      '/v1/channels/shop/drifts?limit=500',
    );
    return body.items
      .filter(({ runId }) => runId === id)
      .sort((a, b) => a.channelSku.localeCompare(b.channelSku));
  }

  test('what is as it should be is counted and left alone, over all pages', async () => {
    const callsBefore = host.shop.calls.length;
    const report = await reconcile();
    expect(report.body).toMatchObject({
      listings: 250,
      equal: 250,
      inFlight: 0,
      drifted: 0,
      missing: 0,
      unmapped: 0,
    });
    expect(await driftsOf(report)).toEqual([]);
    const calls = host.shop.calls.slice(callsBefore);
    expect(calls.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
  });

  test('drift is recorded with both values, and repaired, upwards and downwards', async () => {
    host.shop.list([
      { channelSku: 'SKU-003', quantityUnits: 13 },
      { channelSku: 'SKU-249', quantityUnits: 0 },
    ]);
    const report = await reconcile();
    expect(report.body).toMatchObject({ equal: 248, drifted: 2, inFlight: 0 });
    expect(await driftsOf(report)).toMatchObject([
      { channelSku: 'SKU-003', cause: 'channel-edit', shown: 13, expected: 10 },
      { channelSku: 'SKU-249', cause: 'channel-edit', shown: 0, expected: 10 },
    ]);
    await shown({ 'SKU-003': 10, 'SKU-249': 10 });
    await nothingWaits();
    const listings = await host.api.get<{ items: { id: number; channelSku: string }[] }>(
      '/v1/channels/shop/listings?limit=10',
    );
    const { id } = listings.body.items.find(({ channelSku }) => channelSku === 'SKU-003')!;
    const pushes = await host.api.get<{ items: object[] }>(`/v1/listings/${id}/pushes?limit=1`);
    expect(pushes.body.items).toMatchObject([
      { trigger: 'resync', quantity: 10, previous: 10, state: 'applied' },
    ]);
    expect((await reconcile()).body).toMatchObject({ equal: 250, drifted: 0 });
  });

  test('drift is listed in pages, last found first, by its cause and by the comparison that found it', async () => {
    const changed = Array.from({ length: 7 }, (_, nr) => `SKU-02${nr}`);
    host.shop.list(changed.map((channelSku) => ({ channelSku, quantityUnits: 99 })));
    const { body: report } = await reconcile();
    expect(report).toMatchObject({ drifted: 7 });
    // All of one microsecond: told apart by what they are.
    await host.dataSource.query(
      `UPDATE drifts SET found_at = '2026-01-01T00:00:00.123456Z' WHERE run_id = $1`,
      [report.id],
    );
    const drifts = '/v1/channels/shop/drifts';
    const pages = await pagesOf<{ channelSku: string }>(host.api, `${drifts}?run=${report.id}`, 3);
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    const listed = pages.flat().map(({ channelSku }) => channelSku);
    expect([...listed].sort()).toEqual(changed);
    const all = await pagesOf<{ channelSku: string; cause: string }>(host.api, drifts, 2);
    expect(all.flat().length).toBeGreaterThan(7);
    expect(
      all
        .flat()
        .slice(-7)
        .map(({ channelSku }) => channelSku),
    ).toEqual(listed);
    const [edits] = await pagesOf(host.api, `${drifts}?cause=channel-edit`, 500);
    expect(edits).toEqual(all.flat().filter(({ cause }) => cause === 'channel-edit'));
    const ofRun = (query: string) => host.api.get(`${drifts}?run=${report.id}&${query}`);
    expect((await ofRun('cause=missing')).body).toEqual({ items: [] });
    for (const query of ['cause=weather', 'cursor=nonsense']) expect((await ofRun(query)).status).toBe(400);
    await shown(Object.fromEntries(changed.map((sku) => [sku, 10])));
    await nothingWaits();
    await reconcile();
  });

  test('a change that is on its way is not drift', async () => {
    host.shop.faults({ fail: 1 });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'SKU-007', quantity: 5 });
    // Two failures make the third try wait long enough for the comparison to come first.
    await eventually(async () => {
      const [row] = await host.dataSource.query(
        `SELECT attempts, not_before - clock_timestamp() > interval '0.4 s' AS waits FROM dirty_listings`,
      );
      expect(row).toMatchObject({ waits: true });
    });
    host.shop.faults(NO_FAULTS);
    const report = await reconcile();
    expect(report.body).toMatchObject({ equal: 249, inFlight: 1, drifted: 0 });
    expect(await driftsOf(report)).toEqual([]);
    await shown({ 'SKU-007': 15 });
    await nothingWaits();
  });

  test('what the channel shows and nobody mapped, and what it does not show, is told and not touched', async () => {
    host.shop.list([{ channelSku: 'STRANGER', quantityUnits: 4 }]);
    const callsBefore = host.shop.calls.length;
    const report = await reconcile();
    expect(report.body).toMatchObject({ listings: 250, equal: 250, unmapped: 1, drifted: 0 });
    expect(await driftsOf(report)).toMatchObject([
      { channelSku: 'STRANGER', cause: 'unmapped', shown: 4, expected: null },
    ]);
    expect(host.shop.calls.slice(callsBefore).every(({ method }) => method === 'GET')).toBe(true);
    expect(host.shop.shown().get('STRANGER')).toBe(4);
  });

  test('a channel is compared once at a time', async () => {
    host.shop.faults({ slow: 1, slowMs: 500 });
    const answers = await Promise.all([reconcile(), reconcile(), reconcile()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(answers.find(({ status }) => status === 409)!.body).toMatchObject({ code: 'busy' });
    host.shop.faults(NO_FAULTS);
    expect((await reconcile()).status).toBe(200);
  });

  test('a channel that does not answer is told as such, and what was found so far is kept', async () => {
    host.shop.faults({ fail: 1 });
    const answer = await reconcile();
    expect(answer).toMatchObject({ status: 502, body: { code: 'channel-unavailable' } });
    const runs = await host.api.get<{ items: { error: string; finishedAt: string }[] }>(
      '/v1/channels/shop/reconciliations?limit=1',
    );
    expect(runs.body.items).toMatchObject([{ error: expect.stringContaining('503') as string, equal: 0 }]);
    expect(runs.body.items[0]!.finishedAt).not.toBeNull();
  });

  test('a page in place of an answer changes nothing', async () => {
    host.shop.faults({ html: 1 });
    const before = Object.fromEntries(host.shop.shown());
    const answer = await reconcile();
    expect(answer).toMatchObject({ status: 502, body: { code: 'channel-protocol' } });
    host.shop.faults(NO_FAULTS);
    await nothingWaits();
    expect(Object.fromEntries(host.shop.shown())).toEqual(before);
  });

  test('a channel that takes no more calls is told as such', async () => {
    host.shop.faults({ throttle: 1 });
    const answer = await reconcile();
    host.shop.faults({ throttle: 0 });
    expect(answer).toMatchObject({ status: 503, body: { code: 'channel-throttled' } });
  });
});

describe('drift that comes back', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      shows: ['A', 'B'],
      shop: {
        listings: listingsCsv([
          ['A', 'A', 1],
          ['B', 'B', 1],
        ]),
      },
    });
    await host.api.post(
      '/v1/events',
      ['A', 'B'].map((sku) => ({ type: 'RESTOCK', sku, quantity: 10 })),
    );
    await shows('A', 10);
    await shows('B', 10);
  });

  afterAll(() => host.close());

  const reconcile = (body?: object) => host.api.post<Report>('/v1/channels/shop/reconcile', body);
  const drifts = async (state: string) =>
    (await host.api.get<{ items: object[] }>(`/v1/channels/shop/drifts?state=${state}`)).body.items;
  const shows = (sku: string, units: number) =>
    eventually(async () => {
      expect(host.shop.shown().get(sku)).toBe(units);
      const rows = await host.dataSource.query('SELECT listing_id FROM dirty_listings');
      expect(rows).toEqual([]);
    });

  test('is corrected so often, then left to a person, who may have it tried once more', async () => {
    for (let time = 1; time <= 3; time++) {
      host.shop.list([{ channelSku: 'A', quantityUnits: 99 }]);
      expect((await reconcile()).body).toMatchObject({ channelEdits: 1, corrected: 1, escalated: 0 });
      await shows('A', 10);
    }
    host.shop.list([{ channelSku: 'A', quantityUnits: 99 }]);
    expect((await reconcile()).body).toMatchObject({ channelEdits: 1, corrected: 0, escalated: 1 });
    expect((await reconcile()).body).toMatchObject({ corrected: 0, escalated: 1 });
    expect(host.shop.shown().get('A')).toBe(99);
    expect(await drifts('escalated')).toMatchObject([
      {
        channelSku: 'A',
        cause: 'channel-edit',
        shown: 99,
        expected: 10,
        pushed: 10,
        times: 5,
        corrections: 3,
        versions: { A: { main: 1 } },
      },
    ]);
    const { body: metrics } = await host.api.withKey(undefined).get<string>('/metrics');
    expect(metrics).toMatch(/^onhand_drifts_escalated\{channel="shop"\} 1$/m);
    expect(
      (await host.api.post('/v1/channels/shop/drifts/correct', { channelSkus: ['A', 'B'] })).body,
    ).toEqual({ corrected: ['A'] });
    await shows('A', 10);
    await reconcile();
    expect(await drifts('open')).toEqual([]);
  });

  test('that a person accepts is left alone for as long as both numbers stay', async () => {
    const accept = { channelSkus: ['B', 'NONE'], reason: 'shown by hand for the fair' };
    expect((await host.api.post('/v1/channels/shop/drifts/accept', accept)).body).toEqual({ accepted: [] });
    for (let time = 1; time <= 4; time++) {
      host.shop.list([{ channelSku: 'B', quantityUnits: 99 }]);
      expect((await reconcile()).body).toMatchObject(time < 4 ? { corrected: 1 } : { escalated: 1 });
      if (time < 4) await shows('B', 10);
    }
    expect((await host.api.post('/v1/channels/shop/drifts/accept', accept)).body).toEqual({
      accepted: ['B'],
    });
    expect(await drifts('escalated')).toEqual([]);
    expect((await reconcile()).body).toMatchObject({ corrected: 0, escalated: 0 });
    expect(host.shop.shown().get('B')).toBe(99);
    expect(await drifts('open')).toEqual([]);
    expect(await drifts('accepted')).toMatchObject([
      {
        channelSku: 'B',
        shown: 99,
        expected: 10,
        acceptedBy: 'api:ONHAND_ADMIN_KEY',
        acceptedReason: accept.reason,
      },
    ]);
    // Another number is another drift.
    host.shop.list([{ channelSku: 'B', quantityUnits: 98 }]);
    expect((await reconcile()).body).toMatchObject({ corrected: 1 });
    await shows('B', 10);
    await reconcile();
    expect(await drifts('accepted')).toEqual([]);
    expect((await host.api.post('/v1/channels/shop/drifts/accept', { channelSkus: ['B'] })).status).toBe(400);
  });

  test('of chosen SKUs is found without looking at others', async () => {
    host.shop.list([
      { channelSku: 'A', quantityUnits: 1 },
      { channelSku: 'B', quantityUnits: 1 },
    ]);
    expect((await reconcile({ channelSkus: ['B'] })).body).toMatchObject({
      listings: 1,
      channelEdits: 1,
      missing: 0,
    });
    await shows('B', 10);
    expect(host.shop.shown().get('A')).toBe(1);
    await reconcile();
    await shows('A', 10);
  });

  test('is looked for as soon as a channel is back', async () => {
    host.shop.list([{ channelSku: 'B', quantityUnits: 4 }]);
    await host.api.post('/v1/channels/shop/breaker', { state: 'open', reason: 'test' });
    await host.api.post('/v1/channels/shop/breaker', { state: 'closed', reason: 'test' });
    await shows('B', 10);
  });

  test('is planned for, and the plan tells calls and minutes', async () => {
    expect((await host.api.get('/v1/channels/shop/reconcile/plan')).body).toMatchObject({
      listings: 2,
      calls: 1,
      minutes: 0,
      basis: 'the last run',
    });
  });
});

test('a comparison that was cut off goes on from its cursor, and counts nothing twice', async () => {
  const skus = Array.from({ length: 450 }, (_, index) => `S-${index}`);
  const host = await startShopHost({
    shows: skus,
    shop: { listings: listingsCsv(skus.map((sku) => [sku, sku, 1])), onDrift: 'report' },
  });
  try {
    await eventually(async () =>
      expect(await host.dataSource.query('SELECT listing_id FROM dirty_listings')).toEqual([]),
    );
    host.shop.list([{ channelSku: 'S-440', quantityUnits: 5 }]);
    host.shop.faults({ slow: 1, slowMs: 1_000 });
    const { body: task } = await host.api.post<{ id: string }>('/v1/channels/shop/reconcile?wait=0');
    const leaseOf = async () =>
      (await host.dataSource.query('SELECT lease, checkpoint FROM tasks WHERE id = $1', [task.id]))[0];
    await eventually(async () => expect(await leaseOf()).not.toMatchObject({ checkpoint: null }));
    const { lease } = await leaseOf();
    const calls = host.shop.calls.length;
    // Stopping leaves it to whoever comes next, as far as it has come; that may be this host's own next look.
    host.app.get(TasksService).onModuleDestroy();
    await eventually(async () => expect(await leaseOf()).not.toMatchObject({ lease }));
    host.shop.faults(NO_FAULTS);
    await host.app.get(JobsService).run('resume-tasks');
    await eventually(async () =>
      expect((await host.api.get(`/v1/tasks/${task.id}`)).body).toMatchObject({
        state: 'done',
        report: { listings: 450, equal: 449, drifted: 1, corrected: 0, pages: 5, missing: 0 },
      }),
    );
    const reads = host.shop.calls.slice(calls).filter(({ path }) => path.startsWith('/api/inventory'));
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.filter(({ path }) => !path.includes('cursor='))).toEqual([]);
    expect(host.shop.shown().get('S-440')).toBe(5);
  } finally {
    await host.close();
  }
});

test('listings that the channel does not show are told as missing', async () => {
  const host = await startShopHost({
    shows: ['A'],
    shop: {
      mode: 'observe',
      listings: listingsCsv([
        ['A', 'A', 1],
        ['GONE', 'A', 1],
      ]),
    },
  });
  try {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 7 });
    await eventually(async () =>
      expect((await host.api.get('/v1/channels')).body).toMatchObject({ items: [{ dirty: 0 }] }),
    );
    const { body } = await host.api.post<Report>('/v1/channels/shop/reconcile');
    expect(body).toMatchObject({ listings: 2, missing: 1, drifted: 1 });
    const drifts = await host.api.get<{ items: object[] }>('/v1/channels/shop/drifts');
    expect(drifts.body.items).toContainEqual(
      expect.objectContaining({ channelSku: 'GONE', cause: 'missing', shown: null, expected: 7 }),
    );
  } finally {
    await host.close();
  }
});
