import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import type { ChannelAuthorization } from '../channel-api';
import { IsText } from '../http/fields';
import { Problem } from '../http/problem';
import { codeOf } from './authorization-answer';
import { ChannelNotServedError } from './channels.errors';
import { ChannelsService } from './channels.service';

/** eBay's codes have up to 1,024 characters, more where they are encoded, and stand in an address. */
const LONGEST_ANSWER = 8_192;

class AuthorizationAnswer {
  @ApiProperty({
    example: 'https://shop.example/thanks?code=v%5E1.1%23i&state=ebay',
    description: 'The whole address that the browser was sent to after the consent, or the code of it alone',
  })
  @IsText(LONGEST_ANSWER)
  answer!: string;
}

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/authorization')
export class AuthorizationController {
  constructor(private readonly channels: ChannelsService) {}

  @Get()
  @Needs('channels:write')
  @ApiOperation({ summary: 'Where the owner of the account consents, and whether that is done' })
  async told(@Param('channel') channel: string) {
    const authorization = this.authorizationOf(channel);
    const { isGiven, endsAt } = await authorization.standing();
    return { consentUrl: authorization.consentUrl(channel), given: isGiven, endsAt: endsAt ?? null };
  }

  @Post()
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Hand in what came back from the consent; its code is exchanged once' })
  async accept(@Param('channel') channel: string, @Body() { answer }: AuthorizationAnswer) {
    await this.authorizationOf(channel).accept(codeOf(answer, channel));
    return this.told(channel);
  }

  private authorizationOf(name: string): ChannelAuthorization {
    const found = this.channels.get(name);
    if (found.state !== 'ready') throw new ChannelNotServedError(name, found.error);
    if (found.channel.authorization) return found.channel.authorization;
    throw new Problem('wrong-state', `${name} is signed in to by its options alone; nobody has to consent`);
  }
}
