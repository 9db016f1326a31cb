import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/scopes';
import { ChannelsService } from '../channels/channels.service';
import { LimitQuery } from '../http/page';
import { ReconcileService } from './reconcile.service';

@ApiTags('reconcile')
@ApiBearerAuth()
@Controller('v1/channels/:channel')
export class ReconcileController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly reconciling: ReconcileService,
  ) {}

  @Post('reconcile')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Compare the channel with the ledger now; what drifted is pushed again' })
  reconcile(@Param('channel') channel: string) {
    return this.reconciling.reconcile(channel);
  }

  @Get('reconciliations')
  @Needs('channels:read')
  @ApiOperation({ summary: 'The last comparisons of the channel, newest first' })
  async runs(@Param('channel') channel: string, @Query() { limit }: LimitQuery) {
    this.channels.get(channel);
    const items = await this.dataSource.query(
      `SELECT id, started_at AS "startedAt", finished_at AS "finishedAt", listings, equal, in_flight AS "inFlight",
              drifted, missing, unmapped, error
         FROM reconcile_runs WHERE channel = $1 ORDER BY started_at DESC LIMIT $2`,
      [channel, limit],
    );
    return { items };
  }

  @Get('drifts')
  @Needs('channels:read')
  @ApiOperation({ summary: 'What the comparisons found, newest first' })
  async drifts(@Param('channel') channel: string, @Query() { limit }: LimitQuery) {
    this.channels.get(channel);
    const items = await this.dataSource.query(
      `SELECT run_id AS "runId", channel_sku AS "channelSku", nullif(channel_location, '') AS "channelLocation", cause, shown_units AS shown, expected_units AS expected, found_at AS "foundAt"
         FROM drifts WHERE channel = $1 ORDER BY found_at DESC, channel_sku LIMIT $2`,
      [channel, limit],
    );
    return { items };
  }
}
