import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import { type ChannelSimulator, limitBreaches } from '../../src/channel-api';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

/** Continuous integration lets it last two minutes. */
const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 8) * 1_000;
const LIMIT = { perSecond: 20, burst: 10 };
const SKUS = Array.from({ length: 40 }, (_, index) => `SKU-${index}`);
const SHOPS = ['north', 'south'];
/** Of each shop, however slow the machine is. */
const FEWEST_ORDERS = 110;
const HOSTILE = {
  duplicate: 0.1,
  reorder: 0.1,
  delay: 0.1,
  delayUpToMs: 500,
  drop: 0.02,
  fail: 0.05,
  loseAnswer: 0.02,
  throttle: 0.02,
};
const WELL = { duplicate: 0, reorder: 0, delay: 0, drop: 0, fail: 0, loseAnswer: 0, throttle: 0 };

/** Buyers of two shops that share their stock: they order, and the shops ship or cancel. */
class Buyers {
  orders = 0;
  private readonly open: string[] = [];
  private stopped = false;
  private done: Promise<void> = Promise.resolve();

  constructor(private readonly shop: ChannelSimulator) {}

  start(): void {
    this.stopped = false;
    this.done = this.trade();
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.done;
  }

  private async trade(): Promise<void> {
    while (!this.stopped) {
      const orderId = `order-${this.orders++}`;
      const lines = [this.orders % SKUS.length, (this.orders * 7 + 3) % SKUS.length].map((sku, index) => ({
        lineId: String(index),
        channelSku: SKUS[sku]!,
        quantityUnits: 1,
      }));
      this.shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
      this.open.push(orderId);
      const at = new Date().toISOString();
      if (this.orders % 3 === 0) this.shop.fulfilOrder(this.open.shift()!, at);
      if (this.orders % 5 === 0) this.shop.cancelOrder(this.open.shift()!, at);
      await sleep(50);
    }
  }
}

describe('two shops that duplicate, reorder, delay, drop, fail and go away', () => {
  let host: TestHost;
  const shops = new Map<string, ChannelSimulator>();

  beforeAll(async () => {
    const channels = [];
    for (const [index, name] of SHOPS.entries()) {
      const shop = await startSimulator({
        webhookSecret: WEBHOOK_SECRET,
        seed: index + 1,
        limit: LIMIT,
        webhookRetryMs: [100, 200, 400],
      });
      shop.list(SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
      shops.set(name, shop);
      channels.push({
        name,
        plugin: GENERIC_REST_SOURCE,
        options: shop.pluginOptions,
        listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])),
        pollOrdersLookbackSeconds: 3_600,
        breaker: { openSeconds: 1 },
      });
    }
    host = await startTestHost({ channels });
    for (const [name, shop] of shops) shop.deliverTo(`${host.url}/webhooks/${name}`);
    await host.api.post(
      '/v1/events',
      SKUS.map((sku) => ({ type: 'RESTOCK', sku, quantity: 200 })),
    );
  });

  afterAll(async () => {
    await host.close();
    for (const shop of shops.values()) await shop.close();
  });

  test(
    'end equal to the ledger, with no order reserved twice and no limit broken',
    async () => {
      const buyers = [...shops.values()].map((shop) => new Buyers(shop));
      for (const shop of shops.values()) shop.faults(HOSTILE);
      for (const each of buyers) each.start();
      await sleep(4_000);
      shops.get('north')!.outage('unavailable');
      await sleep(OUTAGE_MS / 2);
      shops.get('north')!.outage('unreachable');
      await sleep(OUTAGE_MS / 2);
      shops.get('north')!.outage(null);
      await sleep(2_000);
      await eventually(
        () => buyers.forEach(({ orders }) => expect(orders).toBeGreaterThanOrEqual(FEWEST_ORDERS)),
        60_000,
      );
      await Promise.all(buyers.map((each) => each.stop()));
      for (const shop of shops.values()) shop.faults(WELL);
      await Promise.all([...shops.values()].map((shop) => shop.delivered()));

      // Webhooks that never came are caught by the next poll, which need not be waited for here.
      await eventually(async () => {
        for (const name of SHOPS) await host.app.get(JobsService).run('poll-orders', name);
        for (const [name, shop] of shops) expect(await differences(host, name, shop)).toEqual([]);
      }, 60_000);
      await expectOrdersKept(
        host.dataSource,
        buyers.reduce((sum, { orders }) => sum + orders, 0),
      );
      for (const shop of shops.values()) expect(limitBreaches(shop.calls, LIMIT)).toEqual([]);
      expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
    },
    OUTAGE_MS + 180_000,
  );

  /** I5: listings that wait, and those that show another number than the ledger makes. */
  async function differences(from: TestHost, name: string, shop: ChannelSimulator): Promise<unknown[]> {
    const { body } = await from.api.get<{
      items: { channelSku: string; quantity: number; dirty: boolean }[];
    }>(`/v1/channels/${name}/listings?limit=500`);
    const shown = shop.shown();
    return body.items
      .map(({ channelSku, quantity, dirty }) => ({
        channelSku,
        quantity,
        dirty,
        shown: shown.get(channelSku),
      }))
      .filter(({ quantity, dirty, shown: shows }) => dirty || shows !== quantity);
  }

  /** I2, order by order, against what the shops themselves say. */
  async function expectOrdersKept(dataSource: DataSource, placed: number): Promise<void> {
    const rows: { channel: string; orderId: string; net: number; shortfall: number }[] =
      await dataSource.query(
        `SELECT o.channel, o.order_id AS "orderId",
              coalesce((SELECT sum(CASE WHEN to_state = 'reserved' THEN quantity WHEN type = 'RELEASE' THEN -quantity ELSE 0 END)
                          FROM ledger e WHERE e.channel = o.channel AND e.order_id = o.order_id), 0)::int AS net,
              coalesce((SELECT sum(s.quantity) FROM shortfalls s
                         WHERE s.channel = o.channel AND s.order_id = o.order_id AND s.state = 'open'), 0)::int AS shortfall
         FROM orders o`,
      );
    const wrong = rows.filter(({ channel, orderId, net, shortfall }) => {
      const { lines } = shops.get(channel)!.order(orderId);
      const wanted = lines.reduce((sum, line) => sum + line.ordered - line.cancelled, 0);
      return net + shortfall !== wanted;
    });
    expect(wrong).toEqual([]);
    expect(rows).toHaveLength(placed);
  }
});
