import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  type Channel,
  type ChannelCapabilities,
  type ChannelClock,
  type ChannelLogger,
  createChannelHttp,
  createRedactor,
  type RateLimit,
  resolvePluginOptions,
} from '../channel-api';
import type { ChannelConfig } from '../config/channel.config';
import { Config } from '../config/config';
import { SecretsService } from '../secrets/secrets.service';
import { tracedFetch } from '../telemetry/traced-fetch';
import { AddressGuard } from './address-guard';
import { BreakerService } from './breaker.service';
import { CallDeadline } from './call-deadline';
import { UnknownChannelError } from './channels.errors';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch';
import { LimitsService } from './limits.service';
import { connectPlugin, reasonOf } from './plugin-calls';
import { loadLocated } from './plugin-loader';
import { locatePlugin } from './plugin-location';

/** A channel that its plugin serves. */
export interface ReadyChannel {
  state: 'ready';
  name: string;
  config: ChannelConfig;
  pluginName: string;
  pluginVersion: string;
  /** Checked against onhand.plugins.json; false for a plugin named by path or found in node_modules. */
  isPinned: boolean;
  capabilities: ChannelCapabilities;
  /** As the plugin declares them; what was learned since is the limiter's. */
  limits: readonly RateLimit[];
  channel: Channel;
  /** Until when what is being pushed may be sent. */
  deadline: CallDeadline;
}

/** A channel whose plugin could not be loaded or connected. */
export interface FailedChannel {
  state: 'failed';
  name: string;
  config: ChannelConfig;
  error: string;
}

/** Which channels exist and whether each can be served. One that cannot never keeps the others from running. */
@Injectable()
export class ChannelsService implements OnModuleInit, OnApplicationShutdown {
  private readonly log = new Logger('channels');
  private readonly channels = new Map<string, ReadyChannel | FailedChannel>();
  private readonly guard: AddressGuard;
  private readonly outbound: GuardedFetch[] = [];

  constructor(
    private readonly config: Config,
    private readonly limits: LimitsService,
    private readonly breakers: BreakerService,
    private readonly secrets: SecretsService,
  ) {
    this.guard = new AddressGuard(config.outbound.allow);
  }

  /** All at once, so that one that is slow to connect holds up none but itself. */
  async onModuleInit(): Promise<void> {
    await this.breakers.load();
    const connected = await Promise.all(
      this.config.channels.map((config, index) => this.connect(config, index)),
    );
    for (const channel of connected) this.channels.set(channel.name, channel);
  }

  async onApplicationShutdown(): Promise<void> {
    for (const { channel, name } of this.ready()) await this.close(name, channel);
    await Promise.all(this.outbound.map((each) => each.close()));
  }

  all(): (ReadyChannel | FailedChannel)[] {
    return [...this.channels.values()];
  }

  ready(): ReadyChannel[] {
    return this.all().filter((each) => each.state === 'ready');
  }

  has(name: string): boolean {
    return this.channels.has(name);
  }

  /** Throws `UnknownChannelError`. */
  get(name: string): ReadyChannel | FailedChannel {
    const found = this.channels.get(name);
    if (!found) throw new UnknownChannelError(name);
    return found;
  }

  private async connect(config: ChannelConfig, index: number): Promise<ReadyChannel | FailedChannel> {
    const { name } = config;
    let redact = createRedactor(this.valuesFromVariables(config, index));
    try {
      const location = locatePlugin(config.plugin, this.config.folder);
      const plugin = await loadLocated(location);
      const options = resolvePluginOptions(plugin, config.options);
      const secrets = [...(plugin.secrets?.(options) ?? []), ...this.valuesFromVariables(config, index)];
      redact = createRedactor(secrets);
      const log = loggerOf(name, redact);
      const deadline = new CallDeadline();
      const limits = plugin.limits(options);
      const http = createChannelHttp({
        limits,
        limiter: this.limits.limiterOf(name, limits, clock),
        breaker: this.breakers.gateOf(name),
        maxWaitMs: this.config.limits.maxWaitSeconds * 1000,
        maxRetryAfterMs: this.config.limits.maxRetryAfterSeconds * 1000,
        clock,
        log,
        secrets,
        fetch: tracedFetch(this.openOutbound().fetch, name),
        beforeSend: () => deadline.assertInTime(),
      });
      const capabilities = plugin.capabilities(options);
      const host = { channel: name, http, log, clock, secrets: this.secrets.of(name) };
      const channel = await connectPlugin(plugin, options, host, (late) => void this.close(name, late));
      const pinned = location.isPinned ? 'pinned' : 'not pinned';
      this.log.log(`${name}: ${plugin.name} ${plugin.version}, ${config.mode}, ${pinned}`);
      return {
        state: 'ready',
        name,
        config,
        pluginName: plugin.name,
        pluginVersion: plugin.version,
        isPinned: location.isPinned,
        capabilities,
        limits,
        channel,
        deadline,
      };
    } catch (thrown) {
      const error = redact(reasonOf(thrown));
      this.log.error(`${name} is not served: ${error}`);
      return { state: 'failed', name, config, error };
    }
  }

  private async close(name: string, channel: Channel): Promise<void> {
    try {
      await channel.close?.();
    } catch (error) {
      this.log.warn(`${name} did not close: ${reasonOf(error)}`);
    }
  }

  /** Each channel has connections of its own, so that one that is stuck holds up no other. */
  private openOutbound(): GuardedFetch {
    const opened = createGuardedFetch(this.guard);
    this.outbound.push(opened);
    return opened;
  }

  /** Whatever came from the environment is taken for a secret, whether or not the plugin calls it one. */
  private valuesFromVariables(config: ChannelConfig, index: number): string[] {
    const prefix = `channels[${index}].options.`;
    return this.config.fromVariables
      .filter((path) => path.startsWith(prefix))
      .map((path) =>
        path
          .slice(prefix.length)
          .split('.')
          .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], config.options),
      )
      .filter((value): value is string => typeof value === 'string' && value.length >= 8);
  }
}

const clock: ChannelClock = {
  now: () => new Date(),
  sleep: async (delayMs, signal) => {
    await sleep(delayMs, undefined, { signal });
  },
};

/** A plugin's lines carry its channel, and none of its secrets. */
function loggerOf(channel: string, redact: (text: string) => string): ChannelLogger {
  const log = new Logger(`channel ${channel}`);
  const line = (message: string, fields?: Record<string, unknown>) =>
    redact(fields ? `${message} ${JSON.stringify(fields)}` : message);
  return {
    debug: (message, fields) => log.debug(line(message, fields)),
    info: (message, fields) => log.log(line(message, fields)),
    warn: (message, fields) => log.warn(line(message, fields)),
    error: (message, fields) => log.error(line(message, fields)),
  };
}
