import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { Needs } from '../access/needs';
import { MayBeAbsent } from '../http/fields';
import { cursorNumber, pageOf, PageQuery } from '../http/page';
import { ChannelsService } from './channels.service';
import { CHANNEL_SKU } from './listing-rows';
import { SuggestionsService } from './suggestions.service';
import { UnmappedService } from './unmapped.service';

const MAX_AT_ONCE = 1_000;

class UnmappedQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], default: 'false', description: 'Those that are ignored' })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  ignored: string = 'false';
}

class SuggestionQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], default: 'false', description: 'Those dismissed' })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  dismissed: string = 'false';
}

class ChannelSkuList {
  @ApiProperty({ type: [String] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_AT_ONCE)
  @Matches(CHANNEL_SKU, { each: true, message: 'must each be 1 to 200 printable characters' })
  channelSkus: string[];
}

class SuggestionList {
  @ApiProperty({ type: [Number] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_AT_ONCE)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(Number.MAX_SAFE_INTEGER, { each: true })
  ids: number[];
}

/** What nobody has mapped, and what it may be. */
@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel')
export class UnmappedController {
  constructor(
    private readonly channels: ChannelsService,
    private readonly unmapped: UnmappedService,
    private readonly suggestions: SuggestionsService,
  ) {}

  @Get('unmapped')
  @Needs('channels:read')
  @ApiOperation({
    summary: "The channel's SKUs that nobody has mapped, first seen first",
    description: 'Met in orders, whose lines wait for the mapping, or in what the channel shows.',
  })
  async list(@Param('channel') channel: string, @Query() { limit, cursor, ignored }: UnmappedQuery) {
    this.channels.get(channel);
    const rows = await this.unmapped.page(channel, cursorNumber(cursor) ?? 0, limit + 1, ignored === 'true');
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      ({ id: _id, ...row }) => row,
    );
  }

  @Post('unmapped/ignore')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Take SKUs that never will be mapped out of the queue' })
  ignore(@Param('channel') channel: string, @Body() { channelSkus }: ChannelSkuList) {
    return this.setIgnored(channel, channelSkus, true);
  }

  @Post('unmapped/unignore')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Put ignored SKUs back into the queue' })
  unignore(@Param('channel') channel: string, @Body() { channelSkus }: ChannelSkuList) {
    return this.setIgnored(channel, channelSkus, false);
  }

  @Post('suggestions')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Read the channel and propose what its unmapped SKUs are, by code and barcode',
    description: 'Maps nothing: each proposal waits to be confirmed or dismissed.',
  })
  suggest(@Param('channel') channel: string) {
    return this.suggestions.suggest(channel);
  }

  @Get('suggestions')
  @Needs('channels:read')
  @ApiOperation({
    summary: 'Proposed matches, with reasons and with what makes them ambiguous',
    description:
      '`alternatives` are other SKUs that it may be, `sharedWith` other channel SKUs that may be or are the same SKU.',
  })
  async suggested(@Param('channel') channel: string, @Query() { limit, cursor, dismissed }: SuggestionQuery) {
    this.channels.get(channel);
    const after = cursorNumber(cursor) ?? 0;
    const rows = await this.suggestions.page(channel, after, limit + 1, dismissed === 'true');
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => row,
    );
  }

  @Post('suggestions/confirm')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Map what was proposed, one unit each; each is answered on its own' })
  async confirm(@Param('channel') channel: string, @Body() { ids }: SuggestionList) {
    this.channels.get(channel);
    return { items: await this.suggestions.confirm(channel, [...new Set(ids)]) };
  }

  @Post('suggestions/dismiss')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Turn proposals down; they are not made again' })
  async dismiss(@Param('channel') channel: string, @Body() { ids }: SuggestionList) {
    this.channels.get(channel);
    return { items: await this.suggestions.dismiss(channel, [...new Set(ids)]) };
  }

  private async setIgnored(channel: string, channelSkus: string[], ignored: boolean) {
    this.channels.get(channel);
    const asked = [...new Set(channelSkus)];
    const unknown = await this.unmapped.setIgnored(channel, asked, ignored);
    return { ignored, changed: asked.length - unknown.length, unknown };
  }
}
