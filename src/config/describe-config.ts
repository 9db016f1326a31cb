import type { Config } from './config';
import { formatPath, type KeyPath } from './key-path';
import { HIDDEN, isSecretPath, maskAddresses, maskConnection } from './redaction';

/**
 * The configuration as plain JSON data, fit for a log line and for `onhand config show`: credentials,
 * whatever came from a `${VAR}`, and what stands under a secret-like key are replaced by `[hidden]`. The
 * addresses of the database and of Redis keep their host, so that a person sees where a host connects.
 */
export function describeConfig(config: Config): Record<string, unknown> {
  const hidden = new Set(config.fromVariables);
  const { database, redis, receivers, ...rest } = config;
  return {
    ...(describe(rest, [], hidden) as Record<string, unknown>),
    receivers: receivers.map((receiver, index) => ({
      ...(describe(receiver, ['receivers', index], hidden) as Record<string, unknown>),
      url: receiver.url === null ? null : `${new URL(receiver.url).origin}/${HIDDEN}`,
    })),
    database: { ...database, url: database.url === null ? null : maskConnection(database.url) },
    redis: { ...redis, url: redis.url === null ? null : maskConnection(redis.url) },
  };
}

function describe(value: unknown, path: KeyPath, hidden: ReadonlySet<string>): unknown {
  if (value === null || value === undefined) return null;
  if (hidden.has(formatPath(path))) return HIDDEN;
  if (Array.isArray(value)) return value.map((item, index) => describe(item, [...path, index], hidden));
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, describe(item, [...path, key], hidden)]),
    );
  }
  if (isSecretPath(path)) return HIDDEN;
  return typeof value === 'string' ? maskAddresses(value) : value;
}
