import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { ChangesService } from './changes.service';
import { DeliveriesService, SEND_DELIVERIES } from './deliveries.service';
import { ReceiversService } from './receivers.service';

const TELL_CHANGES = 'tell-changes';
const PURGE_DELIVERIES = 'purge-deliveries';
const PURGE_EVERY_SECONDS = 3_600;
/** Changes closer together than this are told together. */
const GATHER_MS = 100;

/** When receivers are told: soon after each commit that they care about, and now and then for what was left. */
@Injectable()
export class OutboundWorker implements BeforeApplicationShutdown, OnModuleInit {
  private gathering: NodeJS.Timeout | undefined;

  constructor(
    private readonly changes: ChangesService,
    private readonly deliveries: DeliveriesService,
    private readonly receivers: ReceiversService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  /** Without a receiver nothing recurs, and without one for stock or reservations the ledger is left alone. */
  onModuleInit(): void {
    const { sweepEverySeconds, keepDays } = this.config.deliveries;
    this.jobs.process(TELL_CHANGES, () => this.changes.tell());
    this.jobs.process(SEND_DELIVERIES, (name) => this.deliveries.sendDue(name!));
    this.jobs.process(PURGE_DELIVERIES, () => this.receivers.records.purge(keepDays));
    if (this.receivers.all().length === 0) return;
    this.jobs.every(sweepEverySeconds, TELL_CHANGES);
    this.jobs.every(PURGE_EVERY_SECONDS, PURGE_DELIVERIES);
    for (const { name } of this.receivers.all()) this.jobs.every(sweepEverySeconds, SEND_DELIVERIES, name);
    const { stock, reservation } = this.changes.wants;
    if (!stock && !reservation) return;
    this.ledger.accompany(this.changes.mark);
    this.ledger.onCommitted(() => {
      this.gathering ??= setTimeout(() => {
        this.gathering = undefined;
        this.jobs.wake(TELL_CHANGES);
      }, GATHER_MS);
    });
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.gathering);
    this.deliveries.stop();
  }
}
