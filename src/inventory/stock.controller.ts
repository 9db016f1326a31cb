import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags, IntersectionType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsUUID, Max, Min } from 'class-validator';
import { Needs } from '../access/needs';
import { IsCode, IsText, IsTime, MAX_QUANTITY_UNITS, MayBeAbsent } from '../http/fields';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from './catalog.service';
import { UnknownSkuError } from './inventory.errors';
import { EVENT_TYPES, type EventType, type Level, physicalUnits } from './level';
import type { SkuEntity } from './sku.entity';
import {
  type EventRow,
  type StockRow,
  StockService,
  TOUCHED_STATES,
  type TouchedState,
} from './stock.service';

class MomentQuery {
  @ApiPropertyOptional({ description: 'What was true then, whenever we heard of it' })
  @MayBeAbsent()
  @IsTime()
  asOf?: string;

  @ApiPropertyOptional({ description: 'What we knew then' })
  @MayBeAbsent()
  @IsTime()
  knownAt?: string;
}

class StockQuery extends IntersectionType(PageQuery, MomentQuery) {
  @ApiPropertyOptional({ description: 'Codes, separated by commas' })
  @MayBeAbsent()
  @IsText(10_000)
  sku?: string;

  @ApiPropertyOptional({ description: "Part of a SKU's code, name or barcode" })
  @MayBeAbsent()
  @IsText(200)
  search?: string;

  @ApiPropertyOptional({ description: 'SKUs that carry this tag' })
  @MayBeAbsent()
  @IsCode()
  tag?: string;

  @ApiPropertyOptional({ description: 'SKUs of which no more than so many are available now' })
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(-MAX_QUANTITY_UNITS)
  @Max(MAX_QUANTITY_UNITS)
  atMost?: number;
}

class EventsQuery extends IntersectionType(PageQuery, MomentQuery) {
  @ApiPropertyOptional({ enum: EVENT_TYPES })
  @MayBeAbsent()
  @IsIn(EVENT_TYPES)
  type?: EventType;

  @ApiPropertyOptional({
    enum: TOUCHED_STATES,
    description: 'Events that change how many units are in this state; `physical`: on our shelves at all',
  })
  @MayBeAbsent()
  @IsIn(TOUCHED_STATES)
  state?: TouchedState;

  @ApiPropertyOptional({ description: 'At these locations; codes, separated by commas' })
  @MayBeAbsent()
  @IsText(2_000)
  location?: string;

  @MayBeAbsent()
  @IsText(100)
  channel?: string;

  @MayBeAbsent()
  @IsText(200)
  orderId?: string;

  @MayBeAbsent()
  @IsUUID()
  reservationId?: string;
}

@ApiTags('stock')
@ApiBearerAuth()
@Controller('v1')
export class StockController {
  constructor(
    private readonly stock: StockService,
    private readonly catalog: CatalogService,
  ) {}

  @Get('stock')
  @Needs('stock:read')
  @ApiOperation({
    summary: 'Levels of all SKUs, in pages: now, as they were (`asOf`), or as we knew them (`knownAt`)',
  })
  async list(@Query() { limit, cursor, sku, search, tag, atMost, asOf, knownAt }: StockQuery) {
    const moment = oneMoment({ asOf, knownAt });
    const after = cursorNumber(cursor, MAX_INTEGER_ID) ?? 0;
    const filter = { codes: sku?.split(','), text: search, tag, atMostAvailable: atMost };
    const page = pageOf(
      await this.catalog.skus(after, limit + 1, filter),
      limit,
      (row) => row.id,
      (row) => row,
    );
    return { ...page, items: await this.levelsAt(page.items, moment) };
  }

  @Get('stock/:sku')
  @Needs('stock:read')
  @ApiOperation({ summary: 'Levels of one SKU: now, as they were (`asOf`), or as we knew them (`knownAt`)' })
  async one(@Param('sku') code: string, @Query() query: MomentQuery) {
    const moment = oneMoment(query);
    const skuId = await this.skuId(code);
    const found = await this.catalog.skus(skuId - 1, 1, { codes: [code] });
    const [row] = await this.levelsAt(found, moment);
    return row;
  }

  @Get('stock/:sku/events')
  @Needs('stock:read')
  @ApiOperation({
    summary: 'Ledger events of one SKU, newest first; all that fit every filter given',
    description: '`asOf`: those that had happened by then. `knownAt`: those that had been recorded by then.',
  })
  async events(@Param('sku') code: string, @Query() { limit, cursor, location, ...filter }: EventsQuery) {
    oneMoment(filter);
    const skuId = await this.skuId(code);
    const codes = location?.split(',') ?? [];
    const locationIds = await Promise.all(codes.map((each) => this.catalog.locationId(each, 'location')));
    const rows = await this.stock.events(skuId, limit + 1, cursorNumber(cursor), {
      ...filter,
      ...(location !== undefined && { locationIds }),
    });
    return pageOf(
      rows,
      limit,
      (row) => row.seq,
      (row) => this.eventView(this.catalog.skuCode(skuId), row),
    );
  }

  @Get('ledger')
  @Needs('stock:read')
  @ApiOperation({ summary: 'How many events of each type the ledger holds' })
  ledger() {
    return this.stock.countEvents();
  }

  private async levelsAt(skus: readonly SkuEntity[], { asOf, knownAt }: MomentQuery) {
    const skuIds = skus.map(({ id }) => id);
    const rows = asOf
      ? await this.stock.levelsOfAsOf(skuIds, new Date(asOf))
      : knownAt
        ? await this.stock.levelsOfKnownAt(skuIds, new Date(knownAt))
        : await this.stock.levelsOf(skuIds);
    return rows.map((row, at) => ({
      ...this.view(row, skus[at]!),
      ...(asOf && { asOf }),
      ...(knownAt && { knownAt }),
    }));
  }

  private async skuId(code: string): Promise<number> {
    try {
      return await this.catalog.skuId(code, 'sku');
    } catch (error) {
      if (error instanceof UnknownSkuError) throw new Problem('not-found', error.message);
      throw error;
    }
  }

  private view({ levels }: StockRow, { code: sku, name, barcode, tags }: SkuEntity) {
    const sum = (units: (level: Level) => number) =>
      levels.reduce((total, { level }) => total + units(level), 0);
    return {
      sku,
      name,
      barcode,
      tags,
      total: {
        physical: sum(physicalUnits),
        available: sum((level) => level.available),
        reserved: sum((level) => level.reserved),
        quarantined: sum((level) => level.quarantined),
        damaged: sum((level) => level.damaged),
        inTransit: sum((level) => level.in_transit),
        onOrder: sum((level) => level.on_order),
        version: sum((level) => level.version),
      },
      locations: levels.map(({ locationId, level }) => ({
        location: this.catalog.locationCode(locationId),
        ...levelView(level),
      })),
    };
  }

  private eventView(sku: string, row: EventRow) {
    const { counterpart_location_id: counterpart, location_id: location } = row;
    return {
      seq: row.seq,
      type: row.type,
      sku,
      location: this.catalog.locationCode(location),
      from: row.from_state,
      to: row.to_state,
      quantity: row.quantity,
      after: levelView(row),
      counterpartLocation: counterpart === null ? null : this.catalog.locationCode(counterpart),
      channel: row.channel,
      orderId: row.order_id,
      lineId: row.line_id,
      reservationId: row.reservation_id,
      idempotencyKey: row.command_key,
      reference: row.reference,
      reason: row.reason,
      actor: row.actor,
      occurredAt: row.occurred_at,
      recordedAt: row.recorded_at,
    };
  }
}

/** Throws a problem where both are asked for. */
function oneMoment(moment: MomentQuery): MomentQuery {
  if (moment.asOf && moment.knownAt)
    throw invalidRequest([
      { field: 'knownAt', message: 'asks another question than asOf; send one of them' },
    ]);
  return moment;
}

function levelView(level: Level) {
  const {
    available,
    reserved,
    quarantined,
    damaged,
    in_transit: inTransit,
    on_order: onOrder,
    version,
  } = level;
  return {
    physical: physicalUnits(level),
    available,
    reserved,
    quarantined,
    damaged,
    inTransit,
    onOrder,
    version,
  };
}
