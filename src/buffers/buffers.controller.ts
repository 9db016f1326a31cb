import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsBoolean } from 'class-validator';
import type { Request } from 'express';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { poolOf } from '../database/pool';
import { IsCode, MayBeAbsent } from '../http/fields';
import { LimitQuery, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from '../inventory/catalog.service';
import { BufferRulesService } from './buffer-rules.service';
import { PublishedQuantityService } from './published-quantity.service';
import { RecalculationService } from './recalculation.service';
import { ratesOf } from './sales-counting';
import { signalsAt } from './sales-rate';

const MOST_LISTINGS = 500;

class SkuQuery {
  @ApiProperty({ description: 'One of our SKUs' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional({ description: 'On this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

class HistoryQuery extends LimitQuery {
  @ApiPropertyOptional({ description: 'Of this SKU, with what concerns all SKUs; of all when absent' })
  @MayBeAbsent()
  @IsCode()
  sku?: string;
}

class RowsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Of this SKU only' })
  @MayBeAbsent()
  @IsCode()
  sku?: string;

  @ApiPropertyOptional({ description: 'From this channel only' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

interface BufferRowView {
  skuId: number;
  locationId: number;
  channel: string;
  [column: string]: unknown;
}

class RecalculateBody {
  @ApiPropertyOptional({
    description: 'Count the sales of the last weeks anew and look at every SKU',
    default: false,
  })
  @IsBoolean()
  full: boolean = false;
}

@ApiTags('buffers')
@ApiBearerAuth()
@Controller('v1/buffers')
export class BuffersController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
    private readonly buffers: BufferRulesService,
    private readonly recalculation: RecalculationService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({
    summary: 'What is withheld of a SKU from each channel, and why',
    description:
      'With its sales at each location, what is measured of each channel, and the waterfall of each listing.',
  })
  async explain(@Query() { sku, channel }: SkuQuery) {
    const skuId = await this.catalog.skuId(sku, 'sku');
    if (channel !== undefined) this.channels.get(channel);
    const names = this.channels.all().map(({ name }) => name);
    const asked = channel === undefined ? names : [channel];
    const pages = await Promise.all(
      asked.map((name) => this.listings.page(name, 0, MOST_LISTINGS, { skuId })),
    );
    const listings = pages.flat();
    const waterfalls = await this.published.compute(listings);
    return {
      sku: this.catalog.skuCode(skuId),
      tags: this.buffers.rules.tagsOf(skuId),
      sales: await this.salesOf(skuId),
      channels: asked.map((name) => ({ channel: name, ...this.buffers.signalsOf(name) })),
      holds: this.buffers.holdsOf(skuId, Date.now()).map(({ skuId: _skuId, locationId, ...hold }) => ({
        ...hold,
        location: locationId === null ? null : this.catalog.locationCode(locationId),
      })),
      items: listings.map(({ id, channel: name, channelSku }, at) => ({
        listingId: id,
        channel: name,
        channelSku,
        ...waterfalls[at]!,
      })),
    };
  }

  @Get('rows')
  @Needs('channels:read')
  @ApiOperation({
    summary: 'What sales ask to be withheld, of each SKU at each location from each channel',
    description:
      'What policies withhold of any stock, windows, holds and channels that are away need no row.',
  })
  async rows(@Query() { sku, channel, limit, cursor }: RowsQuery) {
    const skuId = sku === undefined ? null : await this.catalog.skuId(sku, 'sku');
    const after = rowPosition(cursor);
    const rows: BufferRowView[] = await this.dataSource.query(ROWS, [
      skuId,
      channel ?? null,
      ...after,
      limit + 1,
    ]);
    return pageOf(
      rows,
      limit,
      ({ skuId: id, locationId, channel: name }) => [id, locationId, name].join(' '),
      ({ skuId: _skuId, locationId: _locationId, ...row }) => row,
    );
  }

  @Get('history')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Who or what changed what is withheld, newest first' })
  async history(@Query() { sku, limit }: HistoryQuery) {
    const skuId = sku === undefined ? null : await this.catalog.skuId(sku, 'sku');
    return { items: await this.dataSource.query(HISTORY, [skuId, limit]) };
  }

  @Post('recalculate')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Look at once, rather than when the schedule says' })
  async recalculate(@Body() { full }: RecalculateBody, @Req() { caller }: Request) {
    const report = await this.recalculation.recalculate({
      full,
      cause: 'operator',
      actor: `api:${caller!.name}`,
    });
    if (!report) throw new Problem('busy', 'buffers are being recalculated; try again in a moment');
    return report;
  }

  private async salesOf(skuId: number) {
    const rates = await ratesOf(poolOf(this.dataSource), [skuId]);
    return rates.map((rate) => ({
      location: this.catalog.locationCode(rate.locationId),
      ...signalsAt(rate, Date.now()),
    }));
  }
}

/** SKU, location and channel of the row before the page. Throws a problem when the cursor is none of ours. */
function rowPosition(cursor: string | undefined): [number, number, string] {
  if (cursor === undefined) return [0, 0, ''];
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, skuId, locationId, channel] = /^(\d{1,10}) (\d{1,10}) ([a-z0-9-]{1,63})$/.exec(text) ?? [];
  if (channel === undefined || Number(skuId) > MAX_INTEGER_ID || Number(locationId) > MAX_INTEGER_ID)
    throw invalidRequest([{ field: 'cursor', message: 'is not one that this API gave' }]);
  return [Number(skuId), Number(locationId), channel];
}

/** Along the primary key. */
const ROWS = `
  SELECT b.sku_id AS "skuId", b.location_id AS "locationId", s.code AS sku, l.code AS location, b.channel, b.needs,
         b.is_slow AS "isSlow", b.released_at AS "releasedAt", b.changed_at AS "changedAt"
    FROM buffers b JOIN skus s ON s.id = b.sku_id JOIN locations l ON l.id = b.location_id
   WHERE ($1::int IS NULL OR b.sku_id = $1) AND ($2::text IS NULL OR b.channel = $2)
     AND (b.sku_id, b.location_id, b.channel) > ($3::int, $4::int, $5::text)
   ORDER BY b.sku_id, b.location_id, b.channel LIMIT $6`;

/** Newest of two lists that are each read from its index. */
const HISTORY = `
  SELECT c.id, s.code AS sku, l.code AS location, c.channel, c.policy, c.before, c.after, c.cause, c.actor, c.changed_at AS "changedAt"
    FROM (
      (SELECT * FROM buffer_changes WHERE $1::int IS NULL ORDER BY id DESC LIMIT $2)
      UNION ALL (SELECT * FROM buffer_changes WHERE sku_id = $1 ORDER BY id DESC LIMIT $2)
      UNION ALL (SELECT * FROM buffer_changes WHERE $1::int IS NOT NULL AND sku_id IS NULL ORDER BY id DESC LIMIT $2)
    ) c LEFT JOIN skus s ON s.id = c.sku_id LEFT JOIN locations l ON l.id = c.location_id
   ORDER BY c.id DESC LIMIT $2`;
