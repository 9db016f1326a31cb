import { namesNoSecret, push, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectChannelError, expectEqual, expectFields, expectThat } from './expectations';

const group = 'check()';

export const CHECK_CASES: readonly ContractCase[] = [
  {
    group,
    name: 'right credentials are proven',
    run: (contract) =>
      withChannel(contract, async ({ channel, simulator }) => {
        const result = await channel.check();
        const failed = result.findings.filter((finding) => !finding.ok);
        expectEqual(failed, [], 'check() finds nothing wrong with a channel that works');
        expectThat(result.ok, 'check() answers ok: true where no finding is wrong', result);
        expectThat(simulator.calls.length > 0, 'check() asks the channel: credentials are proven by a call');
      }),
  },
  {
    group,
    name: 'wrong credentials are found and told, without a secret',
    run: (contract) =>
      withChannel(
        contract,
        async (connected) => {
          const result = await connected.channel.check();
          expectThat(!result.ok, 'check() answers ok: false where the credentials are refused', result);
          const told = result.findings.filter((finding) => !finding.ok && /\w/.test(finding.message));
          expectThat(told.length > 0, 'check() has a finding that says what is wrong', result);
          namesNoSecret(connected, JSON.stringify(result), 'a finding of check()');
        },
        { withWrongCredentials: true },
      ),
  },
  {
    group,
    name: 'wrong credentials fail a push as unauthorized, for good',
    run: (contract) =>
      withChannel(
        contract,
        async (connected) => {
          connected.simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
          const rule =
            'Refused credentials are a ChannelUnauthorizedError (channel-unauthorized, not retryable): a person must act';
          const error = await expectChannelError(push(connected, 'SKU-1', 5), rule);
          expectFields(error, { code: 'channel-unauthorized', retryable: false }, rule);
          namesNoSecret(connected, `${error.message} ${JSON.stringify(error)}`, 'an error');
        },
        { withWrongCredentials: true },
      ),
  },
  {
    group,
    name: 'a channel that is away is found, not thrown',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        simulator.outage('unreachable');
        const result = await channel.check();
        expectThat(!result.ok, 'check() answers ok: false where the channel is away', result);
      }),
  },
  {
    group,
    name: 'an HTML page under 200 is found, not thrown',
    run: (contract) =>
      withChannel(contract, async ({ simulator, channel }) => {
        simulator.faults({ html: 1 });
        const result = await channel.check();
        expectThat(!result.ok, 'check() answers ok: false where a page stands in place of the API', result);
      }),
  },
];
