import { createHmac, randomBytes } from 'node:crypto';
import {
  jsonWithBareIds,
  SimulatorFrame,
  type ChannelSimulator,
  type SimulatedListing,
  type SimulatedOrderLine,
  type SimulatorOptions,
  type StartSimulator,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { ShopApi } from './api';
import { Shop } from './shop';
import { Wire } from './wire';

/** Starts a shop with the API that the plugin's default options describe. Rejects when the port is taken. */
export const startSimulator: StartSimulator = async (options) => {
  const simulator = new ShopSimulator(options);
  await simulator.listen();
  return simulator;
};

class ShopSimulator extends SimulatorFrame implements ChannelSimulator {
  readonly wrongCredentials = { auth: { kind: 'bearer', token: 'a-token-the-shop-does-not-know' } };
  readonly signatureHeader = 'x-shop-signature';
  readonly locations: readonly string[];
  private readonly shop: Shop;
  private readonly wire: Wire;
  private readonly token: string;

  constructor(private readonly options: SimulatorOptions) {
    const shop = new Shop(options);
    const wire = new Wire(options.locations !== undefined);
    const token = options.token ?? randomBytes(16).toString('hex');
    super(new ShopApi(shop, wire, token, options), options);
    this.shop = shop;
    this.wire = wire;
    this.token = token;
    this.locations = options.locations ?? [];
    shop.onChange = (order) => this.sendWebhook(this.webhookFor(order.orderId));
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

  list(items: SimulatedListing[]): void {
    this.shop.list(items);
  }

  shown(channelLocation?: string): Map<string, number> {
    return this.shop.shown(channelLocation);
  }

  placeOrder(order: { orderId: string; placedAt: string; lines: SimulatedOrderLine[] }) {
    return this.shop.place(order.orderId, order.placedAt, order.lines);
  }

  fulfilOrder(orderId: string, at: string) {
    return this.shop.fulfil(orderId, at);
  }

  cancelOrder(orderId: string, at: string) {
    return this.shop.cancel(orderId, at);
  }

  returnOrder(orderId: string, at: string) {
    return this.shop.return(orderId, at);
  }

  order(orderId: string) {
    return this.shop.order(orderId);
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

  spoil(what: { channelSku?: string; orderId?: string }): void {
    for (const id of [what.channelSku, what.orderId]) if (id !== undefined) this.wire.spoiled.add(id);
  }
}
