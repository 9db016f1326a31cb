import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { RebuildService, type Rebuilt } from '../inventory/rebuild.service';
import { type Verification, VerifyService } from '../inventory/verify.service';
import { JobsService } from '../jobs/jobs.service';
import type { TaskRun } from '../jobs/task-run';
import { TasksService, type TaskView } from '../jobs/tasks.service';
import { ConsistencyService, type FlowViolation } from './consistency.service';

/** What `onhand verify` tells. */
export interface HostVerification extends Omit<Verification, 'violations'> {
  /** Listings whose last push was compared with what it should be. */
  listings: number;
  violations: (Verification['violations'][number] | FlowViolation)[];
}

export const VERIFY = 'verify';
export const REBUILD = 'rebuild';
const VERIFY_LEDGER = 'verify-ledger';
/** There is one ledger. */
const LEDGER = 'ledger';

/** Has our own tables checked against each other, on demand and by the schedule, and levels made anew. */
@Injectable()
export class LedgerChecksService implements OnModuleInit {
  constructor(
    private readonly verification: VerifyService,
    private readonly consistency: ConsistencyService,
    private readonly rebuilding: RebuildService,
    private readonly tasks: TasksService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.tasks.define(VERIFY, (run) => this.runVerify(run));
    this.tasks.define(REBUILD, (run) => this.runRebuild(run));
    this.jobs.process(VERIFY_LEDGER, async () => {
      const { report } = await this.tasks.runHere(VERIFY, LEDGER, {}, 'schedule');
      const { ok = true, violationCount = 0 } = (report ?? {}) as Partial<HostVerification>;
      if (!ok) throw new Error(`the ledger is not sound: ${violationCount} violations; see onhand verify`);
    });
    const { verifyEverySeconds } = this.config.checks;
    if (verifyEverySeconds > 0) this.jobs.every(verifyEverySeconds, VERIFY_LEDGER);
  }

  /** One that is under way will do. */
  verify(askedBy: string): Promise<TaskView> {
    return this.tasks.join(VERIFY, LEDGER, {}, askedBy);
  }

  /** Throws `TaskBusyError`. */
  rebuild(askedBy: string): Promise<TaskView> {
    return this.tasks.start(REBUILD, LEDGER, {}, askedBy);
  }

  private async runVerify(run: TaskRun): Promise<HostVerification> {
    const { violations, ...ledger } = await this.verification.verify({
      signal: run.signal,
      onProgress: (events) => run.progress(events, null, 'events read'),
    });
    const flow = await this.consistency.check(run.signal);
    const violationCount = ledger.violationCount + flow.count;
    return {
      ...ledger,
      ok: violationCount === 0,
      listings: flow.listings,
      violationCount,
      violations: [...violations, ...flow.violations],
    };
  }

  private runRebuild(run: TaskRun): Promise<Rebuilt> {
    run.progress(0, null, 'adding up the ledger');
    return this.rebuilding.rebuild(run.signal);
  }
}
