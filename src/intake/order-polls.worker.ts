import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService } from '../channels/channels.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { OrderPollsService } from './order-polls.service';

/** Named also by whoever must know of all orders until now: a push that finds the channel sold unheard of. */
export const POLL_ORDERS = 'poll-orders';

/** Has each channel's orders read: at start, every so often, and whenever somebody asks for it. */
@Injectable()
export class OrderPollsWorker implements OnApplicationBootstrap, OnModuleInit {
  constructor(
    private readonly polls: OrderPollsService,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(POLL_ORDERS, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'failed' || !channel.capabilities.readsOrders) return;
      // Woken again when the channel is back.
      if (this.breakers.isOpen(name!)) return;
      await this.polls.poll(channel);
      // Pushes may wait for what has been read just now.
      this.jobs.wake('push-listings', name);
    });
    for (const { name, pollOrdersEverySeconds } of this.config.channels)
      if (pollOrdersEverySeconds > 0) this.jobs.every(pollOrdersEverySeconds, POLL_ORDERS, name);
  }

  /** What changed while no host ran. */
  async onApplicationBootstrap(): Promise<void> {
    for (const channel of this.channels.ready()) {
      if (!channel.capabilities.readsOrders) continue;
      await this.polls.know(channel);
      if (channel.config.pollOrdersEverySeconds > 0) this.jobs.wake(POLL_ORDERS, channel.name);
    }
  }
}
