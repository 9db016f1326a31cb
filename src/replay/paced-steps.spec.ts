import { setTimeout as sleep } from 'node:timers/promises';
import { runPaced } from './paced-steps';

const steps = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ atMs: index * 1_000, index }));

test('steps start in their order, and no more than allowed are under way', async () => {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  await runPaced(steps(40), { speed: 0, inFlight: 5 }, async ({ index }) => {
    started.push(index);
    most = Math.max(most, (running += 1));
    await sleep(index % 3);
    running -= 1;
  });
  expect(started).toEqual(steps(40).map(({ index }) => index));
  expect(most).toBe(5);
});

test('a step does not start before its time', async () => {
  const startedAt = Date.now();
  await runPaced(steps(4), { speed: 20, inFlight: 5 }, () => Promise.resolve());
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(145);
});

test('the first failure is thrown after what is under way has ended, and nothing starts after it', async () => {
  const ended: number[] = [];
  const run = runPaced(steps(20), { speed: 0, inFlight: 3 }, async ({ index }) => {
    await sleep(index === 1 ? 1 : 20);
    if (index === 1) throw new Error('broken');
    ended.push(index);
  });
  await expect(run).rejects.toThrow('broken');
  expect(ended).toEqual([0, 2]);
});

test('a failure wakes a slow replay', async () => {
  const run = runPaced([{ atMs: 0 }, { atMs: 3_600_000 }], { speed: 1, inFlight: 3 }, () =>
    Promise.reject(new Error('broken')),
  );
  await expect(run).rejects.toThrow('broken');
});

test('an aborted replay starts nothing more', async () => {
  const stop = new AbortController();
  let started = 0;
  const run = runPaced(steps(20), { speed: 0, inFlight: 1, signal: stop.signal }, async () => {
    if ((started += 1) === 3) stop.abort();
    await sleep(1);
  });
  await expect(run).rejects.toThrow(/aborted/);
  expect(started).toBe(3);
});
