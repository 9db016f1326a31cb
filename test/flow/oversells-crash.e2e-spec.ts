import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import { deliver, listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const ORDERS = 20;
const KILLS = 5;
const UNLIMITED = { perSecond: 10_000, burst: 10_000 };

describe('a host that is killed while it has orders cancelled', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let shop: ChannelSimulator;
  let folder: HostFolder;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.dataSource();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
    const channel = {
      name: 'shop',
      plugin: GENERIC_REST_PACKAGE,
      pollOrdersEverySeconds: 0,
      options: { ...shop.pluginOptions, limit: UNLIMITED },
      listings: listingsCsv([['S-A', 'A', 1]]),
      shortfall: { policy: 'cancel', graceSeconds: 0 },
    };
    folder = await HostFolder.create({ channels: [channel] }, database.url);
  });

  afterAll(async () => {
    await folder.remove();
    await shop.close();
    await database.drop();
  });

  const cancelCalls = () => shop.calls.filter(({ path }) => path.endsWith('/cancel'));
  const inShop = (orderId: string) => {
    const body = shop.webhookFor(orderId).body.toString();
    return JSON.parse(body) as { revision: number; lines: { cancelled: number }[] };
  };

  /** What the killed host had in hand is another's after two minutes; this lets them pass. */
  async function letLeasesEnd(): Promise<void> {
    await dataSource.query(`UPDATE oversells SET lease_until = '-infinity', due_at = clock_timestamp()`);
    await dataSource.query(`UPDATE order_polls SET lease_until = '-infinity'`);
    await dataSource.query(`UPDATE inbox SET not_before = '-infinity' WHERE state = 'received'`);
  }

  async function place(host: SpawnedHost, orderId: string): Promise<void> {
    const lines = [{ lineId: 'L', channelSku: 'S-A', quantityUnits: 2 }];
    shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    await deliver(host, shop.webhookFor(orderId));
  }

  test('finds what the shop did for it, and has no order cancelled twice', async () => {
    let host = await folder.start();
    for (let index = 0; index < ORDERS; index++) await place(host, `O-${index}`);
    // Each call is done at once and answered late: most kills fall between the two.
    shop.faults({ slow: 1, slowMs: 150 });
    for (let kill = 0; kill < KILLS; kill++) {
      const before = cancelCalls().length;
      await eventually(() => expect(cancelCalls().length).toBeGreaterThan(before));
      await sleep(Math.random() * 150);
      expect(await host.kill('SIGKILL')).toBe('SIGKILL');
      host = await folder.start();
      await letLeasesEnd();
    }
    shop.faults({ slow: 0 });
    await eventually(async () => {
      const open = await dataSource.query(
        `SELECT order_id, state, note FROM oversells WHERE state <> 'resolved'`,
      );
      expect(open).toEqual([]);
    }, 25_000);
    for (let index = 0; index < ORDERS; index++)
      expect(inShop(`O-${index}`)).toMatchObject({ revision: 2, lines: [{ cancelled: 2 }] });
    const [{ count }] = await dataSource.query(`SELECT count(*)::int AS count FROM cancellations`);
    expect(count).toBe(ORDERS);
    // The shop was looked at first, so that it was not even asked twice.
    expect(cancelCalls()).toHaveLength(ORDERS);
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
  }, 90_000);
});
