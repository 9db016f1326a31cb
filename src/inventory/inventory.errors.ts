/** The key was used before for something else (I9). HTTP 422 `idempotency-conflict`. */
export class IdempotencyConflictError extends Error {
  readonly code = 'idempotency-conflict';

  constructor(readonly key: string) {
    super(
      'this idempotency key was used before with other content; send the same content again, or use a new key',
    );
    this.name = 'IdempotencyConflictError';
  }
}

/** The database could not be reached in time. What was asked may have been done: ask again with the same key. */
export class LedgerUnavailableError extends Error {
  readonly code = 'ledger-unavailable';

  constructor(cause: unknown) {
    super('the database cannot be reached; send the request again with the same Idempotency-Key', { cause });
    this.name = 'LedgerUnavailableError';
  }
}

/** The host is stopping and takes no more commands. */
export class LedgerClosedError extends Error {
  readonly code = 'ledger-closed';

  constructor() {
    super('this host is shutting down; send the request again with the same Idempotency-Key');
    this.name = 'LedgerClosedError';
  }
}

/** A code that names no SKU. HTTP 422 `unknown-sku`; `field` is the path in the request. */
export class UnknownSkuError extends Error {
  readonly code = 'unknown-sku';

  constructor(
    readonly sku: string,
    readonly field: string,
  ) {
    super(`no SKU ${JSON.stringify(sku)}; create it with POST /v1/skus`);
    this.name = 'UnknownSkuError';
  }
}

/** Another SKU has the code, or had it once. HTTP 409 `sku-taken`. */
export class SkuCodeTakenError extends Error {
  readonly code = 'sku-taken';

  constructor(sku: string, takenBy: string) {
    super(
      sku === takenBy
        ? `there is another SKU ${JSON.stringify(sku)}; two SKUs are never made one, as each has its history`
        : `${JSON.stringify(sku)} is a former code of the SKU ${JSON.stringify(takenBy)} and still means that one`,
    );
    this.name = 'SkuCodeTakenError';
  }
}

/** A code that names no location. HTTP 422 `unknown-location`. */
export class UnknownLocationError extends Error {
  readonly code = 'unknown-location';

  constructor(
    readonly location: string,
    readonly field: string,
  ) {
    super(`no location ${JSON.stringify(location)}; create it with POST /v1/locations`);
    this.name = 'UnknownLocationError';
  }
}

/** PostgreSQL error classes after which the same transaction may well succeed. */
const RETRYABLE_SQLSTATES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '23505', // unique_violation: another host wrote the key, the level or the order first
  '55P03', // lock_not_available
]);

/** Each SQLSTATE has a digit in it; without that, EPIPE would be one. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
}

/** Lost, refused or shut-down connections, and a server that is starting, full or read-only. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return /^(08|57|53|25006)/.test(state);
  const { code, message } = error as { code?: string; message?: string };
  return (
    /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/.test(code ?? '') ||
    /Connection terminated|Connection ended|not queryable|timeout exceeded|Client was closed/i.test(
      message ?? '',
    )
  );
}

export function isRetryable(error: unknown): boolean {
  return RETRYABLE_SQLSTATES.has(sqlState(error) ?? '') || isConnectionLoss(error);
}
