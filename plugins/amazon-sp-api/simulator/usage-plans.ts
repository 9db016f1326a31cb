import {
  CallLimit,
  type CallRate,
  type LimitBreach,
  limitBreaches,
  type SimulatedCall,
} from 'onhand/channel-api';
import { type Operation, planOf, routeOf } from './operations';

/** A breach with the operation whose plan did not allow the call. */
export interface PlanBreach extends LimitBreach {
  operation: Operation;
}

/** The usage plan of each operation, for one pair of selling partner and application. */
export class UsagePlans {
  private readonly limits = new Map<Operation, CallLimit>();

  /**
   * Plans are `scale` times as fast as Amazon's. A call that comes early by no more than `toleranceMs` is taken, and
   * counted: in fast time the delays of a busy machine would weigh as much more as time is faster.
   */
  constructor(
    private readonly scale: number,
    private readonly toleranceMs: number,
    /** In place of the documented plans: some sellers are given more. */
    private readonly granted: Partial<Record<Operation, CallRate>> = {},
  ) {}

  allows(operation: Operation, nowMs: number): boolean {
    let limit = this.limits.get(operation);
    if (!limit) this.limits.set(operation, (limit = new CallLimit(this.plan(operation))));
    const earlyMs = limit.refuseForMs(nowMs);
    if (earlyMs > this.toleranceMs) return false;
    if (earlyMs > 0) limit.refuseForMs(nowMs + earlyMs);
    return true;
  }

  /** What `x-amzn-RateLimit-Limit` says: the rate as Amazon counts it, without the burst. */
  header(operation: Operation): string {
    return String(this.inAmazonsTime(operation).perSecond);
  }

  /** The calls of the log that came earlier than their operation's plan allows. */
  breaches(calls: readonly SimulatedCall[]): PlanBreach[] {
    const byOperation = new Map<Operation, SimulatedCall[]>();
    for (const call of calls) {
      const operation = routeOf(call.method, call.path.split('?', 1)[0] as string)?.operation;
      if (!operation) continue;
      if (!byOperation.has(operation)) byOperation.set(operation, []);
      byOperation.get(operation)?.push(call);
    }
    return [...byOperation].flatMap(([operation, of]) =>
      limitBreaches(of, this.plan(operation), this.toleranceMs).map((breach) => ({ operation, ...breach })),
    );
  }

  private plan(operation: Operation): CallRate {
    const { perSecond, burst } = this.inAmazonsTime(operation);
    return { perSecond: perSecond * this.scale, burst };
  }

  private inAmazonsTime(operation: Operation): CallRate {
    return this.granted[operation] ?? planOf(operation);
  }
}

/** At most so many in any window: how Amazon throttles feeds by their type. */
export class WindowLimit {
  private readonly taken: number[] = [];

  constructor(
    private readonly most: number,
    private readonly windowMs: number,
  ) {}

  allows(nowMs: number): boolean {
    while (this.taken.length > 0 && (this.taken[0] as number) <= nowMs - this.windowMs) this.taken.shift();
    if (this.taken.length >= this.most) return false;
    this.taken.push(nowMs);
    return true;
  }
}
