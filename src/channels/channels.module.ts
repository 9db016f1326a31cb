import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { AuthorizationController } from './authorization.controller';
import { BreakerController } from './breaker.controller';
import { BreakerService } from './breaker.service';
import { BreakerWorker } from './breaker.worker';
import { CallRecordsService } from './call-records.service';
import { ChannelsService } from './channels.service';
import { LimitsController } from './limits.controller';
import { LimitsService } from './limits.service';
import { ListingImportService } from './listing-import.service';
import { ListingsService } from './listings.service';
import { MappingController } from './mapping.controller';
import { SecretsModule } from '../secrets/secrets.module';
import { SuggestionsService } from './suggestions.service';
import { UnmappedController } from './unmapped.controller';
import { UnmappedService } from './unmapped.service';

/**
 * Which channels exist, the plugins that serve them, the mapping of their SKUs to ours, and how many calls each
 * takes, if any.
 */
@Module({
  imports: [InventoryModule, JobsModule, SecretsModule],
  controllers: [
    AuthorizationController,
    BreakerController,
    LimitsController,
    MappingController,
    UnmappedController,
  ],
  providers: [
    BreakerService,
    BreakerWorker,
    CallRecordsService,
    ChannelsService,
    LimitsService,
    ListingImportService,
    ListingsService,
    SuggestionsService,
    UnmappedService,
  ],
  exports: [
    BreakerService,
    CallRecordsService,
    ChannelsService,
    LimitsService,
    ListingsService,
    UnmappedService,
  ],
})
export class ChannelsModule {}
