import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { type DoubleBuyResult, raceForLastUnits } from '../../src/replay/double-buy';
import { HostClient } from '../../src/replay/host-client';
import { ADMIN_KEY, GENERIC_REST_SOURCE } from '../support/host';
import { listingsCsv, startShopHost, WEBHOOK_SECRET } from '../support/shop-host';

const SKUS = Array.from({ length: 25 }, (_, index) => `LAST-${index}`);
const LISTINGS = listingsCsv(SKUS.map((sku) => [sku, sku, 1]));

async function race(buffers: object): Promise<DoubleBuyResult> {
  const market: ChannelSimulator = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
  market.list(SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
  const limit = { perSecond: 10_000, burst: 10_000 };
  const host = await startShopHost({
    buffers,
    shows: SKUS,
    shop: { listings: LISTINGS, pollOrdersEverySeconds: 0 },
    channels: [
      {
        name: 'market',
        plugin: GENERIC_REST_SOURCE,
        listings: LISTINGS,
        pollOrdersEverySeconds: 0,
        options: { limit, ...market.pluginOptions },
      },
    ],
  });
  try {
    const channels = [
      { name: 'shop', simulator: host.shop },
      { name: 'market', simulator: market },
    ] as const;
    const client = new HostClient({ url: host.url, apiKey: ADMIN_KEY });
    return await raceForLastUnits({ host: client, channels: [...channels] }, { skus: SKUS, seed: 1 });
  } finally {
    await host.close();
    await market.close();
  }
}

test('two channels that sell the last units at once oversell them, and with the base rule less than 0.3 % of orders', async () => {
  const without = await race({});
  const withBase = await race({ rule: 'base', everySeconds: 1 });
  expect(without.conflictPercent).toBeGreaterThan(1);
  expect(without).toMatchObject({ unsoldUnits: 0 });
  expect(withBase.doubleBuys).toBeGreaterThan(SKUS.length);
  expect(withBase.conflictPercent).toBeLessThan(0.3);
  // What it costs: what is withheld is not sold.
  expect(withBase.unsoldUnits).toBeGreaterThan(0);
  expect(withBase.unsoldUnits).toBeLessThanOrEqual(5 * SKUS.length);
}, 120_000);
