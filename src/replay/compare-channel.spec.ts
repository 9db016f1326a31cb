import { compareChannel, PLAIN_RULES, publishedUnits } from './compare-channel';
import type { HostClient } from './host-client';

const RULES = { buffer: { units: 2, percent: 5 }, cap: 100, locations: [] };

test.each([
  [-3, 0],
  [0, 0],
  [2, 0],
  [10, 8],
  [41, 38],
  [60, 57],
  [500, 100],
])('of %i available, %i are shown with a buffer of 2 units or 5 %% and a cap of 100', (available, shown) => {
  expect(publishedUnits(available, RULES)).toBe(shown);
});

const stockItem = (sku: string, main: number, attic: number) => ({
  sku,
  total: { available: main + attic, reserved: 1 },
  locations: [
    { location: 'main', available: main },
    { location: 'attic', available: attic },
  ],
});

const host = {
  *items() {
    yield* [stockItem('A', 3, 2), stockItem('B', 4, 0), stockItem('a', 1, 0)];
  },
} as unknown as HostClient;

test('listings that show something else than the ledger are named, SKUs by their exact case', async () => {
  const shown = new Map([
    ['A', 5],
    ['B', 3],
    ['a', 5],
    ['C', 0],
  ]);
  await expect(compareChannel(host, shown, PLAIN_RULES)).resolves.toEqual({
    differences: [
      { channelSku: 'B', shown: 3, expected: 4 },
      { channelSku: 'a', shown: 5, expected: 1 },
      { channelSku: 'C', shown: 0, expected: null },
    ],
    reservedUnits: 3,
  });
});

test('only the locations that serve the channel count', async () => {
  const { differences } = await compareChannel(host, new Map([['A', 3]]), {
    ...PLAIN_RULES,
    locations: ['main'],
  });
  expect(differences).toEqual([]);
});

test('where what is withheld depends on sales, the host is asked what should show', async () => {
  const asked: string[] = [];
  const telling = {
    *items(path: string) {
      asked.push(path);
      yield* path.startsWith('/v1/stock') ? [stockItem('A', 9, 0)] : [{ channelSku: 'A', quantity: 4 }];
    },
  } as unknown as HostClient;
  const rules = { ...PLAIN_RULES, toldFor: 'shop' };
  expect((await compareChannel(telling, new Map([['A', 4]]), rules)).differences).toEqual([]);
  expect((await compareChannel(telling, new Map([['A', 9]]), rules)).differences).toEqual([
    { channelSku: 'A', shown: 9, expected: 4 },
  ]);
  expect(asked).toContain('/v1/channels/shop/listings');
});
