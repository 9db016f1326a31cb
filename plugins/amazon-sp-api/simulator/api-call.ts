import type { SimulatedReply } from 'onhand/channel-api';
import type { Operation } from './operations';

/** A call that has a token and keeps to its usage plan. */
export interface ApiCall {
  parameters: Record<string, string>;
  query: URLSearchParams;
  /** Undefined when there is none. */
  body: unknown;
  /** Set on a lie: answer as if a change had been accepted, and never apply it. */
  pretend: boolean;
  nowMs: number;
}

export type Handler = (call: ApiCall) => SimulatedReply;
export type Handlers = Partial<Record<Operation, Handler>>;

/** What an operation answers in place of doing it, in the error list that all of the APIs share. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: 400 | 403 | 404 | 409 | 429,
    readonly code: string,
    message: string,
    readonly details = '',
  ) {
    super(message);
    this.name = 'ApiRefusal';
  }
}

export function invalidInput(details: string): ApiRefusal {
  return new ApiRefusal(400, 'InvalidInput', 'Invalid Input', details);
}

/** The Listings Items API words it in its own way. */
export function badRequest(details: string): ApiRefusal {
  return new ApiRefusal(400, 'BAD_REQUEST', 'Invalid input', details);
}

export function errorList({ code, message, details }: ApiRefusal): object {
  return { errors: [{ code, message, details }] };
}

/** A list as a query has it: separated by commas, or with its name repeated. */
export function listIn(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '');
}

/** Ms of a time in a query; undefined where it is absent. Throws `ApiRefusal` where it is no ISO 8601 time. */
export function timeIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || !/^\d{4}-\d\d-\d\d/.test(text)) {
    throw invalidInput(`${name} must be an ISO 8601 time.`);
  }
  return ms;
}

/** A whole number in a query, `least` to `most`. Throws `ApiRefusal`. */
export function numberIn(
  query: URLSearchParams,
  name: string,
  { least, most, absent }: { least: number; most: number; absent: number },
): number {
  const text = query.get(name);
  if (text === null) return absent;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw invalidInput(`${name} must be a whole number from ${least} to ${most}.`);
  }
  return number;
}

/** An object's members, or none at all of what is no object. */
export function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** A text in a body. Throws `ApiRefusal` where it is missing. */
export function textIn(body: unknown, name: string): string {
  const value = membersOf(body)[name];
  if (typeof value !== 'string' || value === '') throw invalidInput(`${name} is required.`);
  return value;
}

/** A list of texts in a body. Throws `ApiRefusal` where it is missing. */
export function textsIn(body: unknown, name: string): string[] {
  const value = membersOf(body)[name];
  if (!Array.isArray(value) || value.length === 0 || value.some((each) => typeof each !== 'string')) {
    throw invalidInput(`${name} is required.`);
  }
  return value as string[];
}

/** A page token says where to go on, and is of no use for another question. */
export function pageToken(state: object): string {
  return Buffer.from(JSON.stringify(state)).toString('base64url');
}

/** Throws `ApiRefusal` on a token that was not given out here. */
export function stateOfToken(token: string): Record<string, unknown> {
  try {
    return membersOf(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
  } catch {
    throw invalidInput('The token is not one of ours.');
  }
}

export function ok(body: unknown): SimulatedReply {
  return { status: 200, body };
}
