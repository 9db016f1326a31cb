import { setTimeout as sleep } from 'node:timers/promises';
import { ChannelUnavailableError, type Page } from '../channel-api';

/** A page, and when it was asked for at the latest, by the database's clock. */
export interface ReadPage<T> {
  page: Page<T>;
  readAt: Date;
}

/** Longer than a call takes with all its retries and waits; some channels gather a report before the first page. */
const PAGE_SECONDS = 900;

/**
 * A plugin's pages, of which the next one is read while one is worked on: what takes time is the channel. Ends
 * with the signal's reason when that is aborted, and with `ChannelUnavailableError` when a page never comes.
 */
export async function* readAhead<T>(
  pages: AsyncIterable<Page<T>>,
  now: () => Promise<Date>,
  signal: AbortSignal,
): AsyncGenerator<ReadPage<T>> {
  const iterator = pages[Symbol.asyncIterator]();
  const ask = async () => {
    const readAt = await now();
    return { readAt, result: await within(iterator.next(), signal) };
  };
  try {
    for (let asked = ask(); ;) {
      const { readAt, result } = await asked;
      if (result.done) return;
      asked = ask();
      // Whoever works on this page may be done with all of them; nobody would catch what the next one rejects with.
      asked.catch(() => undefined);
      yield { page: result.value, readAt };
    }
  } finally {
    // One that never comes is not waited for at the end either.
    iterator.return?.().catch(() => undefined);
  }
}

async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const late = sleep(PAGE_SECONDS * 1000, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(
    () => {
      throw new ChannelUnavailableError(
        `a page of what the channel shows took longer than ${PAGE_SECONDS} s`,
      );
    },
    () => {
      signal.throwIfAborted();
      return new Promise<never>(() => undefined);
    },
  );
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
