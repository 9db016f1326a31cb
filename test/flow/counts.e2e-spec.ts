import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { temporaryFolder } from '../support/test-server';
import { pagesOf } from '../support/pages-of';

interface Summary {
  id: string;
  state: string;
  lines: number;
  byStatus: Record<string, number>;
  adjustedUnits: number;
  accuracy: number;
  drift: number;
}

interface Line {
  sku: string;
  counted: number;
  ledger: number;
  difference: number;
  status: string;
  note: string | null;
  before: number | null;
  after: number | null;
  decidedBy: string | null;
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('counts of a warehouse', () => {
  let host: TestHost;
  let folder: string;
  let made = 0;

  beforeAll(async () => {
    folder = join(await temporaryFolder(), 'counts');
    host = await startTestHost({
      locations: [{ code: 'main' }, { code: 'north', priority: 2 }],
      counts: {
        folder,
        toleranceUnits: 0,
        tolerances: { screws: 5 },
        approveAboveUnits: 50,
        approveAbovePercent: 10,
      },
    });
  });

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
    await host.close();
  });

  /** A new SKU that had so many units an hour ago. */
  async function stocked(quantity: number, tags: string[] = [], location = 'main'): Promise<string> {
    const sku = `C-${++made}`;
    await host.api.post('/v1/skus', { sku, tags });
    if (quantity > 0)
      await host.api.post('/v1/events', {
        type: 'RESTOCK',
        sku,
        quantity,
        location,
        occurredAt: minutesAgo(60),
      });
    return sku;
  }

  async function levelOf(sku: string): Promise<{ available: number; reserved: number }> {
    return (await host.api.get<{ total: { available: number; reserved: number } }>(`/v1/stock/${sku}`)).body
      .total;
  }

  function send(lines: object[] | string, query: Record<string, string> = {}) {
    const path = `/v1/counts?${new URLSearchParams({ source: 'wms', takenAt: minutesAgo(30), ...query }).toString()}`;
    return typeof lines === 'string'
      ? host.api.postCsv<Summary>(path, lines)
      : host.api.post<Summary>(path, lines);
  }

  async function linesOf({ body: { id } }: { body: Summary }): Promise<Map<string, Line>> {
    const { body } = await host.api.get<{ items: Line[] }>(`/v1/counts/${id}/lines?limit=500`);
    return new Map(body.items.map((line) => [line.sku, line]));
  }

  test('are compared with the ledger as of their time, and what happened since is kept', async () => {
    const sku = await stocked(100);
    // Sold after the count: the shelf held 97 at the time of the count, of which 10 went since.
    const order = { lines: [{ sku, quantity: 10 }] };
    const { body } = await host.api.post<{ id: string }>('/v1/reservations', order);
    await host.api.post(`/v1/reservations/${body.id}/fulfil`);
    const counted = await send([{ sku, quantity: 97 }], { reason: 'cycle count A4' });
    expect(counted).toMatchObject({
      status: 200,
      body: { state: 'done', byStatus: { adjusted: 1 }, adjustedUnits: -3 },
    });
    expect(await levelOf(sku)).toMatchObject({ available: 87, reserved: 0 });
    expect((await linesOf(counted)).get(sku)).toMatchObject({
      counted: 97,
      ledger: 100,
      difference: -3,
      before: 90,
      after: 87,
    });
    const events = await host.api.get<{ items: object[] }>(`/v1/stock/${sku}/events?limit=1`);
    expect(events.body.items).toMatchObject([
      {
        type: 'ADJUST',
        quantity: 3,
        reason: 'cycle count A4',
        actor: 'count:wms',
        reference: `count ${counted.body.id}`,
      },
    ]);
    // The ledger says now what was counted then.
    const then = await host.api.get(`/v1/stock/${sku}?asOf=${minutesAgo(29)}`);
    expect(then.body).toMatchObject({ total: { available: 97 } });
  });

  test('count reserved units as being on the shelf', async () => {
    const sku = await stocked(20);
    await host.api.post('/v1/reservations', { lines: [{ sku, quantity: 8 }] });
    const counted = await send([{ sku, quantity: 18 }], { takenAt: new Date().toISOString() });
    expect(counted.body).toMatchObject({ adjustedUnits: -2 });
    expect(await levelOf(sku)).toMatchObject({ available: 10, reserved: 8 });
  });

  test('are listed in pages, newest first, those of one moment once each', async () => {
    const sku = await stocked(5);
    const sent: string[] = [];
    for (let nr = 0; nr < 5; nr++)
      sent.push(
        (await send([{ sku, quantity: 5 }], { source: 'pages', takenAt: minutesAgo(10 + nr) })).body.id,
      );
    await host.dataSource.query(
      `UPDATE counts SET received_at = clock_timestamp() + interval '1 hour' WHERE id = $1`,
      [sent[0]],
    );
    await host.dataSource.query(
      `UPDATE counts SET received_at = (SELECT received_at FROM counts WHERE id = $1) WHERE id = ANY($2)`,
      [sent[0], sent],
    );
    const pages = await pagesOf<Summary>(host.api, '/v1/counts', 2);
    const [whole] = await pagesOf<Summary>(host.api, '/v1/counts', 500);
    expect(pages.flat()).toEqual(whole);
    const listed = whole!.map(({ id }) => id);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.slice(0, 5).sort()).toEqual([...sent].sort());
    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
    expect((await host.api.get<Summary>(`/v1/counts/${sent[0]}`)).body).toEqual(
      whole!.find(({ id }) => id === sent[0]),
    );
  });

  test('that are sent again change nothing', async () => {
    const sku = await stocked(10);
    const takenAt = minutesAgo(20);
    const csv = `sku,quantity,location,state\n${sku},7,main,on_hand\n`;
    const [first, again] = [await send(csv, { takenAt }), await send(csv, { takenAt })];
    expect(again.body.id).toBe(first.body.id);
    expect(await levelOf(sku)).toMatchObject({ available: 7 });
  });

  test('leave differences within the tolerance of a tag, and large ones to a person', async () => {
    const [screws, nails, pallet] = [
      await stocked(1_000, ['screws']),
      await stocked(1_000),
      await stocked(400),
    ];
    const counted = await send([
      { sku: screws, quantity: 995 },
      { sku: nails, quantity: 995 },
      { sku: pallet, quantity: 300 },
      { sku: 'NOBODY-KNOWS', quantity: 3 },
    ]);
    expect(counted.body).toMatchObject({
      state: 'waiting',
      byStatus: { tolerated: 1, adjusted: 1, waiting: 1, unknown: 1 },
      accuracy: 1 / 3,
    });
    expect(await Promise.all([screws, nails, pallet].map(levelOf))).toMatchObject([
      { available: 1_000 },
      { available: 995 },
      { available: 400 },
    ]);
    const { body: metrics } = await host.api.withKey(undefined).get<string>('/metrics');
    expect(metrics).toMatch(/^onhand_ledger_drift_alarm\{source="wms"\} 1$/m);
    expect(metrics).toMatch(/^onhand_count_accuracy\{source="wms"\} 0\.33/m);
    expect(metrics).toMatch(/^onhand_count_lines_waiting 1$/m);
    const approved = await host.api.post<Summary>(`/v1/counts/${counted.body.id}/approve`, {});
    expect(approved.body).toMatchObject({ state: 'done', byStatus: { adjusted: 2 } });
    expect(await levelOf(pallet)).toMatchObject({ available: 300 });
    expect((await linesOf(counted)).get(pallet)).toMatchObject({
      status: 'adjusted',
      decidedBy: expect.stringMatching(/^api:/) as string,
    });
    expect((await host.api.post(`/v1/counts/${counted.body.id}/reject`, {})).status).toBe(409);
  });

  test('that a person turns down leave the ledger as it is', async () => {
    const sku = await stocked(500);
    const counted = await send([{ sku, quantity: 0 }]);
    const rejected = await host.api.post<Summary>(`/v1/counts/${counted.body.id}/reject`);
    expect(rejected.body).toMatchObject({ state: 'done', byStatus: { rejected: 1 }, adjustedUnits: 0 });
    expect(await levelOf(sku)).toMatchObject({ available: 500 });
  });

  test('of a whole location say that what they do not name is not there, and nothing of other locations', async () => {
    const [named, forgotten, elsewhere] = [
      await stocked(5, [], 'north'),
      await stocked(4, [], 'north'),
      await stocked(3),
    ];
    const counted = await send([{ sku: named, quantity: 6 }], { kind: 'full', location: 'north' });
    expect(counted.body).toMatchObject({ byStatus: { adjusted: 2 }, adjustedUnits: -3 });
    expect(await Promise.all([named, forgotten, elsewhere].map(levelOf))).toMatchObject([
      { available: 6 },
      { available: 0 },
      { available: 3 },
    ]);
  });

  test('that find fewer than are promised open a shortfall', async () => {
    const sku = await stocked(10);
    await host.api.post('/v1/reservations', { lines: [{ sku, quantity: 9 }] });
    await send([{ sku, quantity: 6 }], { takenAt: new Date().toISOString() });
    expect(await levelOf(sku)).toMatchObject({ available: -3, reserved: 9 });
    const { body } = await host.api.get<{ items: { sku: string; quantity: number }[] }>('/v1/shortfalls');
    expect(body.items).toContainEqual(expect.objectContaining({ sku, quantity: 3 }));
    await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 3 });
  });

  test.each([
    ['a line twice', 'sku,quantity\nA,1\nA,2\n', /A is counted in line 2 already/],
    ['a quantity that is none', 'sku,quantity\nA,-1\n', /quantity must be a whole number/],
    ['another header', 'code,units\nA,1\n', /the header must be sku,quantity/],
    ['nothing', 'sku,quantity\n', /holds no lines/],
  ])('with %s are refused whole', async (_what, csv, told) => {
    const refused = await send(csv);
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringMatching(told) as string } });
  });

  test('are taken from a folder, with their reports put beside them', async () => {
    const sku = await stocked(12);
    await mkdir(folder, { recursive: true });
    const put = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      await utimes(join(folder, name), new Date(Date.now() - 600_000), new Date(Date.now() - 600_000));
    };
    await put('erp.csv', `sku,quantity,taken_at\n${sku},15,${minutesAgo(15)}\n`);
    await put('broken.csv', 'nothing of use');
    await host.app.get(JobsService).run('watch-counts');
    await eventually(async () => expect(await levelOf(sku)).toMatchObject({ available: 15 }));
    const [done, failed] = await Promise.all(['done', 'failed'].map((place) => readdir(join(folder, place))));
    expect(done).toEqual([
      expect.stringMatching(/-erp\.csv$/),
      expect.stringMatching(/-erp\.csv\.report\.json$/),
    ]);
    const report = await readFile(
      join(
        folder,
        'done',
        done!.find((name) => name.endsWith('.json'))!,
      ),
      'utf8',
    );
    expect(JSON.parse(report)).toMatchObject({ source: 'erp', adjustedUnits: 3, byStatus: { adjusted: 1 } });
    expect(failed).toHaveLength(2);
    expect(await readdir(folder)).toEqual(['done', 'failed']);
  });
});
