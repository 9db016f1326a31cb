import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BreakerService } from '../channels/breaker.service';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import type { ChangedLevel } from '../inventory/ledger-writer';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { ScheduleService } from '../jobs/schedule.service';
import { AlertsService } from './alerts.service';

const EVALUATE_ALERTS = 'evaluate-alerts';
/** What comes up within this is looked at together. */
const GATHER_MS = 2_000;

/** When rules are looked at: every so often, and soon after a breaker turned or stock reached a reorder point. */
@Injectable()
export class AlertsWorker implements BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleInit {
  private gathering: NodeJS.Timeout | undefined;
  private reorderPoints: ReadonlyMap<number, number> = new Map();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listener: ListenerService,
    private readonly alerts: AlertsService,
    private readonly breakers: BreakerService,
    private readonly ledger: LedgerService,
    private readonly schedule: ScheduleService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(EVALUATE_ALERTS, () => this.alerts.evaluate());
    this.jobs.every(this.config.alerts.everySeconds, EVALUATE_ALERTS);
    this.breakers.on((_channel, event) => {
      if (event === 'opened' || event === 'closed') this.soon();
    });
    this.ledger.onCommitted((changed) => this.stockChanged(changed));
  }

  async onApplicationBootstrap(): Promise<void> {
    const reread = () => this.readReorderPoints();
    await this.listener.listen('onhand_reorder_points', { heard: reread, missed: reread });
    await this.readReorderPoints();
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.gathering);
  }

  /** Called within every commit: a look at a map, and no more. */
  private stockChanged(changed: readonly ChangedLevel[]): void {
    if (this.reorderPoints.size === 0) return;
    const reached = ({ skuId, level }: ChangedLevel) =>
      level.available <= (this.reorderPoints.get(skuId) ?? -1);
    if (changed.some(reached)) this.soon();
  }

  /** By the schedule, so that it is done once over all hosts. */
  private soon(): void {
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      this.schedule.hurry(EVALUATE_ALERTS).catch(() => undefined);
    }, GATHER_MS);
  }

  private async readReorderPoints(): Promise<void> {
    const rows: { id: number; point: number }[] = await this.dataSource.query(
      'SELECT id, reorder_point AS point FROM skus WHERE reorder_point IS NOT NULL',
    );
    this.reorderPoints = new Map(rows.map(({ id, point }) => [id, point]));
  }
}
