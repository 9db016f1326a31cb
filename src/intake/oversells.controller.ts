import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsIn } from 'class-validator';
import type { Request } from 'express';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { poolOf } from '../database/pool';
import { IsText, MayBeAbsent } from '../http/fields';
import { cursorNumber, pageOf, PageQuery } from '../http/page';
import { JobsService } from '../jobs/jobs.service';
import { readCandidates, type ShortOrder } from './cancel-candidates';
import { CancellationsService } from './cancellations.service';
import { actorOf } from './intake.controller';
import { NotParkedHereError, WrongStateError } from './intake.errors';
import { LIST_OVERSELLS, SHOW_OVERSELL } from './oversell-views';
import {
  CANCEL_ORDERS,
  FILL_BACKORDERS,
  type OversellDecision,
  OversellsService,
  type OversellState,
} from './oversells.service';

const OPEN_STATES: readonly OversellState[] = ['held', 'grace', 'backordered', 'cancelling', 'pending'];
const STATES: readonly OversellState[] = [...OPEN_STATES, 'resolved', 'closed'];

class OversellsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['open', ...STATES], default: 'open' })
  @MayBeAbsent()
  @IsIn(['open', ...STATES])
  state: 'open' | OversellState = 'open';

  @MayBeAbsent()
  @IsText(100)
  channel?: string;
}

class DecisionBody {
  /** For whoever asks later. */
  @IsText(500)
  reason: string;
}

class CancelBody extends DecisionBody {
  /** To the customer; from the channel's template when absent. */
  @MayBeAbsent()
  @IsText(2_000)
  message?: string;
}

/** Of a channel that is not configured any more: nothing can be cancelled there. */
const NO_PENALTY = 10;

const HOLD: OversellDecision = {
  action: 'hold',
  from: ['grace', 'backordered', 'cancelling', 'pending', 'closed'],
  to: 'held',
};
const BACKORDER: OversellDecision = {
  action: 'backorder',
  from: ['held', 'grace', 'closed'],
  to: 'backordered',
};
const CLOSE: OversellDecision = { action: 'close', from: ['held', 'grace', 'backordered'], to: 'closed' };
const CANCEL: OversellDecision = {
  action: 'cancel',
  from: ['held', 'grace', 'backordered', 'closed'],
  to: 'cancelling',
  already: ['cancelling', 'pending'],
};

/** The oversell desk: orders that a channel accepted and stock does not cover. */
@ApiTags('oversells')
@ApiBearerAuth()
@Controller('v1/oversells')
export class OversellsController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly oversells: OversellsService,
    private readonly cancellations: CancellationsService,
    private readonly channels: ChannelsService,
    private readonly jobs: JobsService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Orders that stock does not cover, with the reservations that took the units' })
  async list(@Query() { state, channel, cursor, limit }: OversellsQuery) {
    const states = state === 'open' ? OPEN_STATES : [state];
    const rows: ShortOrder[] = await this.dataSource.query(LIST_OVERSELLS, [
      states,
      channel ?? null,
      cursorNumber(cursor) ?? 0,
      limit + 1,
    ]);
    const page = pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => row,
    );
    return { ...page, items: await this.ranked(page.items) };
  }

  @Get(':id')
  @Needs('channels:read')
  @ApiOperation({ summary: 'One of them, with what its channel was asked and what people did' })
  find(@Param('id') id: string) {
    return this.show(idOf(id));
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Have the channel cancel what is short, at most once; it is asked after the answer',
  })
  async cancel(@Param('id') id: string, @Body() body: CancelBody, @Req() request: Request) {
    const { channel } = await this.oversells.get(idOf(id));
    const cannot = this.oversells.whyNotCancelled(channel, false);
    if (cannot !== undefined) throw new WrongStateError(cannot);
    const by = { actor: actorOf(request), reason: body.reason };
    await this.oversells.decide(idOf(id), CANCEL, by, async (client, oversell) => {
      if (!(await this.cancellations.intend(client, oversell, by.actor, body.message)))
        throw new WrongStateError('nothing of what is short can be cancelled any more');
    });
    this.jobs.wake(CANCEL_ORDERS, channel);
    return this.show(idOf(id));
  }

  @Post(':id/backorder')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Let it wait for stock: what comes is reserved for the oldest orders first' })
  async backorder(@Param('id') id: string, @Body() body: DecisionBody, @Req() request: Request) {
    const answer = await this.decide(id, BACKORDER, body, request);
    this.jobs.wake(FILL_BACKORDERS);
    return answer;
  }

  @Post(':id/hold')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Do nothing of itself until a person decides' })
  hold(@Param('id') id: string, @Body() body: DecisionBody, @Req() request: Request) {
    return this.decide(id, HOLD, body, request);
  }

  @Post(':id/close')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'It was taken care of elsewhere; it opens again when more is short' })
  close(@Param('id') id: string, @Body() body: DecisionBody, @Req() request: Request) {
    return this.decide(id, CLOSE, body, request);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Reserve what is there now' })
  async retry(@Param('id') id: string) {
    const oversell = await this.oversells.get(idOf(id));
    await this.oversells.tryAgain(oversell);
    await this.oversells.follow();
    return this.show(oversell.id);
  }

  private async decide(id: string, decision: OversellDecision, { reason }: DecisionBody, request: Request) {
    await this.oversells.decide(idOf(id), decision, { reason, actor: actorOf(request) });
    return this.show(idOf(id));
  }

  private async show(id: number): Promise<object> {
    const rows: ShortOrder[] = await this.dataSource.query(SHOW_OVERSELL, [id]);
    const [shown] = await this.ranked(rows);
    if (!shown) throw new NotParkedHereError('oversell');
    const draft = this.channels.has(shown.channel)
      ? await this.cancellations.draft(poolOf(this.dataSource), shown)
      : undefined;
    return { ...shown, draft: draft ?? null };
  }

  /** With which order to cancel, and why none can be from here. */
  private async ranked<T extends ShortOrder>(oversells: readonly T[]) {
    const has = (name: string) => this.channels.has(name);
    const penaltyOf = (name: string) =>
      has(name) ? this.channels.get(name).config.shortfall.cancelPenalty : NO_PENALTY;
    const candidates = await readCandidates(poolOf(this.dataSource), oversells, penaltyOf);
    return oversells.map((oversell, at) => ({
      ...oversell,
      cannotCancel: has(oversell.channel)
        ? (this.oversells.whyNotCancelled(oversell.channel, false) ?? null)
        : 'the channel is not configured any more',
      candidates: candidates[at]!,
    }));
  }
}

function idOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new NotParkedHereError('oversell');
  return Number(text);
}
