import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  type Channel,
  type ChannelCapabilities,
  type ChannelClock,
  type ChannelLogger,
  createChannelHttp,
  createRedactor,
  resolvePluginOptions,
} from '../channel-api';
import type { ChannelConfig } from '../config/channel.config';
import { Config } from '../config/config';
import { BreakerService } from './breaker.service';
import { CallDeadline } from './call-deadline';
import { UnknownChannelError } from './channels.errors';
import { LimitsService } from './limits.service';
import { loadPlugin } from './plugin-loader';

/** A channel that its plugin serves. */
export interface ReadyChannel {
  state: 'ready';
  name: string;
  config: ChannelConfig;
  pluginName: string;
  pluginVersion: string;
  capabilities: ChannelCapabilities;
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

  constructor(
    private readonly config: Config,
    private readonly limits: LimitsService,
    private readonly breakers: BreakerService,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.breakers.load();
    for (const [index, config] of this.config.channels.entries()) {
      this.channels.set(config.name, await this.connect(config, index));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    for (const { channel, name } of this.ready()) {
      await channel
        .close?.()
        .catch((error: Error) => this.log.warn(`${name} did not close: ${error.message}`));
    }
  }

  all(): (ReadyChannel | FailedChannel)[] {
    return [...this.channels.values()];
  }

  ready(): ReadyChannel[] {
    return this.all().filter((each) => each.state === 'ready');
  }

  /** Throws `UnknownChannelError`. */
  get(name: string): ReadyChannel | FailedChannel {
    const found = this.channels.get(name);
    if (!found) throw new UnknownChannelError(name);
    return found;
  }

  private async connect(config: ChannelConfig, index: number): Promise<ReadyChannel | FailedChannel> {
    const { name } = config;
    try {
      const plugin = await loadPlugin(config.plugin, this.config.folder);
      const options = resolvePluginOptions(plugin, config.options);
      const secrets = [...(plugin.secrets?.(options) ?? []), ...this.valuesFromVariables(config, index)];
      const log = loggerOf(name, createRedactor(secrets));
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
        beforeSend: () => deadline.assertInTime(),
      });
      const channel = await plugin.connect(options, { channel: name, http, log, clock });
      const capabilities = plugin.capabilities(options);
      this.log.log(`${name}: ${plugin.name} ${plugin.version}, ${config.mode}`);
      return {
        state: 'ready',
        name,
        config,
        pluginName: plugin.name,
        pluginVersion: plugin.version,
        capabilities,
        channel,
        deadline,
      };
    } catch (error) {
      this.log.error(`${name} is not served: ${(error as Error).message}`);
      return { state: 'failed', name, config, error: (error as Error).message };
    }
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
