import { HttpException } from '@nestjs/common';

/** One fault of a request's content: where, and what was expected there. */
export interface FieldFault {
  field: string;
  message: string;
}

/** An RFC 9457 problem. `code` is the last part of `type` and never changes its meaning. */
export interface ProblemBody {
  type: string;
  code: string;
  title: string;
  status: number;
  detail: string;
  requestId?: string;
  errors?: FieldFault[];
  [extension: string]: unknown;
}

/** Every problem this API answers with. */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not understood' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key lacks a scope' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'insufficient-stock': { status: 409, title: 'There is not enough stock' },
  'insufficient-state': { status: 409, title: 'There are not enough units in that state' },
  'reservation-expired': { status: 409, title: 'The reservation has expired' },
  'reservation-closed': { status: 409, title: 'The reservation is closed' },
  'reservation-held': { status: 409, title: 'The reservation is not confirmed' },
  'exceeds-reservation': { status: 409, title: 'The reservation has fewer open units' },
  'order-outdated': { status: 409, title: 'A newer state of the order is known' },
  'sku-taken': { status: 409, title: 'Another SKU has that code' },
  'listing-of-file': { status: 409, title: 'The listing is kept in a file' },
  'policy-of-file': { status: 409, title: 'The policy is kept in a file' },
  'wrong-state': { status: 409, title: 'Its state does not allow that' },
  busy: { status: 409, title: 'That is already under way' },
  'signature-mismatch': { status: 412, title: 'The signature does not fit the body' },
  'payload-too-large': { status: 413, title: 'The request body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is not JSON' },
  'idempotency-conflict': { status: 422, title: 'The idempotency key was used for something else' },
  'listings-refused': { status: 422, title: 'Rows of the import are wrong, and nothing was changed' },
  'unknown-sku': { status: 422, title: 'The SKU does not exist' },
  'unknown-location': { status: 422, title: 'The location does not exist' },
  'quantity-too-large': { status: 422, title: 'The quantity is too large' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'channel-unavailable': { status: 502, title: 'The channel does not answer' },
  'channel-unauthorized': { status: 502, title: 'The channel refuses the credentials' },
  'channel-protocol': { status: 502, title: 'The channel answers what it does not document' },
  'channel-address': { status: 502, title: 'The channel is at an address that is not allowed' },
  'channel-request': { status: 502, title: 'The channel cannot be asked that' },
  untranslatable: { status: 502, title: 'The channel answers what cannot be understood' },
  'channel-breaker-open': { status: 503, title: 'The channel is left alone until it answers again' },
  'channel-throttled': { status: 503, title: 'The channel takes no more calls for now' },
  'channel-not-served': { status: 503, title: 'The channel is not served' },
  'limits-unavailable': { status: 503, title: 'The database that counts calls cannot be reached' },
  'secrets-unavailable': { status: 503, title: 'The database that keeps secrets cannot be reached' },
  'ledger-unavailable': { status: 503, title: 'The database cannot be reached' },
  'ledger-closed': { status: 503, title: 'The host is shutting down' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export function problemBody(
  code: ProblemCode,
  detail: string,
  extensions: { errors?: FieldFault[]; [extension: string]: unknown } = {},
): ProblemBody {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:onhand:problem:${code}`, code, title, status, detail, ...extensions };
}

/** Thrown by controllers; answered as `application/problem+json`. */
export class Problem extends HttpException {
  constructor(
    readonly code: ProblemCode,
    detail: string,
    extensions: { errors?: FieldFault[]; [extension: string]: unknown } = {},
  ) {
    super(problemBody(code, detail, extensions), PROBLEMS[code].status);
  }
}
