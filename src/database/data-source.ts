import { setTimeout as sleep } from 'node:timers/promises';
import { Client, types, type CustomTypesConfig, type PoolClient } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describeUrl, type DatabaseLog } from './connection-url';
import { DatabaseUnreachableError } from './database.errors';
import { loadMigrations, migrationsDirectory } from './migration-files';

/** A statement or an idle transaction that takes longer holds locks others wait for, so the server ends it. */
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

export type Entities = NonNullable<DataSourceOptions['entities']>;

export type ConnectionOptions = {
  url: string;
  poolSize: number;
  entities?: Entities;
  /** Where the SQL files are; the package's `migrations` folder by default. */
  migrationsDirectory?: string;
  log?: DatabaseLog;
};

/** A TypeORM data source, not yet connected. Schema changes come from migrations alone. */
export function createDataSource(options: ConnectionOptions): DataSource {
  return new DataSource(dataSourceOptions(options));
}

export function dataSourceOptions(options: ConnectionOptions): DataSourceOptions {
  const { url, poolSize, entities = [], log } = options;
  return {
    type: 'postgres',
    url,
    poolSize,
    entities,
    migrations: loadMigrations(options.migrationsDirectory ?? migrationsDirectory()),
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    // TypeORM would print statements with their parameters; errors reach the caller anyway. Its console
    // logger prints failed migrations even so, the 'debug' one only when DEBUG asks for it.
    logging: false,
    logger: 'debug',
    applicationName: 'onhand',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolErrorHandler: (error: Error) => log?.warn(`A database connection was lost: ${error.message}`),
    extra: {
      types: numbersForInt8(),
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      keepAlive: true,
      onConnect: surviveLoss,
    },
  };
}

/**
 * A connection in use has no listener of the pool's, and losing it would then end the process. The query
 * that runs on it is rejected all the same, so nothing goes unnoticed.
 */
function surviveLoss(client: PoolClient): void {
  client.on('error', () => undefined);
}

/**
 * Reads int8 (and int8[]) as numbers. A value beyond 2^53 - 1 stays the text the driver gives, since a
 * rounded number would be wrong. Set per connection: the driver's global table belongs to everybody.
 */
function numbersForInt8(): CustomTypesConfig {
  const parseArray = types.getTypeParser(1016 as never) as (text: string) => (string | null)[];
  const toNumber = (text: string) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);
  const toNumbers = (text: string) => parseArray(text).map((item) => (item === null ? null : toNumber(item)));
  const getTypeParser = (oid: number, format?: string) => {
    if (format !== 'binary' && oid === types.builtins.INT8) return toNumber;
    if (format !== 'binary' && oid === 1016) return toNumbers;
    return types.getTypeParser(oid, format as 'text') as unknown;
  };
  return { getTypeParser } as CustomTypesConfig;
}

/** Failures that pass while a database starts beside us, as in docker compose, or fails over. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  '57P03',
  '53300',
  '3D000',
]);

/** Waits until the database takes a connection. Throws `DatabaseUnreachableError` with host, port and database only. */
export async function waitForDatabase(url: string, log: DatabaseLog, patienceMs = 30_000): Promise<void> {
  const target = describeUrl(url);
  const deadline = Date.now() + patienceMs;
  for (let delayMs = 250; ; delayMs = Math.min(delayMs * 2, 2000)) {
    const failure = await tryConnection(url);
    if (!failure) return;
    if (!failure.passing) {
      throw new DatabaseUnreachableError(
        `Cannot use ${target}: ${failure.reason}. Correct DATABASE_URL or the server's rights.`,
        false,
      );
    }
    if (Date.now() + delayMs > deadline) {
      const seconds = Math.round(patienceMs / 1000);
      throw new DatabaseUnreachableError(
        `No connection to ${target} within ${seconds} seconds: ${failure.reason}. Check that the server runs and DATABASE_URL names it.`,
        true,
      );
    }
    log.warn(`Waiting for ${target}: ${failure.reason}.`);
    await sleep(delayMs);
  }
}

async function tryConnection(url: string): Promise<{ reason: string; passing: boolean } | undefined> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // A refused host name with several addresses gives an error without a message of its own.
    const timedOut = /timeout/i.test(message);
    return { reason: message || code || 'no answer', passing: timedOut || PASSING.has(code ?? '') };
  } finally {
    await client.end().catch(() => undefined);
  }
}
