import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import type { Request, Response } from 'express';
import { Needs } from '../access/needs';
import { IsPastTime, MayBeAbsent } from '../http/fields';
import { LimitQuery } from '../http/page';
import { OrderComparisonService } from './order-comparison.service';
import { TaskAnswers, WaitQuery } from './task-answers';

const DEFAULT_WINDOW_MS = 24 * 3_600_000;

class CompareOrdersBody {
  @ApiPropertyOptional({ description: 'Orders that the channel changed since then; a day ago when absent' })
  @MayBeAbsent()
  @IsPastTime()
  since?: string;

  @ApiPropertyOptional({ description: 'Have intake read what we lack', default: true })
  @MayBeAbsent()
  @IsBoolean()
  repair: boolean = true;
}

@ApiTags('reconcile')
@ApiBearerAuth()
@Controller('v1/channels/:channel/orders')
export class OrderComparisonController {
  constructor(
    private readonly comparing: OrderComparisonService,
    private readonly answers: TaskAnswers,
  ) {}

  @Post('reconcile')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: "Compare the channel's order list over a window with ours, and read what we lack",
  })
  async reconcile(
    @Param('channel') channel: string,
    @Body() body: CompareOrdersBody | undefined,
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { since, repair = true } = body ?? {};
    const from = since === undefined ? new Date(Date.now() - DEFAULT_WINDOW_MS) : new Date(since);
    const task = await this.comparing.start(channel, from, repair, `api:${caller!.name}`);
    return this.answers.answer(task, wait, response);
  }

  @Get('differences')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Orders that differed between the channel and us, newest first' })
  async differences(@Param('channel') channel: string, @Query() { limit }: LimitQuery) {
    return { items: await this.comparing.differences(channel, limit) };
  }
}
