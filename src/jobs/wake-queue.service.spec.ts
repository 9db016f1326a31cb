import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { eventually } from '../../test/support/eventually';
import { describeWithRedis, freePort, TestRedis } from '../../test/support/redis';
import { Config } from '../config/config';
import { ConfigModule } from '../config/config.module';
import { type Wake, wakeId } from './wake';
import { WakeQueueModule } from './wake-queue.module';
import { WakeQueueService } from './wake-queue.service';

const CANARY = 'canary-redis-password';
const shop: Wake = { name: 'push-listings', key: 'shop' };

/** One host as far as the queue goes. */
interface Host {
  queue: WakeQueueService;
  taken: string[];
  handedBack: string[];
  stop(): Promise<void>;
}

const hosts: TestingModule[] = [];
/** By all hosts of a test: Nest has one logger in a process. */
const logged: string[] = [];

async function startHost(url: string, { takes = true } = {}): Promise<Host> {
  const config: Config = Object.assign(new Config(), { redis: { url } });
  const write = (...parts: unknown[]) => void logged.push(parts.map(String).join(' '));
  const logger: LoggerService = { log: write, warn: write, error: write };
  const module = await Test.createTestingModule({
    imports: [{ ...ConfigModule.forRoot(config), global: true }, WakeQueueModule.forRoot(url)],
  })
    .setLogger(logger)
    .compile();
  await module.init();
  hosts.push(module);
  const queue = module.get(WakeQueueService);
  const [taken, handedBack]: string[][] = [[], []];
  queue.start({
    take: takes ? (wake) => void taken!.push(wakeId(wake)) : undefined,
    handBack: (wakes) => void handedBack!.push(...wakes.map(wakeId)),
  });
  const stop = async () => {
    await queue.close();
    await module.close();
  };
  return { queue, taken: taken!, handedBack: handedBack!, stop };
}

const isUp = (...all: Host[]) => eventually(() => expect(all.every(({ queue }) => queue.isUp)).toBe(true));
const isDown = ({ queue }: Host) => eventually(() => expect(queue.isUp).toBe(false));

/** A way to Redis that can forget its connections, as a router does: nobody is told, and nothing comes through. */
async function startWay(to: number): Promise<{ port: number; forget(): void; close(): void }> {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const end of [near, far]) ends.add(end.on('error', () => undefined));
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  return {
    port,
    forget: () =>
      ends.forEach((end) =>
        end
          .unpipe()
          .removeAllListeners('data')
          .on('data', () => undefined),
      ),
    close: () => {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** A wake put in by `from` comes out at `to`. */
async function expectCarried(from: Host, to: Host, withinMs?: number): Promise<void> {
  const key = `way-${Math.random()}`;
  expect(await from.queue.add([{ ...shop, key }])).toEqual([]);
  await eventually(() => expect(to.taken).toContain(`push-listings ${key}`), withinMs);
}

describeWithRedis('the queue of wakes', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  beforeEach(() => redis.command('FLUSHALL'));

  afterEach(async () => {
    logged.length = 0;
    for (const module of hosts.splice(0)) {
      await module.get(WakeQueueService).close();
      await module.close();
    }
  });

  afterAll(() => redis.remove());

  test('each wake is taken once, and the hosts that take share them', async () => {
    const web = await startHost(redis.url, { takes: false });
    const workers = [await startHost(redis.url), await startHost(redis.url)];
    await isUp(web, ...workers);
    const keys = Array.from({ length: 200 }, (_, index) => `channel-${index}`);
    for (const key of keys) expect(await web.queue.add([{ ...shop, key }])).toEqual([]);
    const all = () => workers.flatMap(({ taken }) => taken);
    await eventually(() => expect(all()).toHaveLength(keys.length));
    expect([...all()].sort()).toEqual(keys.map((key) => `push-listings ${key}`).sort());
    for (const { taken } of workers) expect(taken.length).toBeGreaterThan(20);
    await eventually(async () => {
      expect(await web.queue.counts()).toMatchObject({ waiting: 0, active: 0, completed: 0, failed: 0 });
    });
  });

  test('a thousand wakes that nobody takes are one job; it is handed back, and leaves nothing', async () => {
    const web = await startHost(redis.url, { takes: false });
    await isUp(web);
    for (let wake = 0; wake < 1_000; wake++) await web.queue.add([shop]);
    expect((await web.queue.counts())!.waiting).toBe(1);
    await eventually(() => expect(web.handedBack).toEqual(['push-listings shop']));
    await eventually(async () => expect((await web.queue.counts())!.waiting).toBe(0));
    expect(logged.join('\n')).toMatch(/no worker takes jobs/);
  });

  test('every wake is followed by a taking that began after it, however close they come', async () => {
    const web = await startHost(redis.url, { takes: false });
    const worker = await startHost(redis.url);
    await isUp(web, worker);
    for (let wake = 0; wake < 300; wake++) {
      const before = worker.taken.length;
      expect(await web.queue.add([shop])).toEqual([]);
      // Sometimes in the middle of the taking of the one before.
      if (wake % 3 !== 0) await eventually(() => expect(worker.taken.length).toBeGreaterThan(before));
    }
    expect(web.handedBack).toEqual([]);
  });

  test('a host starts without Redis, refuses at once, says why, and finds it when it comes', async () => {
    const late = await TestRedis.start({ running: false });
    try {
      const host = await startHost(late.url);
      expect(await tookMs(() => host.queue.add([shop]))).toBeLessThan(50);
      expect(await host.queue.add([shop])).toEqual([shop]);
      await eventually(() => expect(logged.join('\n')).toMatch(/is of no use \(connect ECONNREFUSED/));
      await late.restart();
      await isUp(host);
      await expectCarried(host, host);
    } finally {
      await late.remove();
    }
  });

  test('wakes are taken again after Redis was killed and comes back empty', async () => {
    const [web, worker] = [await startHost(redis.url, { takes: false }), await startHost(redis.url)];
    await isUp(web, worker);
    for (let round = 0; round < 3; round++) {
      await expectCarried(web, worker);
      await redis.kill();
      await Promise.all([isDown(web), isDown(worker)]);
      expect(await web.queue.add([shop])).toEqual([shop]);
      await sleep(round * 700);
      await redis.restart();
      await isUp(web, worker);
    }
    await expectCarried(web, worker);
    const told = logged.filter((line) => line.includes('is of no use'));
    expect(told).toHaveLength(6);
  });

  test('a Redis that hangs is waited for a second at most, and used again when it wakes up', async () => {
    const [web, worker] = [await startHost(redis.url, { takes: false }), await startHost(redis.url)];
    await isUp(web, worker);
    redis.signal('SIGSTOP');
    try {
      expect(await tookMs(() => web.queue.add([shop]))).toBeLessThan(1_500);
      expect(web.queue.isUp).toBe(false);
      expect(await tookMs(() => web.queue.add([shop]))).toBeLessThan(50);
    } finally {
      redis.signal('SIGCONT');
    }
    await isUp(web, worker);
    await expectCarried(web, worker);
  });

  test('a worker whose connections are cut takes wakes again', async () => {
    const [web, worker] = [await startHost(redis.url, { takes: false }), await startHost(redis.url)];
    await isUp(web, worker);
    await expectCarried(web, worker);
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await isDown(web);
    await isUp(web, worker);
    await expectCarried(web, worker);
  });

  test('a connection that leads nowhere is made anew, by whoever sends and whoever takes', async () => {
    const way = await startWay(redis.port);
    try {
      const url = `redis://127.0.0.1:${way.port}/0`;
      const [web, worker] = [await startHost(url, { takes: false }), await startHost(url)];
      await isUp(web, worker);
      await expectCarried(web, worker);
      way.forget();
      await isDown(web);
      await isUp(web, worker);
      // One that was lost on the way is never carried.
      await eventually(() => expectCarried(web, worker, 3_000), 30_000);
      expect(web.queue.isUp).toBe(true);
    } finally {
      way.close();
    }
  });

  test('what lay in a Redis that was emptied is handed back', async () => {
    const [web, worker] = [
      await startHost(redis.url, { takes: false }),
      await startHost(redis.url, { takes: false }),
    ];
    await isUp(web, worker);
    expect(await web.queue.add([shop])).toEqual([]);
    await redis.command('FLUSHALL');
    await eventually(() => expect(web.handedBack).toEqual(['push-listings shop']), 2_500);
    const taker = await startHost(redis.url);
    await isUp(taker);
    await expectCarried(web, taker);
  });

  test.each([
    ['full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], /OOM/],
    ['a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /READONLY/],
  ])('a Redis that is %s is of no use until it no longer is', async (_state, begin, end, reason) => {
    const [web, worker] = [await startHost(redis.url, { takes: false }), await startHost(redis.url)];
    await isUp(web, worker);
    await redis.command(begin[0]!, ...begin.slice(1));
    try {
      expect(await web.queue.add([shop])).toEqual([shop]);
      await eventually(() => expect(logged.join('\n')).toMatch(reason));
      await isDown(worker);
    } finally {
      await redis.command(end[0]!, ...end.slice(1));
    }
    await isUp(web, worker);
    await expectCarried(web, worker);
  });

  test('a password that is wrong ends no process, and neither it nor the right one is logged', async () => {
    const guarded = await TestRedis.start({ password: CANARY });
    try {
      const right = await startHost(guarded.url);
      await isUp(right);
      await startHost(guarded.url.replace(CANARY, `${CANARY}-wrong`));
      await eventually(() => expect(logged.join('\n')).toMatch(/is of no use \(.*(NOAUTH|WRONGPASS)/));
      await guarded.kill();
      await isDown(right);
      expect(logged.join('\n')).not.toContain(CANARY);
    } finally {
      await guarded.remove();
    }
  });

  test('a Redis that lets nobody name a connection is good enough', async () => {
    await redis.command('ACL', 'SETUSER', 'limited', 'on', '>limited', '~*', '&*', '+@all', '-client');
    const host = await startHost(redis.url.replace('//', '//limited:limited@'));
    await isUp(host);
    await expectCarried(host, host);
  });

  test.each(['runs', 'hangs', 'is gone'])(
    'closing takes no longer than it may while Redis %s',
    async (state) => {
      const other = await TestRedis.start();
      try {
        const host = await startHost(other.url);
        await isUp(host);
        if (state === 'hangs') other.signal('SIGSTOP');
        if (state === 'is gone') await other.kill();
        hosts.splice(0);
        expect(await tookMs(() => host.stop())).toBeLessThan(2_000);
      } finally {
        await other.remove();
      }
    },
  );

  test('closing takes no longer than it may where there never was a Redis', async () => {
    const host = await startHost(`redis://127.0.0.1:${await freePort()}/0`);
    await sleep(300);
    hosts.splice(0);
    expect(await tookMs(() => host.stop())).toBeLessThan(2_000);
  });
});
