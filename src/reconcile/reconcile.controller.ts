import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiProperty, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsString, IsUUID, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { placeInTime } from '../database/sql-time';
import { IsText, MayBeAbsent } from '../http/fields';
import { LimitQuery, pageOf, PageQuery, placeOfCursor } from '../http/page';
import { TaskAnswers, WaitQuery } from './task-answers';
import { TasksService } from '../jobs/tasks.service';
import { DRIFT_CAUSES, type DriftCause } from './drift-records';
import { RECONCILE, ReconcileService } from './reconcile.service';

const STATES = ['open', 'escalated', 'accepted', 'resolved'];
const MAX_SKUS = 1_000;

class ReconcileBody {
  @ApiPropertyOptional({ type: [String], description: "These of the channel's SKUs only; all when absent" })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SKUS)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  channelSkus?: string[];
}

class CorrectBody {
  @ApiProperty({ type: [String], description: "The channel's SKUs" })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SKUS)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  channelSkus: string[];
}

class AcceptBody extends CorrectBody {
  /** For whoever asks later. */
  @IsText(500)
  reason: string;
}

class DriftsQuery extends PageQuery {
  @ApiPropertyOptional({
    enum: STATES,
    description:
      '`escalated`: corrected too often, and left to a person. `accepted`: a person leaves it as it is',
  })
  @MayBeAbsent()
  @IsIn(STATES)
  state?: string;

  @ApiPropertyOptional({ enum: DRIFT_CAUSES })
  @MayBeAbsent()
  @IsIn(DRIFT_CAUSES)
  cause?: DriftCause;

  @ApiPropertyOptional({ description: 'Found last by this comparison; what a later one found again is its' })
  @MayBeAbsent()
  @IsUUID()
  run?: string;
}

@ApiTags('reconcile')
@ApiBearerAuth()
@Controller('v1/channels/:channel')
export class ReconcileController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly reconciling: ReconcileService,
    private readonly tasks: TasksService,
    private readonly answers: TaskAnswers,
  ) {}

  @Get('reconcile/plan')
  @Needs('channels:read')
  @ApiOperation({ summary: 'How many calls and minutes a comparison of the channel will take' })
  plan(@Param('channel') channel: string) {
    return this.reconciling.plan(channel);
  }

  @Post('reconcile')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Compare the channel with the ledger now; what drifted is pushed again',
    description:
      'Answers 200 with the report when that takes no longer than `wait` seconds, else 202 with the task.',
  })
  async reconcile(
    @Param('channel') channel: string,
    @Body() body: ReconcileBody | undefined,
    @Query() { wait }: WaitQuery,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const task = await this.reconciling.start(channel, body?.channelSkus, `api:${caller!.name}`);
    return this.answers.answer(task, wait, response);
  }

  @Get('reconciliations')
  @Needs('channels:read')
  @ApiOperation({ summary: 'The last comparisons of the whole channel, newest first' })
  async runs(@Param('channel') channel: string, @Query() { limit }: LimitQuery) {
    this.channels.get(channel);
    const tasks = await this.tasks.list(limit, { kind: RECONCILE, subject: channel });
    return {
      items: tasks.map(({ id, state, startedAt, finishedAt, report, error }) => ({
        ...report,
        id,
        state,
        startedAt,
        finishedAt,
        error,
      })),
    };
  }

  @Get('drifts')
  @Needs('channels:read')
  @ApiOperation({
    summary: 'What the channel shows otherwise than it should, and since when; last found first',
  })
  async drifts(@Param('channel') channel: string, @Query() { limit, cursor, ...filter }: DriftsQuery) {
    this.channels.get(channel);
    const { state = null, cause = null, run = null } = filter;
    const before = placeOfCursor(cursor);
    const rows: { place: string }[] = await this.dataSource.query(DRIFTS, [
      ...[channel, limit + 1, state, cause, run, before.at, before.id],
    ]);
    return pageOf(
      rows,
      limit,
      ({ place }) => place,
      ({ place: _place, ...drift }) => drift,
    );
  }

  @Post('drifts/correct')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Push again what drifted, also where that was tried too often' })
  async correct(@Param('channel') channel: string, @Body() { channelSkus }: CorrectBody) {
    const corrected = await this.reconciling.correct(channel, channelSkus);
    return { corrected };
  }

  @Post('drifts/accept')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Leave listings as the channel shows them',
    description:
      'They are corrected no more while the channel shows that number and the same one is expected; a change of their stock is pushed as ever.',
  })
  async accept(
    @Param('channel') channel: string,
    @Body() { channelSkus, reason }: AcceptBody,
    @Req() { caller }: Request,
  ) {
    const by = { actor: `api:${caller!.name}`, reason };
    return { accepted: await this.reconciling.accept(channel, channelSkus, by) };
  }
}

/** A drift has no id of its own: what names it is told apart by its hash. */
const DRIFT_ID = `md5(channel_sku || E'\\n' || channel_location)::uuid`;

const DRIFTS = `
  SELECT run_id AS "runId", channel_sku AS "channelSku", nullif(channel_location, '') AS "channelLocation", cause,
         shown_units AS shown, expected_units AS expected, pushed_units AS pushed, pushed_at AS "pushedAt", versions, since,
         found_at AS "foundAt", times, corrections, escalated_at AS "escalatedAt", resolved_at AS "resolvedAt",
         accepted_at AS "acceptedAt", accepted_by AS "acceptedBy", accepted_reason AS "acceptedReason",
         ${placeInTime('found_at', DRIFT_ID)} AS place
    FROM drifts
   WHERE channel = $1 AND CASE $3::text WHEN 'open' THEN resolved_at IS NULL AND accepted_at IS NULL WHEN 'resolved' THEN resolved_at IS NOT NULL
         WHEN 'escalated' THEN escalated_at IS NOT NULL WHEN 'accepted' THEN resolved_at IS NULL AND accepted_at IS NOT NULL ELSE true END
     AND ($4::text IS NULL OR cause = $4) AND ($5::uuid IS NULL OR run_id = $5)
     AND (found_at, ${DRIFT_ID}) < ($6::timestamptz, $7::uuid)
   ORDER BY found_at DESC, ${DRIFT_ID} DESC LIMIT $2`;
