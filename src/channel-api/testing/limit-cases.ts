import type { ChannelHttpRequest } from '../http-client';
import { limitBreaches } from '../simulation';
import type { SimulatedCall } from '../simulator';
import { collect, type ConnectedChannel, push, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectEqual, expectThat } from './expectations';

const group = 'limits';
const LIMIT = { perSecond: 20, burst: 5, enforced: false };
/** Calls may come closer together on a busy machine than they were sent; unlimited ones come far too early. */
const TOLERANCE_MS = 250;

export const LIMIT_CASES: readonly ContractCase[] = [
  {
    group,
    name: 'every call goes through host.http, under a limit that the plugin declares',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        await callEverything(connected);
        const { simulator, requests, limits } = connected;
        const known = requests.map(lineOf);
        const stray = simulator.calls
          .map(({ method, path }) => `${method} ${path}`)
          .filter((call) => !known.includes(call));
        expectEqual(
          stray,
          [],
          'Every call to the channel goes through host.http, which keeps to limits and guards addresses',
        );
        const names = limits.map(({ name }) => name);
        const unnamed = requests.filter(({ limit }) => limit !== undefined && !names.includes(limit));
        expectEqual(unnamed, [], 'A call names one of plugin.limits, or none and counts under the first');
      }),
  },
  {
    group,
    name: "the channel's own log shows no limit broken, however many calls are made at once",
    run: (contract) =>
      withChannel(
        contract,
        async (connected) => {
          await Promise.all(Array.from({ length: 4 }, () => callEverything(connected)));
          const { simulator, requests, limits } = connected;
          for (const [index, limit] of limits.entries()) {
            const under = requests
              .filter((request) => (request.limit ?? limits[0]?.name) === limit.name)
              .map(lineOf);
            const calls = simulator.calls.filter(({ method, path }) => under.includes(`${method} ${path}`));
            const breaches = limitBreaches(calls, limit, TOLERANCE_MS).map(({ call }) => lineOfCall(call));
            const rule = `No more calls reach the channel than the limit ${limit.name} allows`;
            expectEqual(breaches, [], `${rule}: calls name the limit that they count under`);
            if (index === 0) expectThat(calls.length > 0, 'Calls count under a limit', limit);
          }
        },
        { simulator: { limit: LIMIT } },
      ),
  },
];

async function callEverything(connected: ConnectedChannel): Promise<void> {
  const { simulator, channel, capabilities } = connected;
  simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
  await push(connected, 'SKU-1', 3);
  await collect(channel.readInventory({}));
  if (capabilities.readsOrders) await collect(channel.readOrders({}));
  await channel.check();
}

function lineOf({ method, url }: ChannelHttpRequest): string {
  const { pathname, search } = new URL(url);
  return `${method} ${pathname}${search}`;
}

function lineOfCall({ method, path, at }: SimulatedCall): string {
  return `${method} ${path} at ${at} ms`;
}
