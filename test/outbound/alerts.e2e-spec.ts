import { randomBytes } from 'node:crypto';
import { AlertsService } from '../../src/alerts/alerts.service';
import { JobsService } from '../../src/jobs/jobs.service';
import { ScheduleService } from '../../src/jobs/schedule.service';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';
import { answers, isSigned, WebhookReceiver } from '../support/webhook-receiver';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

interface Alert {
  id: number;
  key: string;
  rule: string;
  severity: string;
  channel: string | null;
  summary: string;
  value: number;
  threshold: number;
  state: string;
  count: number;
}

/** Seconds that are at once too many. */
const AT_ONCE = { max: 0 };

describe('alerts', () => {
  let host: ShopHost;
  let other: TestHost;
  let pager: WebhookReceiver;
  let broken: WebhookReceiver;

  beforeAll(async () => {
    [pager, broken] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
    broken.behaviour = answers(500);
    const settings = {
      deliveries: { sweepEverySeconds: 1 },
      breaker: { failures: 1, openSeconds: 1, maxOpenSeconds: 1 },
      alerts: {
        ...{ everySeconds: 3_600, clearAfterSeconds: 0, reopenWithinSeconds: 600, remindEverySeconds: 0 },
        rules: {
          breakerOpenSeconds: { max: 0, severity: 'critical' },
          ...{ ordersUnreadSeconds: AT_ONCE, queueSeconds: { max: 60 }, queueListings: AT_ONCE },
          ...{ oversellSeconds: { max: 0, severity: 'critical' }, taskFailingSeconds: AT_ONCE },
          ...{ receiverFailingSeconds: AT_ONCE, taskOverdueSeconds: { max: 60 } },
        },
      },
      receivers: [
        { name: 'pager', kind: 'webhook', url: pager.url, secrets: [SECRET], events: ['alert.*'] },
        {
          name: 'broken',
          kind: 'webhook',
          url: broken.url,
          secrets: [SECRET],
          events: ['stock.*'],
          tags: ['told'],
        },
      ],
    };
    host = await startShopHost({
      ...settings,
      shows: ['A'],
      shop: {
        listings: listingsCsv([
          ['A', 'A', 1],
          ['B', 'B', 1],
        ]),
        ...{ pollOrdersEverySeconds: 0, reconcileEverySeconds: 86_400 },
      },
    });
    other = await startTestHost(settings, { database: host.database });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 10 });
    await eventually(async () => expect(await unsent()).toEqual([{ count: 0 }]));
  });

  afterAll(async () => {
    await other.close();
    await host.close();
    await Promise.all([pager.close(), broken.close()]);
  });

  const sql = (text: string, values: unknown[] = []) => host.dataSource.query(text, values);
  const unsent = () =>
    sql('SELECT count(*)::int AS count FROM dirty_listings WHERE channel = $1 AND listing_id = 1', ['shop']);
  const evaluate = () => host.app.get(AlertsService).evaluate();

  async function alertsOf(key: string): Promise<Alert[]> {
    const { body } = await host.api.get<{ items: Alert[] }>('/v1/alerts?limit=500');
    return body.items.filter((alert) => alert.key === key);
  }

  async function evaluated(key: string): Promise<Alert | undefined> {
    await evaluate();
    return (await alertsOf(key))[0];
  }

  const told = (key: string) =>
    pager.received.filter(({ event }) => event.data.key === key).map(({ event }) => event.type);

  test('a SKU that reaches its reorder point opens one alert, at once, which is told and is over by itself', async () => {
    await host.api.patch('/v1/skus/A', { reorderPoint: 5 });
    expect(await evaluated('low-stock:A')).toBeUndefined();
    await host.api.post('/v1/reservations', { lines: [{ sku: 'A', quantity: 6 }] });
    const [alert] = await eventually(async () => {
      const found = await alertsOf('low-stock:A');
      expect(found).toHaveLength(1);
      return found;
    });
    expect(alert).toMatchObject({
      ...{
        rule: 'low-stock',
        severity: 'warning',
        state: 'open',
        value: 4,
        threshold: 5,
        count: 1,
        channel: null,
      },
      ...{ subject: 'A', link: '/#/stock/A', acknowledgedAt: null, resolvedAt: null },
      summary: expect.stringMatching(/^A has 4 units available, and is to be ordered again at 5\. Order it,/),
    });
    await eventually(() => expect(told('low-stock:A')).toEqual(['alert.opened']));
    const message = pager.received.find(({ event }) => event.data.key === 'low-stock:A')!;
    expect(isSigned(message, SECRET)).toBe(true);
    expect(message.event.data).toMatchObject({
      id: alert!.id,
      summary: alert!.summary,
      link: '/#/stock/A',
      version: 1,
    });
    // One unit more is not enough for it to be over: it would come and go with every order.
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 2 });
    expect(await evaluated('low-stock:A')).toMatchObject({ state: 'open', value: 6 });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 20 });
    expect(await evaluated('low-stock:A')).toMatchObject({ state: 'resolved', resolvedBy: 'host' });
    await eventually(() => expect(told('low-stock:A')).toEqual(['alert.opened', 'alert.resolved']));
    await host.api.patch('/v1/skus/A', { reorderPoint: 100 });
    expect(await evaluated('low-stock:A')).toMatchObject({
      id: alert!.id,
      state: 'open',
      count: 2,
      resolvedAt: null,
    });
    await host.api.patch('/v1/skus/A', { reorderPoint: null });
    expect(await evaluated('low-stock:A')).toMatchObject({ state: 'resolved' });
  });

  test('hosts that look at the same time open one alert, and tell it once', async () => {
    await host.api.post('/v1/skus', { sku: 'C', reorderPoint: 1 });
    const looks = [host, other].flatMap(({ app }) =>
      Array.from({ length: 5 }, () => app.get(AlertsService).evaluate()),
    );
    await Promise.all(looks);
    expect(await alertsOf('low-stock:C')).toMatchObject([{ count: 1, state: 'open' }]);
    await eventually(() => expect(told('low-stock:C')).toEqual(['alert.opened']));
    await expect(
      sql(`INSERT INTO alerts (key, rule, severity, summary, first_at, last_at, told_at)
           VALUES ('low-stock:C', 'low-stock', 'warning', '', now(), now(), now())`),
    ).rejects.toThrow(/alerts_unresolved/);
  });

  test('an alert is acknowledged and resolved by hand, each told once, and stays resolved while it lasts', async () => {
    const [{ id }] = (await alertsOf('low-stock:C')) as [Alert];
    for (let time = 0; time < 2; time++)
      expect((await host.api.post(`/v1/alerts/${id}/acknowledge`)).body).toMatchObject({
        ...{ id, state: 'acknowledged', acknowledgedBy: expect.stringMatching(/^api:/) },
      });
    expect(
      (await host.api.get<{ items: Alert[] }>('/v1/alerts?state=acknowledged')).body.items,
    ).toMatchObject([{ id }]);
    const ofRule = async (rule: string) =>
      (await host.api.get<{ items: Alert[] }>(`/v1/alerts?rule=${rule}&limit=500`)).body.items;
    expect((await ofRule('low-stock')).map((alert) => alert.id)).toContain(id);
    expect((await ofRule('low-stock')).every(({ rule }) => rule === 'low-stock')).toBe(true);
    expect(await ofRule('none')).toEqual([]);
    expect((await host.api.post(`/v1/alerts/${id}/resolve`)).body).toMatchObject({ id, state: 'resolved' });
    expect(await host.api.post(`/v1/alerts/${id}/acknowledge`)).toMatchObject({
      status: 409,
      body: { code: 'wrong-state' },
    });
    await evaluate();
    expect(await alertsOf('low-stock:C')).toMatchObject([{ id, state: 'resolved', count: 1 }]);
    await eventually(() =>
      expect(told('low-stock:C')).toEqual(['alert.opened', 'alert.acknowledged', 'alert.resolved']),
    );
    for (const nobody of ['999999', 'x', '9'.repeat(30)])
      expect(await host.api.post(`/v1/alerts/${nobody}/resolve`)).toMatchObject({ status: 404 });
  });

  test('a channel that goes away is told with its reason, at once, and what waits for it is not told as well', async () => {
    host.shop.outage('unreachable');
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1 });
    await eventually(async () => {
      expect(await alertsOf('breaker-open:shop')).toMatchObject([
        {
          severity: 'critical',
          channel: 'shop',
          summary: expect.stringMatching(/^shop has not answered for .*doctor/),
        },
      ]);
    }, 20_000);
    await sql(`UPDATE dirty_listings SET since = now() - interval '1 hour'`);
    await evaluate();
    expect(await alertsOf('queue-age:shop')).toEqual([]);
    host.shop.outage(null);
    await eventually(
      async () => expect(await evaluated('breaker-open:shop')).toMatchObject({ state: 'resolved' }),
      20_000,
    );
  });

  test('an order that nothing covers, and one that nobody can map, are told', async () => {
    const line = (channelSku: string) => ({ lineId: '1', channelSku, quantityUnits: 3 });
    for (const [orderId, sku] of Object.entries({ 'O-1': 'B', 'O-2': 'UNKNOWN' })) {
      host.shop.list([{ channelSku: sku, quantityUnits: 5 }]);
      host.shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines: [line(sku)] });
    }
    for (const orderId of ['O-1', 'O-2'])
      expect((await deliver(host, host.shop.webhookFor(orderId))).status).toBe(200);
    await deliver(host, signedWebhook({ id: 7 }));
    await eventually(async () => {
      expect(await evaluated('oversells:shop')).toMatchObject({
        severity: 'critical',
        state: 'open',
        link: '/#/oversells?channel=shop',
      });
      expect((await alertsOf('parked:shop'))[0]?.summary).toMatch(
        /^\d items? of shop wait for a person: .*1 order lines/,
      );
    });
  });

  test('a task that fails, one that nobody runs and a receiver that takes nothing are told', async () => {
    host.app.get(JobsService).process('probe', () => Promise.reject(new Error('the disk is full')));
    const every = { key: undefined, everySeconds: 1 };
    await host.app.get(ScheduleService).declare([{ name: 'probe', ...every }]);
    await sql(
      `INSERT INTO schedule (name, job, every_seconds, declared_at, due_at) VALUES ('nobody', 'nobody', 60, now(), now() - interval '1 hour')`,
    );
    await host.api.post('/v1/skus', { sku: 'A', tags: ['told'] });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1 });
    await eventually(async () => {
      expect(await evaluated('task-failing:probe')).toMatchObject({
        summary: expect.stringMatching(/the disk is full\. Put right/),
      });
      expect(await alertsOf('task-overdue:nobody')).toMatchObject([
        { summary: expect.stringMatching(/^nobody should have run 60 min ago/) },
      ]);
      expect(await alertsOf('receiver-failing:broken')).toMatchObject([
        { summary: expect.stringMatching(/it answered 500\); 1 delivery wait.*receivers test broken/) },
      ]);
    });
    await sql(`DELETE FROM schedule WHERE name IN ('probe', 'nobody')`);
    expect(await evaluated('task-failing:probe')).toMatchObject({ state: 'resolved' });
  });

  test.each<[key: string, rows: string, summary: RegExp]>([
    [
      'drift-escalated:shop',
      `INSERT INTO drifts (channel, channel_sku, cause, since, found_at, run_id, escalated_at)
       SELECT 'shop', sku, 'channel-edit', now(), now(), gen_random_uuid(), now() FROM unnest(ARRAY['X1', 'X2', 'X3', 'X4']) AS s (sku)`,
      /^4 listings of shop \(X1, X2, X3, …\) keep showing another/,
    ],
    [
      'drift-ratio:shop',
      `INSERT INTO tasks (id, kind, subject, state, asked_by, report)
       VALUES (gen_random_uuid(), 'reconcile', 'shop', 'done', 'test', '{"listings": 200, "drifted": 10}')`,
      /^10 listings of shop \(5 %\)/,
    ],
    [
      'count-drift:wms',
      `INSERT INTO counts (id, source, content_hash, kind, taken_at, reason, state, received_by, finished_at, accuracy, drift)
       VALUES (gen_random_uuid(), 'wms', 'x', 'full', now(), 'r', 'done', 'test', now(), 0.9, 0.0123)`,
      /^The last count of wms differs from the ledger by 1\.23 %/,
    ],
    [
      'stranded-reservations',
      `INSERT INTO stranded_reservations (reservation_id, state, units, skus, reserved_at, found_at)
       VALUES (gen_random_uuid(), 'confirmed', 4, '{A}', now(), now())`,
      /^1 reservation with 4 units/,
    ],
    [
      'ledger-check',
      `INSERT INTO tasks (id, kind, subject, state, asked_by, report)
       VALUES (gen_random_uuid(), 'verify', 'ledger', 'done', 'test', '{"ok": false, "violationCount": 2}')`,
      /^The last check of the ledger found 2 contradictions/,
    ],
    [
      'orders-unread:shop',
      `INSERT INTO order_polls (channel, failing_since, error) VALUES ('shop', now() - interval '3 hours', 'no scope')
       ON CONFLICT (channel) DO UPDATE SET failing_since = excluded.failing_since, error = excluded.error`,
      /^The orders of shop could not be read for 3 h: no scope\./,
    ],
    [
      'queue-depth:shop',
      `INSERT INTO dirty_listings (listing_id, channel, since, not_before)
       VALUES (987654, 'shop', now() - interval '1 hour', 'infinity')`,
      /^\d+ listings? of shop wait/,
    ],
    ['queue-age:shop', `SELECT 1`, /^shop shows a quantity that changed 60 min ago/],
  ])('%s is raised from what the other rooms note', async (key, rows, summary) => {
    await sql(rows);
    const alert = await evaluated(key);
    expect(alert).toMatchObject({ key, state: 'open' });
    expect(alert!.summary).toMatch(summary);
  });

  test('a KPI that misses its aim, and a channel that answers 429, are told with what they are', async () => {
    const tooMany = { lines: [{ sku: 'A', quantity: 1_000_000 }] };
    expect((await host.api.post('/v1/reservations', tooMany)).status).toBe(409);
    await sql(
      `INSERT INTO channel_calls (minute, channel, host, answered, throttled, unanswered, refused)
       VALUES (date_trunc('minute', now()), 'shop', gen_random_uuid(), 0, 100000, 0, 0)`,
    );
    expect(await evaluated('kpi:reservation_conflict_rate')).toMatchObject({
      ...{ state: 'open', threshold: 0.003, link: '/#/kpis/reservation_conflict_rate' },
      summary: expect.stringMatching(
        /^The KPI reservation conflict rate was [\d.]+ % in the last hour, and 0\.3 % is/,
      ),
    });
    expect(await alertsOf('throttled:shop')).toMatchObject([{ state: 'open', value: expect.any(Number) }]);
    // Rules of their own look at what is behind these.
    expect([...(await alertsOf('kpi:oversells')), ...(await alertsOf('kpi:stranded_reservations'))]).toEqual(
      [],
    );
  });

  test('a rule that cannot be looked at leaves its alerts, and all others, as they are', async () => {
    await sql('ALTER TABLE stranded_reservations RENAME TO away');
    try {
      await sql(`UPDATE counts SET drift = 0`);
      await expect(evaluate()).rejects.toThrow(/rules could not be looked at: stranded-reservations: /);
      expect(await alertsOf('stranded-reservations')).toMatchObject([{ state: 'open' }]);
      expect(await alertsOf('count-drift:wms')).toMatchObject([{ state: 'resolved' }]);
    } finally {
      await sql('ALTER TABLE away RENAME TO stranded_reservations');
    }
  });

  test('rules are told with what holds for them, and how many alerts each has', async () => {
    const { body } = await host.api.get<{ items: object[] }>('/v1/alerts/rules');
    expect(body.items).toHaveLength(17);
    expect(body.items).toContainEqual({
      ...{ name: 'drift-escalated', unit: 'count', setting: 'alerts.rules.driftEscalated', enabled: true },
      ...{ threshold: 0, severity: 'warning', unresolved: 1, title: expect.stringMatching(/drift again/) },
    });
  });
});
