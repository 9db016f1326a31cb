import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

const BUDGET_MS = 2_500;
const SKUS = ['A', 'B', 'C', 'D'];

interface Listing {
  id: number;
  channelSku: string;
  quantity: number;
  dirty: boolean;
  parked: boolean;
  waits: { for: string; until: string } | null;
}

let host: ShopHost;

beforeAll(async () => {
  host = await startShopHost({
    shows: SKUS,
    shop: {
      plugin: join(__dirname, '../support/demanding-plugin.ts'),
      listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])),
      options: { changesPerListing: 3, budgetMs: BUDGET_MS, refusesAfterMs: 300, namesOrdersOnly: true },
    },
  });
  // The first push of each listing, to 0, has used a change of it.
  await sleep(BUDGET_MS);
});
afterAll(() => host.close());

const adjust = (sku: string, quantity: number) =>
  host.api.post('/v1/events', { type: 'ADJUST', sku, quantity, reason: 'count' });

const shown = (sku: string) => host.shop.shown().get(sku);

async function listing(sku: string): Promise<Listing> {
  const { body } = await host.api.get<{ items: Listing[] }>('/v1/channels/shop/listings');
  return body.items.find(({ channelSku }) => channelSku === sku)!;
}

/** Uses up all changes of a listing but the one that is kept for 0, and has it wait for another. */
async function useUp(sku: string): Promise<Listing> {
  for (const quantity of [1, 2]) {
    await adjust(sku, 1);
    await eventually(() => expect(shown(sku)).toBe(quantity));
  }
  await adjust(sku, 7);
  let waiting: Listing | undefined;
  await eventually(async () => {
    waiting = await listing(sku);
    expect(waiting.waits).not.toBeNull();
  });
  return waiting!;
}

test('a listing whose budget is used up waits, says why and until when, and is pushed then', async () => {
  const waiting = await useUp('A');
  expect(waiting).toMatchObject({ quantity: 9, dirty: true, parked: false });
  expect(waiting.waits!.for).toBe('its changes are used up');
  expect(Date.parse(waiting.waits!.until)).toBeGreaterThan(Date.now());
  const { body } = await host.api.get<Listing>(`/v1/listings/${waiting.id}/waterfall`);
  expect(body).toMatchObject({ quantity: 9, waits: waiting.waits });
  // Changes while it waits ask neither the plugin nor the channel.
  const before = host.shop.calls.length;
  await adjust('A', -1);
  await adjust('A', 2);
  await eventually(() => expect(shown('A')).toBe(10), 10_000);
  expect(host.shop.calls.slice(before).filter(({ path }) => path.includes('batch'))).toHaveLength(1);
  const pushes = await host.api.get<{ items: { state: string }[] }>(`/v1/listings/${waiting.id}/pushes`);
  expect(pushes.body.items.filter(({ state }) => state === 'rejected')).toHaveLength(1);
  expect(await listing('A')).toMatchObject({ dirty: false, waits: null });
});

test('what is kept is used to show 0 at once, while the listing waits', async () => {
  const { waits } = await useUp('B');
  await adjust('B', -9);
  await eventually(() => expect(shown('B')).toBe(0));
  expect(Date.parse(waits!.until)).toBeGreaterThan(Date.now());
  await adjust('B', 4);
  await eventually(() => expect(shown('B')).toBe(4), 10_000);
});

test('what is sold out while its refusal is under way shows 0 before the budget is back', async () => {
  for (const quantity of [1, 2]) {
    await adjust('D', 1);
    await eventually(() => expect(shown('D')).toBe(quantity));
  }
  const usedUpAt = Date.now();
  await adjust('D', 7);
  await sleep(150);
  await adjust('D', -9);
  await eventually(() => expect(shown('D')).toBe(0));
  expect(Date.now() - usedUpAt).toBeLessThan(BUDGET_MS - 500);
});

test('a webhook that only names an order has it read, and leaves no body behind', async () => {
  await adjust('C', 5);
  host.shop.placeOrder({
    orderId: 'o-1',
    placedAt: new Date().toISOString(),
    lines: [{ lineId: 'l-1', channelSku: 'C', quantityUnits: 2 }],
  });
  await deliver(host, host.shop.webhookFor('o-1'));
  await eventually(async () => expect((await listing('C')).quantity).toBe(3));
  await eventually(async () =>
    expect(
      await host.dataSource.query(`SELECT state, length(body) AS bytes FROM inbox WHERE channel = 'shop'`),
    ).toMatchObject([{ state: 'applied', bytes: 0 }]),
  );
});

test('one that is faster than the channel’s own list is read again until the order is there', async () => {
  const order = {
    orderId: 'o-2',
    placedAt: new Date().toISOString(),
    lines: [{ lineId: 'l-1', channelSku: 'C', quantityUnits: 1 }],
  };
  const webhook = signedWebhook({ id: 'o-2', revision: 1, placed_at: order.placedAt, lines: [] });
  expect(await deliver(host, webhook)).toMatchObject({ status: 200 });
  const inbox = () =>
    host.dataSource.query(`SELECT state, error FROM inbox WHERE channel = 'shop' ORDER BY id DESC LIMIT 1`);
  await eventually(async () =>
    expect(await inbox()).toMatchObject([{ state: 'received', error: expect.stringContaining('order') }]),
  );
  host.shop.placeOrder(order);
  await eventually(async () => expect((await listing('C')).quantity).toBe(2), 10_000);
  // The order is known before the notification is told to be done with.
  await eventually(async () => expect(await inbox()).toMatchObject([{ state: 'applied', error: null }]));
});
