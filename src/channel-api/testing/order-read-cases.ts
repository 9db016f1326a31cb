import type { OrderDocument } from '../contract';
import type { ChannelSimulator } from '../simulator';
import { collect, type ConnectedChannel, expectReadable, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectEqual, expectThat } from './expectations';

const group = 'order reads';
const needs = ['readsOrders'] as const;
/** Enough for several pages of any channel we know. */
const MANY = 600;
/** Two ids that are the same once they are rounded to a double. */
const LONG_IDS = ['820982911946154508', '820982911946154509'] as const;

export const ORDER_READ_CASES: readonly ContractCase[] = [
  {
    group,
    needs,
    name: 'a read over several pages gives every order once, as it stands',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        placeMany(simulator);
        const changed = simulator.fulfilOrder('o-7', '2025-03-02T10:00:00.000Z');
        const { items, pages } = await collect(channel.readOrders({}));
        expectReadable(pages);
        expectThat(pages.length > 1, `${MANY} orders are read in pages, not in one answer`, pages.length);
        expectEqual(new Set(items.map((order) => order.orderId)).size, MANY, 'Every order is given');
        expectEqual(
          items.filter((order) => order.orderId === 'o-7'),
          [changed],
          'An order is given once, as it stands: counts so far, a revision that grew, times in ISO 8601',
        );
      }),
  },
  {
    group,
    needs,
    name: 'a cursor goes on with a read that broke off',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        placeMany(simulator);
        const { pages } = await collect(channel.readOrders({}));
        expectReadable(pages);
        const rest = await collect(channel.readOrders({ cursor: pages[0]?.cursor as string }));
        expectEqual(
          rest.items,
          pages.slice(1).flatMap((page) => page.items),
          'readOrders({ cursor }) gives what comes after the page that the cursor came with',
        );
      }),
  },
  {
    group,
    needs,
    name: 'a read since a time gives the orders changed since, and no others',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        placeMany(simulator);
        simulator.cancelOrder('o-3', '2025-03-05T10:00:00.000Z');
        simulator.fulfilOrder('o-8', '2025-03-05T10:00:01.000Z');
        const { items } = await collect(channel.readOrders({ since: '2025-03-05T10:00:00.000Z' }));
        expectEqual(
          items.map((order) => order.orderId).sort(),
          ['o-3', 'o-8'],
          'readOrders({ since }) gives the orders changed at or after that time, by when they changed and not when they were placed',
        );
      }),
  },
  {
    group,
    needs,
    name: 'an order that does not change during a read is not skipped, and one that does is not lost',
    run: (contract) => withChannel(contract, readWhileOrdersChange),
  },
  {
    group,
    needs,
    name: 'an order that the channel does not document is set aside, and costs no other',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        for (const orderId of ['o-1', 'o-2', 'o-3']) place(simulator, orderId);
        simulator.spoil({ orderId: 'o-2' });
        const { items, pages } = await collect(channel.readOrders({}));
        expectEqual(
          items.map((order) => order.orderId).sort(),
          ['o-1', 'o-3'],
          'An order that cannot be understood is no item, and costs no other order',
        );
        const unreadable = pages.flatMap((page) => page.unreadable ?? []);
        expectThat(
          unreadable.length === 1 && /\w/.test(unreadable[0]?.reason ?? '') && unreadable[0]?.id === 'o-2',
          "It comes in its page's `unreadable` with its id and the reason, for a person to look at",
          unreadable,
        );
      }),
  },
  {
    group,
    needs,
    name: 'ids beyond 2^53 are told apart to the last digit',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        for (const orderId of LONG_IDS) place(simulator, orderId);
        const { items } = await collect(channel.readOrders({}));
        expectEqual(
          items.map((order) => [order.orderId, order.lines[0]?.lineId]).sort(),
          LONG_IDS.map((orderId) => [orderId, `${orderId.slice(0, -1)}7`]),
          'An id is a text, digit by digit: read answers with response.json(), which does not round, never with JSON.parse',
        );
      }),
  },
];

async function readWhileOrdersChange({ simulator, channel }: ConnectedChannel): Promise<void> {
  placeMany(simulator);
  const newest = new Map<string, OrderDocument>();
  const keep = (order: OrderDocument) => {
    if (order.revision > (newest.get(order.orderId)?.revision ?? -1)) newest.set(order.orderId, order);
  };
  let pages = 0;
  for await (const page of channel.readOrders({})) {
    page.items.forEach(keep);
    pages += 1;
    // Some of them were read already, the others were not.
    if (pages === 1)
      for (let index = 0; index < 200; index += 4)
        simulator.fulfilOrder(`o-${index}`, '2025-03-04T10:00:00.000Z');
    if (pages > MANY) break;
  }
  expectEqual(newest.size, MANY, 'No order is skipped because others changed while the read went on');
  const { items } = await collect(channel.readOrders({ since: '2025-03-04T10:00:00.000Z' }));
  items.forEach(keep);
  const old = [...newest.values()].filter(
    (order) => order.revision < simulator.order(order.orderId).revision,
  );
  expectEqual(old, [], 'An order that changed during a read is in it, or in the next read since its begin');
}

function place(simulator: ChannelSimulator, orderId: string): void {
  simulator.placeOrder({
    orderId,
    placedAt: '2025-03-01T10:00:00.000Z',
    lines: [{ lineId: `${orderId.slice(0, -1)}7`, channelSku: 'SKU-1', quantityUnits: 2 }],
  });
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
