import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { JobsService } from './jobs.service';

/** A job that runs until it is let go, and counts its runs. */
function held() {
  const runs: { key: string | undefined; finish(error?: Error): void }[] = [];
  const handler = (key: string | undefined) =>
    new Promise<void>((resolve, reject) => {
      runs.push({ key, finish: (error) => (error ? reject(error) : resolve()) });
    });
  return { runs, handler };
}

describe('jobs', () => {
  let jobs: JobsService;

  beforeEach(() => {
    Logger.overrideLogger(false);
    jobs = new JobsService();
  });

  test('a job that is woken runs with its key', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    jobs.wake('push-listings', 'shop');
    expect(runs).toEqual([]);
    await turn();
    expect(runs.map(({ key }) => key)).toEqual(['shop']);
  });

  test('many wakes in one turn are one run', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    for (let wake = 0; wake < 100; wake++) jobs.wake('push-listings', 'shop');
    await turn();
    expect(runs).toHaveLength(1);
  });

  test('many wakes during a run are one more run after it, never one beside it', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    jobs.wake('push-listings', 'shop');
    await turn();
    for (let wake = 0; wake < 100; wake++) {
      jobs.wake('push-listings', 'shop');
      await turn();
    }
    expect(runs).toHaveLength(1);
    runs[0]!.finish();
    await turn();
    expect(runs).toHaveLength(2);
    runs[1]!.finish();
    await turn();
    await turn();
    expect(runs).toHaveLength(2);
  });

  test('a job runs beside itself for other keys, and beside other jobs', async () => {
    const [first, second] = [held(), held()];
    jobs.process('push-listings', first.handler);
    jobs.process('apply-inbox', second.handler);
    for (const key of ['shop', 'outlet', undefined]) jobs.wake('push-listings', key);
    jobs.wake('apply-inbox');
    await turn();
    expect(first.runs.map(({ key }) => key)).toEqual(['shop', 'outlet', undefined]);
    expect(second.runs).toHaveLength(1);
  });

  test('whoever waits for a job waits until no run of it is left', async () => {
    const { runs, handler } = held();
    jobs.process('apply-inbox', handler);
    const order: string[] = [];
    const first = jobs.run('apply-inbox').then(() => order.push('first waiter'));
    await turn();
    const second = jobs.run('apply-inbox').then(() => order.push('second waiter'));
    runs[0]!.finish();
    await turn();
    expect(order).toEqual([]);
    runs[1]!.finish();
    await Promise.all([first, second]);
    expect(order).toEqual(['first waiter', 'second waiter']);
  });

  test('a job that throws ends its run, and the next wake runs it again', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    const done = jobs.run('push-listings');
    await turn();
    runs[0]!.finish(new Error('the database is away'));
    await done;
    jobs.wake('push-listings');
    await turn();
    expect(runs).toHaveLength(2);
  });

  test('a job that throws at once, and one that nobody declared, fail nobody', async () => {
    jobs.process('push-listings', () => {
      throw new Error('at once');
    });
    await jobs.run('push-listings');
    await jobs.run('nobody-declared');
  });

  test('a wake after a job that threw during a run is not lost', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    jobs.wake('push-listings');
    await turn();
    jobs.wake('push-listings');
    runs[0]!.finish(new Error('once'));
    await turn();
    await turn();
    expect(runs).toHaveLength(2);
  });

  test('a job is declared once', () => {
    jobs.process('push-listings', async () => undefined);
    expect(() => jobs.process('push-listings', async () => undefined)).toThrow(
      'push-listings is declared twice',
    );
  });

  test('recurring jobs are kept for who wakes them', () => {
    jobs.every(5, 'push-listings', 'shop');
    jobs.every(10, 'apply-inbox');
    expect(jobs.recurring).toEqual([
      { name: 'push-listings', key: 'shop', everySeconds: 5 },
      { name: 'apply-inbox', key: undefined, everySeconds: 10 },
    ]);
  });

  test('a shutdown waits for the runs under way and lets no new one begin', async () => {
    const { runs, handler } = held();
    jobs.process('push-listings', handler);
    jobs.wake('push-listings', 'shop');
    await turn();
    jobs.wake('push-listings', 'shop');
    let stopped = false;
    const stopping = jobs.beforeApplicationShutdown().then(() => (stopped = true));
    jobs.wake('push-listings', 'outlet');
    await sleep(20);
    expect(stopped).toBe(false);
    runs[0]!.finish();
    await stopping;
    await sleep(20);
    expect(runs.map(({ key }) => key)).toEqual(['shop']);
  });
});
