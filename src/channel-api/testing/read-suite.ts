import type { ChannelSimulator } from '../simulator';
import { collect, withChannel, type ChannelContract } from './connected-channel';

/** Enough for several pages of any channel we know. */
const MANY = 600;

/** What the channel shows, and its orders. */
export function describeReads<Options extends object>(contract: ChannelContract<Options>): void {
  describe('inventory reads', () => {
    it('a read over several pages gives every SKU once', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        const listed = listMany(simulator);
        const { items, pages } = await collect(channel.readInventory({}));
        expect(pages.length).toBeGreaterThan(1);
        expect(items).toHaveLength(MANY);
        expect(new Map(items.map((item) => [item.channelSku, item.quantityUnits]))).toEqual(listed);
        expect(pages.flatMap((page) => page.unreadable ?? [])).toEqual([]);
      }));

    it('only the last page has no cursor, and each cursor goes on after its page', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        listMany(simulator);
        const { pages } = await collect(channel.readInventory({}));
        expect(pages.map((page) => page.cursor !== undefined)).toEqual([
          ...pages.slice(1).map(() => true),
          false,
        ]);
        const rest = await collect(channel.readInventory({ cursor: pages[0]?.cursor as string }));
        expect(rest.items).toEqual(pages.slice(1).flatMap((page) => page.items));
      }));

    it('a narrowed read gives the SKUs asked for and no others', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        listMany(simulator);
        const { items } = await collect(channel.readInventory({ channelSkus: ['SKU-3', 'SKU-599', 'none'] }));
        expect(items.map((item) => item.channelSku).sort()).toEqual(['SKU-3', 'SKU-599']);
      }));

    it('a channel that lists nothing gives no items', () =>
      withChannel(contract, async ({ channel }) => {
        expect((await collect(channel.readInventory({}))).items).toEqual([]);
      }));
  });

  describeOrderReads(contract);
}

function describeOrderReads<Options extends object>(contract: ChannelContract<Options>): void {
  describe('order reads', () => {
    it('a read over several pages gives every order once, as it stands', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        if (!capabilities.readsOrders) return;
        placeMany(simulator);
        const changed = simulator.fulfilOrder('o-7', '2025-03-02T10:00:00.000Z');
        const { items, pages } = await collect(channel.readOrders({}));
        expect(pages.length).toBeGreaterThan(1);
        expect(new Set(items.map((order) => order.orderId)).size).toBe(MANY);
        expect(items.filter((order) => order.orderId === 'o-7')).toEqual([changed]);
      }));

    it('a cursor goes on with a read that broke off', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        if (!capabilities.readsOrders) return;
        placeMany(simulator);
        const { pages } = await collect(channel.readOrders({}));
        const rest = await collect(channel.readOrders({ cursor: pages[0]?.cursor as string }));
        expect(rest.items).toEqual(pages.slice(1).flatMap((page) => page.items));
      }));

    it('a read since a time gives the orders changed since, and no others', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        if (!capabilities.readsOrders) return;
        placeMany(simulator);
        simulator.cancelOrder('o-3', '2025-03-05T10:00:00.000Z');
        simulator.fulfilOrder('o-8', '2025-03-05T10:00:01.000Z');
        const { items } = await collect(channel.readOrders({ since: '2025-03-05T10:00:00.000Z' }));
        expect(items.map((order) => order.orderId).sort()).toEqual(['o-3', 'o-8']);
      }));
  });
}

function listMany(simulator: ChannelSimulator): Map<string, number> {
  const items = Array.from({ length: MANY }, (_, index) => ({
    channelSku: `SKU-${index}`,
    quantityUnits: index % 50,
  }));
  simulator.list(items);
  return new Map(items.map((item) => [item.channelSku, item.quantityUnits]));
}

function placeMany(simulator: ChannelSimulator): void {
  for (let index = 0; index < MANY; index += 1) {
    simulator.placeOrder({
      orderId: `o-${index}`,
      placedAt: '2025-03-01T10:00:00.000Z',
      lines: [{ lineId: `l-${index}`, channelSku: `SKU-${index % 10}`, quantityUnits: 2 }],
    });
  }
}
