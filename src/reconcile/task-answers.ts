import { Injectable } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import type { Response } from 'express';
import { MayBeAbsent } from '../http/fields';
import { TasksService, type TaskView } from '../jobs/tasks.service';

/** Longer than most answers take, and shorter than proxies wait. */
const DEFAULT_WAIT_SECONDS = 50;

export class WaitQuery {
  @ApiPropertyOptional({
    description: 'Seconds to wait for the report; 0 to have the task at once',
    default: 50,
  })
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(100)
  wait: number = DEFAULT_WAIT_SECONDS;
}

/** How requests for long work are answered: with the report where it is there in time, else with the task. */
@Injectable()
export class TaskAnswers {
  constructor(private readonly tasks: TasksService) {}

  /** Throws `TaskFailedError` with the code of what the work failed with. */
  async answer(started: TaskView, waitSeconds: number, response: Response): Promise<object> {
    const task = await this.tasks.wait(started.id, waitSeconds * 1000);
    if (task.finishedAt !== null) return this.tasks.reportOf(task);
    response.status(202);
    return task;
  }
}
