import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { Request } from 'express';
import type { Caller } from '../access/api-keys.service';
import { Needs } from '../access/needs';
import { IsText } from '../http/fields';
import type { HeldAs } from './breaker-records';
import { BreakerService } from './breaker.service';

const ACTIONS: readonly HeldAs[] = ['open', 'closed', 'auto'];

class HoldBreaker {
  @ApiProperty({
    enum: ACTIONS,
    description: '`open` and `closed` keep it so until `auto` lets it decide by itself',
  })
  @IsIn(ACTIONS)
  state!: HeldAs;

  @ApiProperty({ example: 'the marketplace announced maintenance' })
  @IsText(500)
  reason!: string;
}

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/breaker')
export class BreakerController {
  constructor(private readonly breakers: BreakerService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({
    summary: 'Whether the channel is left alone because it does not answer, and what led to it',
  })
  async told(@Param('channel') channel: string) {
    return { ...this.breakers.stateOf(channel), changes: await this.breakers.changesOf(channel) };
  }

  @Post()
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Keep the breaker open or closed, or let it decide by itself again' })
  async hold(
    @Param('channel') channel: string,
    @Body() { state, reason }: HoldBreaker,
    @Req() request: Request,
  ) {
    await this.breakers.hold(channel, state, reason, `api:${(request.caller as Caller).name}`);
    return this.told(channel);
  }
}
