import type { ChannelPlugin } from '../contract';
import { resolvePluginOptions } from '../plugin-options';
import type { StartSimulator } from '../simulator';

/** What the suite needs to know of a plugin. */
export interface ChannelContract<Options extends object = object> {
  plugin: ChannelPlugin<Options>;
  startSimulator: StartSimulator;
}

/** What not every channel can do. A case that needs one of them is skipped for a plugin that lacks it. */
export type Ability =
  | 'compareAndSet'
  | 'stockByLocation'
  | 'readsOrders'
  | 'cancelsOrders'
  | 'subscribesWebhooks'
  | 'webhooks'
  | 'secretRotation';

/** One fact that holds for every channel plugin. */
export interface ContractCase {
  group: string;
  name: string;
  needs?: readonly Ability[];
  /** Rejects where the plugin breaks the contract, saying which rule and what to do. */
  run(contract: ChannelContract): Promise<void>;
}

export const WEBHOOK_SECRET = 'contract-suite-webhook-secret';
export const PREVIOUS_WEBHOOK_SECRET = 'contract-suite-earlier-secret';
export const TOKEN = 'contract-suite-token-of-the-shop';

/** What the plugin, connected to its own simulator, cannot do, each with the reason. */
export async function missingAbilities({
  plugin,
  startSimulator,
}: ChannelContract): Promise<Map<Ability, string>> {
  const simulator = await startSimulator({
    webhookSecret: WEBHOOK_SECRET,
    previousWebhookSecret: PREVIOUS_WEBHOOK_SECRET,
    token: TOKEN,
  });
  try {
    const { pluginOptions, signatureHeader } = simulator;
    const capabilities = plugin.capabilities(resolvePluginOptions(plugin, pluginOptions));
    const missing = new Map<Ability, string>();
    for (const ability of [
      ...(['compareAndSet', 'stockByLocation', 'readsOrders'] as const),
      ...(['cancelsOrders', 'subscribesWebhooks'] as const),
    ]) {
      if (!capabilities[ability]) missing.set(ability, `capabilities.${ability} is false`);
    }
    if (signatureHeader === undefined) missing.set('webhooks', 'the simulator names no signatureHeader');
    if (!JSON.stringify(pluginOptions).includes(PREVIOUS_WEBHOOK_SECRET)) {
      missing.set('secretRotation', "the simulator's pluginOptions take no previousWebhookSecret");
    }
    return missing;
  } finally {
    await simulator.close();
  }
}

/** Why a case does not apply; undefined when it does. */
export function skipReason(one: ContractCase, missing: ReadonlyMap<Ability, string>): string | undefined {
  return one.needs?.map((ability) => missing.get(ability)).find((reason) => reason !== undefined);
}
