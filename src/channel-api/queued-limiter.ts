import { randomUUID } from 'node:crypto';
import type { ChannelClock, LimitFacts, RateLimit } from './contract';
import { LimitsUnavailableError } from './errors';
import {
  type Active,
  emptyReport,
  heldOf,
  isPending,
  limitsOf,
  merged,
  type Report,
  type Round,
  type Waiting,
} from './limit-round';
import {
  assertUsable,
  close,
  giveBack,
  isBucket,
  largestCost,
  learn,
  leftUnits,
  type LimitState,
  newLimitState,
  refresh,
  setHeld,
  spend,
  take,
  waitMs,
  worthAhead,
} from './limit-state';
import { declaredName } from './keyed-limit';
import type { LimitCost, Limiter, LimiterCounts, LimitRefusal, LimitStore, Permit } from './limiter';
import { AHEAD_HOLD_MS, AHEAD_MS, UnitsAhead } from './units-ahead';

/** How long a limit stays closed after a 429 that does not say; doubles with each of them in a row. */
const SILENT_THROTTLE_MS = 1_000;
const MAX_SILENT_THROTTLE_MS = 60_000;
/** Who waits looks again no more often than this: what has refilled by then is taken at once. */
const SHORTEST_SLEEP_MS = 10;
/** An answered call is told to the store with the next call's request, or after this time. */
const REPORT_WITHIN_MS = 200;
const RETRY_STORE_MS = 500;
/** A host that slept for longer between asking and sending may find its units given to others. */
const GRANT_LIVES_MS = 5_000;

interface Judgement {
  verdicts: Verdict[];
  sleepMs: number;
  /** More units taken ahead. */
  ahead: LimitCost[];
}

type Verdict = 'wait' | 'granted' | LimitRefusal;

export interface LimiterHooks {
  learned?(limit: string, learned: LimitState['learned']): void;
  /** A limit was closed in the store, where other hosts may have taken units ahead. */
  throttled?(): void;
}

/** A `Limiter` over a store. One run at a time asks for everybody who waits, so that many calls cost one update. */
export class QueuedLimiter implements Limiter {
  private readonly host = randomUUID();
  private readonly limits: ReadonlyMap<string, RateLimit>;
  private readonly active = new Set<Active>();
  private readonly ahead = new UnitsAhead();
  private readonly wanted = new Set<string>();
  /** Grows whenever what was taken ahead is given up, also while more of it is being asked for. */
  private givenUp = 0;
  private readonly left = new Map<string, number>();
  private readonly tally = { granted: 0, refused: 0, throttled: 0, waitedMs: 0 };
  private waiting: Waiting[] = [];
  private report: Report = emptyReport();
  private running = false;
  private stopped = false;
  private runs: Promise<void> = Promise.resolve();
  private again = false;
  private sleeping: AbortController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wakeAt = Infinity;

  /** Throws `RangeError` when a limit could never let a call pass. */
  constructor(
    limits: readonly RateLimit[],
    private readonly store: LimitStore,
    private readonly clock: ChannelClock,
    private readonly hooks: LimiterHooks = {},
  ) {
    limits.forEach(assertUsable);
    this.limits = new Map(limits.map((limit) => [limit.name, limit]));
  }

  get counts(): LimiterCounts {
    return { ...this.tally, left: this.left };
  }

  take(
    costs: readonly LimitCost[],
    { maxWaitMs, holdMs }: { maxWaitMs: number; holdMs: number },
  ): Promise<Permit | LimitRefusal> {
    return new Promise((resolve, reject) => {
      if (this.stopped) throw new LimitsUnavailableError('not sent: the host is shutting down');
      for (const { limit } of costs) this.wanted.add(limit);
      if (this.waiting.length === 0 && this.ahead.draw(costs, holdMs))
        return resolve(this.grant(costs, holdMs));
      const since = this.now();
      this.waiting.push({ costs, since, deadline: since + maxWaitMs, holdMs, resolve, reject });
      this.wake();
    });
  }

  close(limits: readonly string[], delayMs: number | undefined): void {
    this.tally.throttled++;
    this.giveUpAhead(limits);
    for (const limit of limits) this.report.closings.push({ limit, delayMs });
    this.wake();
  }

  learn(limit: string, facts: LimitFacts): void {
    this.report.facts.push({ limit, facts });
    this.wakeSoon();
  }

  /** Another host was throttled: what was taken ahead is not to be used. */
  dropAhead(): void {
    this.giveUpAhead(this.ahead.names);
    this.wakeSoon();
  }

  /** Refuses whoever waits, and tells the store of what was answered. For when the process ends. */
  async stop(): Promise<void> {
    this.stopped = true;
    const { waiting } = this;
    this.waiting = [];
    for (const { reject } of waiting)
      reject(new LimitsUnavailableError('not sent: the host is shutting down'));
    this.giveUpAhead(this.ahead.names);
    if (isPending(this.report) || this.running) this.wake();
    await this.runs;
  }

  private giveUpAhead(limits: readonly string[]): void {
    this.givenUp++;
    this.report.unused.push(...this.ahead.takeBack(limits));
  }

  private release(active: Active, outcome: Parameters<Permit['release']>[0]): void {
    if (!this.active.delete(active)) return;
    (outcome === 'unsent' ? this.report.unused : this.report.spent).push(...active.costs);
    if (outcome === 'answered') for (const { limit } of active.costs) this.report.answered.add(limit);
    // Whoever waits may wait for just these units; else the next call tells of them.
    if (this.waiting.length > 0) this.wake();
    else this.wakeSoon();
  }

  private wakeSoon(delayMs = REPORT_WITHIN_MS): void {
    if (this.running || this.wakeAt <= performance.now() + delayMs) return;
    clearTimeout(this.timer);
    this.wakeAt = performance.now() + delayMs;
    this.timer = setTimeout(() => this.wake(), delayMs).unref();
  }

  private wake(): void {
    this.again = true;
    this.sleeping?.abort();
    if (this.running) return;
    this.running = true;
    clearTimeout(this.timer);
    this.wakeAt = Infinity;
    // Calls made in one turn ask together.
    this.runs = Promise.resolve().then(() => this.run());
  }

  private async run(): Promise<void> {
    let isKept = true;
    do {
      this.again = false;
      const sleepMs = await this.pass();
      isKept = sleepMs !== undefined;
      if (isKept && this.waiting.length > 0 && !this.again) await this.sleep(sleepMs!);
    } while (this.waiting.length > 0 || (this.again && isKept));
    this.running = false;
    if (this.stopped) return;
    if (isPending(this.report)) this.wakeSoon(isKept ? REPORT_WITHIN_MS : RETRY_STORE_MS);
    else if (this.ahead.names.length > 0) this.wakeSoon(AHEAD_MS + 1);
  }

  private async sleep(delayMs: number): Promise<void> {
    this.sleeping = new AbortController();
    await this.clock.sleep(delayMs, this.sleeping.signal).catch(() => undefined);
    this.sleeping = undefined;
  }

  /**
   * One look at the store for all who wait. Answers the ms until the next look is worth it; undefined when the
   * store failed, and then nobody waits any more.
   */
  private async pass(): Promise<number | undefined> {
    for (const each of this.active) {
      if (each.until > performance.now()) continue;
      this.active.delete(each);
      this.report.spent.push(...each.costs);
    }
    // Taken together, for a call answered meanwhile must neither be held no more nor spent not yet.
    const round = this.begin();
    const limits = limitsOf(round);
    const [askedAt, { givenUp }] = [performance.now(), this];
    try {
      const { verdicts, sleepMs, ahead } = await this.store.update(limits, (states, now) =>
        this.judge(states, now, limits, round),
      );
      if (performance.now() - askedAt > GRANT_LIVES_MS) return SHORTEST_SLEEP_MS;
      for (const more of ahead) {
        if (givenUp === this.givenUp) this.ahead.add(more.limit, more.units, askedAt);
        else this.report.unused.push(more);
      }
      if (round.report.closings.length > 0) this.hooks.throttled?.();
      round.waiting.forEach((each, index) => this.settle(each, verdicts[index]!));
      return sleepMs;
    } catch (error) {
      this.report = merged(round.report, this.report);
      const { waiting } = this;
      this.waiting = [];
      for (const { reject } of waiting) reject(error);
      return undefined;
    }
  }

  private begin(): Round {
    const report = this.report;
    report.unused.push(...this.ahead.takeBack());
    this.report = emptyReport();
    const ahead = new Map(this.ahead.names.map((name) => [name, this.ahead.unitsOf(name)]));
    const wanted = [...this.wanted];
    this.wanted.clear();
    return { waiting: [...this.waiting], active: [...this.active], ahead, wanted, report };
  }

  private judge(
    states: Map<string, LimitState>,
    now: number,
    names: readonly string[],
    { waiting, active, ahead, wanted, report }: Round,
  ): Judgement {
    for (const name of names) {
      const limit = this.limitOf(name);
      const state = states.get(name) ?? newLimitState(limit, now);
      states.set(name, state);
      refresh(limit, state, now);
      setHeld(state, this.host, heldOf(active, ahead, name, now));
    }
    this.tell(states, now, report);
    const answer = this.decide(states, now, waiting);
    const more = answer.verdicts.includes('wait') ? [] : this.takeAhead(states, now, wanted, ahead);
    // Not by key: there may be as many keys as the channel has listings.
    for (const name of names.filter((each) => this.limits.has(each)))
      this.left.set(name, leftUnits(this.limitOf(name), states.get(name)!));
    return { ...answer, ahead: more };
  }

  /** For limits that calls are being made under; what is there already is kept for as long again. */
  private takeAhead(
    states: Map<string, LimitState>,
    now: number,
    wanted: readonly string[],
    ahead: ReadonlyMap<string, number>,
  ): LimitCost[] {
    return wanted.flatMap((name) => {
      if (!states.has(name)) return [];
      const [limit, state] = [this.limitOf(name), states.get(name)!];
      const units = worthAhead(limit, state, now) - (ahead.get(name) ?? 0);
      if (units < 1) return ahead.has(name) ? [{ limit: name, units: 0 }] : [];
      take(limit, state, this.host, { units, until: now + AHEAD_MS + AHEAD_HOLD_MS });
      return [{ limit: name, units }];
    });
  }

  private tell(states: Map<string, LimitState>, now: number, report: Report): void {
    for (const { limit, units } of report.unused) giveBack(this.limitOf(limit), states.get(limit)!, units);
    for (const { limit, units } of report.spent) spend(this.limitOf(limit), states.get(limit)!, now, units);
    for (const name of report.answered) states.get(name)!.silentThrottles = 0;
    for (const { limit: name, delayMs } of report.closings) {
      const state = states.get(name)!;
      const silentMs = SILENT_THROTTLE_MS * 2 ** Math.min(state.silentThrottles, 10);
      if (delayMs === undefined) state.silentThrottles++;
      close(this.limitOf(name), state, now, delayMs ?? Math.min(silentMs, MAX_SILENT_THROTTLE_MS));
    }
    for (const { limit: name, facts } of report.facts) {
      const state = states.get(name)!;
      if (learn(this.limitOf(name), state, now, facts)) this.hooks.learned?.(name, state.learned);
    }
  }

  /** In the order they came: nobody overtakes one who waits for the same limit. */
  private decide(
    states: Map<string, LimitState>,
    now: number,
    waiting: readonly Waiting[],
  ): { verdicts: Verdict[]; sleepMs: number } {
    const ahead = new Map<string, number>();
    const hostNow = this.now();
    let sleepMs = Infinity;
    const verdicts = waiting.map((each): Verdict => {
      const refusal = this.hindrance(states, now, each.costs, ahead);
      if (!refusal) {
        const until = now + each.holdMs;
        for (const { limit, units } of each.costs) {
          take(this.limitOf(limit), states.get(limit)!, this.host, { units, until });
        }
        return 'granted';
      }
      if (refusal.isQuota || hostNow + refusal.waitMs > each.deadline) return refusal;
      for (const { limit, units } of each.costs) ahead.set(limit, (ahead.get(limit) ?? 0) + units);
      sleepMs = Math.min(sleepMs, refusal.waitMs);
      return 'wait';
    });
    return { verdicts, sleepMs: Math.max(sleepMs, SHORTEST_SLEEP_MS) };
  }

  /** The limit that lets this call pass last, when it cannot pass now. */
  private hindrance(
    states: Map<string, LimitState>,
    now: number,
    costs: readonly LimitCost[],
    ahead: ReadonlyMap<string, number>,
  ): LimitRefusal | undefined {
    let worst: Omit<LimitRefusal, 'usedUp'> | undefined;
    const usedUp: { limit: string; waitMs: number }[] = [];
    for (const { limit: name, units, keep = 0 } of costs) {
      const limit = this.limitOf(name);
      const before = ahead.get(name) ?? 0;
      const state = states.get(name)!;
      const isPossible = units + keep <= largestCost(limit, state);
      const delayMs = isPossible ? waitMs(limit, state, now, before + units + keep, units) : Infinity;
      if (delayMs === 0 && before === 0) continue;
      const isQuota = !isBucket(limit) && delayMs > 0;
      if (isQuota) usedUp.push({ limit: name, waitMs: delayMs });
      if (!worst || delayMs > worst.waitMs) worst = { limit: name, waitMs: Math.max(delayMs, 1), isQuota };
    }
    return worst && { ...worst, usedUp };
  }

  private settle(each: Waiting, verdict: Verdict): void {
    const place = this.waiting.indexOf(each);
    // Refused by `stop` meanwhile: what it was granted is lost, which is on the safe side.
    if (verdict === 'wait' || place < 0) return;
    this.waiting.splice(place, 1);
    if (verdict !== 'granted') {
      this.tally.refused++;
      each.resolve(verdict);
      return;
    }
    this.tally.waitedMs += Math.max(this.now() - each.since, 0);
    each.resolve(this.grant(each.costs, each.holdMs));
  }

  private grant(costs: readonly LimitCost[], holdMs: number): Permit {
    const active = { costs, until: performance.now() + holdMs };
    this.active.add(active);
    this.tally.granted++;
    return { release: (outcome) => this.release(active, outcome) };
  }

  /** A keyed limit is counted by the rules of the one that is declared. */
  private limitOf(name: string): RateLimit {
    return this.limits.get(name) ?? this.limits.get(declaredName(name))!;
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}
