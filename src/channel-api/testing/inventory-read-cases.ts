import type { Page, ShownInventory } from '../contract';
import { collect, type ConnectedChannel, expectReadable, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectChannelError, expectEqual, expectFields, expectThat } from './expectations';

const group = 'inventory reads';
/** Enough for several pages of any channel we know. */
const MANY = 600;

export const INVENTORY_READ_CASES: readonly ContractCase[] = [
  {
    group,
    name: 'a read over several pages gives every SKU once',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        const listed = listMany(simulator);
        const { items, pages } = await collect(channel.readInventory({}));
        expectReadable(pages);
        expectThat(pages.length > 1, `${MANY} SKUs are read in pages, not in one answer`, pages.length);
        expectEqual(items.length, MANY, 'Each SKU is given once');
        const shown = new Map(items.map((item) => [item.channelSku, item.quantityUnits]));
        expectEqual(shown, listed, 'A read gives each SKU with what the channel shows');
      }),
  },
  {
    group,
    name: 'only the last page has no cursor, and each cursor goes on after its page',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        listMany(simulator);
        const { pages } = await collect(channel.readInventory({}));
        expectThat(pages.length > 1, `${MANY} SKUs are read in pages, not in one answer`, pages.length);
        expectReadable(pages);
        expectEqual(
          pages.map((page) => page.cursor !== undefined),
          pages.map((_, index) => index < pages.length - 1),
          'Each page but the last has the cursor that goes on after it',
        );
        const rest = await collect(channel.readInventory({ cursor: pages[0]?.cursor as string }));
        expectEqual(
          rest.items,
          pages.slice(1).flatMap((page) => page.items),
          'readInventory({ cursor }) gives what comes after the page that the cursor came with',
        );
      }),
  },
  {
    group,
    name: 'a read that broke off goes on from its last cursor',
    run: (contract) => withChannel(contract, readThroughOutage),
  },
  {
    group,
    name: 'what does not change during a read is not skipped',
    run: (contract) => withChannel(contract, readWhileChanging),
  },
  {
    group,
    name: 'a row that the channel does not document is set aside, and costs no other',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        simulator.list(['SKU-1', 'SKU-2', 'SKU-3'].map((channelSku) => ({ channelSku, quantityUnits: 3 })));
        simulator.spoil({ channelSku: 'SKU-2' });
        const { items, pages } = await collect(channel.readInventory({}));
        expectEqual(
          items.map((item) => item.channelSku).sort(),
          ['SKU-1', 'SKU-3'],
          'A row that cannot be understood is no item, and costs no other row',
        );
        const unreadable = pages.flatMap((page) => page.unreadable ?? []);
        expectEqual(unreadable.length, 1, "It comes in its page's `unreadable`");
        const [{ reason, body } = { reason: '', body: '' }] = unreadable;
        expectThat(
          /\w/.test(reason) && body.includes('SKU-2'),
          'It says why, and carries the row as JSON',
          unreadable,
        );
      }),
  },
  {
    group,
    name: 'a narrowed read gives the SKUs asked for and no others',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        listMany(simulator);
        const channelSkus = ['SKU-3', 'SKU-599', 'none'];
        const { items } = await collect(channel.readInventory({ channelSkus }));
        expectEqual(
          items.map((item) => item.channelSku).sort(),
          ['SKU-3', 'SKU-599'],
          'readInventory({ channelSkus }) gives those SKUs where the channel has them, and no others',
        );
      }),
  },
  {
    group,
    name: 'a channel that lists nothing gives no items',
    run: (contract) =>
      withChannel(contract, async ({ channel }) => {
        const { items } = await collect(channel.readInventory({}));
        expectEqual(items, [], 'A channel that lists nothing gives no items');
      }),
  },
];

async function readThroughOutage({ simulator, channel }: ConnectedChannel): Promise<void> {
  listMany(simulator);
  const pages: Page<ShownInventory>[] = [];
  const rule = 'A read that is cut off fails as channel-unavailable, and the pages before stand';
  const error = await expectChannelError(
    (async () => {
      for await (const page of channel.readInventory({})) {
        pages.push(page);
        simulator.outage('unreachable');
      }
    })(),
    rule,
  );
  expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
  simulator.outage(null);
  const rest = await collect(channel.readInventory({ cursor: pages.at(-1)?.cursor as string }));
  const skus = [...pages.flatMap((page) => page.items), ...rest.items].map((item) => item.channelSku);
  expectEqual(
    [new Set(skus).size, skus.length],
    [MANY, MANY],
    'The last cursor goes on, with nothing lost or twice',
  );
}

async function readWhileChanging({ simulator, channel }: ConnectedChannel): Promise<void> {
  const listed = listMany(simulator);
  const seen = new Map<string, number>();
  let pages = 0;
  for await (const page of channel.readInventory({})) {
    for (const item of page.items) seen.set(item.channelSku, item.quantityUnits);
    pages += 1;
    simulator.list([
      { channelSku: 'SKU-0', quantityUnits: 900 + pages },
      { channelSku: `SKU-${MANY - 1}`, quantityUnits: 900 + pages },
      { channelSku: `NEW-${pages}`, quantityUnits: 1 },
    ]);
    if (pages > MANY) break;
  }
  const changed = new Set(['SKU-0', `SKU-${MANY - 1}`]);
  const skipped = [...listed].filter(([sku, units]) => !changed.has(sku) && seen.get(sku) !== units);
  expectEqual(skipped, [], 'What does not change while a read goes on is neither skipped nor misread');
}

function listMany(simulator: ConnectedChannel['simulator']): Map<string, number> {
  const items = Array.from({ length: MANY }, (_, index) => ({
    channelSku: `SKU-${index}`,
    quantityUnits: index % 50,
  }));
  simulator.list(items);
  return new Map(items.map((item) => [item.channelSku, item.quantityUnits]));
}
