import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Needs } from '../access/needs';
import { IsCode, MayBeAbsent } from '../http/fields';
import { cursorNumber, PageQuery } from '../http/page';
import { DeliveriesService, type DeliveryView } from './deliveries.service';

const STATES = ['waiting', 'delivered', 'given-up'] as const;

class DeliveriesQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'To this receiver only' })
  @MayBeAbsent()
  @IsCode()
  receiver?: string;

  @ApiPropertyOptional({ enum: STATES })
  @MayBeAbsent()
  @IsIn(STATES)
  state?: DeliveryView['state'];
}

class RetryBody {
  @ApiPropertyOptional({ description: 'To this receiver only' })
  @MayBeAbsent()
  @IsCode()
  receiver?: string;
}

@ApiTags('events')
@ApiBearerAuth()
@Controller('v1/deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'What receivers were told, or are still to be told, newest first' })
  list(@Query() { limit, cursor, ...filter }: DeliveriesQuery) {
    return this.deliveries.list(filter, limit, cursorNumber(cursor));
  }

  @Get(':id')
  @Needs('channels:read')
  @ApiOperation({ summary: 'One of them, with what is sent' })
  one(@Param('id', ParseUUIDPipe) id: string) {
    return this.deliveries.get(id);
  }

  @Post('retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Send all that was given up again' })
  async retryAll(@Body() { receiver }: RetryBody) {
    return { retried: await this.deliveries.retryGivenUp(receiver) };
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Send one again now, under the same webhook-id' })
  retry(@Param('id', ParseUUIDPipe) id: string) {
    return this.deliveries.retry(id);
  }
}
