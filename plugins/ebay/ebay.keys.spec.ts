import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  ChannelRequestError,
  createChannelHttp,
  memorySecrets,
  resolvePluginOptions,
} from 'onhand/channel-api';
import { systemClock } from 'onhand/channel-api/testing';
import plugin from './ebay.plugin';
import { keptSigningKey } from './ebay.signing-key';
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

describe('the key to sign with, where the options have none', () => {
  const pair = () => ({
    privateKey: generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'der' })
      .toString('base64'),
    jwe: randomUUID(),
  });
  const NOW = Date.parse('2026-03-01T12:00:00Z');

  function host(kept = new Map<string, string>(), secrets = memorySecrets(kept)) {
    const warned: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warned.push(message) };
    return { secrets, log, warned, clock: { ...systemClock, now: () => new Date(NOW) } };
  }

  test('is made once for all hosts, and is the same after a restart', async () => {
    const kept = new Map<string, string>();
    const make = jest.fn(async () => pair());
    const [one, two] = await Promise.all([1, 2].map(() => keptSigningKey(host(kept), make)));
    expect(two!.jwe).toBe(one!.jwe);
    const made = make.mock.calls.length;
    expect((await keptSigningKey(host(kept), make)).jwe).toBe(one!.jwe);
    expect(make).toHaveBeenCalledTimes(made);
  });

  test.each([
    ['that ends within a day is replaced', 80_000, 1],
    ['that lasts is kept', 100_000, 0],
  ])('%s', async (_, secondsLeft, times) => {
    const kept = new Map<string, string>();
    const make = jest.fn(async () => pair());
    const ending = { ...pair(), expirationTime: NOW / 1000 + secondsLeft };
    kept.set('signing-key', JSON.stringify(ending));
    const { jwe } = await keptSigningKey(host(kept), make);
    expect(make).toHaveBeenCalledTimes(times);
    expect(jwe === ending.jwe).toBe(times === 0);
    expect(JSON.parse(kept.get('signing-key')!)).toMatchObject({ jwe });
  });

  test('is of the process alone where nothing can be kept, and that is said', async () => {
    const refusal = new ChannelRequestError('set ONHAND_SECRET_KEYS');
    const alone = host(new Map(), {
      get: async () => undefined,
      compareAndSet: () => Promise.reject(refusal),
    });
    const made = pair();
    expect((await keptSigningKey(alone, async () => made)).jwe).toBe(made.jwe);
    expect(alone.warned).toEqual([expect.stringContaining('set ONHAND_SECRET_KEYS')]);
  });
});
