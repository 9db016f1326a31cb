import type { LearnedLimit, LimitState, RateLimit } from '../channel-api';
import {
  heldUnits,
  isBucket,
  largestCost,
  leftUnits,
  newLimitState,
  refresh,
} from '../channel-api/limit-state';

/** A limit of a channel as it stands, over all hosts. Units are calls, or of their cost. */
export interface LimitLevel {
  name: string;
  kind: 'bucket' | 'rolling' | 'daily';
  /** Units that may be sent now, and the most that ever may at once. */
  left: number;
  most: number;
  /** Units of calls that were not answered yet. */
  underWay: number;
  /** Of a bucket. */
  perSecond: number | null;
  /** Of a rolling quota. */
  windowSeconds: number | null;
  /** Of a daily quota: time of day in UTC. */
  resetsAtUtc: string | null;
  /** Nothing is sent for so long, because the channel said so. */
  closedForSeconds: number;
  /** What the channel said otherwise than its plugin declares. */
  learned: LearnedLimit;
  /** When a call last took of it; null when none has. */
  usedAt: Date | null;
}

/** A state as hosts keep it, and the database's clock in ms when it was read. */
export interface KeptLimit {
  state: LimitState | null;
  usedAt: Date | null;
  nowMs: number;
}

/** Where a limit stands now. Pure; `kept` is changed by being brought up to its `nowMs`. */
export function limitLevel(limit: RateLimit, { state, usedAt, nowMs }: KeptLimit): LimitLevel {
  const now = state ?? newLimitState(limit, nowMs);
  refresh(limit, now, nowMs);
  return {
    name: limit.name,
    kind: limit.kind ?? 'bucket',
    left: Math.floor(leftUnits(limit, now)),
    most: largestCost(limit, now),
    underWay: heldUnits(now),
    perSecond: isBucket(limit) ? (now.learned.perSecond ?? limit.perSecond) : null,
    windowSeconds: limit.kind === 'rolling' ? limit.windowSeconds : null,
    resetsAtUtc: limit.kind === 'daily' ? (now.learned.resetsAtUtc ?? limit.resetsAtUtc) : null,
    closedForSeconds: Math.max(0, Math.ceil((now.closedAt + now.closedForMs - nowMs) / 1000)),
    learned: now.learned,
    usedAt: state === null ? null : usedAt,
  };
}
