import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { eventually } from '../support/eventually';
import type { SpawnedHost } from '../support/host';
import { leaderOf, metric, NO_POLL, readiness, SeveralHosts } from '../support/several-hosts';

jest.setTimeout(120_000);

const CLI = resolve(__dirname, '../../bin/onhand.js');

describe('several hosts without Redis', () => {
  let several: SeveralHosts;
  let web: SpawnedHost;
  let worker: SpawnedHost;
  let scheduler: SpawnedHost;

  beforeAll(async () => {
    several = await SeveralHosts.create(NO_POLL);
    web = await several.start('web');
    worker = await several.start('worker');
    scheduler = await several.start('scheduler');
  });

  afterAll(() => several.remove());

  test('the worker does what the web host took, woken through PostgreSQL', async () => {
    await several.restock(web);
    const many = () => eventually(() => expect(several.delivered.length).toBeGreaterThan(100), 60_000);
    await several.sellWhile(web, many, 5);
    await several.expectSettled(web);
    expect(several.delivered.filter(({ status }) => status !== 200)).toEqual([]);
    expect((await readiness(web)).redis).toBe('off');
    const woken = (await metric(web, 'onhand_wakes_total{by="postgresql"}'))!;
    // An order wakes intake; what follows from it is woken on the worker itself.
    expect(woken).toBeGreaterThan(20);
    expect(woken).toBeLessThan(several.delivered.length * 3);
    expect(await metric(web, 'onhand_job_duration_seconds_count{job="apply-inbox"}')).toBeUndefined();
    expect(await metric(scheduler, 'onhand_job_duration_seconds_count{job="apply-inbox"}')).toBeUndefined();
  });

  test('a scheduler that does no work wakes those that do', async () => {
    await eventually(() => leaderOf([web, worker, scheduler]));
    expect(await leaderOf([web, worker, scheduler])).toBe(scheduler);
    const before = (await metric(worker, 'onhand_job_duration_seconds_count{job="expire-holds"}')) ?? 0;
    await eventually(async () => {
      const now = await metric(worker, 'onhand_job_duration_seconds_count{job="expire-holds"}');
      expect(now).toBeGreaterThan(before + 1);
    });
  });

  test('a worker that lost its connection for notifications looks for what it may have missed', async () => {
    // Recurs too late for this test, and no host is there to wake it.
    const rarely = { intake: { sweepEverySeconds: 50 }, push: { pollEverySeconds: 50 } };
    const two = await SeveralHosts.create(rarely);
    try {
      const taking = await two.start('web');
      await two.start('worker');
      await two.restock(taking, 10);
      await two.expectSettled(taking);
      await two.dataSource.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'onhand listener'`,
      );
      await two.order(taking);
      await two.expectSettled(taking, 30_000);
    } finally {
      await two.remove();
    }
  });

  test.each(['wokrer', 'all,web', ''])('the role %j is refused with the choices', (role) => {
    const refused = spawnSync(process.execPath, [CLI, 'start', '--role', role], { encoding: 'utf8' });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/Expected all, or some of web, worker, scheduler/);
  });

  test('a part of the work is refused where nobody else can reach the database', () => {
    const { DATABASE_URL: _, ...env } = process.env;
    const refused = spawnSync(process.execPath, [CLI, 'start', '--role', 'web'], { encoding: 'utf8', env });
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(
      /role.*expected all, because the embedded PostgreSQL serves this host alone/s,
    );
  });
});
