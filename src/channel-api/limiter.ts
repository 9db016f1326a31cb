import type { ChannelClock, LimitFacts } from './contract';
import type { LimitState } from './limit-state';

/** What a call takes of one limit, and leaves of it. */
export interface LimitCost {
  /** Its name; `name#key` of a limit that is counted by key. */
  limit: string;
  units: number;
  keep?: number;
}

/** Leave to send one call. Must be released once the call was answered or given up. */
export interface Permit {
  /** `throttled` when the channel refused the call for its limit. */
  /** `unsent`: the call was given up before it was sent, and others may have its units. */
  release(outcome: 'answered' | 'throttled' | 'unanswered' | 'unsent'): void;
}

/** Why a call may not be sent: `limit` lets it pass in `waitMs` at the earliest. */
export interface LimitRefusal {
  limit: string;
  waitMs: number;
  /** A quota is used up, as against a bucket that refills by and by. */
  isQuota: boolean;
  /** Every quota that is. */
  usedUp: readonly { limit: string; waitMs: number }[];
}

export interface LimiterCounts {
  granted: number;
  refused: number;
  throttled: number;
  /** Ms that granted calls waited, all in all. */
  waitedMs: number;
  /** Units left of each limit when last looked at. */
  left: ReadonlyMap<string, number>;
}

/** Where the state of limits is kept: in this process, or where all hosts share it. */
export interface LimitStore {
  /**
   * Runs `change` on the states of these limits while nobody else changes them, and keeps what it leaves in
   * the map. `change` may run more than once. Rejects when nothing is known to be kept.
   */
  update<T>(
    limits: readonly string[],
    change: (states: Map<string, LimitState>, nowMs: number) => T,
  ): Promise<T>;
}

/** Makes callers wait for the channel's limits in the order they came. */
export interface Limiter {
  /**
   * Resolves as soon as it is the caller's turn; or with a refusal, and nothing taken, when that turn is further
   * off than `maxWaitMs` or a quota is used up. `holdMs`: after this the call is over, whatever became of it.
   * Rejects when the store does.
   */
  take(
    costs: readonly LimitCost[],
    bounds: { maxWaitMs: number; holdMs: number },
  ): Promise<Permit | LimitRefusal>;
  /** After a 429: nothing passes for so long; undefined when the channel did not say. */
  close(limits: readonly string[], delayMs: number | undefined): void;
  learn(limit: string, facts: LimitFacts): void;
  readonly counts: LimiterCounts;
}

/** Keeps limits in this process alone. */
export class MemoryLimitStore implements LimitStore {
  private readonly states = new Map<string, LimitState>();

  constructor(private readonly clock: ChannelClock) {}

  async update<T>(
    _limits: readonly string[],
    change: (states: Map<string, LimitState>, nowMs: number) => T,
  ): Promise<T> {
    return change(this.states, this.clock.now().getTime());
  }
}
