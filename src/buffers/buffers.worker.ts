import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { BreakerService } from '../channels/breaker.service';
import { Config } from '../config/config';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { BufferRulesService } from './buffer-rules.service';
import { RecalculationService } from './recalculation.service';
import { SurgeDetector } from './surge-detector';

export const RECALCULATE_BUFFERS = 'recalculate-buffers';
/** A surge that goes on is looked at no more often. */
const LEAST_BETWEEN_SURGES_MS = 1_000;

/** Recalculates on schedule, and at once on a surge of orders, a breaker's change and a window's edge. */
@Injectable()
export class BuffersWorker implements OnModuleInit, BeforeApplicationShutdown {
  private readonly surges = new SurgeDetector();
  private cause: string | undefined;
  private surgedMs = -Infinity;
  private edge: NodeJS.Timeout | undefined;

  constructor(
    private readonly recalculation: RecalculationService,
    private readonly buffers: BufferRulesService,
    private readonly breakers: BreakerService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(RECALCULATE_BUFFERS, () => this.recalculate());
    this.jobs.every(this.config.buffers.everySeconds, RECALCULATE_BUFFERS);
    this.ledger.onCommitted((changed) => {
      if (!this.buffers.rules.isMoving) return;
      const nowMs = performance.now();
      const surged = changed.filter(({ skuId, locationId, level }) =>
        this.surges.note(skuId, locationId, level.version, nowMs),
      );
      if (surged.length > 0) this.surge(nowMs);
    });
    this.breakers.on((channel, event) => {
      if (event === 'probe-due') return;
      this.wake(`breaker of ${channel} ${event}`);
    });
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.edge);
  }

  private async recalculate(): Promise<void> {
    const { cause } = this;
    this.cause = undefined;
    await this.recalculation.recalculate({ ...(cause !== undefined && { cause }) });
    this.planEdge();
  }

  private surge(nowMs: number): void {
    if (nowMs - this.surgedMs < LEAST_BETWEEN_SURGES_MS) return;
    this.surgedMs = nowMs;
    this.wake('order surge');
  }

  private wake(cause: string): void {
    this.cause = cause;
    this.jobs.wake(RECALCULATE_BUFFERS);
  }

  /** What comes later than the next turn of the schedule is left to it. */
  private planEdge(): void {
    clearTimeout(this.edge);
    const nowMs = Date.now();
    const coming = [this.buffers.rules.edgeAfter(nowMs), this.buffers.holdEndAfter(nowMs)];
    const inMs = Math.min(...coming.map((edge) => (edge ?? Infinity) - nowMs));
    if (inMs > this.config.buffers.everySeconds * 1000) return;
    this.edge = setTimeout(() => this.wake('window'), inMs + 1).unref();
  }
}
