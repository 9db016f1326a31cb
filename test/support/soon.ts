import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 4_000;

/** Makes the same assertions again until they hold, for what follows by itself a little later. */
export async function soon(check: () => void): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(5);
    }
  }
}
