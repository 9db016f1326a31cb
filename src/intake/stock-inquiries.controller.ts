import { Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Open } from '../access/needs';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import type { InquiryAnswer, PublishedUnits } from '../channel-api';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Problem } from '../http/problem';
import { withinDeadline } from './deadline';
import { rawRequest } from './webhooks.controller';

/** Marketplaces give up after half a second; an answer later than this is nobody's. */
const ANSWER_SECONDS = 1;

/**
 * A marketplace asks at its checkout whether there is enough. Answered from memory: no look at the database, so
 * that it is quick while others write, and goes on while the database is away. A channel that is only observed or
 * piloted gets no answer, for an answer decides about a sale.
 */
@ApiTags('webhooks')
@Controller('webhooks')
export class StockInquiriesController {
  constructor(
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
  ) {}

  @Post([':channel/stock-inquiry', ':channel/stock-inquiry/token'])
  @Open()
  @ApiOperation({ summary: "A channel's question at its checkout; the plugin checks who asks" })
  async answer(
    @Param('channel') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const answer = await this.ask(name, request);
    response.status(answer.status).set(answer.headers ?? {});
    // Not to be kept anywhere: in a second it may be wrong.
    response.set('cache-control', 'no-store').type(answer.contentType).send(answer.body);
  }

  private ask(name: string, request: Request): Promise<InquiryAnswer> {
    const served = this.channels.get(name);
    if (served.state === 'failed')
      throw new Problem('channel-not-served', 'the channel is not served now; see GET /v1/channels');
    const { channel, config } = served;
    if (config.mode !== 'live')
      throw new Problem(
        'channel-not-served',
        `${name} is in mode ${config.mode}: it is told nothing of its stock`,
      );
    if (!channel.answerStockInquiry)
      throw new Problem('not-found', `${name} answers no stock inquiries; see its plugin's options`);
    const answered = channel.answerStockInquiry(rawRequest(request, name), this.unitsOf(name));
    return withinDeadline(answered, ANSWER_SECONDS, 'answering the stock inquiry');
  }

  private unitsOf(channel: string): PublishedUnits {
    return (channelSku, channelLocation) => {
      const listing = this.listings.find(channel, channelSku);
      if (!listing) return undefined;
      if (channelLocation === undefined) return this.published.computeFromMemory(listing).quantity;
      return this.published.computeAtFromMemory(listing, channelLocation)?.quantity;
    };
  }
}
