import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource, type Entities } from '../../src/database/data-source';
import type { TestGlobals } from './test-environment';
import { execute, withDatabase } from './test-server';

/** Advisory lock under which the template is cloned: PostgreSQL refuses two clones of one template at once. */
const CLONE_LOCK_KEY = 0x6f6e6874;
/** PostgreSQL's `object_in_use`: somebody is still connected to the template. */
const OBJECT_IN_USE = '55006';

export type TestDatabase = {
  /** For pg, TypeORM or `DatabaseModule.forRoot({ url })`. */
  url: string;
  /** A connected data source with these entities; closed by `drop`. */
  dataSource(entities?: Entities): Promise<DataSource>;
  /** Closes what `dataSource` gave and drops the database; for `afterAll`. */
  drop(): Promise<void>;
};

/** A migrated, empty database of the calling test file's own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = serverUrl();
  const name = `onhand_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await cloneTemplate(server, name);
  const url = withDatabase(server, name);
  const opened: DataSource[] = [];
  return {
    url,
    async dataSource(entities: Entities = []) {
      const dataSource = await createDataSource({ url, poolSize: 10, entities }).initialize();
      opened.push(dataSource);
      return dataSource;
    },
    async drop() {
      await Promise.all(
        opened.splice(0).map((dataSource) => (dataSource.isInitialized ? dataSource.destroy() : undefined)),
      );
      if (keptForLooking(name)) return;
      await execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

function serverUrl(): string {
  const url = process.env.ONHAND_TEST_SERVER_URL;
  if (!url)
    throw new Error(
      'No test server: run the tests through jest from the package root, so that its global set-up runs.',
    );
  return url;
}

async function cloneTemplate(server: string, name: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [CLONE_LOCK_KEY]);
    await retryWhileInUse(() =>
      client.query(`CREATE DATABASE ${name} TEMPLATE ${process.env.ONHAND_TEST_TEMPLATE} STRATEGY wal_log`),
    );
  } finally {
    await client.end();
  }
}

async function retryWhileInUse(create: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await create();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE || attempt >= 20) throw error;
      await sleep(100);
    }
  }
}

/** KEEP_TEST_DATABASES leaves the database of a failed test file behind, with what the test had written. */
function keptForLooking(name: string): boolean {
  const failed = (globalThis as TestGlobals).someTestFailed === true;
  if (!failed || !process.env.KEEP_TEST_DATABASES) return false;
  console.warn(
    `A test failed; its database ${name} is kept on the server of TEST_DATABASE_URL. Drop it when done.`,
  );
  return true;
}
