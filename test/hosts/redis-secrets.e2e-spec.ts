import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/host';
import { describeWithRedis, TestRedis } from '../support/redis';
import {
  deliver,
  listingsCsv,
  type ShopHost,
  signedWebhook,
  startShopHost,
  WEBHOOK_SECRET,
} from '../support/shop-host';

/** I8: what Redis holds is a wake, whatever is asked of a host. */
describeWithRedis('a Redis', () => {
  let redis: TestRedis;
  let host: ShopHost;

  beforeAll(async () => {
    redis = await TestRedis.start({ password: 'canary-redis-password' });
    host = await startShopHost({
      redis: { url: redis.url },
      shows: ['S-A'],
      shop: { listings: listingsCsv([['S-A', 'A', 1]]) },
    });
  });

  afterAll(async () => {
    await host.close();
    await redis.remove();
  });

  /** All that is ever sent to it, and all that it keeps. */
  async function watched(work: () => Promise<void>): Promise<string> {
    const client = new Redis(redis.url);
    const { hostname, port, password } = new URL(redis.url);
    const monitor = connect(Number(port), hostname).setEncoding('utf8');
    const seen: string[] = [];
    monitor.on('data', (text: string) => seen.push(text));
    monitor.write(`AUTH ${password}\r\nMONITOR\r\n`);
    try {
      await eventually(() => expect(seen.join('')).toMatch(/^\+OK\r\n\+OK\r\n/));
      await work();
      for (const key of await client.keys('*'))
        seen.push(key, (await client.dumpBuffer(key))?.toString('latin1') ?? '');
      return seen.join('');
    } finally {
      monitor.destroy();
      client.disconnect();
    }
  }

  test('is sent no secret, and nothing of an order', async () => {
    const { token } = host.shop.pluginOptions.auth as { token: string };
    let key = '';
    const text = await watched(async () => {
      const made = await host.api.post<{ key: string }>('/v1/keys', { name: 'k', scopes: ['stock:read'] });
      key = made.body.key;
      await host.api.withKey(undefined).post('/v1/session', { key: ADMIN_KEY });
      await host.api.post('/v1/skus', { sku: 'A' });
      await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 5 });
      await deliver(host, signedWebhook({ id: 'canary-order', version: 1, lines: [] }));
      await eventually(() => expect(host.shop.shown().get('S-A')).toBe(5));
    });
    // It was used at all.
    expect(text).toMatch(/bull:|wake/);
    for (const secret of [ADMIN_KEY, WEBHOOK_SECRET, token, key, 'canary-order', 'canary-redis-password'])
      expect({ secret, found: text.includes(secret) }).toEqual({ secret, found: false });
  });
});
