import type { ConnectedChannel } from './connected-channel';
import { collect, failureOf, shownBy, withChannel, type ChannelContract } from './connected-channel';

/** What the host is told when the channel misbehaves. */
export function describeTrouble<Options extends object>(contract: ChannelContract<Options>): void {
  describe('a channel in trouble', () => {
    it('a 429 with Retry-After is throttling that says for how long', () =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { throttle: 1, retryAfter: '7' });
        expect(error).toMatchObject({ code: 'channel-throttled', retryable: true, retryAfterMs: 7_000 });
      }));

    it.each([
      ['no', null],
      ['a negative', '-5'],
      ['an unreadable', 'soon'],
    ])('a 429 with %s Retry-After is throttling of unknown length', (_, retryAfter) =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { throttle: 1, retryAfter });
        expect(error).toMatchObject({ code: 'channel-throttled', retryable: true, retryAfterMs: undefined });
      }),
    );

    it('an absurd Retry-After is cut to 15 minutes', () =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { throttle: 1, retryAfter: '1000000000' });
        expect(error).toMatchObject({ code: 'channel-throttled', retryAfterMs: 900_000 });
      }));

    it('a 503 is unavailability, and nothing was applied', () =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { fail: 1 });
        expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
        expect(connected.simulator.shown().get('SKU-1')).toBe(1);
      }));

    it('an HTML page under 200 is a protocol error for pushes and reads', () =>
      withChannel(contract, async (connected) => {
        expect(await pushFailure(connected, { html: 1 })).toMatchObject({ code: 'channel-protocol' });
        const { channel } = connected;
        expect(await failureOf(collect(channel.readInventory({})))).toMatchObject({
          code: 'channel-protocol',
        });
        expect(await failureOf(collect(channel.readOrders({})))).toMatchObject({ code: 'channel-protocol' });
      }));
  });

  describeLostAnswers(contract);
  describeChecks(contract);
}

function describeLostAnswers<Options extends object>(contract: ChannelContract<Options>): void {
  describe('an answer lost after applying', () => {
    it('a dropped connection is unavailability, and the push may be repeated', () =>
      withChannel(contract, async (connected) => {
        const error = await pushFailure(connected, { lie: 1 });
        expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
        await shownBy(connected.simulator, 'SKU-1', 5);
        connected.simulator.faults({ lie: 0 });
        await connected.channel.pushInventory([{ pushId: 'p2', channelSku: 'SKU-1', quantityUnits: 4 }]);
        await shownBy(connected.simulator, 'SKU-1', 4);
      }));

    it('a time-out is unavailability, and comes when it was set to come', () =>
      withChannel(
        contract,
        async (connected) => {
          const startedAt = Date.now();
          const error = await pushFailure(connected, { delayMs: 20_000 });
          expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
          expect(Date.now() - startedAt).toBeLessThan(4_000);
          await shownBy(connected.simulator, 'SKU-1', 5);
        },
        { timeoutMs: 200 },
      ));
  });
}

function describeChecks<Options extends object>(contract: ChannelContract<Options>): void {
  const { wrongCredentials } = contract;

  describe('check', () => {
    it('right credentials are proven', () =>
      withChannel(contract, async ({ channel }) => {
        const result = await channel.check();
        expect(result.findings.filter((finding) => !finding.ok)).toEqual([]);
        expect(result.ok).toBe(true);
      }));

    it('wrong credentials are found, and the finding names no secret', () =>
      withChannel(
        contract,
        async ({ channel, secrets }) => {
          const result = await channel.check();
          expect(result.ok).toBe(false);
          expect(result.findings.some((finding) => !finding.ok)).toBe(true);
          for (const secret of secrets) expect(JSON.stringify(result)).not.toContain(secret);
        },
        { pluginOptions: wrongCredentials },
      ));

    it('wrong credentials fail a push as unauthorized, for good', () =>
      withChannel(
        contract,
        async (connected) => {
          const error = await pushFailure(connected, {});
          expect(error).toMatchObject({ code: 'channel-unauthorized', retryable: false });
        },
        { pluginOptions: wrongCredentials },
      ));

    it('a channel that is away is found, not thrown', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        await simulator.close();
        expect((await channel.check()).ok).toBe(false);
      }));
  });
}

/** Pushes 5 to a SKU that shows 1, under faults; answers the error once it is seen to name no secret. */
async function pushFailure(
  { simulator, channel, secrets, logged }: ConnectedChannel,
  faults: Parameters<typeof simulator.faults>[0],
) {
  simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
  simulator.faults(faults);
  const error = await failureOf(
    channel.pushInventory([{ pushId: 'p1', channelSku: 'SKU-1', quantityUnits: 5 }]),
  );
  for (const secret of secrets) {
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(secret);
    expect(logged.join('\n')).not.toContain(secret);
  }
  return error;
}
