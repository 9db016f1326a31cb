import { setTimeout as sleep } from 'node:timers/promises';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import { createTestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const SKUS = ['A', 'B', 'C', 'D'];

const restock = (host: SpawnedHost, quantity: number) =>
  host.api.post(
    '/v1/events',
    SKUS.map((sku) => ({ type: 'RESTOCK', sku, quantity })),
  );

/** RELIABILITY F3: a worker that sleeps past its lease, wakes, and goes on where it was. */
test('a worker that was stopped for longer than its lease sends nothing of what it had claimed', async () => {
  const database = await createTestDatabase();
  const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
  shop.list(SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
  // One call a second, so that the claimed listings wait for their turn.
  const options = { ...shop.pluginOptions, push: { batch: false }, limit: { perSecond: 1, burst: 1 } };
  const listings = listingsCsv(SKUS.map((sku) => [sku, sku, 1]));
  const folder = await HostFolder.create(
    { channels: [{ name: 'shop', plugin: GENERIC_REST_PACKAGE, options, listings }] },
    database.url,
  );
  const pushed = () => shop.calls.filter(({ method }) => method === 'PUT').length;
  const shown = () => SKUS.map((sku) => shop.shown().get(sku));
  try {
    const sleeper = await folder.start();
    await restock(sleeper, 5);
    await eventually(() => expect(shown()).toEqual([5, 5, 5, 5]), 20_000);
    await restock(sleeper, 2);
    const before = pushed();
    await eventually(() => expect(pushed()).toBeGreaterThan(before), 10_000);
    process.kill(sleeper.pid, 'SIGSTOP');

    const other = await folder.start();
    await restock(other, 3);
    await eventually(() => expect(shown()).toEqual([10, 10, 10, 10]), 30_000);
    const whileStopped = pushed();
    process.kill(sleeper.pid, 'SIGCONT');
    await sleep(3_000);
    expect(shown()).toEqual([10, 10, 10, 10]);
    expect(pushed()).toBe(whileStopped);

    await other.kill('SIGTERM');
    await restock(sleeper, 1);
    await eventually(() => expect(shown()).toEqual([11, 11, 11, 11]), 20_000);
  } finally {
    await folder.remove();
    await shop.close();
    await database.drop();
  }
}, 120_000);
