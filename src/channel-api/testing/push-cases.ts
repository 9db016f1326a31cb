import type { PushResult } from '../contract';
import {
  collect,
  type ConnectedChannel,
  expectShown,
  push,
  updateOf,
  withChannel,
} from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectEqual, expectFields } from './expectations';

const group = 'pushes';
const BY_LOCATION = ['here', 'there'] as const;

export const PUSH_CASES: readonly ContractCase[] = [
  {
    group,
    name: 'a pushed quantity is what the channel shows',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        list(connected, 'SKU-1', 1);
        expectTaken(connected, await push(connected, 'SKU-1', 7));
        await expectShown(connected, 'SKU-1', 7);
      }),
  },
  {
    group,
    name: 'zero is pushed like any other quantity',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        list(connected, 'SKU-1', 1);
        expectTaken(connected, await push(connected, 'SKU-1', 0));
        await expectShown(connected, 'SKU-1', 0);
      }),
  },
  {
    group,
    name: 'a push repeated shows the same',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        list(connected, 'SKU-1', 1);
        const update = updateOf(connected, 'SKU-1', 6);
        await connected.channel.pushInventory([update]);
        expectTaken(connected, await connected.channel.pushInventory([update]));
        expectTaken(
          connected,
          await connected.channel.pushInventory([{ ...update, pushId: 'another-push' }]),
        );
        await expectShown(connected, 'SKU-1', 6);
      }),
  },
  {
    group,
    name: 'a SKU with blanks, slashes and foreign letters is sent as it is',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const sku = 'Größe 7/8 #3?&=%2F';
        list(connected, 'SKU-1', 1);
        list(connected, sku, 1);
        expectTaken(connected, await push(connected, sku, 3));
        await expectShown(connected, sku, 3);
        await expectShown(connected, 'SKU-1', 1);
      }),
  },
  {
    group,
    name: 'one bad row in a full batch costs that row only',
    run: (contract) => withChannel(contract, pushBatchWithOneBadRow),
  },
  {
    group,
    name: 'nothing to push makes no call',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        expectEqual(await channel.pushInventory([]), [], 'No updates have no results');
        expectEqual(simulator.calls.length, 0, 'Nothing to push makes no call');
      }),
  },
  {
    group,
    name: 'a push that the channel only claims to have applied is seen in the next read',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        list(connected, 'SKU-1', 1);
        connected.simulator.faults({ lie: 1 });
        await push(connected, 'SKU-1', 5);
        expectEqual(connected.simulator.shown().get('SKU-1'), 1, 'The simulator lies: it applies nothing');
        const { items } = await collect(connected.channel.readInventory({ channelSkus: ['SKU-1'] }));
        expectEqual(
          items.map((item) => item.quantityUnits),
          [1],
          'readInventory says what the channel shows, never what was pushed',
        );
      }),
  },
  ...compareAndSetCases(),
  ...locationCases(),
];

async function pushBatchWithOneBadRow(connected: ConnectedChannel): Promise<void> {
  const { channel, capabilities } = connected;
  const skus = Array.from({ length: capabilities.pushBatchSize }, (_, index) => `SKU-${index}`);
  for (const sku of skus.slice(1)) list(connected, sku, 1);
  const results = await channel.pushInventory(
    skus.map((sku, index) => updateOf(connected, sku, index + 1, { pushId: `p${index}` })),
  );
  expectEqual(
    results.map((result) => result.pushId).sort(),
    skus.map((_, index) => `p${index}`).sort(),
    "pushInventory answers exactly one result for each update, with the update's own pushId",
  );
  const [bad, good] = [
    results.filter(({ pushId }) => pushId === 'p0'),
    results.filter(({ pushId }) => pushId !== 'p0'),
  ];
  const rule =
    'A row that the channel refuses for what it says is rejected and not retryable, with code and reason';
  expectFields(bad[0], { outcome: 'rejected', retryable: false }, rule);
  const lost = good.filter(({ outcome }) => outcome !== 'applied' && outcome !== 'accepted');
  expectEqual(
    lost,
    [],
    'One bad row in a batch costs no other row: send the rest again without it if you must',
  );
  for (const [index, sku] of skus.entries()) if (index > 0) await expectShown(connected, sku, index + 1);
}

function compareAndSetCases(): ContractCase[] {
  const simulator = { compareAndSet: true };
  const needs = ['compareAndSet'] as const;
  return [
    {
      group,
      needs,
      name: 'a push that believes the wrong quantity is stale, says what is shown, and changes nothing',
      run: (contract) =>
        withChannel(
          contract,
          async (connected) => {
            list(connected, 'SKU-1', 4);
            list(connected, 'SKU-2', 4);
            const results = await connected.channel.pushInventory([
              updateOf(connected, 'SKU-1', 9, { pushId: 'p1', believedUnits: 6 }),
              updateOf(connected, 'SKU-2', 8, { pushId: 'p2', believedUnits: 4 }),
            ]);
            const byId = new Map(results.map((result) => [result.pushId, result]));
            expectEqual(
              byId.get('p1'),
              { pushId: 'p1', outcome: 'stale', shownUnits: 4 },
              "With capabilities.compareAndSet a push sends believedUnits, and a mismatch is outcome 'stale' with the channel's own value",
            );
            expectTaken(
              connected,
              results.filter(({ pushId }) => pushId === 'p2'),
            );
            await expectShown(connected, 'SKU-1', 4);
            await expectShown(connected, 'SKU-2', 8);
          },
          { simulator },
        ),
    },
    {
      group,
      needs,
      name: 'a push that believes nothing is not compared',
      run: (contract) =>
        withChannel(
          contract,
          async (connected) => {
            list(connected, 'SKU-1', 4);
            expectTaken(connected, await push(connected, 'SKU-1', 9));
            await expectShown(connected, 'SKU-1', 9);
          },
          { simulator },
        ),
    },
  ];
}

function locationCases(): ContractCase[] {
  const simulator = { locations: BY_LOCATION };
  return [
    {
      group,
      needs: ['stockByLocation'],
      name: 'a push to one location leaves the others, and a read gives each by itself',
      run: (contract) =>
        withChannel(
          contract,
          async ({ simulator: shop, channel }) => {
            const [here, there] = shop.locations as [string, string];
            for (const channelLocation of [here, there])
              shop.list([{ channelSku: 'SKU-1', channelLocation, quantityUnits: 1 }]);
            const at = (channelLocation: string, quantityUnits: number) => ({
              ...{ pushId: channelLocation, channelSku: 'SKU-1' },
              ...{ channelLocation, quantityUnits },
            });
            await channel.pushInventory([at(here, 5), at(there, 6)]);
            await channel.pushInventory([at(there, 8)]);
            const { items } = await collect(channel.readInventory({}));
            expectEqual(
              items.map((item) => `${item.channelLocation}: ${item.quantityUnits}`).sort(),
              [`${here}: 5`, `${there}: 8`].sort(),
              'With capabilities.stockByLocation a push names the location, and readInventory gives one item for each SKU and location',
            );
          },
          { simulator },
        ),
    },
    {
      group,
      needs: ['stockByLocation'],
      name: 'a location that the channel does not know costs only its own row',
      run: (contract) =>
        withChannel(
          contract,
          async (connected) => {
            list(connected, 'SKU-1', 1);
            const results = await connected.channel.pushInventory([
              updateOf(connected, 'SKU-1', 5, { pushId: 'p1', channelLocation: 'nowhere' }),
              updateOf(connected, 'SKU-1', 6, { pushId: 'p2' }),
            ]);
            const outcome = (id: string) => results.find(({ pushId }) => pushId === id)?.outcome;
            expectEqual(outcome('p1'), 'rejected', 'An update for an unknown location is rejected by itself');
            await expectShown(connected, 'SKU-1', 6);
          },
          { simulator },
        ),
    },
  ];
}

function list({ simulator }: ConnectedChannel, channelSku: string, quantityUnits: number): void {
  simulator.list([{ channelSku, quantityUnits }]);
}

function expectTaken({ capabilities }: ConnectedChannel, results: PushResult[]): void {
  expectEqual(
    results.map(({ outcome }) => outcome),
    results.length === 0 ? ['one result'] : results.map(() => capabilities.pushAnswers),
    'A push that the channel took answers what capabilities.pushAnswers says, one result for each update',
  );
}
