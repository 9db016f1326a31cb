import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { ChannelsService } from './channels.service';
import { ListingsService } from './listings.service';

/** Which channels exist, the plugins that serve them, and the mapping of their SKUs to ours. */
@Module({
  imports: [InventoryModule],
  providers: [ChannelsService, ListingsService],
  exports: [ChannelsService, ListingsService],
})
export class ChannelsModule {}
