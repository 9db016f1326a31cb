import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags, IntersectionType } from '@nestjs/swagger';
import { Needs } from '../access/scopes';
import { IsText, IsTime, MayBeAbsent } from '../http/fields';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from './catalog.service';
import { type Level, physicalUnits } from './level';
import { type EventRow, type StockRow, StockService } from './stock.service';
import { UnknownSkuError } from './inventory.errors';

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
  async list(@Query() { limit, cursor, sku, search, asOf, knownAt }: StockQuery) {
    const moment = oneMoment({ asOf, knownAt });
    const skus = await this.catalog.skus(
      cursorNumber(cursor, MAX_INTEGER_ID) ?? 0,
      limit + 1,
      sku?.split(','),
      search,
    );
    const page = pageOf(
      skus,
      limit,
      (row) => row.id,
      (row) => row.id,
    );
    return { ...page, items: await this.levelsAt(page.items, moment) };
  }

  @Get('stock/:sku')
  @Needs('stock:read')
  @ApiOperation({ summary: 'Levels of one SKU: now, as they were (`asOf`), or as we knew them (`knownAt`)' })
  async one(@Param('sku') code: string, @Query() query: MomentQuery) {
    const moment = oneMoment(query);
    const [row] = await this.levelsAt([await this.skuId(code)], moment);
    return row;
  }

  @Get('stock/:sku/events')
  @Needs('stock:read')
  @ApiOperation({ summary: 'Ledger events of one SKU, newest first' })
  async events(@Param('sku') code: string, @Query() { limit, cursor }: PageQuery) {
    const skuId = await this.skuId(code);
    const rows = await this.stock.events(skuId, limit + 1, cursorNumber(cursor));
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

  private async levelsAt(skuIds: readonly number[], { asOf, knownAt }: MomentQuery) {
    const rows = asOf
      ? await this.stock.levelsOfAsOf(skuIds, new Date(asOf))
      : knownAt
        ? await this.stock.levelsOfKnownAt(skuIds, new Date(knownAt))
        : await this.stock.levelsOf(skuIds);
    return rows.map((row) => ({ ...this.view(row), ...(asOf && { asOf }), ...(knownAt && { knownAt }) }));
  }

  private async skuId(code: string): Promise<number> {
    try {
      return await this.catalog.skuId(code, 'sku');
    } catch (error) {
      if (error instanceof UnknownSkuError) throw new Problem('not-found', error.message);
      throw error;
    }
  }

  private view({ skuId, levels }: StockRow) {
    const sum = (units: (level: Level) => number) =>
      levels.reduce((total, { level }) => total + units(level), 0);
    return {
      sku: this.catalog.skuCode(skuId),
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
