import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import { ChannelStatusService } from './channel-status.service';

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels')
export class ChannelStatusController {
  constructor(private readonly status: ChannelStatusService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Every channel, whether it is served, and what waits on it' })
  async list() {
    return { items: await this.status.all() };
  }
}
