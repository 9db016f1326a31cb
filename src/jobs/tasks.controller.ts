import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Needs } from '../access/needs';
import { IsCode, MayBeAbsent } from '../http/fields';
import { pageOf, PageQuery, placeOfCursor } from '../http/page';
import { TASK_STATES, TasksService, type TaskState } from './tasks.service';

class TasksQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Such as reconcile, verify, rebuild' })
  @MayBeAbsent()
  @IsCode()
  kind?: string;

  @ApiPropertyOptional({ description: 'Such as a channel' })
  @MayBeAbsent()
  @IsCode()
  subject?: string;

  @ApiPropertyOptional({ enum: TASK_STATES })
  @MayBeAbsent()
  @IsIn(TASK_STATES)
  state?: TaskState;
}

@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/tasks')
export class TasksController {
  constructor(private readonly tasks: TasksService) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Long tasks of the last 30 days with how far each is, newest first' })
  async list(@Query() { limit, cursor, ...filter }: TasksQuery) {
    const tasks = await this.tasks.list(limit + 1, filter, placeOfCursor(cursor));
    return pageOf(
      tasks,
      limit,
      ({ place }) => place,
      ({ place: _place, ...task }) => task,
    );
  }

  @Get(':id')
  @Needs('channels:read')
  @ApiOperation({ summary: 'A long task: how far it is, and its report once it is over' })
  one(@Param('id', ParseUUIDPipe) id: string) {
    return this.tasks.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Needs('channels:write')
  @ApiOperation({ summary: 'End a long task; what it has done stays done' })
  cancel(@Param('id', ParseUUIDPipe) id: string) {
    return this.tasks.cancel(id);
  }
}
