import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Needs } from '../access/needs';
import { IsTime } from '../http/fields';
import { LimitQuery } from '../http/page';
import { invalidRequest } from '../http/validation';
import { SettlementService } from './settlement.service';
import { StrandedService } from './stranded.service';

class SettlementQuery {
  @ApiProperty({ description: 'What happened after this moment', example: '2026-11-01T00:00:00Z' })
  @IsTime()
  from: string;

  @ApiProperty({ description: 'and until this one', example: '2026-12-01T00:00:00Z' })
  @IsTime()
  to: string;
}

@ApiTags('reconcile')
@ApiBearerAuth()
@Controller('v1')
export class ReportsController {
  constructor(
    private readonly settlement: SettlementService,
    private readonly stranded: StrandedService,
  ) {}

  @Get('reports/settlement')
  @Needs('stock:read')
  @ApiProduces('text/csv')
  @ApiOperation({ summary: 'Units moved between two moments, for each SKU and channel, as CSV' })
  async report(@Query() { from, to }: SettlementQuery, @Res() response: Response): Promise<void> {
    const [after, until] = [new Date(from), new Date(to)];
    if (after >= until) throw invalidRequest([{ field: 'to', message: 'must be later than from' }]);
    const lines = this.settlement.lines(after, until);
    // The first line is read before the answer begins, so that a database that is away is told as such.
    const first = await lines.next();
    response.status(200).type('text/csv; charset=utf-8');
    if (!first.done) response.write(first.value);
    for await (const line of lines) {
      if (!response.write(line)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  }

  @Get('stranded-reservations')
  @Needs('stock:read')
  @ApiOperation({
    summary: 'Reservations open for longer than is configured and not fulfilled, oldest first',
  })
  async list(@Query() { limit }: LimitQuery) {
    return { items: await this.stranded.list(limit) };
  }
}
