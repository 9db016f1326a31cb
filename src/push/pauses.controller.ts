import { Body, Controller, Delete, HttpCode, Param, Put, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Request } from 'express';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { ChannelsService } from '../channels/channels.service';
import { IsText } from '../http/fields';
import { JobsService } from '../jobs/jobs.service';

class PauseBody {
  @ApiProperty({ description: 'For those who find the channel paused', example: 'stocktaking until Monday' })
  @IsText(500)
  reason: string;
}

/** Stops pushing to a channel by hand, on all hosts. What changes meanwhile stays dirty and is pushed after it. */
@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/pause')
export class PausesController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly jobs: JobsService,
  ) {}

  @Put()
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Stop pushing to the channel',
    description:
      'A batch that is being sent is finished. Pausing again changes the reason. Orders are taken as ever.',
  })
  async pause(@Param('channel') channel: string, @Body() { reason }: PauseBody, @Req() { caller }: Request) {
    this.channels.get(channel);
    const [pause] = await this.dataSource.query(
      `INSERT INTO channel_pauses (channel, reason, paused_by) VALUES ($1, $2, $3)
       ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, paused_by = excluded.paused_by
       RETURNING channel, reason, paused_by AS "pausedBy", paused_at AS "pausedAt"`,
      [channel, reason, `api:${caller!.name}`],
    );
    return pause;
  }

  @Delete()
  @HttpCode(204)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Push to the channel again; what changed since is pushed at once' })
  async resume(@Param('channel') channel: string): Promise<void> {
    this.channels.get(channel);
    await this.dataSource.query('DELETE FROM channel_pauses WHERE channel = $1', [channel]);
    this.jobs.wake('push-listings', channel);
  }
}
