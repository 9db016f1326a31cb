import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/scopes';
import { cursorNumber, LimitQuery, pageOf, PageQuery } from '../http/page';

/** What waits for a person: webhooks nobody understood, and order lines whose SKU nobody mapped. */
@ApiTags('intake')
@ApiBearerAuth()
@Controller('v1/parked')
export class IntakeController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Get('webhooks')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Webhooks that could not be applied' })
  async webhooks(@Query() { limit, cursor }: PageQuery) {
    const rows: { id: number }[] = await this.dataSource.query(
      `SELECT id, channel, topic, error, attempts, received_at AS "receivedAt" FROM inbox
        WHERE state = 'parked' AND id > $1 ORDER BY id LIMIT $2`,
      [cursorNumber(cursor) ?? 0, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => row,
    );
  }

  @Get('lines')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Order lines whose channel SKU is not mapped' })
  async lines(@Query() { limit }: LimitQuery) {
    const items = await this.dataSource.query(
      `SELECT channel, order_id AS "orderId", line_id AS "lineId", channel_sku AS "channelSku", reason, parked_at AS "parkedAt"
         FROM parked_lines ORDER BY parked_at, channel, order_id, line_id LIMIT $1`,
      [limit],
    );
    return { items };
  }
}
