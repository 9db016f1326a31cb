/** What every error of this room carries: a stable code and whether trying again can help. */
export class DatabaseError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Another host already owns this data directory. */
export class DataDirectoryInUseError extends DatabaseError {
  constructor(
    readonly dataDir: string,
    readonly ownerPid: number | undefined,
  ) {
    const owner =
      ownerPid === undefined ? 'Another Onhand host' : `Another Onhand host (process ${ownerPid})`;
    super(
      'data-directory-in-use',
      `${owner} already uses the data directory ${dataDir}. Stop it, or give this host another data directory, ` +
        'or set DATABASE_URL to a PostgreSQL server that several hosts can share.',
      true,
    );
  }
}

/** The data directory cannot be used as it is; the message says what to change. */
export class DataDirectoryUnusableError extends DatabaseError {
  constructor(message: string, options?: ErrorOptions) {
    super('data-directory-unusable', message, false, options);
  }
}

/** The PostgreSQL that comes with Onhand is missing, or does not start or stop. */
export class EmbeddedPostgresError extends DatabaseError {
  constructor(message: string, options?: ErrorOptions) {
    super('embedded-postgres-failed', message, true, options);
  }
}

/** No connection to the database named by DATABASE_URL. */
export class DatabaseUnreachableError extends DatabaseError {
  constructor(message: string, retryable: boolean, options?: ErrorOptions) {
    super('database-unreachable', message, retryable, options);
  }
}

/** The database has migrations that this version does not know, so a newer Onhand has changed its tables. */
export class UnknownMigrationsError extends DatabaseError {
  constructor(readonly unknown: readonly string[]) {
    super(
      'unknown-migrations',
      `The database was migrated by a newer Onhand: this version does not know ${unknown.join(', ')}. ` +
        'Start the newer version, or restore a backup made before its migrations ran.',
      false,
    );
  }
}

/** A migration file is misnamed, or failed; the database is as it was before that migration. */
export class MigrationFailedError extends DatabaseError {
  constructor(message: string, retryable = false, options?: ErrorOptions) {
    super('migration-failed', message, retryable, options);
  }
}
