import { defineChannelPlugin } from 'onhand/channel-api';
import { JsonShopChannel } from './channel';
import { JsonShopOptions } from './options';

export default defineChannelPlugin<JsonShopOptions>({
  name: 'json-shop',
  version: '1.0.0',
  channelApi: '^1.0.0',
  options: JsonShopOptions,
  secrets: ({ token, webhook }) => [token, webhook.secret],
  capabilities: () => ({
    pushBatchSize: 50,
    pushAnswers: 'applied',
    compareAndSet: false,
    stockByLocation: false,
    readsOrders: true,
    cancelsOrders: false,
    subscribesWebhooks: false,
  }),
  limits: ({ callsPerSecond }) => [{ name: 'api', perSecond: callsPerSecond, burst: callsPerSecond }],
  connect: (options, host) => new JsonShopChannel(options, host),
});
