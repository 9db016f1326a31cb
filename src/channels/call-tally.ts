import type { BreakerConfig } from '../config/breaker.config';

type Thresholds = Pick<BreakerConfig, 'failures' | 'failurePercent' | 'windowSeconds' | 'minCalls'>;

interface Second {
  second: number;
  calls: number;
  failed: number;
}

/** How the calls to one channel went of late, as this host saw them. Times are ms of a clock that only goes on. */
export class CallTally {
  private inARow = 0;
  private seconds: Second[] = [];
  /** When the first call failed or was throttled after the last answer. */
  private unheardAt: number | undefined;

  constructor(private readonly thresholds: Thresholds) {}

  answered(nowMs: number): void {
    this.inARow = 0;
    this.unheardAt = undefined;
    this.count(nowMs, 0);
  }

  /** Neither for nor against the channel: it is there, and takes no more calls. */
  throttled(nowMs: number): void {
    this.unheardAt ??= nowMs;
  }

  /** Answers why the channel is to be left alone; undefined while it is not. */
  unanswered(nowMs: number, reason: string): string | undefined {
    this.unheardAt ??= nowMs;
    this.inARow++;
    this.count(nowMs, 1);
    const { failures, failurePercent, windowSeconds, minCalls } = this.thresholds;
    if (this.inARow >= failures) return `${this.inARow} calls in a row failed, the last: ${reason}`;
    const calls = this.seconds.reduce((sum, each) => sum + each.calls, 0);
    const failed = this.seconds.reduce((sum, each) => sum + each.failed, 0);
    if (calls < minCalls || (failed / calls) * 100 < failurePercent) return undefined;
    return `${failed} of ${calls} calls failed within ${windowSeconds} s, the last: ${reason}`;
  }

  /** Ms since when no call was answered, though calls were made; 0 when the last one was. */
  unheardMs(nowMs: number): number {
    return this.unheardAt === undefined ? 0 : nowMs - this.unheardAt;
  }

  reset(): void {
    this.inARow = 0;
    this.seconds = [];
    this.unheardAt = undefined;
  }

  private count(nowMs: number, failed: 0 | 1): void {
    const second = Math.floor(nowMs / 1000);
    const last = this.seconds.at(-1);
    if (last?.second === second) {
      last.calls++;
      last.failed += failed;
      return;
    }
    this.seconds = this.seconds.filter((each) => each.second > second - this.thresholds.windowSeconds);
    this.seconds.push({ second, calls: 1, failed });
  }
}
