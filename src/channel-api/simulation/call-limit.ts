import type { SimulatedCall } from '../simulator';

/** A bucket of `burst` calls that fills at `perSecond`. */
export interface CallRate {
  perSecond: number;
  burst: number;
}

/** A limit as a channel counts it; kept apart from the host's buckets, so that one error cannot hide in both. */
export class CallLimit {
  /** When the bucket would be full again, in ms. */
  private fullAt = 0;

  constructor(private readonly rate: CallRate) {}

  /** Ms until a call would be taken; 0 when this one is. */
  refuseForMs(nowMs: number): number {
    const perCallMs = 1000 / this.rate.perSecond;
    const fullAt = Math.max(this.fullAt, nowMs) + perCallMs;
    const overMs = fullAt - nowMs - this.rate.burst * perCallMs;
    // Floating point: a call exactly on time must not be refused for a billionth of a ms.
    if (overMs > 1e-6) return overMs;
    this.fullAt = fullAt;
    return 0;
  }
}

export interface LimitBreach {
  call: SimulatedCall;
  /** By how much it came too early. */
  earlyMs: number;
}

/**
 * The calls of a log that a limit did not allow. The network may shorten the time between two calls: those
 * that came early by no more than `toleranceMs` are let pass, and counted.
 */
export function limitBreaches(
  calls: readonly SimulatedCall[],
  rate: CallRate,
  toleranceMs = 0,
): LimitBreach[] {
  const limit = new CallLimit(rate);
  const breaches: LimitBreach[] = [];
  for (const call of [...calls].sort((a, b) => a.at - b.at)) {
    const earlyMs = limit.refuseForMs(call.at);
    if (earlyMs > toleranceMs) breaches.push({ call, earlyMs });
    else if (earlyMs > 0) limit.refuseForMs(call.at + earlyMs);
  }
  return breaches;
}
