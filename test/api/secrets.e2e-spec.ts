import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import { deliver, listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const WRONG_TOKEN = 'canary-token-that-the-shop-refuses';
const SENT_BY_A_CALLER = 'canary-sent-by-a-caller';

/** I8: no secret in a log, an error, an answer or the database, even where everything is logged. */
describe('secrets', () => {
  let database: TestDatabase;
  let shop: ChannelSimulator;
  let folder: HostFolder;
  let host: SpawnedHost;
  let shopToken: string;
  const answers: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
    shopToken = (shop.pluginOptions.auth as { token: string }).token;
    const channel = { plugin: GENERIC_REST_PACKAGE, listings: listingsCsv([['S-A', 'A', 1]]) };
    const webhook = { secret: '${WEBHOOK_SECRET}' };
    folder = await HostFolder.create(
      {
        channels: [
          {
            ...channel,
            name: 'shop',
            options: { ...shop.pluginOptions, auth: { kind: 'bearer', token: '${SHOP_TOKEN}' }, webhook },
          },
          {
            ...channel,
            name: 'refused',
            options: { ...shop.pluginOptions, auth: { kind: 'bearer', token: WRONG_TOKEN }, webhook },
          },
          {
            ...channel,
            name: 'basic',
            options: {
              baseUrl: shop.url,
              auth: { kind: 'basic', username: 'canary-user', password: WRONG_TOKEN },
              webhook,
            },
          },
          {
            ...channel,
            name: 'faulty',
            options: {
              baseUrl: 'ftp://none',
              auth: { kind: 'bearer', token: [WRONG_TOKEN] },
              webhook: { secret: 'canary7' },
            },
          },
        ],
      },
      database.url,
    );
    host = await folder.start({ logLevel: 'trace', env: { SHOP_TOKEN: shopToken, WEBHOOK_SECRET } });
  });

  afterAll(async () => {
    await folder.remove();
    await shop.close();
    await database.drop();
  });

  async function call(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: string; key?: string },
  ) {
    const answer = await host.api
      .withKey(options && 'key' in options ? options.key : ADMIN_KEY)
      .send<{ key?: string; id?: string }>(method, path, options);
    answers.push(JSON.stringify([...answer.headers, answer.body]));
    return answer;
  }

  test('stand in no answer, no line of the log and no row, whatever is asked and whatever fails', async () => {
    const json = { 'content-type': 'application/json' };
    const made = await host.api.post<{ key: string; id: string }>('/v1/keys', {
      name: 'mine',
      scopes: ['stock:read'],
    });
    const { key, id } = made.body;
    await call('GET', '/v1/keys');
    await call('GET', '/v1/config');
    await call('GET', '/v1/stock', { key });
    await call('POST', '/v1/skus', { key, headers: json, body: '{"sku":"X"}' });
    await call('DELETE', `/v1/keys/${id}`);
    await call('GET', '/v1/stock', { key });
    await call('GET', '/v1/stock', { key: SENT_BY_A_CALLER });
    await call('GET', `/v1/stock?token=${SENT_BY_A_CALLER}`);
    await call('GET', `/v1/nothing?api_key=${SENT_BY_A_CALLER}`);
    await call('POST', '/v1/skus', {
      headers: { ...json, cookie: `session=${SENT_BY_A_CALLER}` },
      body: '{',
    });
    await call('POST', '/v1/events', { headers: json, body: '{"type":"RESTOCK","sku":"A","quantity":3}' });
    for (const path of ['/v1/channels', '/metrics', '/health/ready', '/docs/openapi.json', '/docs'])
      await call('GET', path);
    for (const channel of ['shop', 'refused', 'basic', 'faulty']) {
      await call('POST', `/v1/channels/${channel}/reconcile`);
      await call('GET', `/v1/channels/${channel}/reconciliations`);
      await call('GET', `/v1/channels/${channel}/listings`);
      await call('POST', `/webhooks/${channel}`, {
        headers: { ...json, 'x-shop-signature': 'forged' },
        body: '{}',
      });
    }
    shop.placeOrder({
      orderId: 'O-1',
      placedAt: '2024-01-01T00:00:00Z',
      lines: [{ lineId: '1', channelSku: 'S-A', quantityUnits: 1 }],
    });
    const { headers, body } = shop.webhookFor('O-1');
    const secretHeaders = [
      'authorization',
      'x-api-key',
      'cookie',
      'x-shop-access-token',
      'x-client-secret',
      'proxy-authorization',
    ];
    await deliver(host, {
      body,
      headers: { ...headers, ...Object.fromEntries(secretHeaders.map((name) => [name, SENT_BY_A_CALLER])) },
    });
    shop.faults({ html: 1 });
    await call('POST', '/v1/channels/shop/reconcile');
    shop.faults({ html: 0 });
    await eventually(() => expect(shop.shown().get('S-A')).toBe(2));

    // Both refused channels have tried to push, and said so.
    await eventually(() => expect(host.output()).toMatch(/refused: a batch of 1 failed/));
    const { password } = new URL(database.url);
    const secrets = {
      ADMIN_KEY,
      WEBHOOK_SECRET,
      WRONG_TOKEN,
      SENT_BY_A_CALLER,
      shopToken,
      key,
      basic: Buffer.from(`canary-user:${WRONG_TOKEN}`).toString('base64'),
      short: 'canary7',
      // Servers that trust local connections have none.
      ...(password && { password }),
    };
    const places = { log: host.output(), answers: answers.join('\n'), rows: await allRows() };
    expect(places.answers.length).toBeGreaterThan(10_000);
    expect(places.rows).toContain('O-1');
    const found = Object.entries(places).flatMap(([place, text]) =>
      Object.entries(secrets).flatMap(([name, secret]) =>
        text.includes(secret) ? [`${name} in ${place}`] : [],
      ),
    );
    expect(found).toEqual([]);
  });

  async function allRows(): Promise<string> {
    const dataSource = await database.dataSource();
    const tables: { name: string }[] = await dataSource.query(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    const texts = await Promise.all(
      tables.map(async ({ name }) => {
        const rows: Record<string, unknown>[] = await dataSource.query(`SELECT * FROM ${name}`);
        return rows.map((row) =>
          Object.values(row)
            .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value)))
            .join(' '),
        );
      }),
    );
    return texts.flat().join('\n');
  }

  test('a host that cannot start names neither its password nor its keys', async () => {
    const nowhere = await HostFolder.create(
      { server: { bodyLimitBytes: 'canary' } },
      `postgres://canary-user:${WRONG_TOKEN}@127.0.0.1:1/none`,
    );
    try {
      const ended = await nowhere.start().catch((error: Error) => error.message);
      expect(ended).toContain('bodyLimitBytes');
      expect(ended).not.toContain(WRONG_TOKEN);
      expect(ended).not.toContain(ADMIN_KEY);
    } finally {
      await nowhere.remove();
    }
  });

  test('the first admin key is shown once on the terminal, and never again', async () => {
    const fresh = await createTestDatabase();
    const own = await HostFolder.create({}, fresh.url);
    try {
      const first = await own.start({ env: { ONHAND_ADMIN_KEY: '' } });
      const key = /onhand_[\w-]{43}/.exec(first.output())?.[0];
      expect((await first.api.withKey(key).get('/v1/keys')).status).toBe(200);
      expect(
        first
          .output()
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .join('\n'),
      ).not.toContain(key);
      await first.kill('SIGTERM');
      const second = await own.start({ env: { ONHAND_ADMIN_KEY: '' } });
      expect(second.output()).not.toMatch(/onhand_[\w-]{43}/);
      expect((await second.api.withKey(key).get('/v1/keys')).status).toBe(200);
    } finally {
      await own.remove();
      await fresh.drop();
    }
  });
});
