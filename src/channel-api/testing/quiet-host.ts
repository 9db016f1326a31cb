import { type ChannelSecrets, memorySecrets } from '../channel-secrets';
import type { Channel, ChannelClock, ChannelPlugin, LimitFacts } from '../contract';
import { createChannelHttp } from '../fetch-http';
import type { ChannelHttp, ChannelHttpRequest } from '../http-client';
import { resolvePluginOptions } from '../plugin-options';

export interface QuietHostSettings {
  /** The channel's name. */
  channel?: string;
  /** Where its clock begins; the time of day otherwise. */
  nowMs?: number;
  /** What a wait really takes, so that answers have a moment to come meanwhile. */
  pauseMs?: number;
  maxResponseBytes?: number;
  /** What it keeps for the channel; nothing otherwise. */
  secrets?: ChannelSecrets;
}

/**
 * A host for a plugin's own tests: it keeps what it is told, and nobody waits, as its clock moves only by what is slept
 * and by what the test adds to `nowMs`.
 */
export class QuietHost {
  nowMs: number;
  /** Ms of each wait. */
  readonly slept: number[] = [];
  readonly logged: string[] = [];
  /** What went through `host.http`. */
  readonly requests: ChannelHttpRequest[] = [];
  readonly learned: [limit: string, facts: LimitFacts][] = [];
  readonly clock: ChannelClock;

  constructor(private readonly settings: QuietHostSettings = {}) {
    this.nowMs = settings.nowMs ?? Date.now();
    const { pauseMs = 0 } = settings;
    this.clock = {
      now: () => new Date(this.nowMs),
      sleep: async (delayMs) => {
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        this.slept.push(delayMs);
        this.nowMs += delayMs;
      },
    };
  }

  /** Throws what is wrong with the options, and what `plugin.connect` throws. */
  async connect<Options extends object>(
    plugin: ChannelPlugin<Options>,
    options: Record<string, unknown>,
  ): Promise<Channel> {
    const resolved = resolvePluginOptions(plugin, options);
    const note = (message: string, fields?: Record<string, unknown>) =>
      void this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    const log = { debug: note, info: note, warn: note, error: note };
    const http = createChannelHttp({
      limits: plugin.limits(resolved),
      clock: this.clock,
      log,
      secrets: plugin.secrets(resolved),
      maxResponseBytes: this.settings.maxResponseBytes,
    });
    return plugin.connect(resolved, {
      channel: this.settings.channel ?? 'tested',
      http: this.watched(http),
      log,
      clock: this.clock,
      secrets: this.settings.secrets ?? memorySecrets(),
    });
  }

  private watched(http: ChannelHttp): ChannelHttp {
    return {
      request: (request) => {
        this.requests.push(request);
        return http.request(request);
      },
      learn: (limit, facts) => {
        this.learned.push([limit, facts]);
        http.learn(limit, facts);
      },
    };
  }
}
