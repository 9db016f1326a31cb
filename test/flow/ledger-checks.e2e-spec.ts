import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { tamper } from '../support/inventory-app';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

interface Verification {
  ok: boolean;
  listings: number;
  violationCount: number;
  violations: { invariant: string; message: string }[];
}

/** Of a host whose tables are made wrong behind its back. */
describe('checking a host', () => {
  let host: ShopHost;

  beforeAll(async () => {
    const skus = ['A', 'B'];
    host = await startShopHost({
      shows: skus,
      // Rare enough that nobody puts right what a test made wrong.
      intake: { sweepEverySeconds: 3_600 },
      push: { pollEverySeconds: 3_600 },
      shop: { listings: listingsCsv(skus.map((sku) => [sku, sku, 1])), pollOrdersEverySeconds: 0 },
    });
    await host.api.post(
      '/v1/events',
      skus.map((sku) => ({ type: 'RESTOCK', sku, quantity: 10 })),
    );
    await eventually(async () =>
      expect(await host.dataSource.query('SELECT FROM dirty_listings')).toEqual([]),
    );
    await rest();
  });

  afterAll(() => host.close());

  const verify = async () => (await host.api.post<Verification>('/v1/ledger/verify')).body;
  /** Lets so much time pass that nothing is taken to be on its way. */
  async function rest(): Promise<void> {
    await tamper(host.database.url, `UPDATE levels SET updated_at = updated_at - interval '1 hour'`);
    await tamper(
      host.database.url,
      `UPDATE pushes SET answered_at = answered_at - interval '1 hour', sent_at = sent_at - interval '1 hour'`,
    );
  }

  test('finds nothing wrong with one that is well, and says what it looked at', async () => {
    expect(await verify()).toMatchObject({ ok: true, listings: 2, violations: [] });
    const { body } = await host.api.withKey(undefined).get<string>('/metrics');
    expect(body).toMatch(/^onhand_verify_ok 1$/m);
  });

  test('finds a change that was never pushed', async () => {
    await tamper(host.database.url, 'UPDATE shown_quantities SET pushed_units = 4 WHERE listing_id = 1');
    expect(await verify()).toMatchObject({
      ok: false,
      violations: [{ invariant: 'I6', message: 'shop took 4 for A, 10 is right, and no push is on its way' }],
    });
    await host.dataSource.query(
      `INSERT INTO dirty_listings (listing_id, channel, not_before) VALUES (1, 'shop', now() + interval '1 hour')`,
    );
    expect(await verify()).toMatchObject({ ok: true });
    await tamper(host.database.url, 'UPDATE shown_quantities SET pushed_units = 10 WHERE listing_id = 1');
    await host.dataSource.query('DELETE FROM dirty_listings');
  });

  test('finds a push that was never answered, and a webhook that nobody applies', async () => {
    await host.dataSource.query(
      `INSERT INTO pushes (id, listing_id, channel, quantity, waterfall, trigger, state, sent_at)
       VALUES (gen_random_uuid(), 2, 'shop', 10, '{}', 'change', 'sent', now() - interval '1 hour')`,
    );
    await host.dataSource.query(
      `INSERT INTO inbox (channel, identity, topic, path, headers, body, received_at, not_before)
       VALUES ('shop', 'x', 't', '/', '{}', 'x', now() - interval '1 hour', now() - interval '1 hour')`,
    );
    const found = await verify();
    expect(found.violations.map(({ invariant }) => invariant).sort()).toEqual(['inbox', 'pushes']);
    await host.dataSource.query(`DELETE FROM pushes WHERE state = 'sent'`);
    await host.dataSource.query('DELETE FROM inbox');
  });

  test('finds a hold that nobody gives back', async () => {
    const held = await host.api.post<{ id: string }>('/v1/reservations', {
      lines: [{ sku: 'A', quantity: 2 }],
      ttlSeconds: 3_600,
    });
    // The sweep of holds, which comes every second, must not come first.
    await host.dataSource.query(
      `UPDATE schedule SET due_at = now() + interval '1 hour' WHERE job = 'expire-holds'`,
    );
    const { id } = held.body;
    await tamper(
      host.database.url,
      `UPDATE reservations SET expires_at = now() - interval '1 hour' WHERE id = $1`,
      [id],
    );
    const { violations } = await verify();
    expect(violations).toEqual([
      { invariant: 'I2', message: expect.stringContaining(`hold ${id} ran out`) as string },
    ]);
    await host.app.get(JobsService).run('expire-holds');
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('finds reservations that nobody fulfils', async () => {
    host.shop.placeOrder({
      orderId: 'LOST',
      placedAt: new Date().toISOString(),
      lines: [{ lineId: '1', channelSku: 'B', quantityUnits: 3 }],
    });
    await deliver(host, host.shop.webhookFor('LOST'));
    await eventually(async () =>
      expect((await host.api.get('/v1/stock/B')).body).toMatchObject({ total: { reserved: 3 } }),
    );
    const stranded = async () =>
      (await host.api.get<{ items: object[] }>('/v1/stranded-reservations')).body.items;
    await host.app.get(JobsService).run('find-stranded');
    expect(await stranded()).toEqual([]);
    await tamper(
      host.database.url,
      `UPDATE reservations SET created_at = now() - interval '49 hours' WHERE order_id = 'LOST'`,
    );
    await host.app.get(JobsService).run('find-stranded');
    expect(await stranded()).toMatchObject([
      { channel: 'shop', orderId: 'LOST', units: 3, skus: ['B'], state: 'confirmed' },
    ]);
    const { body } = await host.api.withKey(undefined).get<string>('/metrics');
    expect(body).toMatch(/^onhand_stranded_units 3$/m);
    host.shop.fulfilOrder('LOST', new Date().toISOString());
    await deliver(host, host.shop.webhookFor('LOST'));
    await eventually(async () =>
      expect((await host.api.get('/v1/stock/B')).body).toMatchObject({ total: { reserved: 0 } }),
    );
    await host.app.get(JobsService).run('find-stranded');
    expect(await stranded()).toEqual([]);
  });

  test('settles what moved between two moments, for each SKU and channel', async () => {
    const [from, to] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];
    const post = (event: object) => host.api.post('/v1/events', { sku: 'SET,"1', ...event });
    await host.api.post('/v1/skus', { sku: 'SET,"1' });
    await post({ type: 'RESTOCK', quantity: 50, occurredAt: '2025-12-31T00:00:00Z' });
    await post({ type: 'RESTOCK', quantity: 20, occurredAt: '2026-01-05T00:00:00Z' });
    await post({ type: 'ADJUST', quantity: -4, reason: 'count', occurredAt: '2026-01-06T00:00:00Z' });
    await post({ type: 'DAMAGE', quantity: 1, occurredAt: '2026-01-07T00:00:00Z' });
    await post({ type: 'RESTOCK', quantity: 9, occurredAt: '2026-02-02T00:00:00Z' });
    const answer = await host.api.get<string>(`/v1/reports/settlement?from=${from}&to=${to}`);
    expect(answer.headers.get('content-type')).toMatch('text/csv');
    const lines = answer.body.trimEnd().split('\n');
    expect(lines[0]).toBe(
      'sku,channel,opening_on_hand,reserved,released,fulfilled,returned,restocked,adjusted,damaged,closing_on_hand',
    );
    expect(lines.filter((line) => line.startsWith('"SET'))).toEqual(['"SET,""1",,50,0,0,0,0,20,-4,1,65']);
    const now = new Date(Date.now() + 1_000).toISOString();
    const { body } = await host.api.get<string>(`/v1/reports/settlement?from=${to}&to=${now}`);
    expect(body).toMatch(/^B,shop,,3,0,3,0,0,0,0,$/m);
    expect((await host.api.get(`/v1/reports/settlement?from=${to}&to=${from}`)).status).toBe(400);
  });

  test('makes levels anew beside the live ones, and says what was wrong with them', async () => {
    await tamper(host.database.url, `UPDATE levels SET available = 77 WHERE sku_id = 1`);
    const rebuilt = await host.api.post('/v1/ledger/rebuild');
    expect(rebuilt).toMatchObject({ status: 200, body: { corrected: 1, added: 0, removed: 0 } });
    expect(await verify()).toMatchObject({ ok: true });
  });
});
