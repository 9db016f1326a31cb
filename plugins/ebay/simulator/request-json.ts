import type { SimulatedRequest } from 'onhand/channel-api';
import { EbayRefusal } from './refusal';

export type JsonObject = Record<string, unknown>;

export function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function asList(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Throws `EbayRefusal` (400) on what is not JSON, or is not said to be. */
export function jsonOf({ body, headers }: SimulatedRequest): JsonObject {
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    throw new EbayRefusal(415, 2004, 'Invalid request: Content-Type must be application/json', 'ACCESS');
  try {
    return asObject(JSON.parse(body.toString('utf8')));
  } catch {
    throw new EbayRefusal(400, 2004, 'Could not serialize field: the body is not JSON', 'ACCESS');
  }
}

/** A whole number of the query within bounds, or `refusal`. */
export function numberIn(
  query: URLSearchParams,
  name: string,
  { standard, least, most }: { standard: number; least: number; most: number },
  refusal: () => EbayRefusal,
): number {
  const text = query.get(name);
  const value = text === null ? standard : Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw refusal();
  return value;
}
