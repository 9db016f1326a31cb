import { setTimeout as sleep } from 'node:timers/promises';
import { Gathered } from './gathered';

/** Notes each batch, and answers each item with its double after a moment. */
function gathered(options: { atOnce?: number; sideBySide?: number; refuse?: number } = {}) {
  const batches: number[][] = [];
  let running = 0;
  let mostRunning = 0;
  const work = async (items: number[]) => {
    batches.push(items);
    mostRunning = Math.max(mostRunning, ++running);
    await sleep(5);
    running--;
    if (options.refuse !== undefined && items.includes(options.refuse)) throw new Error('refused');
    return items.map((item) => item * 2);
  };
  const { atOnce = 10, sideBySide = 1 } = options;
  const all = new Gathered(work, { atOnce, sideBySide, keyOf: (item) => String(item) });
  return { all, batches, mostRunning: () => mostRunning };
}

test('what is asked for in one turn is done together, and each gets its own answer', async () => {
  const { all, batches } = gathered();
  expect(await Promise.all([1, 2, 3].map((item) => all.ask(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test('what is asked for meanwhile goes together in the next', async () => {
  const { all, batches } = gathered();
  const first = all.ask(1);
  await sleep(1);
  expect(await Promise.all([first, all.ask(2), all.ask(3)])).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1], [2, 3]]);
});

test('a batch and the number side by side are bounded', async () => {
  const { all, batches, mostRunning } = gathered({ atOnce: 2, sideBySide: 2 });
  expect(await Promise.all([1, 2, 3, 4, 5, 6, 7].map((item) => all.ask(item)))).toHaveLength(7);
  expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2, 1]);
  expect(mostRunning()).toBe(2);
});

test('two items about one row are never in one statement', async () => {
  const { all, batches } = gathered();
  expect(await Promise.all([1, 1, 2, 1].map((item) => all.ask(item)))).toEqual([2, 2, 4, 2]);
  expect(batches).toEqual([[1, 2], [1], [1]]);
});

test('an item that cannot be taken fails alone, and what comes later is done', async () => {
  const { all } = gathered({ refuse: 2 });
  const settled = await Promise.allSettled([1, 2, 3].map((item) => all.ask(item)));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await all.ask(4)).toBe(8);
});
