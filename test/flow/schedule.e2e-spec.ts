import { setTimeout as sleep } from 'node:timers/promises';
import { JobsService } from '../../src/jobs/jobs.service';
import { ScheduleService } from '../../src/jobs/schedule.service';
import type { TaskRun } from '../../src/jobs/task-run';
import { TasksService } from '../../src/jobs/tasks.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { pagesOf } from '../support/pages-of';

interface Scheduled {
  name: string;
  everySeconds: number;
  nextAt: string;
  lastFinishedAt: string | null;
  lastSeconds: number | null;
  lastOutcome: string | null;
  lastError: string | null;
  runs: number;
}

const DAY = 86_400;

describe('recurring tasks of two hosts', () => {
  let database: TestDatabase;
  let hosts: TestHost[];
  let made = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    hosts = [await startTestHost({}, { database }), await startTestHost({}, { database })];
  });

  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()));
    await database.drop();
  });

  const api = () => hosts[0]!.api;
  const scheduled = async (name: string) =>
    (await api().get<{ items: Scheduled[] }>('/v1/schedule')).body.items.find((each) => each.name === name);

  /** A job that both hosts know, and that recurs. */
  async function declared(everySeconds: number, handler: () => Promise<void>, key?: string): Promise<string> {
    const job = `probe-${++made}`;
    for (const { app } of hosts) app.get(JobsService).process(job, handler);
    await hosts[0]!.app.get(ScheduleService).declare([{ name: job, key, everySeconds }]);
    return key === undefined ? job : `${job}:${key}`;
  }

  const overdue = (name: string) =>
    hosts[0]!.dataSource.query(
      `UPDATE schedule SET due_at = clock_timestamp() - interval '3 hours' WHERE name = $1`,
      [name],
    );

  test('run once each time, on one of them, and never beside themselves', async () => {
    let [running, most, runs] = [0, 0, 0];
    const name = await declared(1, async () => {
      runs++;
      most = Math.max(most, ++running);
      await sleep(1_100);
      running--;
    });
    await eventually(async () => {
      expect(runs).toBeGreaterThanOrEqual(2);
      expect(running).toBe(0);
      expect(await scheduled(name)).toMatchObject({ runs });
    });
    expect(most).toBe(1);
    await hosts[0]!.dataSource.query(`DELETE FROM schedule WHERE name = $1`, [name]);
  });

  test('are claimed by one of two hosts that are woken for them at once', async () => {
    let runs = 0;
    const name = await declared(DAY, async () => {
      runs++;
      await sleep(200);
    });
    await overdue(name);
    await Promise.all(hosts.map(({ app }) => app.get(JobsService).run('run-scheduled', name)));
    await eventually(async () =>
      expect(await scheduled(name)).toMatchObject({ runs: 1, lastOutcome: 'done' }),
    );
    expect(runs).toBe(1);
  });

  test('are due after an interval that goes on while no host runs, not from each start on', async () => {
    let runs = 0;
    const name = await declared(DAY, async () => void runs++, 'shop');
    const first = (await scheduled(name))!;
    expect(Date.parse(first.nextAt) - Date.now()).toBeGreaterThan((DAY - 60) * 1000);
    const [job] = name.split(':') as [string];
    // A host that starts again, and again, with the same interval, or another one.
    const schedule = hosts[1]!.app.get(ScheduleService);
    await schedule.declare([{ name: job, key: 'shop', everySeconds: DAY }]);
    expect((await scheduled(name))!.nextAt).toBe(first.nextAt);
    await overdue(name);
    await eventually(() => expect(runs).toBe(1));
    const after = await eventually(async () => {
      const found = (await scheduled(name))!;
      expect(found).toMatchObject({ lastOutcome: 'done', runs: 1, everySeconds: DAY });
      return found;
    });
    expect(Date.parse(after.nextAt) - Date.now()).toBeGreaterThan((DAY - 60) * 1000);
    await schedule.declare([{ name: job, key: 'shop', everySeconds: 120 }]);
    expect(Date.parse((await scheduled(name))!.nextAt) - Date.now()).toBeLessThan(121_000);
  });

  test('tell how the last run went, and run when they are asked to', async () => {
    const name = await declared(DAY, () => Promise.reject(new Error('the shelf fell down')));
    expect((await api().post(`/v1/schedule/${name}/run`)).status).toBe(202);
    await eventually(async () =>
      expect(await scheduled(name)).toMatchObject({
        lastOutcome: 'failed',
        lastError: 'the shelf fell down',
      }),
    );
    expect((await api().post('/v1/schedule/no-such-task/run')).status).toBe(404);
    const { body } = await api().withKey(undefined).get<string>('/metrics');
    expect(body).toContain(`onhand_schedule_failed{task="${name}"} 1`);
  });

  test('are run by another host once whoever ran them is gone', async () => {
    let runs = 0;
    const name = await declared(DAY, async () => void runs++);
    // As a host that was killed leaves it.
    await hosts[0]!.dataSource.query(
      `UPDATE schedule SET due_at = clock_timestamp(), lease = gen_random_uuid(),
              lease_until = clock_timestamp() + interval '0.8 seconds' WHERE name = $1`,
      [name],
    );
    await sleep(400);
    expect(runs).toBe(0);
    await eventually(() => expect(runs).toBe(1));
  });
});

describe('long tasks', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await startTestHost();
  });
  afterAll(() => host.close());

  const tasks = () => host.app.get(TasksService);
  const view = async (id: string) =>
    (await host.api.get<{ state: string; done: number; total: number; report: object }>(`/v1/tasks/${id}`))
      .body;

  /** Counts to `steps`, keeping where it is, and holds wherever `gate` is not yet open. */
  const counting = (steps: number, gate: (step: number) => Promise<void>) => async (run: TaskRun) => {
    const from = (run.checkpoint as { step: number } | null)?.step ?? 0;
    const seen: number[] = [];
    for (let step = from + 1; step <= steps; step++) {
      await gate(step);
      seen.push(step);
      run.report = { seen: step };
      run.progress(step, steps);
      await run.save({ step });
    }
    return { from, seen };
  };

  test('show how far they are, one of a kind at a time, and end when they are cancelled', async () => {
    tasks().define(
      'count-slowly',
      counting(1_000, () => sleep(20)),
    );
    const { id } = await tasks().start('count-slowly', 'all', {}, 'test');
    await eventually(async () => {
      const { done, total, state } = await view(id);
      expect({ state, total, moved: done > 2 }).toEqual({ state: 'running', total: 1_000, moved: true });
    });
    await expect(tasks().start('count-slowly', 'all', {}, 'test')).rejects.toMatchObject({ code: 'busy' });
    expect((await host.api.post(`/v1/tasks/${id}/cancel`)).status).toBe(202);
    await eventually(async () => expect(await view(id)).toMatchObject({ state: 'cancelled' }));
    const { report } = await view(id);
    expect((report as { seen: number }).seen).toBeGreaterThan(2);
    expect((await host.api.post(`/v1/tasks/${id}/cancel`)).status).toBe(409);
    const again = await tasks().start('count-slowly', 'all', {}, 'test');
    await tasks().cancel(again.id);
  });

  test('are gone on with from where a host that was lost had come', async () => {
    let lost = true;
    const gate = (step: number) =>
      lost && step === 4 ? new Promise<void>(() => undefined) : Promise.resolve();
    tasks().define('count-to-six', counting(6, gate));
    const { id } = await tasks().start('count-to-six', 'all', {}, 'test');
    await eventually(async () => expect((await view(id)).done).toBe(3));
    // The lease of a host that was killed ends; what it may still do counts for nothing.
    lost = false;
    await host.dataSource.query(
      `UPDATE tasks SET lease = gen_random_uuid(), lease_until = clock_timestamp() - interval '1 second' WHERE id = $1`,
      [id],
    );
    await host.api.post('/v1/schedule/resume-tasks/run');
    await host.app.get(JobsService).run('resume-tasks');
    // On this host the lost run still holds the job; another host would not know of it.
    const jobs = host.app.get(JobsService) as unknown as { running: Map<string, unknown> };
    jobs.running.delete(`run-task ${id}`);
    await host.app.get(JobsService).run('run-task', id);
    expect(await view(id)).toMatchObject({ state: 'done', report: { from: 3, seen: [4, 5, 6] } });
  });

  test('are listed in pages, newest first, those of one moment once each', async () => {
    tasks().define('nothing', () => Promise.resolve({}));
    const made: string[] = [];
    for (let nr = 0; nr < 7; nr++) made.push((await tasks().start('nothing', `nr-${nr}`, {}, 'test')).id);
    await Promise.all(made.map((id) => tasks().wait(id, 5_000)));
    // Four of one microsecond stand between two that are newer and one that is older.
    await host.dataSource.query(
      `UPDATE tasks SET asked_at = '2026-01-01T00:00:00.123456Z'::timestamptz WHERE id = ANY($1)`,
      [made.slice(1, 5)],
    );
    await host.dataSource.query(`UPDATE tasks SET asked_at = '2025-12-31' WHERE id = $1`, [made[0]]);
    const pages = await pagesOf<{ id: string }>(host.api, '/v1/tasks?kind=nothing', 2);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 1]);
    const listed = pages.flat().map(({ id }) => id);
    expect(listed.slice(0, 2)).toEqual([made[6], made[5]]);
    expect([...listed.slice(2, 6)].sort()).toEqual(made.slice(1, 5).sort());
    expect(listed[6]).toBe(made[0]);
    expect(pages[0]![0]).not.toHaveProperty('place');
    expect(await host.api.get('/v1/tasks?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'cursor' }] },
    });
  });

  test('that fail say why, with what they had found', async () => {
    tasks().define(
      'count-and-fail',
      counting(5, (step) => (step === 3 ? Promise.reject(new Error('no more fingers')) : Promise.resolve())),
    );
    const { id } = await tasks().start('count-and-fail', 'all', {}, 'test');
    const ended = await tasks().wait(id, 5_000);
    expect(ended).toMatchObject({ state: 'failed', error: 'no more fingers', report: { seen: 2 } });
  });
});
