import { createHmac, randomBytes } from 'node:crypto';
import type { ChannelSimulator, StartSimulator, WebhookDelivery } from 'onhand/channel-api';
import { ShopServer } from './http-server';
import { Shop } from './shop';
import { orderBody } from './wire';

/** Starts a shop with the API that the plugin's default options describe. Rejects when the port is taken. */
export const startSimulator: StartSimulator = async (options) => {
  const shop = new Shop();
  const token = options.token ?? randomBytes(16).toString('hex');
  const server = new ShopServer(shop, token, options);
  const url = await server.listen(options.port ?? 0);
  const simulator: ChannelSimulator = {
    url,
    pluginOptions: {
      baseUrl: url,
      auth: { kind: 'bearer', token },
      webhook: { secret: options.webhookSecret },
      cancel: {},
      ...(options.limit ? { limit: options.limit } : {}),
    },
    calls: server.calls,
    list: (items) => shop.list(items),
    shown: () => shop.shown(),
    placeOrder: ({ orderId, placedAt, lines }) => shop.place(orderId, placedAt, lines),
    fulfilOrder: (orderId, at) => shop.fulfil(orderId, at),
    cancelOrder: (orderId, at) => shop.cancel(orderId, at),
    returnOrder: (orderId, at) => shop.return(orderId, at),
    webhookFor: (orderId) => signed(orderBody(shop.order(orderId)), options.webhookSecret),
    faults: (faults) => {
      server.faults = { ...server.faults, ...faults };
    },
    close: () => server.close(),
  };
  return simulator;
};

function signed(order: object, secret: string): WebhookDelivery {
  const body = Buffer.from(JSON.stringify(order));
  return {
    headers: {
      'content-type': 'application/json',
      'x-shop-topic': 'order/changed',
      'x-shop-signature': createHmac('sha256', secret).update(body).digest('hex'),
    },
    body,
  };
}
