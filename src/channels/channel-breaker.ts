import { type CallBreaker, type CallOutcome, ChannelBreakerOpenError } from '../channel-api';
import type { BreakerConfig } from '../config/breaker.config';
import type { BreakerRow } from './breaker-records';
import { CallTally } from './call-tally';
import { currentProbe } from './probe';

export interface BreakerState {
  /** `half-open` while a probe is under way. */
  state: 'closed' | 'open' | 'half-open';
  since: Date;
  reason: string | null;
  /** A person keeps it in this state. */
  held: boolean;
  /** When the next probe is due; null while closed or held. */
  probeAt: Date | null;
}

/** Why nothing is known of what a channel sells. */
export interface Staleness {
  since: Date;
  reason: string;
}

export interface BreakerCounts {
  answered: number;
  throttled: number;
  unanswered: number;
  refused: number;
}

/** What the breaker wants written down for all hosts. */
export interface BreakerEvents {
  /** It is to be opened. Calls are refused until the promise settles. */
  trip(reason: string): Promise<void>;
  /** No call was answered for so long, though the breaker is closed. */
  unheard(elapsedMs: number): void;
  /** A call was answered again after that. */
  heard(): void;
}

/** Calls that are not answered for so long are worth writing down. */
const UNHEARD_AFTER_MS = 30_000;

/**
 * One channel's breaker as this host sees it: the gate of its calls, from memory. The row in PostgreSQL is the
 * truth for all hosts, and is read again whenever one of them changes it.
 */
export class ChannelBreaker implements CallBreaker {
  readonly counts: BreakerCounts = { answered: 0, throttled: 0, unanswered: 0, refused: 0 };
  /** Times that it opened, as this host saw it. */
  openings = 0;
  private readonly tally: CallTally;
  private row: BreakerRow | undefined;
  private readAtMs = 0;
  /** Grows with each opening and closing, so that a late answer says nothing of what came after it was asked. */
  private epoch = 0;
  private isTripping = false;
  private isUnheardTold = false;

  constructor(
    private readonly channel: string,
    private readonly config: BreakerConfig,
    private readonly events: BreakerEvents,
  ) {
    this.tally = new CallTally(config);
  }

  get isOpen(): boolean {
    return this.isTripping || this.row?.state === 'open';
  }

  /** Ms until a probe is due; undefined while closed or held. */
  get probeInMs(): number | undefined {
    if (this.row?.state !== 'open' || this.row.held) return undefined;
    return Math.max(this.row.probe_in_ms - this.sinceRead(), this.probingForMs(), 0);
  }

  get state(): BreakerState {
    const { state = 'closed', since = new Date(), reason = null, held = false } = this.row ?? {};
    const { probeInMs } = this;
    return {
      state: state === 'open' && this.probingForMs() > 0 ? 'half-open' : state,
      since,
      reason,
      held,
      probeAt: probeInMs === undefined ? null : new Date(Date.now() + probeInMs),
    };
  }

  get staleness(): Staleness | undefined {
    if (!this.row) return undefined;
    const { state, since, reason, unheard_since: unheardSince, unheard_ms: unheardMs } = this.row;
    if (state === 'open') {
      const cause = reason === null ? '' : `: ${reason}`;
      return { since, reason: `the channel cannot be reached since ${since.toISOString()}${cause}` };
    }
    if (!unheardSince || unheardMs! + this.sinceRead() < this.config.staleAfterSeconds * 1000)
      return undefined;
    return {
      since: unheardSince,
      reason: `the channel has answered no call since ${unheardSince.toISOString()}`,
    };
  }

  /** Takes over what is in the database. Answers whether the breaker opened or closed by it. */
  adopt(row: BreakerRow): 'opened' | 'closed' | undefined {
    const before = this.row?.state ?? 'closed';
    this.row = row;
    this.readAtMs = performance.now();
    this.isUnheardTold &&= row.unheard_since !== null;
    if (before === row.state) return undefined;
    this.epoch++;
    if (row.state === 'open') this.openings++;
    this.tally.reset();
    return row.state === 'open' ? 'opened' : 'closed';
  }

  /** Throws `ChannelBreakerOpenError`. */
  admit(call: string): (outcome: CallOutcome) => void {
    if (this.isOpen) {
      const probe = currentProbe();
      if (probe?.channel === this.channel) return (outcome) => void probe.outcomes.push(outcome);
      this.counts.refused++;
      throw this.refusal(call);
    }
    const { epoch } = this;
    return (outcome) => this.record(outcome, epoch);
  }

  private record({ kind, reason = 'no answer' }: CallOutcome, epoch: number): void {
    this.counts[kind]++;
    if (epoch !== this.epoch || this.isTripping) return;
    const now = performance.now();
    if (kind === 'answered') {
      this.tally.answered(now);
      if (this.row?.unheard_since) this.events.heard();
      return;
    }
    const why = kind === 'unanswered' ? this.tally.unanswered(now, reason) : this.tally.throttled(now);
    if (why && !this.row?.held) return this.trip(why);
    const unheardMs = this.tally.unheardMs(now);
    if (unheardMs < UNHEARD_AFTER_MS || this.isUnheardTold) return;
    this.isUnheardTold = true;
    this.events.unheard(unheardMs);
  }

  private trip(reason: string): void {
    this.isTripping = true;
    void this.events.trip(reason).finally(() => {
      // Where it could not be written down, calls go on, and the next failures try again.
      this.isTripping = false;
      this.tally.reset();
    });
  }

  private refusal(call: string): ChannelBreakerOpenError {
    const { since, reason } = this.row?.state === 'open' ? this.row : { since: new Date(), reason: null };
    const { probeInMs } = this;
    const next =
      probeInMs === undefined ? 'a person holds it open' : `it is probed in ${Math.ceil(probeInMs / 1000)} s`;
    return new ChannelBreakerOpenError(
      `${call} not sent: the breaker of ${this.channel} is open since ${since.toISOString()} (${reason ?? 'calls fail'}); ${next}`,
      probeInMs,
    );
  }

  private probingForMs(): number {
    return Math.max((this.row?.probing_for_ms ?? 0) - this.sinceRead(), 0);
  }

  private sinceRead(): number {
    return performance.now() - this.readAtMs;
  }
}
