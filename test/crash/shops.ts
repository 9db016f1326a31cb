import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { type ChannelSettings, GENERIC_REST_PACKAGE } from '../support/host';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';
import { FaultProxy } from './fault-proxy';

/** Plenty of the first, few of the others: those are fought over, and orders fall short. */
export const PLENTIFUL = Array.from({ length: 12 }, (_, index) => `SKU-${index}`);
export const SCARCE = Array.from({ length: 6 }, (_, index) => `FEW-${index}`);
export const SKUS = [...PLENTIFUL, ...SCARCE];

/** What a channel's SKU is made of: singles, packs of two, and one bundle. */
export const LISTINGS: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map([
  ...SKUS.map((sku) => [`C-${sku}`, new Map([[sku, 1]])] as const),
  ...PLENTIFUL.slice(0, 3).map((sku) => [`PACK-${sku}`, new Map([[sku, 2]])] as const),
  [
    'BUNDLE',
    new Map([
      ['SKU-3', 1],
      ['SKU-4', 2],
    ]),
  ],
]);
export const CHANNEL_SKUS = [...LISTINGS.keys()];

/** Calls that the shops allow, over all hosts. They count and do not refuse: that none is over is what is checked. */
export const LIMIT = { perSecond: 60, burst: 30 };
const TOKEN = 'canary-shop-token';

/** A shop, outside of the hosts, and the network before it. */
export interface Shop {
  name: string;
  simulator: ChannelSimulator;
  proxy: FaultProxy;
}

/**
 * `shop` compares before it sets, and has what is short cancelled; `mart` does neither, puts cancelled units back on
 * sale by itself, is told of one listing at a time, and its short orders wait for stock.
 */
export async function startShops(seed: number): Promise<Shop[]> {
  const behaviour = { shop: { compareAndSet: true }, mart: { restocksOnCancel: true } };
  return Promise.all(
    Object.entries(behaviour).map(async ([name, options]) => {
      const limit = { ...LIMIT, enforced: false };
      const webhookSecret = WEBHOOK_SECRET;
      const simulator = await startSimulator({ webhookSecret, token: TOKEN, seed, limit, ...options });
      simulator.list(CHANNEL_SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
      return { name, simulator, proxy: await FaultProxy.start(simulator.url) };
    }),
  );
}

export function channelsOf(shops: readonly Shop[]): ChannelSettings[] {
  const rows = [...LISTINGS].flatMap(([channelSku, parts]) =>
    [...parts].map(([sku, units]): [string, string, number] => [channelSku, sku, units]),
  );
  return shops.map(({ name, simulator, proxy }) => ({
    name,
    plugin: GENERIC_REST_PACKAGE,
    listings: listingsCsv(rows),
    pollOrdersEverySeconds: 2,
    pollOrdersLookbackSeconds: 60,
    shortfall: name === 'shop' ? { policy: 'cancel', graceSeconds: 1 } : { policy: 'backorder' },
    options: {
      ...simulator.pluginOptions,
      ...(name === 'mart' && { push: { batch: false } }),
      baseUrl: proxy.url,
    },
  }));
}
