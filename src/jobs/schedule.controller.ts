import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import { ScheduleService } from './schedule.service';

@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/schedule')
export class ScheduleController {
  constructor(private readonly schedule: ScheduleService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Every recurring task: how often, when next, and how the last run went' })
  async list() {
    return { items: await this.schedule.list() };
  }

  @Post(':name/run')
  @HttpCode(202)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Run a recurring task now; one that is running runs once more after it' })
  async run(@Param('name') name: string) {
    await this.schedule.hurry(name);
    return { name, due: true };
  }
}
