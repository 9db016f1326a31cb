import { randomUUID } from 'node:crypto';
import type { ChannelClock, LimitFacts, RateLimit } from './contract';
import { LimitsUnavailableError } from './errors';
import {
  assertUsable,
  close,
  type HeldUnits,
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
} from './limit-state';
import type { LimitCost, Limiter, LimiterCounts, LimitRefusal, LimitStore, Permit } from './limiter';

/** How long a limit stays closed after a 429 that does not say; doubles with each of them in a row. */
const SILENT_THROTTLE_MS = 1_000;
const MAX_SILENT_THROTTLE_MS = 60_000;
/** Who waits looks again no more often than this: what has refilled by then is taken at once. */
const SHORTEST_SLEEP_MS = 10;
/** An answered call is told to the store with the next call's request, or after this time. */
const REPORT_WITHIN_MS = 25;
const RETRY_STORE_MS = 500;
/** A host that slept for longer between asking and sending may find its units given to others. */
const GRANT_LIVES_MS = 5_000;

interface Waiting {
  costs: readonly LimitCost[];
  since: number;
  deadline: number;
  holdMs: number;
  resolve(answer: Permit | LimitRefusal): void;
  reject(error: unknown): void;
}

interface Active {
  costs: readonly LimitCost[];
  until: number;
}

/** What the store has not heard of yet. */
interface Report {
  spent: LimitCost[];
  answered: Set<string>;
  closings: { limit: string; delayMs: number | undefined }[];
  facts: { limit: string; facts: LimitFacts }[];
}

/** All that one look at the store takes into account, as it was when the look began. */
interface Round {
  waiting: readonly Waiting[];
  active: readonly Active[];
  report: Report;
}

type Verdict = 'wait' | 'granted' | LimitRefusal;

/** A `Limiter` over a store. One run at a time asks for everybody who waits, so that many calls cost one update. */
export class QueuedLimiter implements Limiter {
  private readonly host = randomUUID();
  private readonly limits: ReadonlyMap<string, RateLimit>;
  private readonly active = new Set<Active>();
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

  /** Throws `RangeError` when a limit could never let a call pass. */
  constructor(
    limits: readonly RateLimit[],
    private readonly store: LimitStore,
    private readonly clock: ChannelClock,
    private readonly onLearned: (limit: string, learned: LimitState['learned']) => void = () => undefined,
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
      const since = this.now();
      this.waiting.push({ costs, since, deadline: since + maxWaitMs, holdMs, resolve, reject });
      this.wake();
    });
  }

  close(limits: readonly string[], delayMs: number | undefined): void {
    this.tally.throttled++;
    for (const limit of limits) this.report.closings.push({ limit, delayMs });
    this.wake();
  }

  learn(limit: string, facts: LimitFacts): void {
    this.report.facts.push({ limit, facts });
    this.wakeSoon();
  }

  /** Refuses whoever waits, and tells the store of what was answered. For when the process ends. */
  async stop(): Promise<void> {
    this.stopped = true;
    const { waiting } = this;
    this.waiting = [];
    for (const { reject } of waiting)
      reject(new LimitsUnavailableError('not sent: the host is shutting down'));
    if (isPending(this.report) || this.running) this.wake();
    await this.runs;
  }

  private release(active: Active, outcome: 'answered' | 'throttled' | 'unanswered'): void {
    if (!this.active.delete(active)) return;
    this.report.spent.push(...active.costs);
    if (outcome === 'answered') for (const { limit } of active.costs) this.report.answered.add(limit);
    // Whoever waits may wait for just these units; else the next call tells of them.
    if (this.waiting.length > 0) this.wake();
    else this.wakeSoon();
  }

  private wakeSoon(delayMs = REPORT_WITHIN_MS): void {
    if (this.running || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.wake();
    }, delayMs).unref();
  }

  private wake(): void {
    this.again = true;
    this.sleeping?.abort();
    if (this.running) return;
    this.running = true;
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
    if (isPending(this.report) && !this.stopped) this.wakeSoon(isKept ? REPORT_WITHIN_MS : RETRY_STORE_MS);
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
    const round: Round = { waiting: [...this.waiting], active: [...this.active], report: this.report };
    this.report = emptyReport();
    const limits = limitsOf(round);
    const askedAt = performance.now();
    try {
      const { verdicts, sleepMs } = await this.store.update(limits, (states, now) =>
        this.judge(states, now, limits, round),
      );
      const isLate = performance.now() - askedAt > GRANT_LIVES_MS;
      round.waiting.forEach((each, index) => this.settle(each, isLate ? 'wait' : verdicts[index]!));
      return isLate ? SHORTEST_SLEEP_MS : sleepMs;
    } catch (error) {
      this.report = merged(round.report, this.report);
      const { waiting } = this;
      this.waiting = [];
      for (const { reject } of waiting) reject(error);
      return undefined;
    }
  }

  private judge(
    states: Map<string, LimitState>,
    now: number,
    names: readonly string[],
    { waiting, active, report }: Round,
  ): { verdicts: Verdict[]; sleepMs: number } {
    for (const name of names) {
      const limit = this.limits.get(name)!;
      const state = states.get(name) ?? newLimitState(limit, now);
      states.set(name, state);
      refresh(limit, state, now);
      setHeld(state, this.host, heldOf(active, name, now));
    }
    this.tell(states, now, report);
    const answer = this.decide(states, now, waiting);
    for (const name of names) this.left.set(name, leftUnits(this.limits.get(name)!, states.get(name)!));
    return answer;
  }

  private tell(states: Map<string, LimitState>, now: number, report: Report): void {
    for (const { limit, units } of report.spent)
      spend(this.limits.get(limit)!, states.get(limit)!, now, units);
    for (const name of report.answered) states.get(name)!.silentThrottles = 0;
    for (const { limit: name, delayMs } of report.closings) {
      const state = states.get(name)!;
      const silentMs = SILENT_THROTTLE_MS * 2 ** Math.min(state.silentThrottles, 10);
      if (delayMs === undefined) state.silentThrottles++;
      close(this.limits.get(name)!, state, now, delayMs ?? Math.min(silentMs, MAX_SILENT_THROTTLE_MS));
    }
    for (const { limit: name, facts } of report.facts) {
      const state = states.get(name)!;
      if (learn(this.limits.get(name)!, state, now, facts)) this.onLearned(name, state.learned);
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
          take(this.limits.get(limit)!, states.get(limit)!, this.host, { units, until });
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
    let worst: LimitRefusal | undefined;
    for (const { limit: name, units } of costs) {
      const limit = this.limits.get(name)!;
      const before = ahead.get(name) ?? 0;
      const state = states.get(name)!;
      const isPossible = units <= largestCost(limit, state);
      const delayMs = isPossible ? waitMs(limit, state, now, before + units, units) : Infinity;
      if (delayMs === 0 && before === 0) continue;
      const isQuota = !isBucket(limit) && delayMs > 0;
      if (!worst || delayMs > worst.waitMs) worst = { limit: name, waitMs: Math.max(delayMs, 1), isQuota };
    }
    return worst;
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
    const active = { costs: each.costs, until: performance.now() + each.holdMs };
    this.active.add(active);
    this.tally.granted++;
    this.tally.waitedMs += Math.max(this.now() - each.since, 0);
    each.resolve({ release: (outcome) => this.release(active, outcome) });
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

function limitsOf({ waiting, report }: Round): string[] {
  const costs = [...waiting.flatMap((each) => each.costs), ...report.spent];
  const others = [...report.closings, ...report.facts];
  return [...new Set([...costs, ...others].map(({ limit }) => limit))].sort();
}

function heldOf(active: readonly Active[], name: string, now: number): HeldUnits {
  let [units, until] = [0, 0];
  for (const each of active) {
    const cost = each.costs.find(({ limit }) => limit === name);
    if (!cost) continue;
    units += cost.units;
    until = Math.max(until, now + each.until - performance.now());
  }
  return { units, until };
}

function emptyReport(): Report {
  return { spent: [], answered: new Set(), closings: [], facts: [] };
}

function isPending({ spent, closings, facts }: Report): boolean {
  return spent.length + closings.length + facts.length > 0;
}

function merged(earlier: Report, later: Report): Report {
  return {
    spent: [...earlier.spent, ...later.spent],
    answered: new Set([...earlier.answered, ...later.answered]),
    closings: [...earlier.closings, ...later.closings],
    facts: [...earlier.facts, ...later.facts],
  };
}
