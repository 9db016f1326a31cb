import crypto from 'node:crypto';
import timersPromises from 'node:timers/promises';
import type { SeededRandom } from '../../src/replay/random';
import { EPOCH_MS, type SimulatedEvent, type Timeline } from './timeline';

/** What the hosts' code takes time and chance from; set for each run. */
interface Source {
  timeline: Timeline;
  random: SeededRandom;
}

let source: Source | undefined;

/** A timer as the code knows it from Node. */
class SimulatedTimer {
  event: SimulatedEvent | undefined;
  ref = () => this;
  unref = () => this;
  hasRef = () => true;
  [Symbol.toPrimitive] = () => 0;
}

export function useSource(next: Source | undefined): void {
  source = next;
}

const RealDate = Date;
const real = { setTimeout, clearTimeout, now: () => performance.timeOrigin + performance.now() };

/** For what waits in truth: the harness itself. */
export const realTimeout = real.setTimeout;

function hostNowMs(): number {
  if (!source) return RealDate.now();
  const { nowMs, current } = source.timeline;
  return Math.floor(EPOCH_MS + nowMs + (current?.skewMs ?? 0));
}

class SimulatedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(hostNowMs());
    else super(...(given as [number]));
  }

  static override now(): number {
    return hostNowMs();
  }
}

function start(callback: (...given: unknown[]) => void, delayMs = 0, given: unknown[] = []): SimulatedTimer {
  const timer = new SimulatedTimer();
  const { timeline } = source!;
  const label = delayMs > 0 ? `timer ${delayMs.toFixed(0)}` : '';
  timer.event = timeline.in(Math.max(0.001, delayMs), timeline.current, label, () => callback(...given));
  return timer;
}

function stop(timer: unknown): void {
  if (timer instanceof SimulatedTimer && timer.event) timer.event.isOff = true;
  else if (timer !== undefined && !(timer instanceof SimulatedTimer))
    real.clearTimeout(timer as NodeJS.Timeout);
}

function repeat(callback: () => void, everyMs: number): SimulatedTimer {
  const timer = new SimulatedTimer();
  const { timeline } = source!;
  const owner = timeline.current;
  const plan = () => {
    timer.event = timeline.in(everyMs, owner, `every ${everyMs}`, () => {
      plan();
      callback();
    });
  };
  plan();
  return timer;
}

function sleep(delayMs = 0, value?: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    const aborted = () =>
      reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError' }));
    if (signal?.aborted) return aborted();
    const timer = start(() => resolve(value), delayMs);
    signal?.addEventListener('abort', () => {
      stop(timer);
      aborted();
    });
  });
}

function uuid(): string {
  const digits = Array.from({ length: 8 }, () => Math.floor(source!.random.next() * 0x10000));
  const hex = digits.map((each) => each.toString(16).padStart(4, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** From here on all code of this process that asks for time or chance asks the simulation. */
export function installClocks(): void {
  Object.assign(globalThis, {
    Date: SimulatedDate,
    setTimeout: (callback: () => void, delayMs?: number, ...given: unknown[]) =>
      source ? start(callback, delayMs, given) : real.setTimeout(callback, delayMs),
    setInterval: repeat,
    setImmediate: (callback: () => void, ...given: unknown[]) => start(callback, 0, given),
    clearTimeout: stop,
    clearInterval: stop,
    clearImmediate: stop,
  });
  Object.assign(timersPromises, { setTimeout: sleep, setImmediate: (value?: unknown) => sleep(0, value) });
  performance.now = () => (source ? source.timeline.nowMs : real.now());
  const systemRandom = Math.random;
  Math.random = () => (source ? source.random.next() : systemRandom());
  const systemUuid = crypto.randomUUID;
  Object.assign(crypto, { randomUUID: () => (source ? uuid() : systemUuid()) });
}
