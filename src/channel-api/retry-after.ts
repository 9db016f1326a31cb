/** Longest pause a channel can ask of us. An absurd Retry-After must not silence a channel for years. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

// V8 reads nearly anything as a date ("-5" is in 2001), so a date must begin like one.
const HTTP_DATE = /^[A-Z][a-z]{2,8},? /;
const ISO_DATE = /^\d{4}-\d\d-\d\dT/;

/**
 * Milliseconds a `Retry-After` header asks us to wait, 0 to `maxMs`; undefined when it is
 * absent, negative or not understood. Takes seconds (whole or with a fraction, as some vendors send), an
 * HTTP date in its three forms (RFC 9110 §5.6.7) and ISO 8601. A date in the past is 0.
 */
export function parseRetryAfter(
  value: string | null | undefined,
  now: Date,
  maxMs = MAX_RETRY_AFTER_MS,
): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return bounded(Number(text) * 1000, maxMs);
  if (!HTTP_DATE.test(text) && !ISO_DATE.test(text)) return undefined;
  // The asctime form names no zone; every HTTP date is in GMT, V8 would take it as local time.
  const zoned = /(GMT|UTC|Z|[+-]\d\d:?\d\d)$/.test(text)
    ? text
    : `${text}${ISO_DATE.test(text) ? 'Z' : ' GMT'}`;
  const at = Date.parse(zoned);
  return Number.isNaN(at) ? undefined : bounded(at - now.getTime(), maxMs);
}

function bounded(delayMs: number, maxMs: number): number {
  return Math.min(Math.max(Math.ceil(delayMs), 0), maxMs);
}
