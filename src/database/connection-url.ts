import type { LoggerService } from '@nestjs/common';
import { Client } from 'pg';
import { DatabaseUnreachableError } from './database.errors';

/** Where this room says what it does; Nest's `Logger` fits. */
export type DatabaseLog = Pick<LoggerService, 'log' | 'warn' | 'error'>;

type UrlParts = { host: string; port: number; database: string };

/**
 * Reads the parts of a connection URL that may be shown. The error for a malformed URL never repeats
 * it, for it holds the password.
 */
export function partsOf(url: string): UrlParts {
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('not a PostgreSQL URL');
    // The driver's own reading counts, and a client that never connects costs nothing.
    const { host, port, database } = new Client({ connectionString: url });
    return { host, port, database: database ?? '' };
  } catch {
    throw new DatabaseUnreachableError(
      'DATABASE_URL is not a PostgreSQL URL. Write it as postgres://user:password@host:5432/database ' +
        'and percent-encode special characters in the password.',
      false,
    );
  }
}

/** Names a database without its user and password, for logs and errors. */
export function describeUrl(url: string): string {
  const { host, port, database } = partsOf(url);
  return host.startsWith('/') ? `database ${database} on ${host}` : `database ${database} on ${host}:${port}`;
}

/**
 * A URL for a Unix socket directory (`host` starts with a slash) or a TCP host. The directory is
 * percent-encoded into the host part, which is the form that pg, TypeORM and libpq all accept.
 */
export function urlFor(config: UrlParts & { user: string; password: string }): string {
  const login = `${encodeURIComponent(config.user)}:${encodeURIComponent(config.password)}`;
  return `postgres://${login}@${encodeURIComponent(config.host)}:${config.port}/${encodeURIComponent(config.database)}`;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
