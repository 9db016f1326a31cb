import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, Min } from 'class-validator';
import { raw, type Request, type Response } from 'express';
import { Needs } from '../access/needs';
import { IsCode, IsPastTime, IsText, MayBeAbsent } from '../http/fields';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery, placeOfCursor } from '../http/page';
import { invalidRequest } from '../http/validation';
import { readCountCsv, readCountRows, type ReadLines } from './count-lines';
import { CountsService } from './counts.service';
import { TaskAnswers, WaitQuery } from './task-answers';

const KINDS = ['full', 'partial'] as const;
const STATUSES = ['new', 'equal', 'tolerated', 'waiting', 'adjusted', 'rejected', 'refused', 'unknown'];
const MAX_CSV_BYTES = 64 * 1024 * 1024;

class CountQuery extends WaitQuery {
  @ApiProperty({ description: 'Who counted', example: 'wms-north' })
  @IsCode()
  source: string;

  @ApiProperty({ description: 'The moment that the count speaks of', example: '2026-11-21T06:00:00Z' })
  @IsPastTime()
  takenAt: string;

  @ApiPropertyOptional({
    enum: KINDS,
    description: '`full`: what it does not name at its locations is not there',
  })
  @MayBeAbsent()
  @IsIn(KINDS)
  kind: (typeof KINDS)[number] = 'partial';

  @ApiPropertyOptional({
    description: 'Of lines that name none; the first location in priority order when absent',
  })
  @MayBeAbsent()
  @IsCode()
  location?: string;

  @ApiPropertyOptional({ description: 'Stands in the ledger', default: 'count' })
  @MayBeAbsent()
  @IsText(200)
  reason: string = 'count';
}

class LinesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: STATUSES })
  @MayBeAbsent()
  @IsIn(STATUSES)
  status?: string;
}

class DecideBody {
  @ApiPropertyOptional({ type: [Number], description: 'These lines only; all that wait when absent' })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @IsInt({ each: true })
  @Min(1, { each: true })
  lines?: number[];
}

@ApiTags('counts')
@ApiBearerAuth()
@Controller('v1/counts')
export class CountsController {
  constructor(
    private readonly counts: CountsService,
    private readonly answers: TaskAnswers,
  ) {}

  @Post()
  @HttpCode(200)
  @Needs('stock:write')
  @ApiConsumes('text/csv', 'application/json')
  @ApiBody({ schema: { type: 'array', items: { type: 'object' } } })
  @ApiOperation({
    summary: 'Compare a count with the ledger as of its time, and post the difference',
    description:
      'A JSON list of `{sku, quantity, location, state}`, or CSV with these columns. The same count again changes nothing. ' +
      'Lines that differ by more than is configured wait for a person.',
  })
  async receive(
    @Query() { wait, takenAt, ...query }: CountQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { lines, faults } = await linesOf(request, response);
    if (faults.length > 0) throw invalidRequest(faults.map((message) => ({ field: '', message })));
    if (lines.length === 0) throw invalidRequest([{ field: '', message: 'holds no lines' }]);
    const receivedBy = `api:${request.caller!.name}`;
    const { id, task } = await this.counts.receive({
      ...query,
      takenAt: new Date(takenAt),
      lines,
      receivedBy,
    });
    return task ? this.answers.answer(task, wait, response) : this.counts.summary(id);
  }

  @Get()
  @Needs('stock:read')
  @ApiOperation({ summary: 'Counts with what they came to, newest first' })
  async list(@Query() { limit, cursor }: PageQuery) {
    const counts = await this.counts.list(limit + 1, placeOfCursor(cursor));
    return pageOf(
      counts,
      limit,
      ({ place }) => place,
      ({ place: _place, ...count }) => count,
    );
  }

  @Get(':id')
  @Needs('stock:read')
  @ApiOperation({ summary: 'What a count came to: lines by status, accuracy, drift, units adjusted' })
  one(@Param('id', ParseUUIDPipe) id: string) {
    return this.counts.summary(id);
  }

  @Get(':id/lines')
  @Needs('stock:read')
  @ApiOperation({ summary: 'The lines of a count: counted, by the ledger, before and after' })
  async lines(@Param('id', ParseUUIDPipe) id: string, @Query() { status, limit, cursor }: LinesQuery) {
    const after = cursorNumber(cursor, MAX_INTEGER_ID) ?? 0;
    const rows = await this.counts.lines(id, status ?? null, after, limit + 1);
    return pageOf(
      rows,
      limit,
      ({ line }) => line,
      ({ skuId: _sku, locationId: _location, ...line }) => line,
    );
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Needs('stock:write')
  @ApiOperation({ summary: 'Post lines that wait for a person' })
  approve(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: DecideBody | undefined,
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.decide(id, 'approve', body?.lines, `api:${caller!.name}`, wait, response);
  }

  @Post(':id/reject')
  @HttpCode(200)
  @Needs('stock:write')
  @ApiOperation({ summary: 'Turn down lines that wait for a person; the ledger stays as it is' })
  reject(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: DecideBody | undefined,
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.decide(id, 'reject', body?.lines, `api:${caller!.name}`, wait, response);
  }

  private async decide(
    id: string,
    verdict: 'approve' | 'reject',
    lines: number[] | undefined,
    by: string,
    wait: number,
    response: Response,
  ) {
    const task = await this.counts.decide(id, verdict, lines ?? null, by);
    return this.answers.answer(task, wait, response);
  }
}

async function linesOf(request: Request, response: Response): Promise<ReadLines> {
  const { body } = request as { body: unknown };
  if (Array.isArray(body)) return readCountRows(body);
  if (body !== undefined) return { lines: [], faults: ['must be a list of lines, or CSV'] };
  return readCountCsv(await bodyOf(request, response));
}

const readCsv = raw({ type: () => true, limit: MAX_CSV_BYTES, inflate: false });

/** Larger than one of JSON may be, and read only now that the caller is known. */
function bodyOf(request: Request, response: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readCsv(request, response, (error?: unknown) => {
      if (error) reject(error as Error);
      else resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    });
  });
}
