import type { Params } from 'nestjs-pino';
import type { Config } from '../config/config';
import { readableArguments } from './log-lines';

/** Fields whose values never reach a log, however they got there. */
const REDACTED = [
  'headers',
  'password',
  'secret',
  'token',
  'authorization',
  'apiKey',
  'accessToken',
  'refreshToken',
  'clientSecret',
];

/** Structured logs on standard error, readable ones on a terminal. */
export function logging(config: Config): Params {
  const { level, pretty } = config.log;
  const readable = pretty === 'auto' ? process.stderr.isTTY : pretty;
  return {
    // Requests are logged by requestContext; pino-http would make a logger for each of them.
    forRoutes: [],
    pinoHttp: [
      {
        level,
        redact: { paths: [...REDACTED, ...REDACTED.map((field) => `*.${field}`)], remove: true },
        hooks: {
          logMethod(given, method) {
            method.apply(this, readableArguments(given) as Parameters<typeof method>);
          },
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
