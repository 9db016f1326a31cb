import { Module } from '@nestjs/common';
import { BuffersModule } from '../buffers/buffers.module';
import { ChannelsModule } from '../channels/channels.module';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { CancellationsService } from './cancellations.service';
import { ChannelNewsWorker } from './channel-news.worker';
import { CountsService } from './counts.service';
import { InboxService } from './inbox.service';
import { IntakeController } from './intake.controller';
import { IntakeWorker } from './intake.worker';
import { OrderPollsService } from './order-polls.service';
import { OrderPollsWorker } from './order-polls.worker';
import { OrdersService } from './orders.service';
import { OversellsController } from './oversells.controller';
import { OversellsService } from './oversells.service';
import { OversellsWorker } from './oversells.worker';
import { ParkedOrdersService } from './parked-orders.service';
import { ParkedService } from './parked.service';
import { PendingCancellationsService } from './pending-cancellations.service';
import { PulledNotificationsService } from './pulled-notifications.service';
import { StockInquiriesController } from './stock-inquiries.controller';
import { SubscriptionsWorker } from './subscriptions.worker';
import { WebhooksController } from './webhooks.controller';

/**
 * Webhooks and orders in. What was answered 2xx is stored first, and applied or parked after; orders are
 * read as well as heard of; what stock does not cover goes to the oversell desk.
 */
@Module({
  imports: [BuffersModule, ChannelsModule, InventoryModule, JobsModule],
  // Inquiries first: what is left under a channel's address is its webhooks'.
  controllers: [StockInquiriesController, WebhooksController, IntakeController, OversellsController],
  providers: [
    CancellationsService,
    ChannelNewsWorker,
    CountsService,
    InboxService,
    IntakeWorker,
    OrderPollsService,
    OrderPollsWorker,
    OrdersService,
    OversellsService,
    OversellsWorker,
    ParkedOrdersService,
    ParkedService,
    PendingCancellationsService,
    PulledNotificationsService,
    SubscriptionsWorker,
  ],
})
export class IntakeModule {}
