import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Needs } from '../access/needs';
import { cursorNumber } from '../http/page';
import { NotParkedHereError } from './intake.errors';
import {
  DismissAllBody,
  DismissBody,
  filterOf,
  ParkedLinesQuery,
  ParkedOrdersQuery,
  type ParkedQuery,
  ParkedWebhooksQuery,
  RetryAllBody,
  RetryBody,
} from './parked-request';
import { PARKED_STATEMENTS, type ParkedKind } from './parked-statements';
import { type ParkedAction, ParkedService } from './parked.service';

/** What waits for a person: webhooks and orders nobody understood, and order lines whose SKU nobody mapped. */
@ApiTags('intake')
@ApiBearerAuth()
@Controller('v1/parked')
export class IntakeController {
  constructor(private readonly parked: ParkedService) {}

  @Get('webhooks')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Webhooks that could not be applied, or were dismissed' })
  webhooks(@Query() query: ParkedWebhooksQuery) {
    return this.list('webhook', query);
  }

  @Post('webhooks/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Try again all parked webhooks of a channel, topic or error code' })
  retryWebhooks(@Body() body: RetryAllBody, @Req() request: Request) {
    return this.actOnAll('webhook', 'retry', body, request);
  }

  @Post('webhooks/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss all parked webhooks of a channel, topic or error code' })
  dismissWebhooks(@Body() body: DismissAllBody, @Req() request: Request) {
    return this.actOnAll('webhook', 'dismiss', body, request);
  }

  @Post('webhooks/:id/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Try a parked or dismissed webhook again' })
  retryWebhook(@Param('id') id: string, @Body() body: RetryBody, @Req() request: Request) {
    return this.actOnOne('webhook', 'retry', id, body, request);
  }

  @Post('webhooks/:id/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss a parked webhook: nothing is done about it, and it is kept' })
  dismissWebhook(@Param('id') id: string, @Body() body: DismissBody, @Req() request: Request) {
    return this.actOnOne('webhook', 'dismiss', id, body, request);
  }

  @Get('orders')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Orders that a poll listed and that could not be applied, or were dismissed' })
  orders(@Query() query: ParkedOrdersQuery) {
    return this.list('order', query);
  }

  @Post('orders/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Read again all parked orders of a channel or error code' })
  retryOrders(@Body() body: RetryAllBody, @Req() request: Request) {
    return this.actOnAll('order', 'retry', body, request);
  }

  @Post('orders/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss all parked orders of a channel or error code' })
  dismissOrders(@Body() body: DismissAllBody, @Req() request: Request) {
    return this.actOnAll('order', 'dismiss', body, request);
  }

  @Post('orders/:id/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Read a parked or dismissed order again from its channel' })
  retryOrder(@Param('id') id: string, @Body() body: RetryBody, @Req() request: Request) {
    return this.actOnOne('order', 'retry', id, body, request);
  }

  @Post('orders/:id/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss a parked order' })
  dismissOrder(@Param('id') id: string, @Body() body: DismissBody, @Req() request: Request) {
    return this.actOnOne('order', 'dismiss', id, body, request);
  }

  @Get('lines')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Order lines whose channel SKU is not mapped, or which were dismissed' })
  lines(@Query() query: ParkedLinesQuery) {
    return this.list('line', query);
  }

  @Post('lines/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss all parked lines of a channel or channel SKU' })
  dismissLines(@Body() body: DismissAllBody, @Req() request: Request) {
    return this.actOnAll('line', 'dismiss', body, request);
  }

  @Post('lines/:id/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Dismiss a parked line: it is none of our stock' })
  dismissLine(@Param('id') id: string, @Body() body: DismissBody, @Req() request: Request) {
    return this.actOnOne('line', 'dismiss', id, body, request);
  }

  private list(kind: ParkedKind, { state, cursor, limit, ...filter }: ParkedQuery) {
    return this.parked.list(kind, filter, { state, after: cursorNumber(cursor) ?? 0, limit });
  }

  private actOnOne(
    kind: ParkedKind,
    action: ParkedAction,
    id: string,
    { reason }: RetryBody,
    request: Request,
  ) {
    if (!/^\d{1,15}$/.test(id)) throw new NotParkedHereError(kind);
    return this.parked.actOnOne(kind, action, Number(id), { reason, actor: actorOf(request) });
  }

  private async actOnAll(kind: ParkedKind, action: ParkedAction, body: RetryAllBody, request: Request) {
    const filter = filterOf(body, PARKED_STATEMENTS[kind].filters);
    const by = { reason: body.reason, actor: actorOf(request) };
    return { changed: await this.parked.actOnAll(kind, action, filter, by) };
  }
}

/** As the ledger names who asks. */
export function actorOf(request: Request): string {
  return `api:${request.caller!.name}`;
}
