import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { ChannelsService } from './channels.service';
import { ListingImportService } from './listing-import.service';
import { ListingsService } from './listings.service';
import { MappingController } from './mapping.controller';
import { SuggestionsService } from './suggestions.service';
import { UnmappedController } from './unmapped.controller';
import { UnmappedService } from './unmapped.service';

/** Which channels exist, the plugins that serve them, and the mapping of their SKUs to ours. */
@Module({
  imports: [InventoryModule, JobsModule],
  controllers: [MappingController, UnmappedController],
  providers: [ChannelsService, ListingImportService, ListingsService, SuggestionsService, UnmappedService],
  exports: [ChannelsService, ListingsService, UnmappedService],
})
export class ChannelsModule {}
