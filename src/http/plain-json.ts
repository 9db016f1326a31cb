import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { Problem } from './problem';

const MAX_DEPTH = 12;
/** What every object has already: class-transformer would drop such a field in silence, or reach a prototype. */
const FORBIDDEN_KEYS = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

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

/** Listings and counts come as CSV too, which the controller reads by itself, once it is known who sends it. */
function isImport({ method, path, headers }: Request): boolean {
  const isCsv = /^text\/csv\s*(;|$)/i.test(headers['content-type'] ?? '');
  return isCsv && method === 'POST' && /^\/v1\/(channels\/[^/]+\/listings\/import|counts)$/.test(path);
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function refuse(field: string, message: string): never {
  throw new Problem('invalid-request', `${field || 'the body'} ${message}`, { errors: [{ field, message }] });
}

/**
 * For `express.json`, before it decodes: bytes that are no UTF-8 would be replaced in silence, and two SKUs
 * could become one.
 */
export function assertUtf8(
  _request: IncomingMessage,
  _response: ServerResponse,
  body: Buffer,
  encoding: string,
): void {
  if (encoding === 'utf-8' && !isUtf8(body)) refuse('', 'must be JSON in UTF-8');
}

/** For parsed bodies and for the address, whose escapes Express decodes later. */
export function plainJson(request: Request, _response: Response, next: NextFunction): void {
  if (request.url.includes('%00')) refuse('url', 'must not hold a NUL character');
  // A body that nobody read would count as none, and releasing `lines` would release everything.
  if (request.body === undefined && hasBody(request) && !isImport(request))
    throw new Problem(
      'unsupported-media-type',
      'send the body with the header `Content-Type: application/json`',
    );
  if (request.body !== undefined && !Buffer.isBuffer(request.body)) assertPlainJson(request.body);
  next();
}
