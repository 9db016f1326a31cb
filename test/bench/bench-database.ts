import { rmSync } from 'node:fs';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres';

/** A PostgreSQL of its own for as long as `work` takes; nothing of it is left. */
export async function withPostgres<T>(
  folder: string,
  say: (line: string) => void,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const log = { log: () => undefined, warn: say, error: say };
  const postgres = await startEmbeddedPostgres({ dataDir: folder, explicit: true, database: 'onhand', log });
  try {
    return await work(postgres.url);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
