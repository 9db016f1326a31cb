import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ShopifySimulator, startSimulator } from '../../plugins/shopify/simulator';
import { FaultDice } from '../../src/channel-api';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const SHOPIFY_SOURCE = join(resolve(__dirname, '../..'), 'plugins/shopify/shopify.plugin.ts');
/** The shop's locations and ours. */
const LOCATIONS = { '101': 'east', '102': 'north', '103': 'west' };
const SHOP_LOCATIONS = Object.keys(LOCATIONS);
const SKUS = Array.from({ length: 5_000 }, (_, index) => `SKU-${String(index).padStart(4, '0')}`);
const STOCK = 20;
const BUCKET = { maximumAvailable: 2_000, restoreRate: 20 };
/** So many seconds of the shop pass in one of ours: an hour in eight. */
const TIME_SCALE = 450;
const HOUR_MS = 3_600_000 / TIME_SCALE;
/** Points a second of ours, for which the hour's orders, edits and refunds have to wait. */
const THROTTLED_RATE = 50;
const HOSTILE = { duplicate: 0.2, reorder: 0.2, delay: 0.2, delayUpToMs: 500, drop: 0.05 };
const WELL = { duplicate: 0, reorder: 0, delay: 0, drop: 0 };

/** Buyers and staff of the shop: orders at all of its locations, edited, shipped, refunded, returned and cancelled. */
class Traders {
  private readonly dice = new FaultDice(7);
  private readonly open: string[] = [];
  private readonly shipped: string[] = [];
  /** Of a unit each: an order's line has two, and one is kept for its other fates. */
  private readonly refunded = new Set<string>();
  private orders = 0;

  async trade(isOver: () => boolean): Promise<void> {
    for (let turn = 0; !isOver(); turn += 1) {
      this.act(turn % 10, new Date().toISOString());
      await sleep(70);
    }
  }

  private act(kind: number, at: string): void {
    const [orderId] = kind < 5 ? [] : kind === 8 ? this.shipped.splice(0, 1) : this.open.splice(0, 1);
    if (kind < 5) this.place(at);
    if (orderId === undefined) return;
    const [line] = shop.orders.get(orderId).lines;
    if (kind === 5)
      shop.orders.edit(orderId, [{ lineId: line!.id, channelSku: line!.sku, quantityUnits: 4 }], at);
    if (kind === 6 && !this.refunded.has(orderId)) {
      shop.orders.refund(orderId, { lines: [{ lineId: line!.id, units: 1, restockType: 'CANCEL' }], at });
      this.refunded.add(orderId);
    }
    if (kind === 7) shop.fulfilOrder(orderId, at);
    if (kind === 8) {
      const returnId = shop.orders.openReturn(orderId, new Map([[line!.id, 1]]), at);
      shop.orders.receiveReturn(orderId, returnId, at);
    }
    if (kind === 9) shop.cancelOrder(orderId, at);
    if (kind === 5 || kind === 6) this.open.push(orderId);
    if (kind === 7) this.shipped.push(orderId);
  }

  private place(placedAt: string): void {
    // Beyond 2^53, and neighbours.
    const orderId = String(820_982_911_946_154_500n + BigInt((this.orders += 1)));
    const lines = ['1', '2'].map((lineId) => ({
      lineId: `${this.orders}${lineId}`,
      channelSku: SKUS[Math.floor(this.dice.upTo(100))]!,
      channelLocation: SHOP_LOCATIONS[Math.floor(this.dice.upTo(SHOP_LOCATIONS.length))]!,
      quantityUnits: 2,
    }));
    shop.placeOrder({ orderId, placedAt, lines });
    this.open.push(orderId);
  }
}

let shop: ShopifySimulator;
let host: TestHost;

async function start(skus: readonly string[], simulator: object, channel: object = {}): Promise<void> {
  shop = await startSimulator({
    ...{ webhookSecret: WEBHOOK_SECRET, locations: SHOP_LOCATIONS, webhookRetryMs: [100, 200, 400] },
    ...simulator,
  });
  for (const channelLocation of SHOP_LOCATIONS)
    shop.list(skus.map((channelSku) => ({ channelSku, channelLocation, quantityUnits: 0 })));
  host = await startTestHost({
    locations: Object.values(LOCATIONS).map((code, index) => ({ code, priority: index + 1 })),
    channels: [
      {
        name: 'shop',
        plugin: SHOPIFY_SOURCE,
        options: { ...shop.pluginOptions, orderLocations: 'assigned' },
        locations: LOCATIONS,
        listings: listingsCsv(skus.map((sku) => [sku, sku, 1])),
        pollOrdersLookbackSeconds: 3_600,
        breaker: { openSeconds: 1 },
        ...channel,
      },
    ],
  });
}

afterEach(async () => {
  await host.close();
  await shop.close();
});

const deliver = () => shop.deliverTo(`${host.url}/webhooks/shop`);
const restock = (sku: string, location: string, quantity: number) => ({
  type: 'RESTOCK',
  sku,
  location,
  quantity,
});

/** Places where the shop shows another number than the ledger has. */
async function differences(): Promise<object[]> {
  const rows: { sku: string; location: string; available: string }[] = await host.dataSource.query(
    `SELECT s.code AS sku, l.code AS location, v.available
       FROM levels v JOIN skus s ON s.id = v.sku_id JOIN locations l ON l.id = v.location_id`,
  );
  const codes = new Map(Object.entries(LOCATIONS).map(([id, code]) => [code, shop.shown(id)]));
  return rows
    .map(({ sku, location, available }) => ({
      sku,
      location,
      available: Number(available),
      shown: codes.get(location)?.get(sku),
    }))
    .filter(({ available, shown }) => Math.max(available, 0) !== shown);
}

const pollOrders = () => host.app.get(JobsService).run('poll-orders', 'shop');

/** Asked only now and then: the host has the same two cores. */
async function nothingWaits(): Promise<void> {
  await sleep(200);
  expect((await host.api.get('/v1/channels')).body).toMatchObject({ items: [{ dirty: 0 }] });
}

async function equal(): Promise<void> {
  await nothingWaits();
  expect((await differences()).slice(0, 5)).toEqual([]);
}

/** Units that the ledger keeps for an order or sent with it, beside those that the shop says were not cancelled. */
async function unitsByOrder(): Promise<{ orderId: string; kept: number; wanted: number }[]> {
  const rows: { orderId: string; kept: number }[] = await host.dataSource.query(
    `SELECT order_id AS "orderId",
            coalesce(sum(CASE WHEN type = 'RESERVE' THEN quantity WHEN type = 'RELEASE' THEN -quantity END), 0)::int AS kept
       FROM ledger WHERE channel = 'shop' GROUP BY 1`,
  );
  return rows.map(({ orderId, kept }) => {
    const { lines } = shop.order(orderId);
    return { orderId, kept, wanted: lines.reduce((sum, line) => sum + line.ordered - line.cancelled, 0) };
  });
}

test('5,000 variants at three locations stay equal through a throttled hour of orders, edits and refunds', async () => {
  await start(SKUS, { bucket: BUCKET, timeScale: TIME_SCALE });
  const events = SKUS.flatMap((sku) => Object.values(LOCATIONS).map((code) => restock(sku, code, STOCK)));
  const chunks = Array.from({ length: 15 }, (_, index) => events.slice(index * 1_000, (index + 1) * 1_000));
  await Promise.all(chunks.map((chunk) => host.api.post('/v1/events', chunk)));
  await eventually(equal, 120_000);
  // A listing's locations go together: 83 listings at three of them are 249 rows.
  const full = shop.inventory.batches.filter((rows) => rows >= 249);
  expect(full.length).toBeGreaterThan(40);

  const before = shop.bucket.calls.length;
  const points = () => shop.bucket.calls.slice(before).reduce((sum, { actual }) => sum + (actual ?? 0), 0);
  shop.bucket.restoreAt(THROTTLED_RATE);
  shop.faults(HOSTILE);
  deliver();
  const until = Date.now() + HOUR_MS;
  // More than a full bucket holds has to be waited for; on a slow machine it takes longer to ask for so much.
  await new Traders().trade(() => Date.now() > until && points() > BUCKET.maximumAvailable);

  shop.bucket.restoreAt(BUCKET.restoreRate * TIME_SCALE);
  shop.faults(WELL);
  await shop.delivered();
  await eventually(async () => {
    await pollOrders();
    await equal();
  }, 60_000);
  const units = await unitsByOrder();
  expect(units.length).toBeGreaterThan(30);
  expect(units.filter(({ kept, wanted }) => kept !== wanted)).toEqual([]);
  expect(shop.bucket.breaches).toEqual([]);
  expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
}, 240_000);

describe('a shop whose stock is changed elsewhere', () => {
  const FEW = SKUS.slice(0, 20);

  beforeEach(async () => {
    await start(FEW, {});
    await host.api.post(
      '/v1/events',
      FEW.flatMap((sku) => Object.values(LOCATIONS).map((code) => restock(sku, code, 10))),
    );
    await eventually(equal, 30_000);
  });

  const ledgerOf = async (sku: string): Promise<string[]> =>
    (
      (await host.dataSource.query(
        'SELECT type FROM ledger e JOIN skus s ON s.id = e.sku_id WHERE s.code = $1 ORDER BY e.seq',
        [sku],
      )) as { type: string }[]
    ).map(({ type }) => type);

  const pushesOf = async (sku: string): Promise<{ quantity: number; state: string }[]> => {
    const { body } = await host.api.get<{ items: { id: number; channelSku: string }[] }>(
      '/v1/channels/shop/listings?limit=100',
    );
    const { id } = body.items.find(({ channelSku }) => channelSku === sku)!;
    return (await host.api.get<{ items: { quantity: number; state: string }[] }>(`/v1/listings/${id}/pushes`))
      .body.items;
  };

  test('by hand, has that seen as drift and put right, and not taken for a sale', async () => {
    deliver();
    shop.list([{ channelSku: 'SKU-0003', channelLocation: '102', quantityUnits: 4 }]);
    await shop.delivered();
    const report = await host.api.post('/v1/channels/shop/reconcile');
    expect(report.body).toMatchObject({ drifted: 1, equal: FEW.length * 3 - 1 });
    const drifts = await host.api.get<{ items: object[] }>('/v1/channels/shop/drifts');
    expect(drifts.body.items).toMatchObject([
      { channelSku: 'SKU-0003', channelLocation: '102', cause: 'channel-edit', shown: 4, expected: 10 },
    ]);
    await eventually(equal);
    expect(await ledgerOf('SKU-0003')).toEqual(['RESTOCK', 'RESTOCK', 'RESTOCK']);
  });

  test.each([
    ['of which nothing was told', () => undefined],
    ['of which only the level was told', () => run('INVENTORY_LEVELS_UPDATE')],
  ])('by a sale %s, has its orders read before anything is pushed over it', async (_, tell) => {
    await tell();
    // Levels tell their time by the second: in the second of the last push it is not known which was first.
    await sleep(1_100);
    shop.placeOrder({
      orderId: '820982911946154508',
      placedAt: new Date().toISOString(),
      lines: [{ lineId: '1', channelSku: 'SKU-0005', channelLocation: '103', quantityUnits: 3 }],
    });
    await shop.delivered();
    await sleep(300);
    await host.api.post('/v1/events', restock('SKU-0005', 'west', 5));
    await eventually(async () => {
      await equal();
      expect(shop.shown('103').get('SKU-0005')).toBe(12);
    });
    const pushes = await pushesOf('SKU-0005');
    expect(pushes.filter(({ quantity, state }) => quantity === 15 && state === 'applied')).toEqual([]);
    expect(await ledgerOf('SKU-0005')).toEqual(['RESTOCK', 'RESTOCK', 'RESTOCK', 'RESTOCK', 'RESERVE']);
  });

  /** Has one topic sent to the host, and no other. */
  async function run(topic: string): Promise<void> {
    const response = await fetch(`${shop.url}/admin/api/2026-07/graphql.json`, {
      method: 'POST',
      headers: { 'x-shopify-access-token': (shop.pluginOptions.auth as { token: string }).token },
      body: JSON.stringify({
        query:
          'mutation($topic: WebhookSubscriptionTopic!, $uri: String!) { webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri }) { userErrors { message } } }',
        variables: { topic, uri: `${host.url}/webhooks/shop` },
      }),
    });
    expect(await response.json()).toMatchObject({ data: { webhookSubscriptionCreate: { userErrors: [] } } });
  }
});
