import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { Request } from 'express';
import { Needs } from '../access/needs';
import { IsCode, MayBeAbsent } from '../http/fields';
import { cursorNumber, PageQuery } from '../http/page';
import type { AlertView } from './alert-view';
import { UnknownAlertError } from './alerts.errors';
import { AlertsService } from './alerts.service';

const STATES = ['open', 'acknowledged', 'resolved'] as const;

class AlertsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: STATES })
  @MayBeAbsent()
  @IsIn(STATES)
  state?: AlertView['state'];

  @ApiPropertyOptional({ description: 'Raised by this rule: its name in /v1/alerts/rules' })
  @MayBeAbsent()
  @IsCode()
  rule?: string;
}

@ApiTags('alerts')
@ApiBearerAuth()
@Controller('v1/alerts')
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'What is, or was, worth a person’s attention, newest first' })
  list(@Query() { limit, cursor, ...filter }: AlertsQuery) {
    return this.alerts.list(filter, limit, cursorNumber(cursor));
  }

  @Get('rules')
  @Needs('channels:read')
  @ApiOperation({ summary: 'When an alert is raised, with the thresholds in force' })
  async rules() {
    return { items: await this.alerts.rules() };
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Say that somebody sees to it: it is told no more until it is over' })
  acknowledge(@Param('id') id: string, @Req() { caller }: Request) {
    return this.alerts.acknowledge(alertId(id), `api:${caller!.name}`);
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Say that it is over',
    description: 'It stays resolved for as long as what raised it lasts; the next time is another alert.',
  })
  resolve(@Param('id') id: string, @Req() { caller }: Request) {
    return this.alerts.resolve(alertId(id), `api:${caller!.name}`);
  }
}

/** Throws `UnknownAlertError` for what is no id at all. */
function alertId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UnknownAlertError(text);
  return Number(text);
}
