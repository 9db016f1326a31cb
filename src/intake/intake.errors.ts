import { isRetryable } from '../inventory/inventory.errors';

/** A plugin threw where it must not, such as on a webhook it accepted; trying again would end the same. */
export class PluginFaultError extends Error {
  readonly code = 'plugin-fault';
  readonly retryable = false;

  constructor(plugin: string, cause: unknown) {
    super(`the plugin ${plugin} failed on it: ${(cause as Error)?.message ?? String(cause)}`, { cause });
    this.name = 'PluginFaultError';
  }
}

/** What was asked does not fit the state the thing is in. HTTP 409. */
export class WrongStateError extends Error {
  readonly code = 'wrong-state';

  constructor(message: string) {
    super(message);
    this.name = 'WrongStateError';
  }
}

/** Nothing of that id. HTTP 404. */
export class NotParkedHereError extends Error {
  readonly code = 'not-found';

  constructor(what: string) {
    super(`there is no such ${what}`);
    this.name = 'NotParkedHereError';
  }
}

/** Kept in a text column: PostgreSQL takes no NUL, and nobody reads more. */
export function errorText(error: unknown, longest = 2_000): string {
  const message = (error as Error | undefined)?.message;
  return storable(typeof message === 'string' && message !== '' ? message : String(error), longest);
}

export function storable(text: string, longest: number): string {
  return text.slice(0, longest).replaceAll('\0', '\ufffd');
}

/** The kind of an error, for those of one kind to be found together. */
export function errorCode(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[a-z][a-z0-9-]{0,60}$/.test(code) ? code : 'internal-error';
}

/** The database is away or this host is stopping: nothing that a document could be blamed for. */
export function isOutage(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: string };
  return code === 'ledger-unavailable' || code === 'ledger-closed' || isRetryable(error);
}
