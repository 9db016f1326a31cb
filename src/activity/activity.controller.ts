import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsIn } from 'class-validator';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { IsCode, IsTime, MayBeAbsent } from '../http/fields';
import { cursorNumber, pageOf, PageQuery } from '../http/page';

class ActivityQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Name of the API key, or of the part of the host' })
  @MayBeAbsent()
  @IsCode()
  actor?: string;

  @ApiPropertyOptional({
    description: 'Such as oversell.cancel, or oversell for all that is done about oversells',
  })
  @MayBeAbsent()
  @IsCode()
  action?: string;

  @MayBeAbsent()
  @IsCode()
  channel?: string;

  @ApiPropertyOptional({ enum: ['done', 'refused'] })
  @MayBeAbsent()
  @IsIn(['done', 'refused'])
  outcome?: string;

  @ApiPropertyOptional({ description: 'From this moment on' })
  @MayBeAbsent()
  @IsTime()
  since?: string;
}

interface Row {
  id: number;
}

@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/activity')
export class ActivityController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Who did what, and what was refused, newest first' })
  async list(@Query() { limit, cursor, actor, action, channel, outcome, since }: ActivityQuery) {
    const rows: Row[] = await this.dataSource.query(LIST, [
      ...[limit + 1, cursorNumber(cursor) ?? null, actor ?? null, action ?? null],
      ...[channel ?? null, outcome ?? null, since ?? null],
    ]);
    return pageOf(
      rows,
      limit,
      ({ id }) => id,
      (row) => row,
    );
  }
}

const LIST = `
  SELECT id, at, jsonb_strip_nulls(jsonb_build_object('kind', actor_kind, 'name', actor, 'id', actor_id)) AS actor, action, subject,
         channel, outcome, status, request_id AS "requestId", detail
    FROM activity
   WHERE ($2::bigint IS NULL OR id < $2) AND ($3::text IS NULL OR actor = $3)
     AND ($4::text IS NULL OR action = $4 OR starts_with(action, $4 || '.')) AND ($5::text IS NULL OR channel = $5)
     AND ($6::text IS NULL OR outcome = $6) AND ($7::timestamptz IS NULL OR at >= $7)
   ORDER BY id DESC LIMIT $1`;
