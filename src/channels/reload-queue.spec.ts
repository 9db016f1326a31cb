import { setTimeout as sleep } from 'node:timers/promises';
import { ReloadQueue, type Stale } from './reload-queue';

/** Reads that end when told to. */
function heldReads() {
  const reads: { which: Stale; end: (error?: Error) => void }[] = [];
  const queue = new ReloadQueue(
    (which) =>
      new Promise((resolve, reject) => {
        reads.push({ which, end: (error) => (error ? reject(error) : resolve()) });
      }),
  );
  return { reads, queue };
}

const turn = () => sleep(0);

test('what is asked for during a read is one more read, which begins after it', async () => {
  const { reads, queue } = heldReads();
  const first = queue.reload([1]);
  await turn();
  const others = [queue.reload([2]), queue.reload([3, 2])];
  await turn();
  expect(reads.map(({ which }) => which)).toEqual([[1]]);
  reads[0]!.end();
  await first;
  await turn();
  expect(reads.map(({ which }) => which)).toEqual([[1], [2, 3]]);
  reads[1]!.end();
  await Promise.all(others);
});

test('everything covers what else was asked for', async () => {
  const { reads, queue } = heldReads();
  const all = Promise.all([queue.reload([1]), queue.reload('*'), queue.reload([2])]);
  await turn();
  expect(reads.map(({ which }) => which)).toEqual(['*']);
  reads[0]!.end();
  await all;
});

test('what a failed read left is read with the next one', async () => {
  const { reads, queue } = heldReads();
  const failed = queue.reload([1]);
  await turn();
  reads[0]!.end(new Error('no database'));
  await expect(failed).rejects.toThrow('no database');
  const next = queue.reload([2]);
  await turn();
  expect(reads[1]!.which).toEqual([1, 2]);
  reads[1]!.end();
  await next;
  queue.stop();
});

test('what a failed read left is read soon, even when nobody asks again', async () => {
  const { reads, queue } = heldReads();
  const failed = queue.reload('*');
  await turn();
  reads[0]!.end(new Error('no database'));
  await expect(failed).rejects.toThrow();
  await sleep(1_200);
  expect(reads.map(({ which }) => which)).toEqual(['*', '*']);
  queue.stop();
});
