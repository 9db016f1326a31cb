import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import { ChannelsService } from './channels.service';
import { LimitsService } from './limits.service';

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/limits')
export class LimitsController {
  constructor(
    private readonly channels: ChannelsService,
    private readonly limits: LimitsService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({
    summary: 'How many calls the channel takes, and how many are left now, over all hosts',
    description: 'None for a channel that is not served: its limits are declared by its plugin.',
  })
  async levels(@Param('channel') name: string) {
    const channel = this.channels.get(name);
    return { items: channel.state === 'failed' ? [] : await this.limits.levelsOf(name, channel.limits) };
  }
}
