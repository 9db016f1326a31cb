import type { ChannelSimulator, WebhookDelivery } from '../channel-api/simulator';
import type { HostClient } from './host-client';
import type { Step } from './timeline';

/** Webhooks sent so far. */
export interface WebhookCounts {
  sent: number;
  /** Of these, sent a second time on purpose. */
  repeated: number;
  /** Answered as known already. */
  duplicates: number;
}

type OrderStep = Extract<Step, { kind: 'place' | 'ship' | 'repeat' }>;

/** Buyers order from the simulated channel, and the channel tells the host by signed webhook. */
export class OrderChannel {
  readonly counts: WebhookCounts = { sent: 0, repeated: 0, duplicates: 0 };
  private readonly path: string;
  /** Webhooks that a later step may repeat. */
  private readonly delivered = new Map<string, WebhookDelivery>();

  constructor(
    private readonly simulator: ChannelSimulator,
    private readonly host: HostClient,
    channel: string,
    steps: readonly Step[],
  ) {
    this.path = `/webhooks/${encodeURIComponent(channel)}`;
    this.toRepeat = new Set(
      steps.flatMap((step) => (step.kind === 'repeat' ? [`${step.of} ${step.document}`] : [])),
    );
  }

  private readonly toRepeat: ReadonlySet<string>;

  /** The buyer's act and its webhook belong together: nothing else happens in between. */
  async run(step: OrderStep): Promise<void> {
    await this.send(this.deliveryOf(step));
    if (step.kind === 'repeat') this.counts.repeated += 1;
  }

  private deliveryOf(step: OrderStep): WebhookDelivery {
    const orderId = step.document;
    const key = `${step.kind === 'repeat' ? step.of : step.kind} ${orderId}`;
    if (step.kind === 'repeat') {
      const before = this.delivered.get(key);
      this.delivered.delete(key);
      return before ?? this.simulator.webhookFor(orderId);
    }
    if (step.kind === 'place')
      this.simulator.placeOrder({ orderId, placedAt: step.occurredAt, lines: step.lines });
    else this.simulator.fulfilOrder(orderId, step.occurredAt);
    const delivery = this.simulator.webhookFor(orderId);
    if (this.toRepeat.has(key)) this.delivered.set(key, delivery);
    return delivery;
  }

  private async send(delivery: WebhookDelivery): Promise<void> {
    const { duplicate } = await this.host.deliver<{ received: true; duplicate: boolean }>(
      this.path,
      delivery,
    );
    this.counts.sent += 1;
    if (duplicate) this.counts.duplicates += 1;
  }
}
