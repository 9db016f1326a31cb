import type { DailyQuota, LimitFacts, RateLimit, RollingQuota } from './contract';

/**
 * What all hosts of a channel know together of one limit, and the rules by which it changes. Pure; times are
 * ms of one clock, that of whoever keeps the state.
 *
 * Why the channel never sees too much: units are taken before a call is sent and *held* until it was answered,
 * and what may be taken never exceeds `burst` less what is held. A call reaches the channel somewhere between
 * the two, so at any moment ours plus what is still on its way is at most what the channel has left, however
 * late each call arrives. A quota counts held units too, and counts them as spent from when they were answered.
 */
export interface LimitState {
  /** Of a bucket, as of `at`. Below 0 where the channel said it has less than is under way. */
  tokens: number;
  at: number;
  /** Nothing may be sent for so long from `closedAt` on. */
  closedAt: number;
  closedForMs: number;
  /** 429s in a row that did not say for how long. */
  silentThrottles: number;
  /** Units of calls under way, by host; a host that is not heard of again holds them until then. */
  held: Record<string, HeldUnits>;
  /** Units of a quota that were answered, by the end of the time in which they were. */
  spent: [endsAt: number, units: number][];
  learned: LearnedLimit;
}

export interface HeldUnits {
  units: number;
  until: number;
}

export interface LearnedLimit {
  perSecond?: number;
  burst?: number;
  quota?: number;
  resetsAtUtc?: string;
}

/** No two clocks run alike: of each rate this share is left unused. */
const RATE_HEADROOM = 0.02;
/** A quota's reset is taken to have happened this much later, and what was answered this much before counts on. */
const RESET_MARGIN_MS = 60_000;
/** A rolling quota forgets in steps of this share of its window. */
const ROLLING_STEPS = 48;
/** Whoever waits for what others hold looks again after this time. */
const HELD_RECHECK_MS = 20;
/** A learned figure further off than this from the declared one is a misunderstanding. */
const BELIEVED_FACTOR = 100;
const DAY_MS = 86_400_000;
const EPSILON = 1e-6;

/** Throws `RangeError` when the limit could never let a call pass. */
export function assertUsable(limit: RateLimit): void {
  const fault = faultOf(limit);
  if (fault) throw new RangeError(`limit "${limit.name}": ${fault}`);
}

function faultOf(limit: RateLimit): string | undefined {
  if (isBucket(limit)) {
    return limit.perSecond > 0 && limit.burst >= 1
      ? undefined
      : 'perSecond must be above 0 and burst at least 1';
  }
  if (!(limit.quota >= 1)) return 'quota must be at least 1';
  if (limit.kind === 'rolling') return limit.windowSeconds > 0 ? undefined : 'windowSeconds must be above 0';
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(limit.resetsAtUtc)
    ? undefined
    : 'resetsAtUtc must be a time of day such as 07:00';
}

export function isBucket(limit: RateLimit): limit is Extract<RateLimit, { perSecond: number }> {
  return limit.kind === undefined || limit.kind === 'bucket';
}

export function newLimitState(limit: RateLimit, now: number): LimitState {
  const tokens = isBucket(limit) ? limit.burst : 0;
  return {
    tokens,
    at: now,
    closedAt: now,
    closedForMs: 0,
    silentThrottles: 0,
    held: {},
    spent: [],
    learned: {},
  };
}

/** The most units that one call can ever take. */
export function largestCost(limit: RateLimit, { learned }: Pick<LimitState, 'learned'>): number {
  return isBucket(limit) ? (learned.burst ?? limit.burst) : (learned.quota ?? limit.quota);
}

/** Brings the state up to `now`. A clock that was set back grants nothing and keeps nothing closed for longer. */
export function refresh(limit: RateLimit, state: LimitState, now: number): void {
  const openAt = Math.min(state.closedAt, now) + state.closedForMs;
  if (isBucket(limit)) refill(limit.perSecond, limit, state, { now, openAt });
  state.closedAt = Math.min(state.closedAt, now);
  if (now >= openAt) state.closedForMs = 0;
  state.at = now;
  for (const [host, { units, until }] of Object.entries(state.held)) {
    if (until > now) continue;
    delete state.held[host];
    spend(limit, state, now, units);
  }
  if (!isBucket(limit)) {
    const since = countedSince(limit, state, now);
    state.spent = state.spent.filter(([endsAt]) => endsAt > since);
  }
}

function refill(
  declared: number,
  limit: RateLimit,
  state: LimitState,
  { now, openAt }: { now: number; openAt: number },
): void {
  // What passed while it was closed is not refilled: a burst right after a 429 would earn the next one.
  const from = Math.max(state.at, openAt);
  const rate = (state.learned.perSecond ?? declared) * (1 - RATE_HEADROOM);
  const gained = (Math.max(now - from, 0) / 1000) * rate;
  const most = Math.max(largestCost(limit, state) - heldUnits(state), 0);
  state.tokens = Math.min(state.tokens + gained, most);
}

/** Ms until so many units could be taken one after another, the last `cost` of them at once; 0 when they can be now. */
export function waitMs(
  limit: RateLimit,
  state: LimitState,
  now: number,
  units: number,
  cost: number,
): number {
  const closedMs = Math.max(state.closedAt + state.closedForMs - now, 0);
  return Math.max(closedMs, closedMs + shortageMs(limit, state, now, units, cost));
}

function shortageMs(limit: RateLimit, state: LimitState, now: number, units: number, cost: number): number {
  if (!isBucket(limit)) return quotaMs(limit, state, now, units);
  const missing = units - state.tokens;
  if (missing <= EPSILON) return 0;
  const rate = (state.learned.perSecond ?? limit.perSecond) * (1 - RATE_HEADROOM);
  const refillMs = Math.ceil((missing / rate) * 1000);
  const isHeldUp = cost > largestCost(limit, state) - heldUnits(state) + EPSILON;
  return isHeldUp ? Math.max(refillMs, HELD_RECHECK_MS) : refillMs;
}

function quotaMs(limit: RollingQuota | DailyQuota, state: LimitState, now: number, units: number): number {
  let over = spentUnits(state) + heldUnits(state) + units - largestCost(limit, state);
  if (over <= EPSILON) return 0;
  for (const [endsAt, spent] of [...state.spent].sort(([a], [b]) => a - b)) {
    over -= spent;
    if (over <= EPSILON) return Math.max(forgottenAt(limit, state, endsAt) - now, 1);
  }
  // Only calls under way stand between: they are spent or forgotten a whole window from now at the latest.
  return HELD_RECHECK_MS;
}

/** Takes units for a call about to be sent by `host`, and holds them until it says that the call was answered. */
export function take(limit: RateLimit, state: LimitState, host: string, held: HeldUnits): void {
  if (isBucket(limit)) state.tokens -= held.units;
  const before = state.held[host];
  state.held[host] = {
    units: (before?.units ?? 0) + held.units,
    until: Math.max(before?.until ?? 0, held.until),
  };
}

/**
 * Units worth taking ahead: what a tenth of a second refills, and little enough to leave others theirs. Of a quota
 * only where it is large, for what a host had taken that died counts as spent.
 */
export function worthAhead(limit: RateLimit, state: LimitState, now: number): number {
  if (waitMs(limit, state, now, 1, 1) > 0) return 0;
  if (!isBucket(limit))
    return Math.floor(Math.min(largestCost(limit, state) / 10_000, leftUnits(limit, state) / 100, 100));
  const rate = state.learned.perSecond ?? limit.perSecond;
  return Math.floor(Math.min(rate / 10, largestCost(limit, state) / 8, state.tokens / 2));
}

/** Units taken and not used: no call left with them. */
export function giveBack(limit: RateLimit, state: LimitState, units: number): void {
  if (isBucket(limit)) state.tokens += units;
}

/** Says anew how much a host has under way, all in all. */
export function setHeld(state: LimitState, host: string, held: HeldUnits): void {
  if (held.units > 0) state.held[host] = held;
  else delete state.held[host];
}

/** Units whose calls were answered: a quota counts them from now on for its whole window. */
export function spend(limit: RateLimit, state: LimitState, now: number, units: number): void {
  if (isBucket(limit) || units <= 0) return;
  const endsAt = stepEnd(limit, state, now);
  const step = state.spent.find(([ends]) => ends === endsAt);
  if (step) step[1] += units;
  else state.spent.push([endsAt, units]);
}

/** After a 429: empties a bucket and keeps the limit closed. Never shortens an earlier closing. */
export function close(limit: RateLimit, state: LimitState, now: number, delayMs: number): void {
  if (isBucket(limit)) state.tokens = Math.min(state.tokens, 0);
  if (delayMs <= state.closedAt + state.closedForMs - now) return;
  state.closedAt = now;
  state.closedForMs = delayMs;
}

/** Believes what the channel said, where it can be. Answers whether a learned figure changed. */
export function learn(limit: RateLimit, state: LimitState, now: number, facts: LimitFacts): boolean {
  const before = JSON.stringify(state.learned);
  const { perSecond, burst, quota, remaining, refunded, resetsAt } = facts;
  if (isBucket(limit)) {
    if (isNear(perSecond, limit.perSecond)) state.learned.perSecond = perSecond;
    if (isNear(burst, limit.burst) && burst >= 1) state.learned.burst = burst;
    if (isCount(refunded)) state.tokens = Math.min(state.tokens + refunded, mostTokens(limit, state));
    if (isCount(remaining)) state.tokens = Math.min(state.tokens, remaining - heldUnits(state));
    state.tokens = Math.min(state.tokens, Math.max(mostTokens(limit, state), 0));
    return JSON.stringify(state.learned) !== before;
  }
  if (isNear(quota, limit.quota) && quota >= 1) state.learned.quota = quota;
  learnReset(limit, state, now, resetsAt);
  if (isCount(remaining)) {
    const unheard = largestCost(limit, state) - remaining - spentUnits(state);
    spend(limit, state, now, unheard);
  }
  return JSON.stringify(state.learned) !== before;
}

/** A daily quota's own time of day; a rolling one has none. */
function learnReset(limit: RateLimit, state: LimitState, now: number, resetsAt: string | undefined): void {
  const at = Date.parse(resetsAt ?? '');
  if (limit.kind !== 'daily' || !(at > now) || at > now + DAY_MS + RESET_MARGIN_MS) return;
  const minute = Math.round(at / 60_000) % 1440;
  const resetsAtUtc = `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
  if (resetsAtUtc === (state.learned.resetsAtUtc ?? limit.resetsAtUtc)) return;
  state.learned.resetsAtUtc = resetsAtUtc;
  // The steps were cut by the old time of day; all that is in them was answered by now.
  state.spent = state.spent.map(([endsAt, units]) => [Math.min(endsAt, now), units]);
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

function isNear(value: number | undefined, declared: number): value is number {
  return (
    typeof value === 'number' &&
    value > 0 &&
    value <= declared * BELIEVED_FACTOR &&
    value >= declared / BELIEVED_FACTOR
  );
}

/** A number of units as a channel can mean it: 1e9 left is as little an answer as NaN. */
function isCount(value: number | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e9;
}

function mostTokens(limit: RateLimit, state: LimitState): number {
  return largestCost(limit, state) - heldUnits(state);
}

export function heldUnits(state: LimitState): number {
  return Object.values(state.held).reduce((sum, { units }) => sum + units, 0);
}

function spentUnits(state: LimitState): number {
  return state.spent.reduce((sum, [, units]) => sum + units, 0);
}

/** Units that may be taken at this moment. */
export function leftUnits(limit: RateLimit, state: LimitState): number {
  if (isBucket(limit)) return Math.max(state.tokens, 0);
  return Math.max(largestCost(limit, state) - spentUnits(state) - heldUnits(state), 0);
}

/** Spent units count while the end of their step lies after this moment. */
function countedSince(limit: RollingQuota | DailyQuota, state: LimitState, now: number): number {
  if (limit.kind === 'rolling') return now - limit.windowSeconds * 1000;
  return lastReset(limit, state, now - RESET_MARGIN_MS) - RESET_MARGIN_MS;
}

function stepEnd(limit: RollingQuota | DailyQuota, state: LimitState, now: number): number {
  if (limit.kind === 'rolling') {
    const stepMs = (limit.windowSeconds * 1000) / ROLLING_STEPS;
    return (Math.floor(now / stepMs) + 1) * stepMs;
  }
  // What is answered shortly before a reset may have been counted after it by the channel's clock.
  const next = lastReset(limit, state, now) + DAY_MS;
  return now < next - RESET_MARGIN_MS ? next - RESET_MARGIN_MS : next;
}

function forgottenAt(limit: RollingQuota | DailyQuota, state: LimitState, endsAt: number): number {
  if (limit.kind === 'rolling') return endsAt + limit.windowSeconds * 1000;
  return lastReset(limit, state, endsAt - 1 + RESET_MARGIN_MS) + DAY_MS + RESET_MARGIN_MS;
}

function lastReset(limit: DailyQuota, state: LimitState, now: number): number {
  const [hours = 0, minutes = 0] = (state.learned.resetsAtUtc ?? limit.resetsAtUtc).split(':').map(Number);
  const offsetMs = (hours * 60 + minutes) * 60_000;
  return Math.floor((now - offsetMs) / DAY_MS) * DAY_MS + offsetMs;
}
