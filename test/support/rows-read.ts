import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

/** A connection tells what it read as it ends a statement, a second or more after it last told. */
const TELLS_AFTER_MS = 1_100;

const READ_SO_FAR = `
  SELECT relname AS name, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::float8 AS read
    FROM pg_stat_user_tables`;

/**
 * Rows read of each table, through an index or not, by `work`. `speak` ends a statement on every connection that does
 * the work, so that all of them have told; what it reads itself is counted, too.
 */
export async function rowsRead(
  pool: Pool,
  speak: () => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await told(pool, speak);
  await work();
  const after = await told(pool, speak);
  return Object.fromEntries(Object.entries(after).map(([name, read]) => [name, read - (before[name] ?? 0)]));
}

async function told(pool: Pool, speak: () => Promise<unknown>): Promise<Record<string, number>> {
  await sleep(TELLS_AFTER_MS);
  await speak();
  const { rows } = await pool.query<{ name: string; read: number }>(READ_SO_FAR);
  return Object.fromEntries(rows.map(({ name, read }) => [name, read]));
}
