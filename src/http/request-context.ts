import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

const WELL_FORMED_ID = /^[\w.:-]{1,100}$/;
const SLOW_MS = 1_000;

const requests = new AsyncLocalStorage<string>();
const log = new Logger('http');

/** The id of the request that the running code serves, if it serves one. */
export function requestId(): string | undefined {
  return requests.getStore();
}

/**
 * Gives each request its id (the caller's `X-Request-Id` where well formed), which every log line and
 * problem of the request carries. Logs what was refused, failed or slow; at thousands a second a line for
 * each of the others would cost more than the request.
 */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && WELL_FORMED_ID.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const started = performance.now();
  response.once('finish', () => {
    const { statusCode: status } = response;
    const tookMs = Math.round(performance.now() - started);
    if (status < 400 && tookMs < SLOW_MS) return;
    // The query may hold what belongs in no log.
    const [path] = request.originalUrl.split('?');
    requests.run(id, () => log.warn(`${request.method} ${path} answered ${status} after ${tookMs} ms`));
  });
  requests.run(id, next);
}
