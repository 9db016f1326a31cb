import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { LimitCost, Permit, RateLimit } from '../channel-api';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { ListenerService } from '../database/listener.service';
import { LimitsService } from './limits.service';

const clock = {
  now: () => new Date(),
  sleep: (delayMs: number, signal?: AbortSignal) => sleep(delayMs, undefined, { signal }),
};
const API: RateLimit = { name: 'api', perSecond: 0.01, burst: 6 };
const DAY: RateLimit = { kind: 'daily', name: 'day', quota: 4, resetsAtUtc: '00:00' };
const HOLD_MS = 60_000;

describe('limits in the database', () => {
  let database: TestDatabase;
  let hosts: { dataSource: DataSource; listener: ListenerService; limits: LimitsService }[];
  let channel = '';
  let channels = 0;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    hosts = [];
    for (let host = 0; host < 2; host++) {
      const dataSource = await database.dataSource();
      const listener = new ListenerService(dataSource);
      const limits = new LimitsService(dataSource, listener);
      await limits.onApplicationBootstrap();
      hosts.push({ dataSource, listener, limits });
    }
  });
  beforeEach(() => {
    channel = `shop-${channels++}`;
  });
  afterAll(async () => {
    await Promise.all(hosts.map(({ listener }) => listener.beforeApplicationShutdown()));
    await Promise.all(hosts.map(({ limits }) => limits.onApplicationShutdown()));
    await database.drop();
  });

  /** One limiter of the channel on each host. */
  const limiters = (...limits: RateLimit[]) =>
    hosts.map((host) => host.limits.limiterOf(channel, limits, clock));

  const take = (limiter: ReturnType<typeof limiters>[number], costs: LimitCost[], holdMs = HOLD_MS) =>
    limiter.take(costs, { maxWaitMs: 0, holdMs });
  const api: LimitCost[] = [{ limit: 'api', units: 1 }];

  test('two hosts that begin at once share one bucket', async () => {
    const [one, two] = limiters(API);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, call) => take(call % 2 ? one! : two!, api)),
    );
    expect(answers.filter((answer) => 'release' in answer)).toHaveLength(6);
    for (const answer of answers.filter((each) => !('release' in each)))
      expect(answer).toMatchObject({ limit: 'api', isQuota: false });
  });

  test('a call that names several limits takes of all or of none', async () => {
    const [one, two] = limiters(API, DAY);
    const both: LimitCost[] = [
      { limit: 'api', units: 1 },
      { limit: 'day', units: 2 },
    ];
    expect(await take(one!, both)).toHaveProperty('release');
    expect(await take(two!, both)).toHaveProperty('release');
    expect(await take(one!, both)).toMatchObject({ limit: 'day', isQuota: true });
    for (let call = 0; call < 4; call++) expect(await take(two!, api)).toHaveProperty('release');
    expect(await take(two!, api)).toMatchObject({ limit: 'api' });
  });

  test('a quota that is counted by key is one for all hosts, outlives them, and is forgotten in the end', async () => {
    const changes: RateLimit = { kind: 'rolling', name: 'changes', quota: 5, windowSeconds: 3_600 };
    const [one, two] = limiters(changes);
    const of = (key: string): LimitCost[] => [{ limit: `changes#${key}`, units: 1 }];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, call) => take(call % 2 ? one! : two!, of(call < 10 ? 'a' : 'b'))),
    );
    const permits = answers.filter((answer) => 'release' in answer) as Permit[];
    expect(permits).toHaveLength(10);
    for (const permit of permits) permit.release('answered');
    const [restarted] = limiters(changes);
    expect(await take(restarted!, of('a'))).toMatchObject({ isQuota: true, limit: 'changes#a' });
    expect(await take(restarted!, of('c'))).toHaveProperty('release');
    const { dataSource, limits } = hosts[0]!;
    await dataSource.query(
      `UPDATE channel_limits SET updated_at = updated_at - interval '31 days' WHERE channel = '${channel}' AND name <> 'changes#c'`,
    );
    await limits.onApplicationBootstrap();
    const rows = await dataSource.query(`SELECT name FROM channel_limits WHERE channel = '${channel}'`);
    expect(rows).toEqual([{ name: 'changes#c' }]);
  });

  test('a limit that one host was throttled at is closed for the other at once', async () => {
    const [one, two] = limiters(API);
    await take(two!, api);
    one!.close(['api'], 900_000);
    await take(one!, api);
    const answer = await take(two!, api);
    expect(answer).toMatchObject({ limit: 'api' });
    expect((answer as { waitMs: number }).waitMs).toBeGreaterThan(890_000);
  });

  test('what one host learned holds for the other', async () => {
    const [one, two] = limiters(API);
    one!.learn('api', { burst: 2, remaining: 2, perSecond: NaN });
    await eventually(async () => {
      const [row] = await hosts[0]!.dataSource.query(
        `SELECT state FROM channel_limits WHERE channel = '${channel}'`,
      );
      expect(row.state.learned).toEqual({ burst: 2 });
    });
    const answers = await Promise.all([1, 2, 3].map(() => take(two!, api)));
    expect(answers.filter((answer) => 'release' in answer)).toHaveLength(2);
  });

  test('units taken ahead for one host are not another’s, come back, and are dropped when another host is throttled', async () => {
    const [one, two] = limiters({ name: 'api', perSecond: 100, burst: 80 });
    const updates = async () =>
      (await hosts[0]!.dataSource.query(`SELECT state FROM channel_limits WHERE channel = '${channel}'`))[0]
        .state;
    ((await take(one!, api)) as Permit).release('answered');
    // Ten are worth having ahead; the calls after the first ask nobody.
    const permits = await Promise.all(Array.from({ length: 10 }, () => take(one!, api)));
    expect(permits.every((answer) => 'release' in answer)).toBe(true);
    two!.close(['api'], 60_000);
    // What passes before it is closed is a call like those before.
    await eventually(async () => {
      const answer = await take(one!, api);
      if ('release' in answer) permits.push(answer);
      expect(answer).toHaveProperty('waitMs');
    });
    for (const permit of permits) (permit as Permit).release('answered');
    await eventually(async () => expect((await updates()).held).toEqual({}));
  });

  test('an answered call is told of, and one whose host died is held until its time is over', async () => {
    const [one, two] = limiters({ ...API, perSecond: 100, burst: 2 });
    const held = await take(one!, api, 400);
    expect(held).toHaveProperty('release');
    await sleep(50);
    expect(await take(two!, [{ limit: 'api', units: 2 }])).toHaveProperty('waitMs');
    await sleep(450);
    // It refills from when its holder's time was seen to be over.
    const bounds = { maxWaitMs: 1_000, holdMs: HOLD_MS };
    const permit = (await two!.take([{ limit: 'api', units: 2 }], bounds)) as Permit;
    expect(permit).toHaveProperty('release');
    permit.release('answered');
    await eventually(async () =>
      expect(await take(one!, [{ limit: 'api', units: 2 }])).toHaveProperty('release'),
    );
  });

  test('nothing is granted while the database is away, and all goes on when it is back', async () => {
    const [one] = limiters(API);
    await take(one!, api);
    await hosts[0]!.dataSource.query('ALTER TABLE channel_limits RENAME TO away');
    try {
      await expect(take(one!, api)).rejects.toMatchObject({ code: 'limits-unavailable', retryable: true });
    } finally {
      await hosts[0]!.dataSource.query('ALTER TABLE away RENAME TO channel_limits');
    }
    expect(await take(one!, api)).toHaveProperty('release');
  });

  test('a connection that is lost in the middle costs one refusal and no token too many', async () => {
    const [one, two] = limiters(API);
    await take(one!, api);
    await hosts[0]!.dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await take(one!, api).catch((error: { code: string }) => expect(error.code).toBe('limits-unavailable'));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => take(two!, api).catch(() => undefined)),
    );
    expect(answers.filter((answer) => answer && 'release' in answer).length).toBeLessThanOrEqual(5);
  });

  test('a host that stands still with the lock in its hand holds up the others for seconds only', async () => {
    const [one] = limiters(API);
    await take(one!, api);
    const frozen = hosts[1]!.dataSource.createQueryRunner();
    await frozen.connect();
    await frozen.query(`BEGIN`);
    await frozen.query(`SET LOCAL idle_in_transaction_session_timeout = '1s'`);
    await frozen.query(`SELECT FROM channel_limits WHERE channel = '${channel}' FOR UPDATE`);
    const startedAt = Date.now();
    expect(await take(one!, api)).toHaveProperty('release');
    expect(Date.now() - startedAt).toBeGreaterThan(500);
    await frozen.release().catch(() => undefined);
  });

  test('waiting calls pass in their order, and one that waits for another limit holds up nobody', async () => {
    const [one] = limiters(
      { name: 'slow', perSecond: 0.001, burst: 1 },
      { name: 'api', perSecond: 20, burst: 1 },
    );
    await take(one!, [{ limit: 'slow', units: 1 }]);
    const slow = one!.take([{ limit: 'slow', units: 1 }], { maxWaitMs: 3_600_000, holdMs: HOLD_MS });
    const passed: number[] = [];
    await Promise.all(
      [0, 1, 2, 3].map(async (call) => {
        const permit = (await one!.take(api, { maxWaitMs: 10_000, holdMs: HOLD_MS })) as Permit;
        passed.push(call);
        permit.release('answered');
      }),
    );
    expect(passed).toEqual([0, 1, 2, 3]);
    const refused = expect(slow).rejects.toMatchObject({ code: 'limits-unavailable' });
    await one!.stop();
    await refused;
  });
});
