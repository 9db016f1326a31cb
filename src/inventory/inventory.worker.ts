import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { ReservationsService } from './reservations.service';

/** Has due holds given back. */
@Injectable()
export class InventoryWorker implements OnModuleInit {
  constructor(
    private readonly reservations: ReservationsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process('expire-holds', async () => {
      await this.reservations.expireDue();
    });
    this.jobs.every(this.config.reservations.expireEverySeconds, 'expire-holds');
  }
}
