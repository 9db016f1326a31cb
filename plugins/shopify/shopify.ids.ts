import { UntranslatableError } from 'onhand/channel-api';

const GLOBAL_ID = /^gid:\/\/shopify\/([A-Za-z]+)\/([^?]{1,180})/;

/** The global id by which the API knows a thing, such as `gid://shopify/Order/820982911946154508`. */
export function globalId(type: string, id: string): string {
  return `gid://shopify/${type}/${id}`;
}

/**
 * What of a global id tells things of one type apart: the number that the admin and webhooks show, as text,
 * for nearly all of them are beyond 2^53. Throws `UntranslatableError`, naming the field.
 */
export function shortId(value: unknown, type: string, field: string): string {
  const match = typeof value === 'string' ? GLOBAL_ID.exec(value) : null;
  if (match?.[1] === type && match[2]) return match[2];
  throw new UntranslatableError(`${field} must be a global id of ${type}`);
}

/** The id that a webhook gives as a number, or as text where it is beyond 2^53. */
export function plainId(value: unknown, field: string): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && /^[^\p{Cc}\p{Cs}/?]{1,180}$/u.test(text)) return text;
  throw new UntranslatableError(`${field} must be an id`);
}
