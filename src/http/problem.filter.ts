import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { requestId } from './request-context';
import { Problem, type ProblemBody, problemBody, type ProblemCode, PROBLEMS } from './problem';
import { TooManyRequests } from './too-many-requests';

const log = new Logger('http');

/** Answers every error as a problem; what nobody foresaw is logged whole and told as nothing but its id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const context = host.switchToHttp();
    const request = context.getRequest<Request>();
    const response = context.getResponse<Response>();
    const body = problemOf(error);
    body.requestId = requestId(request);
    response.locals.problem = body;
    if (body.status >= 500) {
      log.error({ requestId: body.requestId, err: error, msg: `${request.method} ${request.path} failed` });
    }
    if (response.headersSent) {
      response.end();
      return;
    }
    if (body.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="onhand"');
    if (error instanceof TooManyRequests) response.set(error.headers);
    if (body.status === 503) response.setHeader('Retry-After', '5');
    response.status(body.status).type('application/problem+json').send(JSON.stringify(body));
  }
}

/** Errors of body parsing, routing and the rooms, told by shape: `code` names the problem. */
export function problemOf(error: unknown): ProblemBody {
  if (error instanceof Problem) return { ...(error.getResponse() as ProblemBody) };
  const { code, type, message, field } = (error ?? {}) as {
    code?: string;
    type?: string;
    message?: string;
    field?: string;
  };
  if (type === 'entity.too.large')
    return problemBody('payload-too-large', 'send less at once, or raise server.bodyLimitBytes');
  if (type === 'entity.parse.failed')
    return problemBody('invalid-request', `the body is not JSON: ${message}`);
  if (type?.startsWith('charset.') || type?.startsWith('encoding.'))
    return problemBody('unsupported-media-type', message ?? type);
  // The router's own message repeats the address, whose query may hold what belongs in no answer and no log.
  if (error instanceof HttpException)
    return problemOfStatus(error.getStatus(), error.message.replace(/\?.*/s, ''));
  if (code && Object.hasOwn(PROBLEMS, code) && code !== 'internal-error') {
    const errors = field ? [{ field, message: message ?? code }] : undefined;
    return problemBody(code as ProblemCode, message ?? code, errors && { errors });
  }
  const status = (error as { status?: number })?.status;
  if (status && status >= 400 && status < 500)
    return problemOfStatus(status, message ?? 'the request is malformed');
  return problemBody('internal-error', 'the host logged what happened under this requestId');
}

function problemOfStatus(status: number, message: string): ProblemBody {
  const byStatus: Record<number, ProblemCode> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not-found',
    413: 'payload-too-large',
    415: 'unsupported-media-type',
  };
  const code = byStatus[status] ?? (status < 500 ? 'invalid-request' : 'internal-error');
  return problemBody(code, message);
}
