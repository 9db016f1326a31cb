import { isConnectionLoss, isRetryable, sqlState } from './inventory.errors';

function failure(code: string | undefined, message = ''): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('a failure of the database', () => {
  it.each([
    ['08006', 'connection_failure'],
    ['57P01', 'admin_shutdown'],
    ['57P02', 'crash_shutdown'],
    ['57P03', 'cannot_connect_now'],
    ['57014', 'query_canceled: a statement waited too long'],
    ['53300', 'too_many_connections'],
    ['53100', 'disk_full'],
    ['25006', 'read_only_sql_transaction'],
    ['EPIPE', 'five letters, as a SQLSTATE has, and none'],
    ['ECONNREFUSED', 'nobody listens'],
    ['ECONNRESET', 'cut'],
    ['ETIMEDOUT', 'no answer'],
    ['ENOTFOUND', 'no such name'],
    ['EAI_AGAIN', 'no name server'],
    ['EHOSTUNREACH', 'no way to the host'],
    ['ENETUNREACH', 'no way to its network'],
    [undefined, 'Connection terminated unexpectedly'],
    [undefined, 'Connection ended'],
    [undefined, 'timeout exceeded when trying to connect'],
    [undefined, 'Client has encountered a connection error and is not queryable'],
    [undefined, 'Client was closed and is not queryable'],
  ])('%s (%s) is a database out of reach, to be tried again', (code, message) => {
    expect(isConnectionLoss(failure(code, message))).toBe(true);
    expect(isRetryable(failure(code, message))).toBe(true);
  });

  it.each(['40001', '40P01', '23505', '55P03'])('%s is a conflict, and is tried again', (code) => {
    expect(isConnectionLoss(failure(code))).toBe(false);
    expect(isRetryable(failure(code))).toBe(true);
  });

  it.each([
    ['22021', 'invalid byte sequence'],
    ['23514', 'check constraint'],
    ['42P01', 'no such table'],
    ['XX000', 'internal error: Connection ended'],
    [undefined, 'x is not a function'],
    ['ERR_INVALID_ARG_TYPE', 'a mistake of ours'],
  ])('%s (%s) is not tried again', (code, message) => {
    expect(isRetryable(failure(code, message))).toBe(false);
  });

  it('has a SQLSTATE where PostgreSQL gave one', () => {
    expect(sqlState(failure('23505'))).toBe('23505');
    expect(sqlState(failure('P0001'))).toBe('P0001');
    for (const none of [failure('EPIPE'), failure('ECONNRESET'), failure(undefined), undefined]) {
      expect(sqlState(none)).toBeUndefined();
    }
  });
});
