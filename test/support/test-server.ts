import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embedded-postgres';

/** A test's database is gone after the run, so nothing needs to reach the disk. */
const THROWAWAY = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: 200,
  shared_buffers: '128MB',
};

export type TestServer = { url: string; stop(): Promise<void> };

/** The PostgreSQL of one test run: the one TEST_DATABASE_URL names, else an embedded one in a temp folder. */
export async function startTestServer(): Promise<TestServer> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => undefined };
  const dataDir = await temporaryFolder();
  const log = { log: () => undefined, warn: console.warn, error: console.error };
  const embedded = await startEmbeddedPostgres({
    dataDir,
    explicit: true,
    database: 'postgres',
    log,
    extraSettings: THROWAWAY,
  });
  return { url: embedded.url, stop: () => stopAndRemove(embedded, dataDir) };
}

/** A new folder that the server's user can pass through when the tests run as root. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onhand-test-'));
  await chmod(folder, 0o711);
  return folder;
}

async function stopAndRemove(embedded: EmbeddedPostgres, dataDir: string): Promise<void> {
  await embedded.stop();
  await rm(dataDir, { recursive: true, force: true });
}

/** The same server and credentials with another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

/** Runs one statement on a connection of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
