import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import type { SpawnedHost } from '../support/host';
import { describeWithRedis, freePort, TestRedis } from '../support/redis';
import { metric, NO_POLL, readiness, SeveralHosts } from '../support/several-hosts';

jest.setTimeout(120_000);

const CANARY = 'canary-redis-password';
/** Channels wait five seconds; a host that waited for Redis would take longer, or for ever. */
const SLOWEST_ANSWER_MS = 2_000;

describeWithRedis('hosts whose Redis is in trouble', () => {
  let redis: TestRedis;
  let several: SeveralHosts;
  let web: SpawnedHost;
  let workers: SpawnedHost[];

  beforeAll(async () => {
    redis = await TestRedis.start({ password: CANARY });
    several = await SeveralHosts.create(NO_POLL, redis.url);
    web = await several.start('web');
    workers = [await several.start('worker,scheduler'), await several.start('worker,scheduler')];
    await several.restock(web);
    await all('up');
    await several.expectSettled(web);
  });

  afterAll(async () => {
    await several.remove();
    await redis.remove();
  });

  async function all(state: 'up' | 'down'): Promise<void> {
    await eventually(async () => {
      for (const host of [web, ...workers]) expect((await readiness(host)).redis).toBe(state);
    });
  }

  const byRedis = () => metric(web, 'onhand_wakes_total{by="redis"}');
  const byPostgres = () => metric(web, 'onhand_wakes_total{by="postgresql"}');

  /** Orders taken from now on are worked off, whatever Redis does. */
  async function expectWorkGoesOn(): Promise<void> {
    const applied = async () => {
      const [row] = await several.dataSource.query(
        "SELECT count(*)::int AS n FROM inbox WHERE state = 'applied'",
      );
      return row.n as number;
    };
    const before = await applied();
    await eventually(async () => expect(await applied()).toBeGreaterThan(before + 10));
  }

  /** Sells before, during and after; nothing recurs, so what gets lost stays lost. */
  async function sellThrough(trouble: () => Promise<void>): Promise<void> {
    several.delivered.length = 0;
    await several.sellWhile(web, async () => {
      await sleep(500);
      await trouble();
      await all('up');
      const before = (await byRedis())!;
      await eventually(async () => expect(await byRedis()).toBeGreaterThan(before));
    });
    await several.order(web);
    await several.expectSettled(web);
    expect(several.delivered.length).toBeGreaterThan(10);
    expect(several.delivered.filter(({ status }) => status !== 200)).toEqual([]);
    expect(several.delivered.filter(({ tookMs }) => tookMs > SLOWEST_ANSWER_MS)).toEqual([]);
  }

  test('it is killed and comes back', async () => {
    await sellThrough(async () => {
      const before = (await byPostgres())!;
      await redis.kill();
      await all('down');
      await expectWorkGoesOn();
      expect(await byPostgres()).toBeGreaterThan(before);
      expect(await metric(web, 'onhand_redis_up')).toBe(0);
      expect(await metric(web, 'onhand_jobs_queued{state="waiting"}')).toBeUndefined();
      await redis.restart();
    });
  });

  test('it is emptied, over and over', async () => {
    await sellThrough(async () => {
      for (let time = 0; time < 30; time++) {
        await redis.command('FLUSHALL');
        await sleep(50);
      }
    });
  });

  test('it hangs, and is continued', async () => {
    await sellThrough(async () => {
      redis.signal('SIGSTOP');
      try {
        await all('down');
        await expectWorkGoesOn();
      } finally {
        redis.signal('SIGCONT');
      }
    });
  });

  test.each([
    ['full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['made a replica, and the master again', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ])('it is %s', async (_trouble, begin, end) => {
    await sellThrough(async () => {
      await redis.command(begin[0]!, ...begin.slice(1));
      await all('down');
      await expectWorkGoesOn();
      await redis.command(end[0]!, ...end.slice(1));
    });
  });

  test('hosts start, sell and stop without it, and find it when it comes', async () => {
    const late = await TestRedis.start({ running: false });
    const alone = await SeveralHosts.create(NO_POLL, late.url);
    try {
      const host = await alone.start('all');
      const other = await alone.start('web');
      await alone.restock(host, 50);
      for (const from of [host, other, other]) await alone.order(from);
      await alone.expectSettled(host);
      expect((await readiness(host)).redis).toBe('down');
      await eventually(() => expect(host.output()).toMatch(/is of no use \(connect ECONNREFUSED/));
      expect(await other.kill('SIGTERM')).toBe('SIGTERM');
      await late.restart();
      await eventually(async () => expect((await readiness(host)).redis).toBe('up'));
      expect(host.output()).toMatch(/carries jobs/);
      expect(host.output()).not.toMatch(/"level":50/);
    } finally {
      await alone.remove();
      await late.remove();
    }
  });

  test('a host stops in time while it hangs', async () => {
    redis.signal('SIGSTOP');
    try {
      await several.order(web);
      for (const host of [web, workers[0]!]) {
        const toldAt = Date.now();
        expect(await host.kill('SIGTERM')).toBe('SIGTERM');
        expect(Date.now() - toldAt).toBeLessThan(8_000);
      }
    } finally {
      redis.signal('SIGCONT');
    }
  });

  test('the password is in no log, whether it is right or wrong', async () => {
    const wrong = await TestRedis.start({ password: 'another' });
    const refused = await SeveralHosts.create({}, wrong.url.replace('another', CANARY));
    try {
      const host = await refused.start('all', { LOG_LEVEL: 'trace' });
      await eventually(() => expect(host.output()).toMatch(/is of no use \(.*(NOAUTH|WRONGPASS)/));
      for (const each of [host, web, ...workers]) expect(each.output()).not.toContain(CANARY);
    } finally {
      await refused.remove();
      await wrong.remove();
    }
  });

  test('an address that is none is refused by name, without repeating it', async () => {
    const port = await freePort();
    const url = `http://:${CANARY}@127.0.0.1:${port}`;
    await expect(several.start('all', { REDIS_URL: url })).rejects.toThrow(/REDIS_URL.*redis:\/\/host:6379/s);
    await expect(several.start('all', { REDIS_URL: url })).rejects.not.toThrow(CANARY);
  });
});
