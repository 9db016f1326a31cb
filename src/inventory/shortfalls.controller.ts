import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsIn } from 'class-validator';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { MayBeAbsent } from '../http/fields';
import { cursorNumber, pageOf, PageQuery } from '../http/page';
import { CatalogService } from './catalog.service';

class ShortfallQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['open', 'resolved'], default: 'open' })
  @MayBeAbsent()
  @IsIn(['open', 'resolved'])
  state: 'open' | 'resolved' = 'open';
}

interface ShortfallRow {
  id: number;
  sku_id: number;
  location_id: number | null;
  [column: string]: unknown;
}

@ApiTags('ledger')
@ApiBearerAuth()
@Controller('v1/shortfalls')
export class ShortfallsController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
  ) {}

  @Get()
  @Needs('stock:read')
  @ApiOperation({ summary: 'Accepted orders, and counts, that the ledger cannot cover' })
  async list(@Query() { limit, cursor, state }: ShortfallQuery) {
    const rows: ShortfallRow[] = await this.dataSource.query(
      `SELECT id, sku_id, location_id, cause, state, quantity, channel, order_id AS "orderId", line_id AS "lineId",
              reservation_id AS "reservationId", recorded_at AS "recordedAt", resolved_at AS "resolvedAt"
         FROM shortfalls WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3`,
      [state, cursorNumber(cursor) ?? 0, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      ({ sku_id, location_id, ...row }) => ({
        ...row,
        sku: this.catalog.skuCode(sku_id),
        location: location_id === null ? null : this.catalog.locationCode(location_id),
      }),
    );
  }
}
