import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChannelClock,
  type CheckResult,
  createChannelHttp,
  createRedactor,
  resolvePluginOptions,
} from '../channel-api';
import type { ChannelConfig } from '../config/channel.config';
import type { Config } from '../config/config';
import { SecretsOnDemand } from '../secrets/secrets-on-demand';
import { AddressGuard } from './address-guard';
import { createGuardedFetch } from './guarded-fetch';
import { connectPlugin, reasonOf, withinTime } from './plugin-calls';
import { loadLocated } from './plugin-loader';
import { locatePlugin } from './plugin-location';

/** What is right or wrong with one channel, for the person who set it up. */
export interface ChannelFindings {
  channel: string;
  findings: CheckResult['findings'];
}

const CHECK_WITHIN_MS = 60_000;

/**
 * Loads each channel's plugin, connects it and has it check itself, one after the other, without a host: what
 * keeps a channel from being served is a finding like any other. The few calls that this makes are not counted
 * with those of hosts that run.
 */
export async function* checkChannels(config: Config): AsyncGenerator<ChannelFindings> {
  const guard = new AddressGuard(config.outbound.allow);
  const secrets = new SecretsOnDemand(config);
  try {
    for (const channel of config.channels)
      yield { channel: channel.name, findings: await findingsOf(config, channel, { guard, secrets }) };
  } finally {
    await secrets.close();
  }
}

async function findingsOf(
  { folder, limits: { maxWaitSeconds } }: Config,
  { name, plugin: named, options: given }: ChannelConfig,
  { guard, secrets: kept }: { guard: AddressGuard; secrets: SecretsOnDemand },
): Promise<CheckResult['findings']> {
  const outbound = createGuardedFetch(guard);
  let redact = (text: string) => text;
  try {
    const plugin = await loadLocated(locatePlugin(named, folder));
    const options = resolvePluginOptions(plugin, given);
    const secrets = plugin.secrets?.(options) ?? [];
    redact = createRedactor(secrets);
    const limits = plugin.limits(options);
    const { fetch } = outbound;
    const http = createChannelHttp({ limits, clock, log, secrets, fetch, maxWaitMs: maxWaitSeconds * 1000 });
    const host = { channel: name, http, log, clock, secrets: kept.of(name) };
    const channel = await connectPlugin(plugin, options, host, (late) => {
      void late.close?.();
    });
    try {
      const limit = { ms: CHECK_WITHIN_MS, exceeded: `the plugin ${plugin.name} does not check itself` };
      const { findings } = await withinTime(channel.check(), limit);
      return findings.map(({ ok, message }) => ({ ok, message: redact(message) }));
    } finally {
      await channel.close?.();
    }
  } catch (thrown) {
    return [{ ok: false, message: redact(reasonOf(thrown)) }];
  } finally {
    await outbound.close();
  }
}

const clock: ChannelClock = {
  now: () => new Date(),
  sleep: async (delayMs, signal) => {
    await sleep(delayMs, undefined, { signal });
  },
};

/** The findings say it all; a plugin's log would only stand between them. */
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
