import { Pool, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** TypeORM's own pg pool, for set-based and prepared SQL on the hot paths. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as PostgresDriver).master as Pool;
}

/**
 * Everything these connections do looks rows up by their keys. Plans that are kept from when a table was
 * nearly empty would read it whole, batch after batch, until its statistics are next gathered.
 */
const KEYED_PLANS = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_material=off',
  'join_collapse_limit=1',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/**
 * For a transaction that changes many rows it is told the keys of. The planner knows of a queue what it was before
 * anybody claimed it, so it takes those of a lease for none, and would look through all that is told once for each of
 * them. Asked for by `key = ANY(…)` as well, they are found by an index, and joined once.
 */
export const JOIN_ONCE = 'SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = on';

/**
 * A pool to the same database whose connections send each query without waiting for the answer to the one
 * before. For code that awaits its queries together; whoever makes it ends it.
 */
export function pipelinedPool(dataSource: DataSource, connections: number): Pool {
  const { options } = poolOf(dataSource) as unknown as { options: PoolConfig };
  // pg-pool hides the password from being copied with the other options.
  const pool = new Pool({
    ...options,
    password: options.password,
    max: connections,
    pipeline: true,
    options: KEYED_PLANS,
  } as PoolConfig);
  // A lost idle connection is replaced when it is next needed.
  pool.on('error', () => undefined);
  return pool;
}

/**
 * A pool whose commits do not wait for the disk. For what is written again after a crash, or is flushed by a
 * later commit that does wait: a server that dies may lose its last moments, never their order.
 */
export function unhurriedPool(dataSource: DataSource, connections: number): Pool {
  const { options } = poolOf(dataSource) as unknown as { options: PoolConfig };
  const pool = new Pool({
    ...options,
    password: options.password,
    max: connections,
    options: '-c synchronous_commit=off',
  });
  pool.on('error', () => undefined);
  return pool;
}

/** One transaction of statements that need nothing of each other's answers, on a pipelined pool: one way there and back. */
export async function inOneGo(pool: Pool, statements: readonly QueryConfig[]): Promise<QueryResult[]> {
  const client = await pool.connect();
  try {
    const all = [{ text: 'BEGIN' }, ...statements, { text: 'COMMIT' }];
    const results = await Promise.all(all.map((each) => client.query(each)));
    client.release();
    return results.slice(1, -1);
  } catch (error) {
    // What the connection was in the middle of is not known: it is ended, and its transaction with it.
    client.release(true);
    throw error;
  }
}

/**
 * Runs `work` in one transaction on one connection. A connection whose ROLLBACK fails is ended rather than
 * reused, as its state is not known.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  work: (client: PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  const client = await poolOf(dataSource).connect();
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    const rolledBack = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    client.release(!rolledBack);
    throw error;
  }
}
