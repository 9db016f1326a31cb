import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import type { DatabaseLog } from './connection-url';
import { MigrationFailedError, UnknownMigrationsError } from './database.errors';

/** Advisory lock that one migrating host holds in a database ("onhm" in ASCII). */
const MIGRATION_LOCK_KEY = 0x6f6e686d;
const POLL_MS = 100;
/** What PostgreSQL reports when `lock_timeout` has passed. */
const LOCK_NOT_AVAILABLE = '55P03';

export type MigrationOptions = {
  log?: DatabaseLog;
  /** How long one statement waits for a table lock. Everybody else queues behind that wait, so it is short. */
  lockTimeoutMs?: number;
  /** How often a migration is tried while its tables are locked. */
  attempts?: number;
  retryDelayMs?: number;
};

/**
 * Runs the data source's pending migrations, each in its own transaction, and returns their names. Hosts
 * that start together take turns, so each migration runs once.
 * Throws `UnknownMigrationsError` and `MigrationFailedError`.
 */
export async function runMigrations(
  dataSource: DataSource,
  options: MigrationOptions = {},
): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    // The lock, and the migrations under it, share one session: if it is lost, both end.
    await takeTurn(runner, options.log);
    await runner.query(`SET lock_timeout = ${options.lockTimeoutMs ?? 5000}; SET statement_timeout = 0`);
    refuseUnknown(dataSource, await executedMigrations(runner));
    return await runPending(dataSource, runner, options);
  } finally {
    await leave(runner);
  }
}

/** Asks again and again instead of waiting in the server, where `statement_timeout` would end the wait. */
async function takeTurn(runner: QueryRunner, log?: DatabaseLog): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const rows = (await runner.query(`SELECT pg_try_advisory_lock(${MIGRATION_LOCK_KEY}) AS locked`)) as {
      locked: boolean;
    }[];
    if (rows[0]?.locked) return;
    if (attempt % 100 === 1) log?.log('Waiting for another host to finish migrating the database.');
    await sleep(POLL_MS);
  }
}

/** The session goes back to the pool, so it must not keep the lock or the settings. */
async function leave(runner: QueryRunner): Promise<void> {
  try {
    await runner.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK_KEY})`);
    await runner.query('RESET lock_timeout; RESET statement_timeout');
  } catch {
    // A lost session has given up both already, and the error that lost it is the one to report.
  }
  await runner.release();
}

async function executedMigrations(runner: QueryRunner): Promise<string[]> {
  const tables = (await runner.query(`SELECT to_regclass('migrations') IS NOT NULL AS present`)) as {
    present: boolean;
  }[];
  if (!tables[0]?.present) return [];
  const rows = (await runner.query('SELECT name FROM migrations ORDER BY id')) as { name: string }[];
  return rows.map((row) => row.name);
}

function refuseUnknown(dataSource: DataSource, executed: string[]): void {
  const known = new Set(dataSource.migrations.map((migration) => migration.name));
  const unknown = executed.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new UnknownMigrationsError(unknown);
}

async function runPending(
  dataSource: DataSource,
  runner: QueryRunner,
  options: MigrationOptions,
): Promise<string[]> {
  const { log, attempts = 6, retryDelayMs = 2000 } = options;
  const executor = new MigrationExecutor(dataSource, runner);
  executor.transaction = 'each';
  const before = await executedMigrations(runner);
  for (let attempt = 1; ; attempt++) {
    try {
      await executor.executePendingMigrations();
      const done = (await executedMigrations(runner)).filter((name) => !before.includes(name));
      if (done.length > 0) log?.log(`Migrated the database: ${done.join(', ')}.`);
      return done;
    } catch (cause) {
      const next = (await executor.getPendingMigrations().catch(() => []))[0]?.name ?? 'unknown';
      const locked = (cause as { code?: string }).code === LOCK_NOT_AVAILABLE;
      if (!locked || attempt >= attempts) throw failed(next, locked, cause as Error);
      log?.warn(
        `The migration ${next} waits for a table that a long transaction holds; attempt ${attempt} of ${attempts}.`,
      );
      await sleep(retryDelayMs);
    }
  }
}

function failed(name: string, locked: boolean, cause: Error): MigrationFailedError {
  const advice = locked
    ? 'A long transaction holds a table it changes. End that transaction (see pg_stat_activity), then start again.'
    : 'The database is as it was before this migration. Correct the cause, then start again.';
  return new MigrationFailedError(`The migration ${name} failed: ${cause.message}. ${advice}`, locked, {
    cause,
  });
}
