import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module';
import { AvailabilityService } from './availability.service';
import { CatalogController } from './catalog.controller';
import { CatalogService } from './catalog.service';
import { EventsController } from './events.controller';
import { InventoryWorker } from './inventory.worker';
import { LedgerService } from './ledger.service';
import { RebuildService } from './rebuild.service';
import { ReservationsController } from './reservations.controller';
import { ReservationsService } from './reservations.service';
import { ShortfallsController } from './shortfalls.controller';
import { StockController } from './stock.controller';
import { StockService } from './stock.service';
import { VerifyService } from './verify.service';

/**
 * The ledger and what follows from it: levels, reservations, availability. Knows no channel; is told what
 * to do in commands, and decides them in `decide*.ts`, which are pure.
 */
@Module({
  imports: [JobsModule],
  controllers: [
    CatalogController,
    EventsController,
    ReservationsController,
    ShortfallsController,
    StockController,
  ],
  providers: [
    AvailabilityService,
    CatalogService,
    InventoryWorker,
    LedgerService,
    RebuildService,
    ReservationsService,
    StockService,
    VerifyService,
  ],
  exports: [
    AvailabilityService,
    CatalogService,
    LedgerService,
    RebuildService,
    ReservationsService,
    StockService,
    VerifyService,
  ],
})
export class InventoryModule {}
