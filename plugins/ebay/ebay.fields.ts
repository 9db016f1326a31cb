import { ChannelProtocolError, parseJsonLossless, UntranslatableError } from 'onhand/channel-api';

/** What eBay sent, before it is known to be what eBay documents. */
export type Json = Record<string, unknown>;

/** Throws `UntranslatableError`, as all that read a field here do: it names the field, never its value. */
export function objectIn(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new UntranslatableError(`${name} must be a JSON object`);
}

export function listIn(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UntranslatableError(`${name} must be a list`);
}

/** The list that a whole answer is there for. Throws `ChannelProtocolError` where there is none. */
export function rowsIn(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ChannelProtocolError(`the answer has no list "${name}", which eBay documents`);
}

/** An id, as text: eBay's grow beyond what a number can hold. */
export function idIn(value: unknown, name: string): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && text !== '' && text.length <= 200) return text;
  throw new UntranslatableError(`${name} must be an id of 1 to 200 characters`);
}

export function countIn(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UntranslatableError(`${name} must be a whole number, 0 or more`);
}

export function instantIn(value: unknown, name: string): string {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new UntranslatableError(`${name} must be a time in ISO 8601`);
}

/** Undefined for what is no text, or an empty one. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** An object that may be missing; empty where it is no object. */
export function partOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function partsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(partOf) : [];
}

/** A webhook's body. Throws `UntranslatableError` where it is no JSON in UTF-8. */
export function bodyIn(bytes: Buffer): Json {
  let body: unknown;
  try {
    body = parseJsonLossless(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the body, which names people.
    throw new UntranslatableError('the notification is not JSON in UTF-8');
  }
  return objectIn(body, 'the notification');
}
