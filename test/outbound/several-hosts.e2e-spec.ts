import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobsService } from '../../src/jobs/jobs.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { HostFolder, startTestHost, type TestHost } from '../support/host';
import { answers, isSigned, WebhookReceiver } from '../support/webhook-receiver';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const SKUS = Array.from({ length: 40 }, (_, index) => `S-${index}`);

describe('receivers of several hosts', () => {
  let database: TestDatabase;
  let receiver: WebhookReceiver;
  const settings = (secret: string) => ({
    deliveries: { sweepEverySeconds: 1 },
    receivers: [{ name: 'erp', kind: 'webhook', url: receiver.url, secrets: [secret], events: ['stock.*'] }],
  });

  beforeEach(async () => {
    database = await createTestDatabase();
    receiver = await WebhookReceiver.start();
  });

  afterEach(async () => {
    await receiver.close();
    await database.drop();
  });

  test('two hosts that send side by side never send one delivery at once, and each once', async () => {
    // Slow, so that the other host looks for what is due while they are being sent.
    receiver.behaviour = (_request, response) => setTimeout(() => response.writeHead(204).end(), 300);
    const hosts: TestHost[] = [
      await startTestHost(settings(SECRET), { database }),
      await startTestHost(settings(SECRET), { database }),
    ];
    try {
      await hosts[0]!.api.post(
        '/v1/skus',
        SKUS.map((sku) => ({ sku })),
      );
      await Promise.all(
        SKUS.map((sku, index) =>
          hosts[index % 2]!.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 1 }),
        ),
      );
      await eventually(async () => {
        await Promise.all(hosts.map(({ app }) => app.get(JobsService).run('send-deliveries', 'erp')));
        const { body } = await hosts[0]!.api.get<{ items: object[] }>('/v1/deliveries?state=delivered');
        expect(body.items).toHaveLength(SKUS.length);
      });
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
    }
    expect(receiver.doubles).toEqual([]);
    expect(receiver.received).toHaveLength(SKUS.length);
    expect(new Set(receiver.received.map(({ event }) => event.data.sku))).toEqual(new Set(SKUS));
  });

  test('a host killed between send and record leaves it to the next one, under the same id', async () => {
    const folder = await HostFolder.create(settings('${ERP_SECRET}'), database.url);
    try {
      const first = await folder.start({ logLevel: 'trace', env: { ERP_SECRET: SECRET } });
      let killed: Promise<unknown> | undefined;
      // The receiver has it, and its answer finds nobody.
      receiver.behaviour = (_request, response) => {
        killed = first.kill('SIGKILL').then(() => response.destroy());
      };
      await first.api.post('/v1/skus', { sku: 'A' });
      await first.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 3 });
      await eventually(() => expect(killed).toBeDefined());
      await killed;
      const [taken] = receiver.received;
      receiver.behaviour = answers(204);
      const second = await folder.start({ logLevel: 'trace', env: { ERP_SECRET: SECRET } });
      const dataSource = await database.dataSource();
      // It is the dead host's until its lease ends.
      await sleep(1_500);
      expect(receiver.received).toHaveLength(1);
      await dataSource.query(`UPDATE deliveries SET lease_until = clock_timestamp()`);
      // The sweep, should the dead host have had it in hand, is another's after fifteen seconds.
      await dataSource.query(
        "UPDATE schedule SET lease_until = lease_until - interval '1 minute', due_at = clock_timestamp()",
      );
      await eventually(() => expect(receiver.received).toHaveLength(2));
      const again = receiver.received[1]!;
      expect({ id: again.id, body: again.body }).toEqual({ id: taken!.id, body: taken!.body });
      expect(isSigned(again, SECRET)).toBe(true);
      await eventually(async () =>
        expect((await second.api.get('/v1/deliveries')).body).toMatchObject({
          items: [{ id: taken!.id, state: 'delivered', attempts: 2 }],
        }),
      );
      const logs = first.output() + second.output();
      const rows: unknown = await dataSource.query(
        'SELECT row_to_json(d) FROM deliveries d UNION ALL SELECT row_to_json(r) FROM receivers r',
      );
      for (const canary of [SECRET, SECRET.slice(6), 'canary-path-token'])
        expect(logs + JSON.stringify(rows)).not.toContain(canary);
    } finally {
      await folder.remove();
    }
  });
});
