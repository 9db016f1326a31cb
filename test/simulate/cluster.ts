import type { Client } from 'pg';
import { createDataSource } from '../../src/database/data-source';
import { runMigrations } from '../../src/database/migrations';
import { execute, withDatabase } from '../support/test-server';

/** The database's clock and dice are ours: names that the migrations and the code do not qualify find these first. */
const CLOCK = `
  CREATE SCHEMA sim;
  CREATE UNLOGGED SEQUENCE sim.clock;
  CREATE UNLOGGED SEQUENCE sim.dice MINVALUE 0;
  CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('sim.clock'::regclass) / 1000000.0::float8) $$;
  CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT sim.clock_timestamp()';
  CREATE FUNCTION sim.random() RETURNS float8 LANGUAGE sql VOLATILE AS
    $$ SELECT (pg_catalog.nextval('sim.dice'::regclass) * 7919 % 10007) / 10007.0::float8 $$;
  SELECT setval('sim.clock', 1767600000000000)`;

/** A migrated database whose time and chance are the simulation's. */
export async function createSimulatedDatabase(server: string, name: string): Promise<string> {
  const url = withDatabase(server, name);
  await execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await execute(server, `CREATE DATABASE ${name}`);
  await execute(url, CLOCK);
  await execute(server, `ALTER DATABASE ${name} SET search_path = public, sim, pg_catalog`);
  const dataSource = await createDataSource({ url, poolSize: 2 }).initialize();
  try {
    await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
  return url;
}

/**
 * A function that empties every table, but for what the migrations put there, and starts every sequence anew. The
 * tables' files are cut off by a VACUUM after it, so that rows lie in them as in a new database.
 */
export async function createReset(client: Client): Promise<string> {
  const found = await client.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' ORDER BY 1`,
  );
  const sequences = await client.query<{ name: string }>(
    `SELECT quote_ident(sequencename) AS name FROM pg_sequences WHERE schemaname = 'public'`,
  );
  const tables = found.rows.map(({ name }) => name);
  const statements = tables.map((table) => `DELETE FROM ${table};`);
  for (const { name } of sequences.rows) statements.push(`PERFORM setval('${name}', 1, false);`);
  for (const table of tables) {
    const { rowCount } = await client.query(`SELECT FROM ${table} LIMIT 1`);
    if (rowCount === 0) continue;
    await client.query(
      `DROP TABLE IF EXISTS sim.${table}; CREATE TABLE sim.${table} AS SELECT * FROM ${table}`,
    );
    statements.push(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM sim.${table};`);
  }
  await client.query(
    `CREATE OR REPLACE FUNCTION sim.reset() RETURNS void LANGUAGE plpgsql AS $reset$ BEGIN ${statements.join(' ')} END $reset$`,
  );
  return `VACUUM (TRUNCATE ON, INDEX_CLEANUP ON) ${tables.join(', ')}`;
}
