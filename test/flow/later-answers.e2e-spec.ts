import { join } from 'node:path';
import {
  type AmazonSimulator,
  type AmazonSimulatorOptions,
  startAmazon,
} from '../../plugins/amazon-sp-api/simulator';
import { JobsService } from '../../src/jobs/jobs.service';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { listingsCsv } from '../support/shop-host';

const PLUGIN = join(__dirname, '../../plugins/amazon-sp-api/amazon-sp-api.plugin.ts');
const PLACED = { orderId: '111-1111111-1111111', placedAt: '2026-01-05T10:00:00.000Z' };

let amazon: AmazonSimulator;
let host: TestHost;

afterEach(async () => {
  await host.close();
  await amazon.close();
});

/** Amazon's minute is a fifth of a second here. */
async function start(
  simulator: Partial<AmazonSimulatorOptions>,
  {
    options = {},
    locations = {},
    ...channel
  }: Record<string, unknown> & { options?: object; locations?: object } = {},
): Promise<void> {
  amazon = await startAmazon({ webhookSecret: 'canary-client-secret', timeScale: 300, ...simulator });
  const skus = ['A', 'B', 'C'];
  amazon.list(skus.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
  host = await startTestHost({
    locations: [{ code: 'main' }, ...(Object.keys(locations).length > 0 ? [{ code: 'amazon' }] : [])],
    push: { pollEverySeconds: 1, confirmEverySeconds: 1, leaseSeconds: 20 },
    channels: [
      {
        name: 'amazon',
        plugin: PLUGIN,
        options: { ...amazon.pluginOptions, ...options },
        listings: listingsCsv([...skus, 'X'].map((sku) => [sku, sku, 1])),
        locations,
        ...channel,
      },
    ],
  });
}

const stocked = (quantity: number, skus = ['A', 'B', 'C', 'X']) =>
  host.api.post(
    '/v1/events',
    skus.map((sku) => ({ type: 'RESTOCK', sku, location: 'main', quantity })),
  );
const query = <T>(sql: string): Promise<T[]> => host.dataSource.query(sql);
const states = () =>
  query<{ sku: string; state: string; quantity: string }>(
    `SELECT DISTINCT ON (l.channel_sku) l.channel_sku AS sku, p.state, p.quantity FROM pushes p
       JOIN listings l ON l.id = p.listing_id ORDER BY l.channel_sku, p.sent_at DESC`,
  );
const patches = () => amazon.calls.filter(({ method }) => method === 'PATCH');

describe('pushes that a channel decides on later', () => {
  const byFeed = { options: { feeds: { fromListings: 3 } } };

  test('a refused row of a finished feed is parked with its reason, and the others are confirmed', async () => {
    await start({}, byFeed);
    await stocked(7);
    await eventually(async () => {
      const parked = await query<{ last_error: string }>(
        'SELECT last_error FROM dirty_listings WHERE parked_at IS NOT NULL',
      );
      expect(parked).toEqual([{ last_error: expect.stringMatching(/^\S+: .*\w/) as string }]);
      expect((await states()).map(({ sku, state }) => `${sku} ${state}`)).toEqual([
        'A confirmed',
        'B confirmed',
        'C confirmed',
        'X rejected',
      ]);
    }, 15_000);
    expect(patches()).toEqual([]);
  });

  test('a listing whose feed is not done waits for it, and is then pushed with its newest quantity', async () => {
    await start({ feedQueuedSeconds: 600 }, byFeed);
    await eventually(() => expect(amazon.feeds.all).toHaveLength(1));
    await stocked(7);
    await stocked(5, ['A']);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(amazon.feeds.all.map(({ processingStatus }) => processingStatus)).toEqual(['IN_QUEUE']);
    expect(patches()).toEqual([]);
    await eventually(() => expect(amazon.shown().get('A')).toBe(12), 15_000);
  });

  test('what was in a feed that ends FATAL is sent again one by one', async () => {
    await start({}, byFeed);
    amazon.feeds.fate('fatal-half');
    await stocked(7);
    await eventually(() => expect([...amazon.shown().values()]).toEqual([7, 7, 7]), 15_000);
    expect(amazon.feeds.all).toHaveLength(1);
    expect(patches().length).toBeGreaterThanOrEqual(3);
  });
});

describe('notifications that lie in a queue', () => {
  test('an order is read when it is told of, reserved once however often it is told, and the queue is left empty', async () => {
    await start({ subscribed: true });
    await stocked(7);
    amazon.faults({ duplicate: 1 });
    amazon.placeOrder({ ...PLACED, lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 2 }] });
    await eventually(async () => {
      const reserved = await query<{ reserved: number }>('SELECT sum(reserved)::int AS reserved FROM levels');
      expect(reserved).toEqual([{ reserved: 2 }]);
      const rows = await query<{ topic: string; state: string; deliveries: number }>(
        `SELECT topic, state, deliveries FROM inbox WHERE topic = 'ORDER_CHANGE'`,
      );
      expect(rows).toEqual([{ topic: 'ORDER_CHANGE', state: 'applied', deliveries: 2 }]);
      expect(amazon.queue.size).toBe(0);
    }, 15_000);
  });
});

describe('stock that the channel holds', () => {
  test('is counted into the ledger at its location, shown by no listing and taken by no order', async () => {
    await start({ fba: true }, { locations: { FBA: 'amazon' } });
    amazon.stockFba([{ sku: 'F', fulfillableUnits: 40 }]);
    await host.api.put('/v1/channels/amazon/listings/F', { components: [{ sku: 'A', units: 1 }] });
    await stocked(3, ['A']);
    await eventually(async () => {
      await host.app.get(JobsService).run('read-counts', 'amazon');
      const levels = await query<{ code: string; available: number }>(
        `SELECT o.code, l.available::int FROM levels l JOIN locations o ON o.id = l.location_id
           JOIN skus s ON s.id = l.sku_id WHERE s.code = 'A' ORDER BY o.code`,
      );
      expect(levels).toEqual([
        { code: 'amazon', available: 40 },
        { code: 'main', available: 3 },
      ]);
    }, 15_000);
    await stocked(1, ['A']);
    await eventually(() => expect(amazon.shown().get('A')).toBe(4), 15_000);
    const reserve = await host.api.post('/v1/reservations', { lines: [{ sku: 'A', quantity: 5 }] });
    expect(reserve.status).toBe(409);
    const [adjust] = await query<{ reason: string; type: string }>(
      `SELECT type, reason FROM ledger WHERE reason LIKE 'counted by%'`,
    );
    expect(adjust).toEqual({ type: 'ADJUST', reason: 'counted by amazon at FBA' });
    expect(patches().some(({ path }) => path.includes('/F'))).toBe(false);
  });
});

describe('a cancellation that the channel decides on later', () => {
  const tooMany = { ...PLACED, lines: [{ lineId: '1', channelSku: 'A', quantityUnits: 2 }] };
  const cancelling = { shortfall: { policy: 'cancel', graceSeconds: 0 } };
  const oversell = async () =>
    (await query<{ state: string; note: string | null }>('SELECT state, note FROM oversells'))[0];

  test('is resolved once the order says so', async () => {
    await start({}, cancelling);
    amazon.placeOrder(tooMany);
    await eventually(() => expect(amazon.order(PLACED.orderId).lines[0]!.cancelled).toBe(2), 15_000);
    await eventually(async () => expect(await oversell()).toMatchObject({ state: 'resolved' }), 15_000);
  });

  test('and refuses in the end is a person’s, with what the channel said', async () => {
    await start({ feedQueuedSeconds: 600 }, cancelling);
    amazon.placeOrder(tooMany);
    await eventually(async () => expect(await oversell()).toMatchObject({ state: 'pending' }), 15_000);
    amazon.fulfilOrder(PLACED.orderId, '2026-01-05T11:00:00.000Z');
    await eventually(async () => {
      await host.app.get(JobsService).run('follow-cancellations', 'amazon');
      expect(await query('SELECT state, error FROM cancellations')).toEqual([
        { state: 'impossible', error: expect.stringMatching(/Amazon refuses it: .*shipped/) as string },
      ]);
    }, 15_000);
  });
});
