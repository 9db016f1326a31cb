import type { ChannelError } from '../errors';
import type { SimulatorFaults } from '../simulator';
import {
  collect,
  type ConnectedChannel,
  expectShown,
  namesNoSecret,
  push,
  withChannel,
} from './connected-channel';
import type { ChannelContract, ContractCase } from './contract-case';
import { expectChannelError, expectEqual, expectFields, expectThat } from './expectations';

const group = 'a channel in trouble';
const LET_IT_PASS = 'let the error of host.http pass as it is';

export const TROUBLE_CASES: readonly ContractCase[] = [
  ...retryAfterCases(),
  {
    group,
    name: 'a 429 to a read is throttling',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        connected.simulator.faults({ throttle: 1, retryAfter: '1' });
        await expectReadsFail(connected, { code: 'channel-throttled', retryAfterMs: 1_000 });
      }),
  },
  {
    group,
    name: 'a 503 is unavailability, and nothing was applied',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { fail: 1 });
        const rule = `A 5xx is unavailability, to be tried again: ${LET_IT_PASS}`;
        expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
        expectEqual(connected.simulator.shown(connected.location).get('SKU-1'), 1, 'Nothing was applied');
        await expectReadsFail(connected, { code: 'channel-unavailable' });
      }),
  },
  {
    group,
    name: 'an HTML page under 200 is a protocol error, for pushes and reads',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { html: 1 });
        const rule =
          'An HTML page under 200 is a protocol error and no success: read answers with response.json(), also where nothing in them is needed';
        expectEqual(error.code, 'channel-protocol', rule);
        await expectReadsFail(connected, { code: 'channel-protocol' });
      }),
  },
  {
    group,
    name: 'an outage of either kind is unavailability, and ends',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        for (const outage of ['unavailable', 'unreachable'] as const) {
          connected.simulator.outage(outage);
          const error = await pushFailure(connected, {});
          const rule = `A channel that is ${outage} is channel-unavailable, to be tried again: ${LET_IT_PASS}`;
          expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
        }
        connected.simulator.outage(null);
        await push(connected, 'SKU-1', 3);
        await expectShown(connected, 'SKU-1', 3);
      }),
  },
  {
    group,
    name: 'a slow answer is waited for',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        connected.simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
        connected.simulator.faults({ slow: 1, slowMs: 400 });
        await push(connected, 'SKU-1', 3);
        await expectShown(connected, 'SKU-1', 3);
      }),
  },
  ...lostAnswerCases(),
];

function retryAfterCases(): ContractCase[] {
  const inHalfAMinute = () => new Date(Date.now() + 30_000).toUTCString();
  const forms: [string, () => string | null, least: number | undefined, most: number | undefined][] = [
    ['with Retry-After in seconds says for how long', () => '7', 7_000, 7_000],
    ['with Retry-After as a date says for how long', inHalfAMinute, 25_000, 30_000],
    ['with an absurd Retry-After is cut to 15 minutes', () => '1000000000', 900_000, 900_000],
    ['without Retry-After is of unknown length', () => null, undefined, undefined],
    ['with a negative Retry-After is of unknown length', () => '-5', undefined, undefined],
    ['with an unreadable Retry-After is of unknown length', () => 'soon', undefined, undefined],
  ];
  return forms.map(([name, retryAfter, least, most]) => ({
    group,
    name: `a 429 ${name}`,
    run: (contract: ChannelContract) =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { throttle: 1, retryAfter: retryAfter() });
        const rule = `A 429 is throttling with the wait that the channel asks for, 15 minutes at most: ${LET_IT_PASS}`;
        expectFields(error, { code: 'channel-throttled', retryable: true }, rule);
        const { retryAfterMs } = error;
        const fits =
          least === undefined || most === undefined
            ? retryAfterMs === undefined
            : retryAfterMs !== undefined && retryAfterMs >= least && retryAfterMs <= most;
        expectThat(fits, rule, { retryAfterMs });
      }),
  }));
}

function lostAnswerCases(): ContractCase[] {
  return [
    {
      group,
      name: 'an answer lost after applying is unavailability, and the push may be repeated',
      run: (contract) =>
        withChannel(contract, async (connected) => {
          const error = await pushFailure(connected, { loseAnswer: 1 });
          const rule = `A lost answer is unavailability, for the push may have been applied: ${LET_IT_PASS}`;
          expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
          await expectShown(connected, 'SKU-1', 5);
          connected.simulator.faults({ loseAnswer: 0 });
          await push(connected, 'SKU-1', 5);
          await expectShown(connected, 'SKU-1', 5);
          await push(connected, 'SKU-1', 4);
          await expectShown(connected, 'SKU-1', 4);
        }),
    },
    {
      group,
      name: 'a time-out after applying is unavailability, and comes when it was set to come',
      run: (contract) =>
        withChannel(
          contract,
          async (connected) => {
            const startedAt = Date.now();
            const error = await pushFailure(connected, { slow: 1, slowMs: 20_000 });
            const rule = `A time-out is unavailability, and is not waited for again: ${LET_IT_PASS}`;
            expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
            const elapsedMs = Date.now() - startedAt;
            expectThat(elapsedMs < 4_000, `${rule}; the plugin itself sends nothing again`, { elapsedMs });
            await expectShown(connected, 'SKU-1', 5);
          },
          { timeoutMs: 200 },
        ),
    },
  ];
}

/**
 * Pushes 5 to a SKU that shows 1, under faults; answers the error once it is seen to name no secret. A push that
 * works goes before, so that it is the push which meets the fault and not a token or a look-up that it needs.
 */
async function pushFailure(
  connected: ConnectedChannel,
  faults: Partial<SimulatorFaults>,
): Promise<ChannelError> {
  const { simulator } = connected;
  simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
  // An outage under way is the fault itself.
  await push(connected, 'SKU-1', 1).catch(() => undefined);
  simulator.faults(faults);
  const rule = 'A push that no row of which was answered fails with a channel error';
  const error = await expectChannelError(push(connected, 'SKU-1', 5), rule);
  namesNoSecret(connected, `${error.message} ${JSON.stringify(error)}`, 'an error');
  return error;
}

async function expectReadsFail(
  connected: ConnectedChannel,
  expected: Record<string, unknown>,
): Promise<void> {
  const { channel, capabilities } = connected;
  const reads = [
    ['readInventory', () => collect<unknown>(channel.readInventory({}))],
    ...(capabilities.readsOrders
      ? [['readOrders', () => collect<unknown>(channel.readOrders({}))] as const]
      : []),
  ] as const;
  for (const [name, read] of reads) {
    const rule = `${name} fails with the channel's trouble (${String(expected.code)}), and gives no page in its place: ${LET_IT_PASS}`;
    const error = await expectChannelError(read(), rule);
    expectFields(error, expected, rule);
    namesNoSecret(connected, `${error.message} ${JSON.stringify(error)}`, 'an error');
  }
}
