import type { ChannelHttpRequest } from '../http-client';
import { isBucket } from '../limit-state';
import { type LimitBreach, limitBreaches } from '../simulation';
import { collect, type ConnectedChannel, push, withChannel } from './connected-channel';
import { type ChannelContract, type ContractCase, WEBHOOK_SECRET } from './contract-case';
import { expectEqual } from './expectations';

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
        const unnamed = requests.filter(({ limit = [] }) =>
          [limit].flat().some((each) => !names.includes(typeof each === 'string' ? each : each.name)),
        );
        expectEqual(unnamed, [], 'A call names one of plugin.limits, or none and counts under the first');
      }),
  },
  {
    group,
    name: "the channel's own log shows no limit broken, however many calls are made at once",
    run: async (contract) => {
      const takesLimit = await limitIsAnOption(contract);
      await withChannel(contract, (connected) => callAtOnce(connected, takesLimit), {
        simulator: { limit: LIMIT },
      });
    },
  },
];

/** Whether the simulator's options change with the limit that it is given. */
async function limitIsAnOption({ startSimulator }: ChannelContract): Promise<boolean> {
  const names = async (limit?: typeof LIMIT) => {
    const simulator = await startSimulator({ webhookSecret: WEBHOOK_SECRET, limit });
    await simulator.close();
    return JSON.stringify(simulator.pluginOptions)
      .match(/"\w+":/g)
      ?.join();
  };
  return (await names()) !== (await names(LIMIT));
}

async function callAtOnce(connected: ConnectedChannel, takesLimit: boolean): Promise<void> {
  await Promise.all(Array.from({ length: 6 }, () => callEverything(connected)));
  const { simulator, requests, limits } = connected;
  for (const limit of limits.filter(isBucket)) {
    const under = requests
      .filter((request) => [request.limit ?? limits[0]?.name].flat().includes(limit.name))
      .map(lineOf);
    const calls = simulator.calls.filter(({ method, path }) => under.includes(`${method} ${path}`));
    const rule = `No more calls reach the channel than the limit ${limit.name} allows: calls name the limit that they count under`;
    expectEqual(linesOf(limitBreaches(calls, limit, TOLERANCE_MS)), [], rule);
  }
  if (!takesLimit) return;
  const rule = 'A limit that the options set is the one that is kept: have plugin.limits follow the options';
  expectEqual(linesOf(limitBreaches(simulator.calls, LIMIT, TOLERANCE_MS)), [], rule);
}

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

function linesOf(breaches: LimitBreach[]): string[] {
  return breaches.map(
    ({ call, earlyMs }) => `${call.method} ${call.path}, ${Math.round(earlyMs)} ms too early`,
  );
}
