import { setTimeout as sleep } from 'node:timers/promises';
import { eachWithinDeadline, withinDeadline } from './deadline';

const NEVER = new Promise<never>(() => undefined);

async function* pages(...items: (number | Promise<number>)[]) {
  for (const item of items) yield await item;
}

async function collect(items: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('a deadline', () => {
  test('lets through what comes in time, and what it rejects with', async () => {
    expect(await withinDeadline(7, 1, 'it')).toBe(7);
    expect(await withinDeadline(sleep(5, 7), 1, 'it')).toBe(7);
    await expect(withinDeadline(Promise.reject(new Error('no')), 1, 'it')).rejects.toThrow('no');
    expect(await collect(eachWithinDeadline(pages(1, sleep(5, 2), 3), 1, 'a page'))).toEqual([1, 2, 3]);
  });

  test('ends the wait for what never comes, with an error that is tried again', async () => {
    await expect(withinDeadline(NEVER, 0.02, 'the plugin')).rejects.toMatchObject({
      code: 'channel-unavailable',
      retryable: true,
      message: 'the plugin took longer than 0.02 s',
    });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const page of eachWithinDeadline(pages(1, NEVER), 0.02, 'a page')) seen.push(page);
    })();
    await expect(reading).rejects.toThrow('a page took longer');
    expect(seen).toEqual([1]);
  });

  test('lets a plugin clean up when nobody reads on', async () => {
    let cleaned = false;
    async function* read() {
      try {
        yield 1;
        yield 2;
      } finally {
        cleaned = true;
      }
    }
    for await (const page of eachWithinDeadline(read(), 1, 'a page')) if (page === 1) break;
    expect(cleaned).toBe(true);
  });
});
