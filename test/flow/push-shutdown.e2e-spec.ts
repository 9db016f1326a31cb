import { startSimulator } from '../../plugins/generic-rest/simulator';
import { createTestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder } from '../support/host';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const SKUS = Array.from({ length: 400 }, (_, index) => `SKU-${index}`);

test('a host that is told to stop while much is to be pushed ends after the push under way, and the next one goes on', async () => {
  const database = await createTestDatabase();
  const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
  shop.list(SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
  // Twenty listings are claimed at once, and take a second.
  shop.faults({ slow: 1, slowMs: 50 });
  const options = {
    ...shop.pluginOptions,
    push: { batch: false },
    limit: { perSecond: 1_000, burst: 1_000 },
  };
  const listings = listingsCsv(SKUS.map((sku) => [sku, sku, 1]));
  const folder = await HostFolder.create(
    { channels: [{ name: 'shop', plugin: GENERIC_REST_PACKAGE, options, listings }] },
    database.url,
  );
  const pushed = () => [...shop.shown().values()].filter((units) => units === 5).length;
  try {
    const first = await folder.start();
    const events = SKUS.map((sku) => ({ type: 'RESTOCK', sku, quantity: 5 }));
    await first.api.post('/v1/events', events);
    await eventually(() => expect(pushed()).toBeGreaterThan(20));
    expect(await first.kill('SIGTERM')).toBe('SIGTERM');
    const left = SKUS.length - pushed();
    expect(left).toBeGreaterThan(100);
    expect(first.output()).not.toMatch(/failed|stopped while at work/);
    const dataSource = await database.dataSource();
    const claimed = 'SELECT count(*)::int AS claimed FROM dirty_listings WHERE lease IS NOT NULL';
    expect(await dataSource.query(claimed)).toEqual([{ claimed: 0 }]);

    shop.faults({ slow: 0 });
    await folder.start();
    await eventually(() => expect(pushed()).toBe(SKUS.length));
  } finally {
    await folder.remove();
    await shop.close();
    await database.drop();
  }
});
