import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Needs } from '../access/scopes';
import { IsCode, MayBeAbsent } from '../http/fields';
import { KPI_NAMES, type KpiName, type KpiWindow, WINDOWS } from './kpis';
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
}
