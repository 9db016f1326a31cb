import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, Max, Min } from 'class-validator';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { IsCode, MayBeAbsent } from '../http/fields';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { JobsService } from '../jobs/jobs.service';

class ParkedQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Of this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

class ChosenBody {
  @ApiPropertyOptional({ description: 'Of this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;

  @ApiPropertyOptional({
    description: 'These listings only; all that are parked when absent',
    type: [Number],
  })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(MAX_INTEGER_ID, { each: true })
  listings?: number[];
}

interface ParkedRow {
  listingId: number;
  [column: string]: unknown;
}

/** Listings that their channel refused for good or too often. */
@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/parked/pushes')
export class ParkedPushesController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobsService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Listings that wait for a person, with what their channel said last' })
  async list(@Query() { channel, limit, cursor }: ParkedQuery) {
    const rows: ParkedRow[] = await this.dataSource.query(
      `SELECT d.listing_id AS "listingId", d.channel, l.channel_sku AS "channelSku", d.last_error AS error, d.attempts,
              d.since AS "dirtySince", d.parked_at AS "parkedAt"
         FROM dirty_listings d JOIN listings l ON l.id = d.listing_id
        WHERE d.parked_at IS NOT NULL AND d.listing_id > $1 AND ($2::text IS NULL OR d.channel = $2)
        ORDER BY d.listing_id LIMIT $3`,
      [cursorNumber(cursor, MAX_INTEGER_ID) ?? 0, channel ?? null, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (row) => row.listingId,
      (row) => row,
    );
  }

  @Post('retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Try again, at once and as if for the first time' })
  async retry(@Body() chosen: ChosenBody) {
    const rows = await this.change(
      `UPDATE dirty_listings d SET parked_at = NULL, attempts = 0, not_before = '-infinity', since = clock_timestamp()
        WHERE ${CHOSEN} RETURNING channel`,
      chosen,
    );
    for (const channel of new Set(rows.map((row) => row.channel))) this.jobs.wake('push-listings', channel);
    return { retried: rows.length };
  }

  @Post('dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Leave these listings as the channel has them',
    description:
      'The next change of their stock, or a comparison that finds them different, pushes them again.',
  })
  async dismiss(@Body() chosen: ChosenBody) {
    return {
      dismissed: (await this.change(`DELETE FROM dirty_listings d WHERE ${CHOSEN} RETURNING channel`, chosen))
        .length,
    };
  }

  private async change(sql: string, { channel, listings }: ChosenBody): Promise<{ channel: string }[]> {
    const [rows]: [{ channel: string }[]] = await this.dataSource.query(sql, [
      channel ?? null,
      listings ?? null,
    ]);
    return rows;
  }
}

const CHOSEN = `d.listing_id IN (
  SELECT listing_id FROM dirty_listings
   WHERE parked_at IS NOT NULL AND ($1::text IS NULL OR channel = $1) AND ($2::int[] IS NULL OR listing_id = ANY($2))
   ORDER BY listing_id FOR UPDATE)`;
