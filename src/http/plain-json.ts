import type { NextFunction, Request, Response } from 'express';
import { Problem } from './problem';

const MAX_DEPTH = 12;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses, before anything walks or stores it, JSON that is nested too deeply, that carries NUL characters
 * (PostgreSQL cannot store them) or keys that reach into prototypes. Throws `Problem` naming the field.
 */
export function assertPlainJson(value: unknown): void {
  const stack: { value: unknown; path: string; depth: number }[] = [{ value, path: '', depth: 0 }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value: current, path, depth } = next;
    if (typeof current === 'string') {
      if (current.includes('\0')) refuse(path, 'must not hold a NUL character');
    } else if (typeof current === 'object' && current !== null) {
      if (depth >= MAX_DEPTH) refuse(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
      for (const key of Object.keys(current)) {
        const at = Array.isArray(current) ? `${path}[${key}]` : path ? `${path}.${key}` : key;
        if (FORBIDDEN_KEYS.has(key) || key.includes('\0')) refuse(at.replaceAll('\0', ''), 'is not a field');
        stack.push({ value: (current as Record<string, unknown>)[key], path: at, depth: depth + 1 });
      }
    }
  }
}

function refuse(field: string, message: string): never {
  throw new Problem('invalid-request', `${field || 'the body'} ${message}`, { errors: [{ field, message }] });
}

/** For parsed bodies and for the address, whose escapes Express decodes later. */
export function plainJson(request: Request, _response: Response, next: NextFunction): void {
  if (request.url.includes('%00')) refuse('url', 'must not hold a NUL character');
  if (request.body !== undefined && !Buffer.isBuffer(request.body)) assertPlainJson(request.body);
  next();
}
