import { HostClient } from '../../src/replay/host-client';
import { listingsCsv } from '../../src/replay/listings-csv';
import { parseOrders } from '../../src/replay/order-file';
import { PLAIN_RULES } from '../../src/replay/compare-channel';
import { listSkus, replay } from '../../src/replay/replay';
import type { Summary } from '../../src/replay/summary';
import { drawOrders } from '../../src/replay/synthetic-orders';
import { ADMIN_KEY } from '../support/host';
import { startShopHost } from '../support/shop-host';

/** The header and the first lines of a synthetic fortnight: some days of orders, returns and corrections. */
const file = parseOrders(
  Buffer.from(drawOrders(7).split('\n').slice(0, 4_000).join('\n') + '\n'),
  'part of a synthetic fortnight, seed 7',
);

interface Replayed {
  summary: Summary;
  levels: unknown[];
}

/** On a host, a database and a shop of its own. */
async function replayed(options: {
  duplicateShare: number;
  shuffleWithinMs: number;
  opening: number;
}): Promise<Replayed> {
  const host = await startShopHost({ shop: { listings: listingsCsv(file) } });
  try {
    listSkus(host.shop, file);
    const summary = await replay(
      file,
      { speed: 0, seed: 7, ...options },
      {
        host: new HostClient({ url: host.url, apiKey: ADMIN_KEY }),
        simulator: host.shop,
        channel: 'shop',
        rules: PLAIN_RULES,
        onProgress: () => undefined,
      },
    );
    const levels = await host.dataSource.query(
      `SELECT code, available, reserved, quarantined, damaged, in_transit, on_order
         FROM levels JOIN skus ON skus.id = sku_id ORDER BY code`,
    );
    return { summary, levels };
  } finally {
    await host.close();
  }
}

describe('a file of sales', () => {
  test('ends in the same levels with duplicates and out of order as without, on the channel too', async () => {
    const plain = await replayed({ duplicateShare: 0, shuffleWithinMs: 0, opening: 1 });
    const rough = await replayed({ duplicateShare: 0.1, shuffleWithinMs: 60_000, opening: 1 });
    expect(plain.summary).toMatchObject({
      channelEqual: true,
      verified: true,
      shortfalls: 0,
      duplicatesIgnored: 0,
    });
    expect(rough.summary).toMatchObject({ channelEqual: true, verified: true, shortfalls: 0 });
    expect(rough.summary.duplicatesIgnored).toBe(rough.summary.webhooksRepeated);
    expect(rough.summary.duplicatesIgnored).toBeGreaterThan(0);
    expect(rough.summary.eventsByType).toEqual(plain.summary.eventsByType);
    expect(plain.levels.length).toBeGreaterThan(500);
    expect(rough.levels).toEqual(plain.levels);
  }, 120_000);

  test('that takes more than there is ends in shortfalls, and the channel still shows what the ledger says', async () => {
    const { summary } = await replayed({ duplicateShare: 0, shuffleWithinMs: 0, opening: 0.8 });
    expect(summary).toMatchObject({ channelEqual: true, verified: true });
    expect(summary.shortfalls).toBeGreaterThan(0);
  }, 120_000);
});
