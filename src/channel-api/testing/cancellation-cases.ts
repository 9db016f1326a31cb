import type { CancelRequest, CancelResult } from '../contract';
import { type ConnectedChannel, systemClock, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectChannelError, expectEqual, expectFields, expectThat } from './expectations';
import { placeOrder } from './webhook-requests';

const group = 'cancellations';
const needs = ['cancelsOrders'] as const;
const UNITS = 2;
const ONCE = 'One cancelId cancels once, however often it is sent';

export const CANCELLATION_CASES: readonly ContractCase[] = [
  {
    group,
    needs,
    name: 'a cancellation is done, or pending with a receipt and done later',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        await expectCancelled(connected, await cancel(connected, 'o-1', UNITS), UNITS);
      }),
  },
  {
    group,
    needs,
    name: 'a channel that decides later gives pending, not cancelled',
    run: (contract) =>
      withChannel(
        contract,
        async (connected) => {
          placeOrder(connected.simulator, 'o-1');
          await expectCancelled(connected, await cancel(connected, 'o-1', UNITS), UNITS);
        },
        { simulator: { cancelAfterMs: 150 } },
      ),
  },
  {
    group,
    needs,
    name: 'a cancellation of some units cancels those, or is impossible',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        const result = await cancel(connected, 'o-1', 1);
        if (result.outcome === 'impossible') {
          expectThat(/\w/.test(result.reason), 'An impossible cancellation has a reason', result);
          expectEqual(cancelledUnits(connected), 0, 'A cancellation that is impossible cancels nothing');
        } else await expectCancelled(connected, result, 1);
      }),
  },
  {
    group,
    needs,
    name: 'a cancellation repeated with its cancelId cancels nothing more',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        if ((await cancel(connected, 'o-1', 1)).outcome === 'impossible') return;
        for (let repeat = 0; repeat < 2; repeat += 1) await cancel(connected, 'o-1', 1);
        await settle(connected, 1);
        expectEqual(cancelledUnits(connected), 1, `${ONCE}: pass it on as the channel's idempotency key`);
      }),
  },
  {
    group,
    needs,
    name: 'a cancellation whose answer was lost is known to be done when it is repeated',
    run: (contract) => withChannel(contract, cancelAfterLostAnswer),
  },
  {
    group,
    needs,
    name: 'a cancellation after shipment is impossible, with a reason',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        connected.simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
        expectImpossible(await cancel(connected, 'o-1', UNITS));
      }),
  },
  {
    group,
    needs,
    name: 'a cancellation of an order that the channel does not know is impossible, with a reason',
    run: (contract) =>
      withChannel(contract, async (connected) => expectImpossible(await cancel(connected, 'o-9', UNITS))),
  },
  {
    group,
    needs,
    name: 'an HTML page under 200 has cancelled nothing',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        connected.simulator.faults({ html: 1 });
        const rule = 'An HTML page under 200 is a protocol error, not a cancellation: parse the answer';
        const error = await expectChannelError(cancel(connected, 'o-1', UNITS), rule);
        expectEqual(error.code, 'channel-protocol', rule);
      }),
  },
  {
    group,
    needs,
    name: 'a channel that is away is an error to be tried again, not an impossible cancellation',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        placeOrder(connected.simulator, 'o-1');
        const rule = 'A cancellation without an answer throws what host.http throws: the host tries it again';
        for (const outage of ['unavailable', 'unreachable'] as const) {
          connected.simulator.outage(outage);
          const error = await expectChannelError(cancel(connected, 'o-1', UNITS), rule);
          expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
        }
      }),
  },
];

async function cancelAfterLostAnswer(connected: ConnectedChannel): Promise<void> {
  const { simulator } = connected;
  placeOrder(simulator, 'o-1');
  simulator.faults({ loseAnswer: 1 });
  const rule =
    'A cancellation whose answer is lost is channel-unavailable, and is repeated with its cancelId';
  const error = await expectChannelError(cancel(connected, 'o-1', UNITS), rule);
  expectFields(error, { code: 'channel-unavailable', retryable: true }, rule);
  simulator.faults({ loseAnswer: 0 });
  const result = await cancel(connected, 'o-1', UNITS);
  expectThat(
    result.outcome !== 'impossible',
    `${ONCE}, and answers each time as the first: look at the order where the channel has no idempotency keys`,
    result,
  );
  await expectCancelled(connected, result, UNITS);
}

function cancel(
  { channel }: ConnectedChannel,
  orderId: string,
  quantityUnits: number,
): Promise<CancelResult> {
  const request: CancelRequest = {
    cancelId: `cancel-${orderId}`,
    orderId,
    lines: [{ lineId: 'l-1', quantityUnits }],
    reason: 'oversold',
    message: 'We are sorry.',
  };
  return (channel.cancelOrder as NonNullable<typeof channel.cancelOrder>).call(channel, request);
}

async function expectCancelled(
  connected: ConnectedChannel,
  result: CancelResult,
  quantityUnits: number,
): Promise<void> {
  if (result.outcome === 'cancelled') {
    const rule =
      "Outcome 'cancelled' means that the order says so now; where the channel decides later it is 'pending'";
    expectEqual(cancelledUnits(connected), quantityUnits, rule);
    return;
  }
  const rule =
    "A cancellation that the channel takes is { outcome: 'cancelled' } or { outcome: 'pending', receipt }";
  expectThat(result.outcome === 'pending' && /\w/.test(result.receipt), rule, result);
  await settle(connected, quantityUnits);
  expectEqual(
    cancelledUnits(connected),
    quantityUnits,
    'A pending cancellation is done later, as the channel decides',
  );
}

function expectImpossible(result: CancelResult): void {
  expectThat(
    result.outcome === 'impossible' && /\w/.test(result.reason),
    "What the channel refuses to cancel is { outcome: 'impossible', reason }, not an error",
    result,
  );
}

function cancelledUnits({ simulator }: ConnectedChannel): number {
  return simulator.order('o-1').lines.reduce((units, line) => units + line.cancelled, 0);
}

async function settle(connected: ConnectedChannel, quantityUnits: number): Promise<void> {
  for (let attempt = 0; attempt < 100 && cancelledUnits(connected) !== quantityUnits; attempt += 1)
    await systemClock.sleep(20);
}
