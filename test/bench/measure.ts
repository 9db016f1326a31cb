import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Latencies in ms and what came of them. */
export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Keeps `inFlight` calls of `work` going for `durationMs`, after a warm-up that is not counted. */
export async function measure(
  work: () => Promise<unknown>,
  { inFlight, durationMs, warmUpMs }: { inFlight: number; durationMs: number; warmUpMs: number },
): Promise<Measured> {
  await keepGoing(work, inFlight, warmUpMs);
  const started = performance.now();
  const latencies = await keepGoing(work, inFlight, durationMs);
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  return {
    perSecond: Math.round(latencies.length / seconds),
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
  };
}

async function keepGoing(
  work: () => Promise<unknown>,
  inFlight: number,
  durationMs: number,
): Promise<number[]> {
  const end = performance.now() + durationMs;
  const latencies: number[] = [];
  const one = async () => {
    while (performance.now() < end) {
      const started = performance.now();
      await work();
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return latencies;
}

/** Of sorted values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** To hundredths, and what is less than one to thousandths. */
export function round(value: number): number {
  const parts = Math.abs(value) < 1 ? 1000 : 100;
  return Math.round(value * parts) / parts;
}

/** Starts `work` at even distances, whether or not the one before has ended. Returns how many were started. */
export async function paced(
  perSecond: number,
  seconds: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  const total = perSecond * seconds;
  const running: Promise<unknown>[] = [];
  while (running.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond) + 1);
    while (running.length < due) running.push(work());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  return total;
}

/** Of latencies in ms, in any order; sorts them. */
export function measuredOf(latencies: number[], perSecond: number): Measured {
  const sorted = latencies.sort((a, b) => a - b);
  return { perSecond, p50Ms: round(quantile(sorted, 0.5)), p99Ms: round(quantile(sorted, 0.99)) };
}

/** What is in use on the heap once everything that is not has been collected. */
export function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}
