import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Needs } from '../access/needs';
import { IsCode, IsTime, MayBeAbsent } from '../http/fields';
import { LimitQuery } from '../http/page';
import { Problem } from '../http/problem';
import { KPI_NAMES, type KpiName } from '../config/kpi-names';
import { KPIS, type KpiWindow, WINDOWS } from './kpis';
import { KpisService } from './kpis.service';

const WINDOW_NAMES = Object.keys(WINDOWS) as KpiWindow[];

class KpisQuery {
  @ApiPropertyOptional({ enum: WINDOW_NAMES, default: '24h' })
  @MayBeAbsent()
  @IsIn(WINDOW_NAMES)
  window: KpiWindow = '24h';

  @ApiPropertyOptional({ description: 'Of this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

class KpiHistoryQuery extends KpisQuery {
  @ApiProperty({ enum: KPI_NAMES })
  @IsIn(KPI_NAMES)
  name: KpiName;
}

class KpiEventsQuery extends LimitQuery {
  @ApiPropertyOptional({ description: 'From this moment on; the last 24 hours when absent' })
  @MayBeAbsent()
  @IsTime()
  since?: string;

  @ApiPropertyOptional({ description: 'Up to this moment; now when absent' })
  @MayBeAbsent()
  @IsTime()
  until?: string;

  @ApiPropertyOptional({ description: 'Of this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/kpis')
@Needs('channels:read')
export class KpisController {
  constructor(private readonly kpis: KpisService) {}

  @Get()
  @ApiOperation({
    summary: 'The key figures of the time up to now, each with its aim and where its events are',
  })
  current(@Query() { window, channel }: KpisQuery) {
    return this.kpis.current(window, channel);
  }

  @Get('history')
  @ApiOperation({ summary: 'One key figure over time; null where there was nothing to tell it from' })
  history(@Query() { name, window, channel }: KpiHistoryQuery) {
    return this.kpis.history(name, window, channel);
  }

  @Get(':name/events')
  @ApiOperation({ summary: 'What a key figure counts: the newest first, of latencies and drifts the worst' })
  async events(@Param('name') name: string, @Query() { since, until, channel, limit }: KpiEventsQuery) {
    if (!Object.hasOwn(KPIS, name))
      throw new Problem('not-found', `no key figure ${name}; they are ${KPI_NAMES.join(', ')}`);
    const end = until === undefined ? new Date() : new Date(until);
    const begin = since === undefined ? new Date(end.getTime() - WINDOWS['24h'] * 1000) : new Date(since);
    return { items: await this.kpis.events(name as KpiName, { since: begin, until: end, channel, limit }) };
  }
}
