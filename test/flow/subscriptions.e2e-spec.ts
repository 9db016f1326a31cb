import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { JobsService } from '../../src/jobs/jobs.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { WEBHOOK_SECRET } from '../support/shop-host';

const ODD_PLUGIN = join(__dirname, '../support/odd-plugin.ts');

describe('webhook subscriptions', () => {
  let database: TestDatabase;
  let shop: ChannelSimulator;
  let registry: Server;
  let host: TestHost;
  const registered: unknown[] = [];
  let answer = 200;

  beforeAll(async () => {
    database = await createTestDatabase();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    registry = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        registered.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((listening) => registry.listen(0, '127.0.0.1', listening));
  });

  afterEach(async () => {
    await host.close();
    registered.length = 0;
    answer = 200;
  });

  afterAll(async () => {
    registry.closeAllConnections();
    registry.close();
    await shop.close();
    await database.drop();
  });

  async function start(publicUrl: string | null, mode = 'live'): Promise<void> {
    const { port } = registry.address() as AddressInfo;
    const options = { ...shop.pluginOptions, registrationsUrl: `http://127.0.0.1:${port}/webhooks` };
    host = await startTestHost(
      { server: { publicUrl }, channels: [{ name: 'shop', plugin: ODD_PLUGIN, mode, options }] },
      { database },
    );
  }

  const subscription = async () =>
    (await host.api.get<{ items: { subscription: object | null }[] }>('/v1/channels')).body.items[0]!
      .subscription;
  const look = () => host.app.get(JobsService).run('subscribe-webhooks', 'shop');
  const dayPasses = () =>
    host.dataSource.query(`UPDATE channel_subscriptions SET due_at = due_at - interval '1 day'`);

  test('without a public address nothing is asked for', async () => {
    await start(null);
    await look();
    expect(registered).toEqual([]);
    expect(await subscription()).toBeNull();
  });

  test('a channel that is only observed is left as it is', async () => {
    await start('https://stock.example.com', 'observe');
    await look();
    expect(registered).toEqual([]);
  });

  test('the channel is told its address at start and each day, and when that last worked is shown', async () => {
    await start('https://stock.example.com');
    const url = 'https://stock.example.com/webhooks/shop';
    await eventually(() => expect(registered).toEqual([{ url }]));
    await eventually(async () =>
      expect(await subscription()).toEqual({ url, subscribedAt: expect.any(String), error: null }),
    );
    await look();
    expect(registered).toHaveLength(1);
    await dayPasses();
    await Promise.all([look(), look()]);
    expect(registered).toHaveLength(2);
  });

  test('at another start it is told again, at the address there is then', async () => {
    await start('https://other.example.com');
    await eventually(() => expect(registered).toEqual([{ url: 'https://other.example.com/webhooks/shop' }]));
  });

  test('a failure is shown, and the next attempt is not far away', async () => {
    answer = 500;
    await start('https://stock.example.com');
    await eventually(
      async () =>
        expect(await subscription()).toMatchObject({ error: expect.stringMatching(/\w/) as string }),
      20_000,
    );
    const [{ seconds }] = await host.dataSource.query(
      `SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS seconds FROM channel_subscriptions`,
    );
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThan(70);
    answer = 200;
    await dayPasses();
    await look();
    expect(await subscription()).toMatchObject({ error: null });
  });
});
