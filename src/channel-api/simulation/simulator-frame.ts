import type {
  Outage,
  SimulatedCall,
  SimulatorControls,
  SimulatorFaults,
  SimulatorOptions,
  WebhookAttempt,
  WebhookDelivery,
} from '../simulator';
import { changedFaults, FaultDice, NO_FAULTS } from './fault-dice';
import { type SimulatedApi, SimulatorServer } from './simulator-server';
import { WebhookDeliverer } from './webhook-deliverer';

/**
 * What every simulator is made of but the channel itself: its API on a local port with limit, faults and
 * outages, the webhooks it sends, and both logs. A simulator extends it, gives `listen` its routes, and calls
 * `sendWebhook` whenever an order changes.
 */
export class SimulatorFrame implements SimulatorControls {
  url = '';
  private readonly server: SimulatorServer;
  private readonly deliverer: WebhookDeliverer;
  private current: SimulatorFaults = { ...NO_FAULTS };

  constructor(
    api: SimulatedApi,
    private readonly settings: Pick<SimulatorOptions, 'port' | 'seed' | 'limit' | 'webhookRetryMs'>,
  ) {
    const faults = () => this.current;
    const seed = settings.seed ?? 1;
    const enforced = settings.limit?.enforced === false ? undefined : settings.limit;
    this.server = new SimulatorServer(api, new FaultDice(seed), faults, enforced);
    // Dice of their own: how often the API is called must not change which webhooks go astray.
    this.deliverer = new WebhookDeliverer(new FaultDice(~seed), faults, settings.webhookRetryMs);
  }

  get calls(): readonly SimulatedCall[] {
    return this.server.calls;
  }

  get deliveries(): readonly WebhookAttempt[] {
    return this.deliverer.attempts;
  }

  /** Rejects when the port is taken. */
  async listen(): Promise<void> {
    this.url = await this.server.listen(this.settings.port ?? 0);
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

  /** Sends it to where webhooks go, if anywhere. */
  protected sendWebhook(webhook: WebhookDelivery): void {
    this.deliverer.send(webhook);
  }
}
