import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerService } from '../channels/breaker.service';
import type { ChannelsService } from '../channels/channels.service';
import type { LimitsService } from '../channels/limits.service';

/** Metrics of this host's calls to channels; each is read when it is asked for. */
export class CallMetrics {
  constructor(
    private readonly registry: Registry,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly limits: LimitsService,
  ) {
    this.gauge('breaker_open', '1 while the channel is left alone because it does not answer', (name) =>
      this.breakers.isOpen(name) ? 1 : 0,
    );
    this.gauge('stale', '1 while what the channel sells is not known', (name) =>
      this.breakers.stalenessOf(name) ? 1 : 0,
    );
    this.counter('breaker_openings_total', 'Times that the breaker opened, seen by this host', (name) =>
      this.breakers.openingsOf(name),
    );
    this.addCalls();
    this.counter(
      'calls_refused_by_limit_total',
      'Calls not sent because a limit was used up',
      (name) => this.limits.countsOf(name)?.refused,
    );
    this.counter(
      'limit_wait_seconds_total',
      'Time that calls waited for their limits',
      (name) => (this.limits.countsOf(name)?.waitedMs ?? 0) / 1000,
    );
    this.addLimits();
  }

  private addCalls(): void {
    const { channels, breakers } = this;
    new Counter({
      name: 'onhand_channel_calls_total',
      help: 'Calls by what became of them; refused ones were not sent, because the breaker was open',
      labelNames: ['channel', 'outcome'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name } of channels.all()) {
          for (const [outcome, count] of Object.entries(breakers.countsOf(name))) {
            this.inc({ channel: name, outcome }, count);
          }
        }
      },
    });
  }

  private addLimits(): void {
    const { channels, limits } = this;
    new Gauge({
      name: 'onhand_channel_limit_left',
      help: 'Units left of a limit when this host last asked for some',
      labelNames: ['channel', 'limit'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name } of channels.all()) {
          for (const [limit, units] of limits.countsOf(name)?.left ?? [])
            this.set({ channel: name, limit }, units);
        }
      },
    });
  }

  private gauge(name: string, help: string, of: (channel: string) => number): void {
    const { channels } = this;
    new Gauge({
      name: `onhand_channel_${name}`,
      help,
      labelNames: ['channel'],
      registers: [this.registry],
      collect() {
        for (const { name: channel } of channels.all()) this.set({ channel }, of(channel));
      },
    });
  }

  private counter(name: string, help: string, of: (channel: string) => number | undefined): void {
    const { channels } = this;
    new Counter({
      name: `onhand_channel_${name}`,
      help,
      labelNames: ['channel'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name: channel } of channels.all()) this.inc({ channel }, of(channel) ?? 0);
      },
    });
  }
}
