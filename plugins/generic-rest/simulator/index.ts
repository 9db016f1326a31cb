import { createHmac, randomBytes } from 'node:crypto';
import {
  jsonWithBareIds,
  SimulatorFrame,
  type SimulatedReply,
  type SimulatedRequest,
  type SimulatorOptions,
  type StartSimulator,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { ShopApi } from './api';
import { Wire } from './wire';

/** Starts a shop with the API that the plugin's default options describe. Rejects when the port is taken. */
export const startSimulator: StartSimulator = async (options) => {
  const simulator = new ShopSimulator(options);
  await simulator.listen();
  return simulator;
};

class ShopSimulator extends SimulatorFrame {
  override readonly signatureHeader = 'x-shop-signature';
  readonly wrongCredentials = { auth: { kind: 'bearer', token: 'a-token-the-shop-does-not-know' } };
  private readonly token: string;
  private readonly wire: Wire;
  private readonly api: ShopApi;

  constructor(options: SimulatorOptions) {
    super(options);
    this.token = options.token ?? randomBytes(16).toString('hex');
    this.wire = new Wire(this.spoiled, this.locations.length > 0);
    this.api = new ShopApi(this.shop, this.wire, this.token);
  }

  get pluginOptions(): Record<string, unknown> {
    const { webhookSecret, previousWebhookSecret, limit, locations, compareAndSet } = this.options;
    const location = locations && { location: 'location' };
    const expected = compareAndSet ? { expected: 'expected' } : undefined;
    return {
      baseUrl: this.url,
      auth: { kind: 'bearer', token: this.token },
      webhook: {
        secret: webhookSecret,
        ...(previousWebhookSecret === undefined ? {} : { previousSecret: previousWebhookSecret }),
      },
      cancel: {},
      ...(limit ? { limit: { perSecond: limit.perSecond, burst: limit.burst } } : {}),
      ...(location || expected ? { push: { fields: { ...location, ...expected } } } : {}),
      ...(location ? { read: { fields: location }, orders: { fields: location } } : {}),
    };
  }

  webhookFor(orderId: string): WebhookDelivery {
    const body = Buffer.from(jsonWithBareIds(this.wire.order(this.shop.order(orderId))));
    return {
      headers: {
        'content-type': 'application/json',
        'x-shop-topic': 'order/changed',
        'x-shop-signature': createHmac('sha256', this.options.webhookSecret).update(body).digest('hex'),
      },
      body,
    };
  }

  protected answer(request: SimulatedRequest): SimulatedReply {
    return this.api.answer(request);
  }

  protected override throttled(retryAfter: string | null): SimulatedReply {
    const error = { code: 'throttled', message: 'Too many calls.' };
    return { ...super.throttled(retryAfter), body: { error } };
  }

  protected override unavailable(): SimulatedReply {
    return { status: 503, body: { error: { code: 'unavailable', message: 'Try later.' } } };
  }
}
