import { setTimeout as sleep } from 'node:timers/promises';

export interface Pace {
  /** File seconds per real second; 0 goes as fast as the host answers. */
  speed: number;
  /** Most steps under way at once. */
  inFlight: number;
  signal?: AbortSignal;
}

/**
 * Starts steps in their order, at most `inFlight` at once, each not before its time. Resolves when all have
 * ended; rejects with the first failure once those under way have ended, and starts no more after it.
 */
export async function runPaced<T extends { atMs: number }>(
  steps: readonly T[],
  { speed, inFlight, signal }: Pace,
  run: (step: T) => Promise<void>,
): Promise<void> {
  const startedAt = Date.now();
  const firstMs = steps[0]?.atMs ?? 0;
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const failed = new AbortController();
  const stop = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
  for (const step of steps) {
    const waitMs = speed > 0 ? startedAt + (step.atMs - firstMs) / speed - Date.now() : 0;
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
    while (running.size >= inFlight) await Promise.race(running);
    if (stop.aborted) break;
    const task: Promise<void> = run(step)
      .catch((error: unknown) => {
        failures.push(error);
        // A slow replay may be asleep for hours; it must hear of the failure now.
        failed.abort();
      })
      .finally(() => running.delete(task));
    running.add(task);
  }
  await Promise.all(running);
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
