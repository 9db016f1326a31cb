import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../access/needs';
import { LedgerChecksService } from './ledger-checks.service';
import { TaskAnswers, WaitQuery } from './task-answers';

@ApiTags('stock')
@ApiBearerAuth()
@Controller('v1/ledger')
export class LedgerChecksController {
  constructor(
    private readonly checks: LedgerChecksService,
    private readonly answers: TaskAnswers,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @Needs('stock:read')
  @ApiOperation({
    summary: 'Check that levels, events, reservations, orders and pushes explain each other; changes nothing',
    description: 'Answers 202 with the task when it takes longer than `wait` seconds.',
  })
  async verify(
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const task = await this.checks.verify(`api:${caller!.name}`);
    return this.answers.answer(task, wait, response);
  }

  @Post('rebuild')
  @HttpCode(200)
  @Needs('admin')
  @ApiOperation({
    summary: 'Make the levels anew from the ledger, beside the live ones, and swap them at once',
    description: 'Answers 202 with the task when it takes longer than `wait` seconds.',
  })
  async rebuild(
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const task = await this.checks.rebuild(`api:${caller!.name}`);
    return this.answers.answer(task, wait, response);
  }
}
