import { Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { ActivityService } from './activity.service';
import { activityOf } from './asked-activity';

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Writes down what requests under /v1 changed, before they are answered: whoever was told that it is done finds it in the
 * log, even if the host is killed just then. Refusals are written behind their answers.
 */
@Injectable()
export class ActivityMiddleware implements NestMiddleware {
  private readonly log = new Logger('activity');

  constructor(private readonly activity: ActivityService) {}

  use(request: Request, response: Response, next: NextFunction): void {
    if (SAFE.includes(request.method) || !request.originalUrl.startsWith('/v1/')) return next();
    let answered: unknown;
    const json = response.json.bind(response);
    response.json = (body: unknown) => {
      answered = body;
      return json(body);
    };
    const end = response.end.bind(response) as (...all: unknown[]) => Response;
    response.end = (...all: unknown[]) => {
      response.end = end as Response['end'];
      const recorded = this.record(request, response.statusCode, answered ?? response.locals.problem);
      if (!recorded || response.statusCode >= 400) return end(...all);
      void recorded.then(() => end(...all));
      return response;
    };
    next();
  }

  private record(request: Request, status: number, answered: unknown): Promise<void> | undefined {
    try {
      const entry = activityOf(request, status, answered);
      return entry && this.activity.record(entry);
    } catch (error) {
      this.log.error(`${request.method} ${request.path} cannot be written down: ${(error as Error).message}`);
      return undefined;
    }
  }
}
