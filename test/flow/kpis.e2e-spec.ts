import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'yaml';
import { addKpiCommands } from '../../src/cli/kpis';
import { addTaskCommands } from '../../src/cli/tasks';
import { CallRecordsService } from '../../src/channels/call-records.service';
import { KPI_NAMES, type KpiName } from '../../src/config/kpi-names';
import { JobsService } from '../../src/jobs/jobs.service';
import { COUNT_KPIS } from '../../src/monitor/kpi-counting.worker';
import { type Kpi, type KpiHistory, WINDOWS } from '../../src/monitor/kpis';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/host';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

const DOCS = join(__dirname, '../../docs');

let host: ShopHost;

beforeAll(async () => {
  host = await startShopHost({
    shows: ['S-A'],
    shop: { listings: listingsCsv([['S-A', 'A', 1]]) },
    breaker: { failures: 100, minCalls: 1_000 },
  });
});

afterAll(() => host.close());

const countNow = () => host.app.get(JobsService).run(COUNT_KPIS);

async function kpis(query = 'window=1h'): Promise<Record<KpiName, Kpi>> {
  const { status, body } = await host.api.get<{ items: Kpi[] }>(`/v1/kpis?${query}`);
  expect(status).toBe(200);
  return Object.fromEntries(body.items.map((item) => [item.name, item])) as Record<KpiName, Kpi>;
}

async function eventsOf({ events }: Kpi): Promise<Record<string, unknown>[]> {
  return (await host.api.get<{ items: Record<string, unknown>[] }>(events!)).body.items;
}

async function order(orderId: string, quantityUnits: number): Promise<void> {
  const lines = [{ lineId: '1', channelSku: 'S-A', quantityUnits }];
  host.shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
  expect((await deliver(host, host.shop.webhookFor(orderId))).status).toBe(200);
}

test.each(Object.entries(WINDOWS))('of %s every figure is told, in one order', async (window, seconds) => {
  const { body } = await host.api.get<{ at: string; items: Kpi[] }>(`/v1/kpis?window=${window}`);
  expect(body).toMatchObject({ at: expect.any(String) as string, windowSeconds: seconds });
  expect(body.items.map(({ name }) => name)).toEqual(KPI_NAMES);
});

describe('what happens', () => {
  beforeAll(async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 5 });
    await order('COVERED', 2);
    await eventually(async () =>
      expect(await host.dataSource.query('SELECT FROM reservations')).toHaveLength(1),
    );
    await order('SHORT', 4);
    await eventually(async () => expect((await kpis()).oversells.value).toBe(1));
    for (const quantity of [1, 1])
      await host.api.post(
        '/v1/reservations',
        { lines: [{ sku: 'A', quantity }] },
        `key-${quantity}-${Math.random()}`,
      );
    await eventually(() => expect(host.shop.shown().get('S-A')).toBe(0));
    await host.app.get(CallRecordsService).write();
  });

  test('is told with its aim, and each figure leads to what it counts', async () => {
    const told = await kpis();
    // Two orders and two requests, of which an order and both requests met too little.
    expect(told.reservation_conflict_rate).toMatchObject({ value: 3 / 4, aim: { max: 0.003 }, met: false });
    expect(await eventsOf(told.reservation_conflict_rate)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ channel: 'shop', orderId: 'SHORT', sku: 'A', shortUnits: 1 }),
        expect.objectContaining({
          channel: null,
          sku: 'A',
          shortUnits: 1,
          idempotencyKey: expect.stringMatching(/^api:key-1/),
        }),
      ]),
    );
    expect(await eventsOf(told.oversells)).toMatchObject([
      { orderId: 'SHORT', state: 'held', channel: 'shop' },
    ]);
    const [push] = await eventsOf(told.sync_latency_p99_seconds);
    expect(push).toMatchObject({ channelSku: 'S-A', state: 'applied' });
    expect(Math.abs(told.sync_latency_p99_seconds.value! / (push!.seconds as number) - 1)).toBeLessThan(0.03);
    expect(told.sync_under_target_ratio.value).toBe(1);
  });

  test('is told of one channel, and of none that is not there', async () => {
    const told = await kpis('window=1h&channel=shop');
    expect(told.reservation_conflict_rate.value).toBe(1 / 2);
    expect(told.ledger_drift_ratio).toMatchObject({ value: null, events: null });
    expect((await host.api.get('/v1/kpis?channel=none')).status).toBe(404);
    expect((await host.api.get('/v1/kpis/nothing/events')).status).toBe(404);
    expect((await host.api.get('/v1/kpis?window=2h')).status).toBe(400);
  });

  test('is read by who may', async () => {
    const { body } = await host.api.post<{ key: string }>('/v1/keys', { name: 'x', scopes: ['stock:read'] });
    for (const path of ['/v1/kpis', '/v1/kpis/history?name=oversells', '/v1/kpis/oversells/events'])
      expect((await host.api.withKey(body.key).get(path)).status).toBe(403);
  });

  test('by people is told as interventions', async () => {
    const before = (await kpis()).manual_interventions.value!;
    const { body } = await host.api.get<{ items: { id: number }[] }>('/v1/oversells');
    await host.api.post(`/v1/oversells/${body.items[0]!.id}/close`, { reason: 'sent from another shop' });
    const { manual_interventions: told } = await kpis();
    expect(told.value).toBe(before + 1);
    expect(await eventsOf(told)).toMatchObject([
      { action: 'oversell.close', actor: { name: 'ONHAND_ADMIN_KEY' } },
    ]);
  });

  test('to a count that is wrong is drift, and misses its aim by more than 1 %', async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 200 });
    const takenAt = new Date().toISOString();
    await host.api.post(`/v1/counts?source=wms&takenAt=${takenAt}&reason=count`, [
      { sku: 'A', quantity: 190 },
    ]);
    const { ledger_drift_ratio: told } = await kpis();
    expect(told.value).toBeGreaterThan(0.01);
    expect(told).toMatchObject({ aim: { max: 0.01 }, met: false });
    expect(await eventsOf(told)).toMatchObject([{ source: 'wms', drift: told.value }]);
  });

  test('to calls is written down by the minute, once, however often', async () => {
    const calls = host.app.get(CallRecordsService);
    host.shop.faults({ fail: 1 });
    await host.api.post('/v1/channels/shop/reconcile');
    await calls.write();
    await host.api.post('/v1/channels/shop/reconcile');
    host.shop.faults({ fail: 0 });
    await Promise.all([calls.write(), calls.write()]);
    await calls.write();
    const [row] = await host.dataSource.query(
      'SELECT sum(answered)::int AS answered, sum(unanswered)::int AS unanswered FROM channel_calls',
    );
    const counted = /onhand_channel_calls_total\{channel="shop",outcome="(answered|unanswered)"\} (\d+)/g;
    const { body } = await host.api.get<string>('/metrics');
    const now = Object.fromEntries(
      [...body.matchAll(counted)].map(([, outcome, count]) => [outcome, Number(count)]),
    );
    expect(row.unanswered).toBeGreaterThan(0);
    expect(row.unanswered).toBe(now.unanswered);
    expect(row.answered).toBeLessThanOrEqual(now.answered!);
    const { api_error_ratio: told } = await kpis('window=1h&channel=shop');
    expect(told.value).toBeCloseTo(row.unanswered / (row.unanswered + row.answered), 9);
    expect(await eventsOf(told)).toEqual(
      expect.arrayContaining([expect.objectContaining({ channel: 'shop' })]),
    );
  });

  test('of levels the highest is kept, over time', async () => {
    const queue = `INSERT INTO dirty_listings (listing_id, channel, not_before) VALUES (900001, 'shop', 'infinity'), (900002, 'shop', 'infinity')`;
    await host.dataSource.query(queue);
    expect(await countNow()).not.toHaveProperty('error');
    expect((await kpis()).push_queue_depth.value).toBe(2);
    expect(await eventsOf((await kpis()).push_queue_depth)).toHaveLength(2);
    await host.dataSource.query('DELETE FROM dirty_listings WHERE listing_id > 900000');
    await countNow();
    expect((await kpis()).push_queue_depth.value).toBe(0);
    for (const whose of ['', '&channel=shop']) {
      const path = `/v1/kpis/history?name=push_queue_depth&window=24h${whose}`;
      const { points, stepSeconds } = (await host.api.get<KpiHistory>(path)).body;
      expect({ stepSeconds, last: points.at(-1)!.value, first: points[0]!.value }).toEqual({
        stepSeconds: 300,
        last: 2,
        first: null,
      });
    }
  });
});

describe('on the command line', () => {
  afterEach(() => {
    process.exitCode = undefined;
  });

  async function onhand(...words: string[]): Promise<{ out: string; code: typeof process.exitCode }> {
    const out: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
    try {
      const program = new Command('onhand').exitOverride();
      addKpiCommands(program);
      addTaskCommands(program);
      await program.parseAsync([...words, '--url', host.url, '--api-key', ADMIN_KEY], { from: 'user' });
      return { out: out.join('\n'), code: process.exitCode };
    } finally {
      log.mockRestore();
    }
  }

  test('the figures are told with their aims, and one that is missed ends with 1', async () => {
    const { out, code } = await onhand('kpis', '--window', '1h', '--channel', 'shop');
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(KPI_NAMES));
    expect(out).toMatch(/^reservation_conflict_rate +50 % +0.3 % +MISSED$/m);
    expect(out).toMatch(/^ledger_drift_ratio +– +1 %$/m);
    expect(out).toMatch(/^sync_latency_p99_seconds +[\d.]+ s +90 s +met$/m);
    expect(code).toBe(1);
    const { items } = JSON.parse((await onhand('kpis', '--json')).out) as { items: Kpi[] };
    expect(items.map(({ name }) => name)).toEqual(KPI_NAMES);
  });

  test('what it does is in the log as done on the command line', async () => {
    await onhand('schedule', 'run', 'find-stranded');
    const { out, code } = await onhand('activity', '--limit', '1');
    expect(out).toMatch(/^\S+Z {2}schedule.run find-stranded {2}by cli ONHAND_ADMIN_KEY$/);
    expect(code).toBeUndefined();
    const refused = JSON.parse(
      (await onhand('activity', '--refused', '--action', 'key', '--json')).out,
    ) as unknown;
    expect(refused).toEqual([]);
  });
});

describe('for Prometheus and Grafana', () => {
  /** Metric name and labels of every series in the text. */
  function seriesOf(text: string): Map<string, Set<string>> {
    const names = new Map(
      [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => [name!, new Set<string>()]),
    );
    for (const [, name, labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm))
      for (const [, label] of labels.matchAll(/(\w+)="/g)) names.get(name!)?.add(label!);
    return names;
  }

  /** What an expression asks for: metrics with the labels that it names. */
  function askedIn(expression: string): { metric: string; labels: string[] }[] {
    return [...expression.matchAll(/\b((?:onhand|process)_\w+)(?:\{([^}]*)\})?/g)].map(
      ([, metric, selector = '']) => ({
        metric: metric!,
        labels: [...selector.matchAll(/(\w+)=~?"/g)].map(([, label]) => label!),
      }),
    );
  }

  const dashboard = JSON.parse(readFileSync(join(DOCS, 'grafana/onhand.json'), 'utf8')) as {
    templating: { list: { definition?: string }[] };
    panels: { id: number; targets?: { expr: string }[] }[];
  };
  const rules = parse(readFileSync(join(DOCS, 'prometheus/onhand.rules.yml'), 'utf8')) as {
    groups: { name: string; rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
  };
  const alerts = rules.groups.flatMap((group) => group.rules);
  const expressions = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
    ...alerts.map(({ expr }) => expr),
  ];

  test('the figures are those of the API, as they were counted last', async () => {
    await countNow();
    const { body } = await host.api.get<string>('/metrics');
    const hourly = await kpis('window=1h');
    expect(body).toContain(
      `\nonhand_kpi_reservation_conflict_ratio{window="1h"} ${hourly.reservation_conflict_rate.value}\n`,
    );
    expect(body).toContain(
      `\nonhand_channel_kpi_reservation_conflict_ratio{channel="shop",window="24h"} 0.5\n`,
    );
    expect(body).toMatch(
      /\nonhand_channel_kpi_sync_latency_seconds\{channel="shop",window="1h",quantile="0.99"\} \d/,
    );
    expect(body).toMatch(/\nonhand_kpi_push_queue_listings \d+\n/);
    const [, at] = /\nonhand_kpi_computed_timestamp_seconds ([\d.e+]+)\n/.exec(body)!;
    expect(Math.abs(Date.now() / 1000 - Number(at))).toBeLessThan(60);
  });

  test('the dashboard and the rules ask for what a host exports, with labels that it has', async () => {
    const exported = seriesOf((await host.api.get<string>('/metrics')).body);
    const asked = expressions.flatMap(askedIn);
    expect(asked.length).toBeGreaterThan(40);
    for (const { metric, labels } of asked) {
      expect([...exported.keys()]).toContain(metric);
      const known = exported.get(metric)!;
      if (known.size > 0) expect([metric, ...known]).toEqual(expect.arrayContaining(labels));
    }
  });

  test('every rule and panel is there once', () => {
    const ids = [...dashboard.panels.map(({ id }) => id), ...alerts.map(({ alert }) => alert)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const { alert, annotations } of alerts)
      expect([alert, annotations.summary]).toEqual([alert, expect.stringMatching(/\S/)]);
  });
});
