import { ChannelUnavailableError } from '../channel-api';

/**
 * What a plugin promised, or `ChannelUnavailableError` when that takes too long. The plugin is not stopped,
 * which nothing in its process can do; but nobody waits for it any more.
 */
export async function withinDeadline<T>(work: T | Promise<T>, seconds: number, what: string): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ChannelUnavailableError(`${what} took longer than ${seconds} s`)),
      seconds * 1000,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The items of a plugin's iteration, each within the deadline. One that never comes is not waited for at the end either. */
export async function* eachWithinDeadline<T>(
  items: AsyncIterable<T>,
  seconds: number,
  what: string,
): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withinDeadline(iterator.next(), seconds, what);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}
