import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import { ReceiversService } from './receivers.service';

@ApiTags('events')
@ApiBearerAuth()
@Controller('v1/receivers')
export class ReceiversController {
  constructor(private readonly receivers: ReceiversService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Who outside is told of what, and whether it arrives' })
  async list() {
    return { items: await this.receivers.list() };
  }

  @Post(':name/test')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Send the receiver a test now',
    description:
      'An event `receiver.test`, signed and carried as any other. One that arrives enables a receiver that had answered 410.',
  })
  async test(@Param('name') name: string) {
    const { delivered, status, error } = await this.receivers.test(name);
    return { delivered, status, error };
  }
}
