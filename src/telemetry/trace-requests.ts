import type { NextFunction, Request, Response } from 'express';
import { traced } from './tracing';

/** A span for each request that may change something; reading is left out, for consoles do nothing else. */
export function traceRequests(request: Request, response: Response, next: NextFunction): void {
  const { method } = request;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') {
    next();
    return;
  }
  const start = () => ({
    name: method,
    kind: 'server' as const,
    parent: request.headers.traceparent === undefined ? null : String(request.headers.traceparent),
    facts: { 'http.request.method': method },
  });
  void traced(start, async (span) => {
    const answered = new Promise<void>((resolve) => response.once('close', resolve));
    next();
    await answered;
    // Only now is the route known. The path itself may name orders.
    const route = (request.route as { path?: unknown } | undefined)?.path;
    if (typeof route === 'string') {
      span.rename(`${method} ${route}`);
      span.add({ 'http.route': route });
    }
    const { channel } = request.params;
    span.add({
      'http.response.status_code': response.statusCode,
      'onhand.channel': typeof channel === 'string' ? channel : undefined,
    });
  });
}
