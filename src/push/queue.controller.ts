import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { isoTime } from '../database/sql-time';
import { LimitQuery } from '../http/page';

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/queue')
export class QueueController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({
    summary: 'Listings whose quantity the channel has not taken yet, the longest waiting first',
    description:
      '`waitsFor`: `answer` of a push under way, `orders` that must be read first, `retry` after a failure, or its `turn`. Those that wait for a person are under /v1/parked/pushes.',
  })
  async list(@Param('channel') channel: string, @Query() { limit }: LimitQuery) {
    this.channels.get(channel);
    return { items: await this.dataSource.query(QUEUE, [channel, limit]) };
  }
}

const QUEUE = `
  SELECT d.listing_id AS "listingId", l.channel_sku AS "channelSku", ${isoTime('d.since')} AS since,
         CASE WHEN d.lease_until > clock_timestamp() THEN 'answer' WHEN d.orders_after IS NOT NULL THEN 'orders'
              WHEN d.not_before > clock_timestamp() THEN 'retry' ELSE 'turn' END AS "waitsFor",
         CASE WHEN d.not_before > clock_timestamp() THEN ${isoTime('d.not_before')} END AS until,
         d.attempts + d.batch_failures AS failures, d.last_error AS "lastError"
    FROM dirty_listings d JOIN listings l ON l.id = d.listing_id
   WHERE d.channel = $1 AND d.parked_at IS NULL ORDER BY d.since, d.listing_id LIMIT $2`;
