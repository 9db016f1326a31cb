import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ChannelsService } from '../channels/channels.service';
import { Config } from '../config/config';
import type { ChangedLevel } from '../inventory/ledger-writer';
import { LedgerService } from '../inventory/ledger.service';
import { JobsService } from '../jobs/jobs.service';
import { CancellationsService } from './cancellations.service';
import { HANDLE_OVERSELLS } from './orders.service';
import { CANCEL_ORDERS, FILL_BACKORDERS, OversellsService } from './oversells.service';

/** When oversells are looked at: as orders come, as stock comes, and every so often in case a wake was lost. */
@Injectable()
export class OversellsWorker implements OnApplicationBootstrap, OnModuleInit {
  /** Of this host's knowledge: what another host has found since is seen by the next sweep. */
  private awaited: ReadonlySet<number> = new Set();

  constructor(
    private readonly oversells: OversellsService,
    private readonly cancellations: CancellationsService,
    private readonly channels: ChannelsService,
    private readonly ledger: LedgerService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(HANDLE_OVERSELLS, () => this.handle());
    this.jobs.process(FILL_BACKORDERS, async () => {
      await this.oversells.fillBackorders();
      this.awaited = await this.oversells.awaitedSkus();
    });
    this.jobs.process(CANCEL_ORDERS, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'ready') await this.cancellations.cancelDue(channel);
    });
    this.jobs.every(this.config.intake.sweepEverySeconds, HANDLE_OVERSELLS);
    this.ledger.onCommitted((changed) => this.stockChanged(changed));
  }

  onApplicationBootstrap(): void {
    this.jobs.wake(HANDLE_OVERSELLS);
  }

  private async handle(): Promise<void> {
    await this.cancellations.followUp();
    await this.oversells.follow();
    // Channels cancel beside one another: a slow one is in nobody's way.
    for (const channel of await this.cancellations.channelsDue()) this.jobs.wake(CANCEL_ORDERS, channel);
    this.awaited = await this.oversells.awaitedSkus();
    if (this.awaited.size > 0) this.jobs.wake(FILL_BACKORDERS);
  }

  /** Called within every commit: a look at a set, and no more. */
  private stockChanged(changed: readonly ChangedLevel[]): void {
    if (this.awaited.size === 0) return;
    if (changed.some(({ skuId, level }) => level.available > 0 && this.awaited.has(skuId)))
      this.jobs.wake(FILL_BACKORDERS);
  }
}
