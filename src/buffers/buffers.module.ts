import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { PublishedQuantityService } from './published-quantity.service';

/** What is withheld from each channel, and why; from that, what each listing should show. */
@Module({
  imports: [ChannelsModule, InventoryModule],
  providers: [PublishedQuantityService],
  exports: [PublishedQuantityService],
})
export class BuffersModule {}
