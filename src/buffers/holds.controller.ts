import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsInt, IsNumber, Max, Min } from 'class-validator';
import type { Request } from 'express';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { inTransaction } from '../database/pool';
import { IsCode, IsText, IsTime, MAX_QUANTITY_UNITS, MayBeAbsent } from '../http/fields';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from '../inventory/catalog.service';
import { JobsService } from '../jobs/jobs.service';
import { markSkusDirty } from './buffer-rows';
import { BufferRulesService } from './buffer-rules.service';
import { RECALCULATE_BUFFERS } from './buffers.worker';

class HoldBody {
  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional({ description: 'From this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;

  @ApiPropertyOptional({ description: 'Only where this location serves the channel' })
  @MayBeAbsent()
  @IsCode()
  location?: string;

  @ApiPropertyOptional({ default: 0, description: 'The larger of units and percent counts' })
  @IsInt()
  @Min(0)
  @Max(MAX_QUANTITY_UNITS)
  units: number = 0;

  @ApiPropertyOptional({ default: 0, description: 'Percent of what is available; 100 for all of it' })
  @IsNumber()
  @Min(0)
  @Max(100)
  percent: number = 0;

  @ApiProperty({ example: 'recall of batch 12' })
  @IsText(500)
  reason: string;

  @ApiPropertyOptional({ description: 'Ends by itself then; absent: until somebody ends it' })
  @MayBeAbsent()
  @IsTime()
  until?: string;
}

interface HoldRow {
  id: number;
  sku_id: number;
  channel: string | null;
}

/** What operators withhold by hand, with a reason and an end. */
@ApiTags('buffers')
@ApiBearerAuth()
@Controller('v1/buffers/holds')
export class HoldsController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly catalog: CatalogService,
    private readonly buffers: BufferRulesService,
    private readonly jobs: JobsService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Holds that are in force, oldest first' })
  async list() {
    return { items: await this.dataSource.query(LIST, [null]) };
  }

  @Post()
  @HttpCode(201)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Withhold units of a SKU, whatever the policies say, on top of what they withhold',
  })
  async place(@Body() body: HoldBody, @Req() { caller }: Request) {
    const { sku, channel = null, location, units, percent, reason, until = null } = body;
    if (units === 0 && percent === 0)
      throw invalidRequest([{ field: 'units', message: 'must be 1 or more, unless percent is' }]);
    if (until !== null && Date.parse(until) <= Date.now())
      throw invalidRequest([{ field: 'until', message: 'must be in the future' }]);
    if (channel !== null) this.channels.get(channel);
    const skuId = await this.catalog.skuId(sku, 'sku');
    const locationId = location === undefined ? null : await this.catalog.locationId(location, 'location');
    const actor = `api:${caller!.name}`;
    const id = await inTransaction(this.dataSource, async (client) => {
      const placed = await client.query<{ id: number }>(PLACE, [
        skuId,
        locationId,
        channel,
        units,
        percent,
        reason,
        actor,
        until,
      ]);
      await markSkusDirty(client, [skuId], channel);
      await client.query(NOTE, [
        skuId,
        channel,
        `hold ${placed.rows[0]!.id}`,
        { units, percent, reason, until },
        'hold placed',
        actor,
      ]);
      return placed.rows[0]!.id;
    });
    await this.takeEffect();
    const [hold] = await this.dataSource.query(LIST, [id]);
    return hold;
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('channels:write')
  @ApiOperation({ summary: 'End a hold' })
  async end(@Param('id') id: string, @Req() { caller }: Request): Promise<void> {
    const actor = `api:${caller!.name}`;
    await inTransaction(this.dataSource, async (client) => {
      const ended = /^\d{1,15}$/.test(id)
        ? (await client.query<HoldRow>(END, [id, actor])).rows[0]
        : undefined;
      if (!ended) throw new Problem('not-found', `no hold ${id} is in force`);
      await markSkusDirty(client, [ended.sku_id], ended.channel);
      await client.query(NOTE, [ended.sku_id, ended.channel, `hold ${id}`, null, 'hold ended', actor]);
    });
    await this.takeEffect();
  }

  private async takeEffect(): Promise<void> {
    await this.buffers.changed();
    this.jobs.wake(RECALCULATE_BUFFERS);
    for (const { name } of this.channels.all()) this.jobs.wake('push-listings', name);
  }
}

const PLACE = `
  INSERT INTO buffer_holds (sku_id, location_id, channel, units, percent, reason, placed_by, until)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`;

const END = `
  UPDATE buffer_holds SET ended_at = clock_timestamp(), ended_by = $2 WHERE id = $1 AND ended_at IS NULL
  RETURNING id, sku_id, channel`;

const NOTE = `
  INSERT INTO buffer_changes (sku_id, channel, policy, after, cause, actor) VALUES ($1, $2, $3, $4, $5, $6)`;

const LIST = `
  SELECT h.id, s.code AS sku, l.code AS location, h.channel, h.units, h.percent, h.reason, h.placed_by AS "placedBy",
         h.placed_at AS "placedAt", h.until
    FROM buffer_holds h JOIN skus s ON s.id = h.sku_id LEFT JOIN locations l ON l.id = h.location_id
   WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp()) AND ($1::bigint IS NULL OR h.id = $1)
   ORDER BY h.id`;
