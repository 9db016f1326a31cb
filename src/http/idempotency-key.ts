import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { invalidRequest } from './validation';

const WELL_FORMED = /^[\x21-\x7e]{1,200}$/;

/** Keys given by callers never meet the host's own, which start with other words. */
export function callersKey(key: string): string {
  return `api:${key}`;
}

/** A key for a request that names none: it can be retried by the host, not by its caller. */
export function freshKey(): string {
  return `once:${randomUUID()}`;
}

/** The ledger's key for the request: from its `Idempotency-Key` header, or a fresh one. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const header = context.switchToHttp().getRequest<Request>().headers['idempotency-key'];
  if (header === undefined) return freshKey();
  if (typeof header !== 'string' || !WELL_FORMED.test(header)) {
    throw invalidRequest([
      { field: 'Idempotency-Key', message: 'must be 1 to 200 printable ASCII characters without spaces' },
    ]);
  }
  return callersKey(header);
});
