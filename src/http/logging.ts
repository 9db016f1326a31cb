import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Params } from 'nestjs-pino';
import type { Config } from '../config/config';

const WELL_FORMED_ID = /^[\w.:-]{1,100}$/;

/** Header names and fields whose values never reach a log. */
const REDACTED = [
  'req.headers',
  'res.headers',
  '*.password',
  '*.secret',
  '*.token',
  '*.authorization',
  '*.apiKey',
  '*.accessToken',
  '*.refreshToken',
  '*.clientSecret',
];

/**
 * Structured logs on standard error with a request id on every line of a request. Answers below 400 are
 * logged at debug: at thousands a second their lines would cost more than the requests.
 */
export function logging(config: Config): Params {
  const { level, pretty } = config.log;
  const readable = pretty === 'auto' ? process.stderr.isTTY : pretty;
  return {
    pinoHttp: [
      {
        level,
        redact: { paths: REDACTED, remove: true },
        genReqId: requestId,
        customLogLevel: (_request, response, error) =>
          error || response.statusCode >= 500 ? 'error' : response.statusCode >= 400 ? 'warn' : 'debug',
        serializers: {
          req: ({ id, method, url }: { id: string; method: string; url: string }) => ({
            id,
            method,
            path: url.split('?')[0],
          }),
          res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
        },
        ...(readable && {
          transport: {
            target: 'pino-pretty',
            options: { destination: 2, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' },
          },
        }),
      },
      process.stderr,
    ],
  };
}

function requestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && WELL_FORMED_ID.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  return id;
}
