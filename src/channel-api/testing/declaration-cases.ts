import type { RateLimit } from '../contract';
import { assertUsable } from '../limit-state';
import { PluginOptionsError, resolvePluginOptions } from '../plugin-options';
import { createRedactor } from '../redaction';
import type { ChannelSimulator } from '../simulator';
import { withChannel } from './connected-channel';
import { type ChannelContract, type ContractCase, TOKEN, WEBHOOK_SECRET } from './contract-case';
import { expectEqual, expectThat } from './expectations';

const group = 'what the plugin says of itself';

export const DECLARATION_CASES: readonly ContractCase[] = [
  {
    group,
    name: 'capabilities are whole',
    run: (contract) =>
      withChannel(contract, async ({ capabilities }) => {
        const { pushBatchSize, pushAnswers, ...flags } = capabilities;
        expectThat(
          Number.isSafeInteger(pushBatchSize) && pushBatchSize >= 1,
          'capabilities.pushBatchSize is a whole number, 1 or more',
          pushBatchSize,
        );
        expectThat(
          ['applied', 'accepted'].includes(pushAnswers),
          'capabilities.pushAnswers is "applied" or "accepted"',
          pushAnswers,
        );
        for (const name of FLAGS)
          expectThat(
            typeof flags[name] === 'boolean',
            `capabilities.${name} is true or false`,
            flags[name] ?? 'nothing',
          );
      }),
  },
  {
    group,
    name: 'the channel has the members that its capabilities name, and no others',
    run: (contract) =>
      withChannel(contract, async ({ channel, capabilities }) => {
        expectEqual(
          {
            cancelOrder: typeof channel.cancelOrder === 'function',
            subscribe: typeof channel.subscribe === 'function',
          },
          { cancelOrder: capabilities.cancelsOrders, subscribe: capabilities.subscribesWebhooks },
          'cancelOrder is there exactly where capabilities.cancelsOrders is true, subscribe where subscribesWebhooks is',
        );
      }),
  },
  {
    group,
    name: 'its limits have names and let calls pass',
    run: (contract) => withChannel(contract, async ({ limits }) => checkLimits(limits)),
  },
  {
    group,
    name: 'an unknown option is refused by its name',
    run: (contract) =>
      withSimulator(contract, async (simulator) => {
        const problems = problemsOf(contract, { ...simulator.pluginOptions, notAnOption: 'x' });
        expectThat(
          problems.includes('notAnOption'),
          'An unknown option is refused by its name, for a misspelt one would be ignored in silence: use an options class whose every field has a rule',
          problems,
        );
      }),
  },
  {
    group,
    name: 'an option of the wrong type is refused by its name, without its value',
    run: (contract) =>
      withSimulator(contract, async ({ pluginOptions }) => {
        for (const [name, value] of Object.entries(pluginOptions)) {
          const wrong = typeof value === 'number' ? 'forty-two' : 42.125;
          const problems = problemsOf(contract, { ...pluginOptions, [name]: wrong });
          expectThat(
            problems.includes(name) && !problems.includes(String(wrong)),
            `The option ${name} is refused by its name when it is ${JSON.stringify(wrong)}, and the message does not quote the value: give it a rule`,
            problems,
          );
        }
      }),
  },
  {
    group,
    name: 'the secrets among its options are named',
    run: (contract) =>
      withSimulator(contract, async ({ pluginOptions }) => {
        const named = contract.plugin.secrets(resolvePluginOptions(contract.plugin, pluginOptions));
        const text = JSON.stringify(pluginOptions);
        for (const secret of [WEBHOOK_SECRET, TOKEN].filter((each) => text.includes(each))) {
          expectThat(
            createRedactor(named)(secret) !== secret,
            `plugin.secrets(options) names every option value that nobody may see; "${secret}" is not among them`,
            named,
          );
        }
      }),
  },
];

const FLAGS = [
  'compareAndSet',
  'stockByLocation',
  'readsOrders',
  'cancelsOrders',
  'subscribesWebhooks',
] as const;

async function withSimulator(
  { startSimulator }: ChannelContract,
  test: (simulator: ChannelSimulator) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator({ webhookSecret: WEBHOOK_SECRET, token: TOKEN });
  try {
    await test(simulator);
  } finally {
    await simulator.close();
  }
}

/** What is wrong with options, as text; empty when they are taken. */
function problemsOf({ plugin }: ChannelContract, options: object): string {
  try {
    resolvePluginOptions(plugin, options);
    return '';
  } catch (error) {
    if (error instanceof PluginOptionsError) return error.problems.join('\n');
    throw error;
  }
}

function checkLimits(limits: readonly RateLimit[]): void {
  expectThat(
    limits.length > 0,
    'plugin.limits names at least one limit: the channel has one, documented or not',
  );
  for (const limit of limits) {
    expectThat(typeof limit.name === 'string' && limit.name !== '', 'Each limit has a name', limits);
    expectThat(
      isUsable(limit),
      `The limit ${limit.name} lets calls pass: rate, burst and quota are above 0`,
      limit,
    );
  }
  const names = limits.map((limit) => limit.name);
  expectEqual(names, [...new Set(names)], 'No two limits have the same name');
}

function isUsable(limit: RateLimit): boolean {
  try {
    assertUsable(limit);
    return true;
  } catch {
    return false;
  }
}
