import { createDataSource } from '../../src/database/data-source';
import { runMigrations } from '../../src/database/migrations';
import { execute, startTestServer, withDatabase, type TestServer } from './test-server';

declare global {
  // Jest runs set-up and teardown in one process, and this is how they meet.
  var testServer: TestServer | undefined;
}

/** Starts one server for the whole run and migrates one template database, which test files clone. */
export default async function globalSetup(): Promise<void> {
  if (process.env.KEEP_TEST_DATABASES && !process.env.TEST_DATABASE_URL) {
    throw new Error(
      'KEEP_TEST_DATABASES needs TEST_DATABASE_URL: the embedded test server and its data end with the run.',
    );
  }
  const server = await startTestServer();
  const template = `onhand_template_${process.pid}`;
  try {
    await execute(server.url, `DROP DATABASE IF EXISTS ${template}`);
    await execute(server.url, `CREATE DATABASE ${template}`);
    await migrate(withDatabase(server.url, template));
  } catch (error) {
    await server.stop();
    throw error;
  }
  globalThis.testServer = server;
  process.env.ONHAND_TEST_SERVER_URL = server.url;
  process.env.ONHAND_TEST_TEMPLATE = template;
}

async function migrate(url: string): Promise<void> {
  const dataSource = await createDataSource({ url, poolSize: 2 }).initialize();
  try {
    await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
