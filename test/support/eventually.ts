import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats `attempt` until it does not throw, and throws its last error when that takes too long. */
export async function eventually<T>(attempt: () => Promise<T> | T, withinMs = 20_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await sleep(20);
    }
  }
}
