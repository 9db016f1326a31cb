import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import type { SpawnedHost } from '../support/host';
import { describeWithRedis, TestRedis } from '../support/redis';
import { leaderOf, metric, NO_POLL, readiness, SeveralHosts } from '../support/several-hosts';

jest.setTimeout(120_000);

describeWithRedis('three hosts with one database and one Redis', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  afterAll(() => redis.remove());

  describe('where nothing recurs', () => {
    let several: SeveralHosts;
    let web: SpawnedHost;
    let worker: SpawnedHost;
    let all: SpawnedHost;

    beforeAll(async () => {
      several = await SeveralHosts.create(NO_POLL, redis.url);
      web = await several.start('web');
      worker = await several.start('worker,scheduler');
      all = await several.start('all');
      await eventually(async () => {
        for (const host of [web, worker, all]) expect((await readiness(host)).redis).toBe('up');
      });
    });

    afterAll(() => several.remove());

    test('each tells its part, and one of those that schedule leads', async () => {
      expect((await readiness(web)).roles).toEqual(['web']);
      expect((await readiness(worker)).roles).toEqual(['worker', 'scheduler']);
      expect((await readiness(all)).roles).toEqual(['web', 'worker', 'scheduler']);
      await eventually(async () => expect(await leaderOf([web, worker, all])).not.toBe(web));
      expect(await metric(web, 'onhand_role{role="web"}')).toBe(1);
      expect(await metric(web, 'onhand_role{role="worker"}')).toBe(0);
    });

    test('a host without the role web answers for its health and nothing else', async () => {
      for (const path of ['/health/live', '/health/ready', '/metrics']) {
        expect((await worker.api.withKey(undefined).get(path)).status).toBe(200);
      }
      for (const path of ['/v1/skus', '/webhooks/shop', '/docs', '/healthy', '/']) {
        expect(await worker.api.get(path)).toMatchObject({
          status: 404,
          body: { code: 'not-found', detail: expect.stringContaining('does not have the role web') },
        });
      }
    });

    test('stock and orders taken by the web host are worked off by the workers, at once and once', async () => {
      await several.restock(web);
      await several.expectSettled(web);
      const many = () => eventually(() => expect(several.delivered.length).toBeGreaterThan(150), 60_000);
      await several.sellWhile(web, many, 5);
      await several.expectSettled(web);
      expect(several.delivered.filter(({ status }) => status !== 200)).toEqual([]);
      expect(await metric(web, 'onhand_job_duration_seconds_count{job="apply-inbox"}')).toBeUndefined();
      for (const host of [worker, all]) {
        expect(await metric(host, 'onhand_job_duration_seconds_count{job="apply-inbox"}')).toBeGreaterThan(
          10,
        );
      }
      expect(await metric(web, 'onhand_wakes_total{by="redis"}')).toBeGreaterThan(20);
      expect(await metric(all, 'onhand_jobs_queued{state="waiting"}')).toBe(0);
    });

    test('a change seen on the web host is on the shop within a blink', async () => {
      const took: number[] = [];
      for (let time = 0; time < 30; time++) {
        const before = several.shop.calls.length;
        const { status } = await web.api.post('/v1/events', { type: 'RESTOCK', sku: 'S-1', quantity: 1 });
        const committedAt = Date.now();
        expect(status).toBe(201);
        await eventually(() => expect(several.shop.calls.length).toBeGreaterThan(before));
        took.push(several.shop.calls[before]!.at - committedAt);
        await several.expectSettled(web);
      }
      took.sort((a, b) => a - b);
      // A tenth of this when nothing else runs on the machine.
      expect(took[15]).toBeLessThan(500);
    });

    test('they stop one after the other, each in time and in good order', async () => {
      await several.sellWhile(web, async () => {
        for (const host of [worker, all]) {
          await sleep(500);
          const toldAt = Date.now();
          expect(await host.kill('SIGTERM')).toBe('SIGTERM');
          expect(Date.now() - toldAt).toBeLessThan(10_000);
          expect(host.output()).not.toMatch(/"level":50/);
        }
      });
      const again = await several.start('worker');
      await eventually(async () => expect((await readiness(again)).redis).toBe('up'));
      await several.expectSettled(web);
    });
  });

  describe('of which some die', () => {
    let several: SeveralHosts;

    beforeEach(async () => {
      several = await SeveralHosts.create({}, redis.url);
    });

    afterEach(() => several.remove());

    test('a leader that is killed at work is followed, and all it had in hand is done once', async () => {
      const web = await several.start('web');
      await several.restock(web);
      let hosts = [await several.start('worker,scheduler'), await several.start('all')];
      await several.sellWhile(web, async () => {
        for (let round = 0; round < 2; round++) {
          const leader = await eventually(() => leaderOf(hosts));
          await sleep(300 + Math.random() * 500);
          expect(await leader.kill('SIGKILL')).toBe('SIGKILL');
          const [left] = hosts.filter((host) => host !== leader);
          const next = await eventually(() => leaderOf([left!]), 15_000);
          expect(next).toBe(left);
          hosts = [left!, await several.start('worker,scheduler')];
        }
      });
      await several.letClaimsEnd();
      await several.expectSettled(web);
      expect(several.delivered.filter(({ status }) => status !== 200)).toEqual([]);
    });

    test('a leader that stands still is followed, and does not lead when it goes on', async () => {
      const web = await several.start('web');
      await several.restock(web);
      const hosts = [await several.start('worker,scheduler'), await several.start('worker,scheduler')];
      await several.sellWhile(web, async () => {
        const frozen = await eventually(() => leaderOf(hosts));
        const [other] = hosts.filter((host) => host !== frozen);
        frozen.signal('SIGSTOP');
        await eventually(() => leaderOf([other!]), 15_000);
        frozen.signal('SIGCONT');
        for (let look = 0; look < 10; look++) {
          expect(await leaderOf(hosts)).toBe(other);
          await sleep(100);
        }
      });
      await several.letClaimsEnd();
      await several.expectSettled(web);
    });
  });
});
