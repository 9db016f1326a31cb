import { createChannelHttp, memorySecrets, resolvePluginOptions } from 'onhand/channel-api';
import { systemClock } from 'onhand/channel-api/testing';
import plugin from './ebay.plugin';
import { startSimulator } from './simulator';

test('many first notifications at once ask for their key once, and are all accepted', async () => {
  const ebay = await startSimulator({ webhookSecret: 'a-secret-of-the-keys-spec' });
  try {
    const options = resolvePluginOptions(plugin, ebay.pluginOptions);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const settings = { limits: plugin.limits(options), clock: systemClock, log, secrets: [] };
    const http = createChannelHttp(settings);
    const channel = await plugin.connect(options, {
      channel: 'ebay',
      http,
      log,
      clock: systemClock,
      secrets: memorySecrets(),
    });
    const lines = [{ lineId: 'line', channelSku: 'SKU-1', quantityUnits: 1 }];
    ebay.placeOrder({ orderId: 'order', placedAt: new Date().toISOString(), lines });
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, () =>
        channel.verifyWebhook({ method: 'POST', path: '/', ...ebay.webhookFor('order') }),
      ),
    );
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['accepted']));
    expect(ebay.calls.filter(({ path }) => path.includes('/public_key/'))).toHaveLength(1);
  } finally {
    await ebay.close();
  }
});
