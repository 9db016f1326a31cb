import type { OrderDocument } from '../contract';
import type {
  ChannelSimulator,
  Outage,
  SimulatedCall,
  SimulatedListing,
  SimulatedOrderLine,
  SimulatorFaults,
  SimulatorOptions,
  WebhookAttempt,
  WebhookDelivery,
} from '../simulator';
import { changedFaults, FaultDice, NO_FAULTS } from './fault-dice';
import { SimulatedShop } from './simulated-shop';
import { type SimulatedReply, type SimulatedRequest, SimulatorServer } from './simulator-server';
import { WebhookDeliverer } from './webhook-deliverer';

/**
 * What every simulator is made of but the wire: items and orders, an API on a local port with limit, faults
 * and outages, webhooks of its own, and both logs. A simulator extends it and says how its channel words things.
 */
export abstract class SimulatorFrame implements ChannelSimulator {
  url = '';
  readonly signatureHeader?: string;
  readonly locations: readonly string[];
  protected readonly shop: SimulatedShop;
  /** SKUs and order ids to be given in a form that the channel does not document. */
  protected readonly spoiled: ReadonlySet<string>;
  private readonly spoiling = new Set<string>();
  private readonly server: SimulatorServer;
  private readonly deliverer: WebhookDeliverer;
  private current: SimulatorFaults = { ...NO_FAULTS };

  constructor(protected readonly options: SimulatorOptions) {
    const { seed = 1, limit, webhookRetryMs } = options;
    const faults = () => this.current;
    this.locations = options.locations ?? [];
    this.spoiled = this.spoiling;
    this.shop = new SimulatedShop(options, (order) => this.orderChanged(order));
    this.server = new SimulatorServer(
      {
        answer: (request) => this.answer(request),
        throttled: (retryAfter) => this.throttled(retryAfter),
        unavailable: () => this.unavailable(),
      },
      new FaultDice(seed),
      faults,
      limit?.enforced === false ? undefined : limit,
    );
    // Dice of their own: how often the API is called must not change which webhooks go astray.
    this.deliverer = new WebhookDeliverer(new FaultDice(~seed), faults, webhookRetryMs);
  }

  abstract get pluginOptions(): Record<string, unknown>;
  abstract get wrongCredentials(): Record<string, unknown>;
  abstract webhookFor(orderId: string): WebhookDelivery;
  /** Answers a call of the channel's API, its credentials included. Pushes heed `request.pretend`. */
  protected abstract answer(request: SimulatedRequest): SimulatedReply | Promise<SimulatedReply>;

  /** How the channel says that a limit is met. */
  protected throttled(retryAfter: string | null): SimulatedReply {
    const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': retryAfter };
    return { status: 429, headers, body: { error: 'too many calls' } };
  }

  /** How the channel says that it is not available. */
  protected unavailable(): SimulatedReply {
    return { status: 503, body: { error: 'unavailable' } };
  }

  /** Rejects when the port is taken. */
  async listen(): Promise<void> {
    this.url = await this.server.listen(this.options.port ?? 0);
  }

  get calls(): readonly SimulatedCall[] {
    return this.server.calls;
  }

  get deliveries(): readonly WebhookAttempt[] {
    return this.deliverer.attempts;
  }

  list(items: SimulatedListing[]): void {
    this.shop.list(items);
  }

  shown(channelLocation?: string): Map<string, number> {
    return this.shop.shown(channelLocation);
  }

  placeOrder(order: { orderId: string; placedAt: string; lines: SimulatedOrderLine[] }): OrderDocument {
    return this.shop.place(order.orderId, order.placedAt, order.lines);
  }

  fulfilOrder(orderId: string, at: string): OrderDocument {
    return this.shop.fulfil(orderId, at);
  }

  cancelOrder(orderId: string, at: string): OrderDocument {
    return this.shop.cancel(orderId, at);
  }

  returnOrder(orderId: string, at: string): OrderDocument {
    return this.shop.return(orderId, at);
  }

  order(orderId: string): OrderDocument {
    return this.shop.order(orderId);
  }

  spoil(what: { channelSku?: string; orderId?: string }): void {
    for (const id of [what.channelSku, what.orderId]) if (id !== undefined) this.spoiling.add(id);
  }

  faults(change: Partial<SimulatorFaults>): void {
    this.current = changedFaults(this.current, change);
  }

  outage(outage: Outage | null): void {
    this.server.setOutage(outage);
  }

  deliverTo(url: string | null): void {
    this.deliverer.deliverTo(url);
  }

  delivered(): Promise<void> {
    return this.deliverer.delivered();
  }

  async close(): Promise<void> {
    this.deliverer.close();
    await this.server.close();
  }

  /** What the channel sends of an order that has just changed: its webhook, where a channel does not send another. */
  protected webhooksOf({ orderId }: OrderDocument): WebhookDelivery[] {
    return [this.webhookFor(orderId)];
  }

  /** For channels that send more than orders, or to addresses that were subscribed: to `deliverTo`'s unless told. */
  protected sendWebhook(webhook: WebhookDelivery, url?: string): void {
    this.deliverer.send(webhook, url);
  }

  private orderChanged(order: OrderDocument): void {
    if (!this.deliverer.isUsed) return;
    for (const webhook of this.webhooksOf(order)) this.deliverer.send(webhook);
  }
}
