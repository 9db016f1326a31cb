import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

const WELL_FORMED_ID = /^[\w.:-]{1,100}$/;
const SLOW_MS = 1_000;

const log = new Logger('http');

/** The id given to each request, for its log lines and its problem. */
export function requestId(request: Request): string | undefined {
  return (request as Identified).id;
}

type Identified = Request & { id?: string };

/**
 * Gives each request its id (the caller's `X-Request-Id` where well formed), which its log lines and its
 * problem carry. It is kept on the request and not in an AsyncLocalStorage, which on Node 20 slows every
 * promise of the process. Logs what was refused, failed or slow; at thousands a second a line for each of
 * the others would cost more than the request.
 */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && WELL_FORMED_ID.test(given) ? given : randomUUID();
  (request as Identified).id = id;
  response.setHeader('X-Request-Id', id);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // For answers that a browser is made to show in spite of their type; pages set their own.
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  if (request.url.startsWith('/v1/')) response.setHeader('Cache-Control', 'no-store');
  const started = performance.now();
  response.once('finish', () => {
    const { statusCode: status } = response;
    const tookMs = Math.round(performance.now() - started);
    if (status < 400 && tookMs < SLOW_MS) return;
    // The query may hold what belongs in no log.
    const [path] = request.originalUrl.split('?');
    log.warn({ requestId: id, msg: `${request.method} ${path} answered ${status} after ${tookMs} ms` });
  });
  next();
}
