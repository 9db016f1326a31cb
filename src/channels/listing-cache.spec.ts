import { type Listing, ListingCache } from './listing-cache';

const listing = (id: number, channelSku: string, skuIds: number[], channel = 'shop'): Listing => ({
  id,
  channel,
  channelSku,
  components: skuIds.map((skuId) => ({ skuId, units: 1 })),
  origin: 'file',
  revision: 1,
  cap: null,
  bufferUnits: null,
  bufferPercent: null,
});

test('a listing is found by id, by channel SKU, and its channel by each of its SKUs', () => {
  const cache = new ListingCache();
  const set = listing(1, 'SET', [7, 8]);
  cache.set(set);
  cache.set(listing(2, 'SET', [8], 'market'));
  expect([cache.get(1), cache.find('shop', 'SET')]).toEqual([set, set]);
  expect(cache.find('shop', 'constructor')).toBeUndefined();
  expect([cache.channelsOf([7]), cache.channelsOf([8, 9])]).toEqual([
    new Set(['shop']),
    new Set(['shop', 'market']),
  ]);
});

test('a listing set anew is known by its old SKUs no more, unless another listing holds them', () => {
  const cache = new ListingCache();
  cache.set(listing(1, 'SET', [7, 8]));
  cache.set(listing(2, 'ONE', [8]));
  cache.set(listing(1, 'SET', [9]));
  expect(cache.channelsOf([7]).size).toBe(0);
  expect(cache.channelsOf([8])).toEqual(new Set(['shop']));
  cache.remove(2);
  cache.remove(2);
  expect(cache.channelsOf([8]).size).toBe(0);
  expect(cache.ofChannel('shop').map(({ channelSku }) => channelSku)).toEqual(['SET']);
  expect(cache.countOf('shop')).toBe(1);
});
