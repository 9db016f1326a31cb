import { UntranslatableError } from 'onhand/channel-api';
import { FORBIDDEN_SEGMENTS } from './generic-rest.options-rules';

/** A field of a document with the path by which an error names it. */
export interface Field {
  value: unknown;
  path: string;
}

/**
 * Looks up a dotted path such as `variant.sku` or `skus.0`; the value is undefined where it leads nowhere.
 * Only a document's own properties are walked, and never into a prototype, whatever the path says.
 */
export function fieldOf(parent: Field, path: string): Field {
  const full = path === '' ? parent.path : `${parent.path}${parent.path === '' ? '' : '.'}${path}`;
  let value = parent.value;
  for (const segment of path === '' ? [] : path.split('.')) {
    const walkable = typeof value === 'object' && value !== null && !FORBIDDEN_SEGMENTS.includes(segment);
    if (!walkable || !Object.hasOwn(value as object, segment)) return { value: undefined, path: full };
    value = (value as Record<string, unknown>)[segment];
  }
  return { value, path: full };
}

/** Sets a dotted path in a document being built. Throws `UntranslatableError` on a path into a prototype. */
export function setField(document: Record<string, unknown>, path: string, value: unknown): void {
  const segments = path.split('.');
  const last = segments.pop() as string;
  if ([...segments, last].some((segment) => FORBIDDEN_SEGMENTS.includes(segment))) {
    throw new UntranslatableError(
      `the field path "${path}" leads into a prototype; correct the channel's options`,
    );
  }
  let parent = document;
  for (const segment of segments) parent = (parent[segment] ??= {}) as Record<string, unknown>;
  parent[last] = value;
}

/** An id or SKU: a text of 1 to 255 characters without control characters, or a whole number. */
export function readId({ value, path }: Field): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '') {
    throw new UntranslatableError(`${path} must be a text or a whole number that is not empty`);
  }
  if (text.length > 255) throw new UntranslatableError(`${path} is longer than 255 characters`);
  if (cannotBeKept(text)) throw new UntranslatableError(`${path} contains control characters or broken ones`);
  return text;
}

/** A text for people, cut to 255 characters; undefined where it is absent, empty or no text at all. */
export function readLabel({ value }: Field): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const characters = [...String(value).slice(0, 1_000).trim()].filter((one) => !cannotBeKept(one));
  return characters.slice(0, 255).join('') || undefined;
}

/** A count of units. A text such as "1" is refused: a shop that writes so may also write "1.5" or "1,000". */
export function readCount({ value, path }: Field, whenAbsent?: number): number {
  if (value === undefined && whenAbsent !== undefined) return whenAbsent;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new UntranslatableError(`${path} must be a whole number, 0 or more`);
  }
  return value === 0 ? 0 : value;
}

/** The value as JSON text of at most `maxLength` characters; empty where it is nested too deeply to write. */
export function jsonText(value: unknown, maxLength = Infinity): string {
  try {
    return JSON.stringify(value).slice(0, maxLength);
  } catch {
    return '';
  }
}

/** ISO 8601 (UTC where it names no zone) or Unix time in seconds or ms; answers ISO 8601 in UTC. */
export function readInstant({ value, path }: Field): string {
  const ms = typeof value === 'number' ? unixMs(value) : typeof value === 'string' ? isoMs(value) : NaN;
  const date = new Date(ms);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || ms < 0) {
    throw new UntranslatableError(
      `${path} must be an ISO 8601 time such as 2025-01-31T12:00:00Z, or Unix time`,
    );
  }
  return date.toISOString();
}

// Seconds reach this figure in the year 5138, ms passed it in 1973.
function unixMs(value: number): number {
  return value < 1e11 ? value * 1000 : value;
}

function isoMs(text: string): number {
  const match = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (!match) return NaN;
  // Without a zone the platform would take the host's own, and two hosts would disagree.
  return Date.parse(match[1] === undefined && text.length > 10 ? `${text}Z` : text);
}

/**
 * Line breaks and other control characters could forge a log line, PostgreSQL stores no NUL, and half a
 * surrogate pair turns into a question mark, by which two ids could become one.
 */
function cannotBeKept(text: string): boolean {
  return /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}
