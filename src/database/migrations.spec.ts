import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { execute, withDatabase } from '../../test/support/test-server';
import { createDataSource } from './data-source';
import { MigrationFailedError, UnknownMigrationsError } from './database.errors';
import { loadMigrations, migrationsDirectory } from './migration-files';
import { runMigrations } from './migrations';

const server = process.env.ONHAND_TEST_SERVER_URL as string;
const FIRST = '1700000000001-create-crates.sql';
const SECOND = '1700000000002-fill-crates.sql';

let directory: string;
let database: string;
let opened: DataSource[];

beforeEach(async () => {
  opened = [];
  directory = await mkdtemp(join(tmpdir(), 'onhand-migrations-'));
  database = `onhand_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await execute(server, `CREATE DATABASE ${database}`);
  await write(FIRST, 'CREATE TABLE crates (id int PRIMARY KEY); CREATE TABLE runs (at timestamptz)');
  await write(SECOND, 'INSERT INTO crates VALUES (1); INSERT INTO runs VALUES (now()); SELECT pg_sleep(0.2)');
});

afterEach(async () => {
  await Promise.all(opened.map((dataSource) => dataSource.destroy()));
  await execute(server, `DROP DATABASE ${database} WITH (FORCE)`);
  await rm(directory, { recursive: true });
});

function write(file: string, sql: string): Promise<void> {
  return writeFile(join(directory, file), sql);
}

async function connect(): Promise<DataSource> {
  const dataSource = createDataSource({
    url: withDatabase(server, database),
    poolSize: 3,
    migrationsDirectory: directory,
  });
  opened.push(await dataSource.initialize());
  return dataSource;
}

test('pending migrations run in the order of their timestamps, and once', async () => {
  const names = ['CreateCrates1700000000001', 'FillCrates1700000000002'];
  expect(await runMigrations(await connect())).toEqual(names);
  expect(await runMigrations(await connect())).toEqual([]);
});

test('hosts that start together run each migration once', async () => {
  const hosts = await Promise.all([connect(), connect(), connect()]);
  const ran = await Promise.all(hosts.map((host) => runMigrations(host)));
  expect(ran.flat()).toHaveLength(2);
  expect(await hosts[0]?.query('SELECT count(*) AS runs FROM runs')).toEqual([{ runs: 1 }]);
});

test('a failing migration leaves nothing of itself and all of those before it', async () => {
  // A savepoint is refused outside a transaction, so it proves that there is one.
  await write(SECOND, 'SAVEPOINT half_way; CREATE TABLE half (id int); INSERT INTO nowhere VALUES (1)');
  const host = await connect();
  const failed = runMigrations(host);
  await expect(failed).rejects.toThrow(MigrationFailedError);
  await expect(failed).rejects.toThrow(/FillCrates1700000000002 failed: relation "nowhere" does not exist/);
  expect(
    await host.query("SELECT to_regclass('crates') IS NOT NULL AS crates, to_regclass('half') AS half"),
  ).toEqual([{ crates: true, half: null }]);
  await write(SECOND, 'INSERT INTO crates VALUES (2)');
  expect(await runMigrations(await connect())).toEqual(['FillCrates1700000000002']);
});

test('a database that a newer version migrated is refused, and stays as it is', async () => {
  await write('1900000000000-from-the-future.sql', 'CREATE TABLE future (id int)');
  await runMigrations(await connect());
  await rm(join(directory, '1900000000000-from-the-future.sql'));
  await write('1700000000003-ours.sql', 'CREATE TABLE ours (id int)');
  const host = await connect();
  const refused = runMigrations(host);
  await expect(refused).rejects.toThrow(UnknownMigrationsError);
  await expect(refused).rejects.toThrow(/FromTheFuture1900000000000\. Start the newer version/);
  expect(await host.query("SELECT to_regclass('ours') AS ours")).toEqual([{ ours: null }]);
});

test('a migration does not queue behind a long transaction, and runs when it ends', async () => {
  const host = await connect();
  await runMigrations(host);
  await write('1700000000003-widen-crates.sql', 'ALTER TABLE crates ADD COLUMN label text');
  const reader = host.createQueryRunner();
  await reader.startTransaction();
  await reader.query('SELECT * FROM crates');
  const impatient = { lockTimeoutMs: 50, attempts: 2, retryDelayMs: 10 };
  await expect(runMigrations(await connect(), impatient)).rejects.toThrow(
    /WidenCrates1700000000003.*End that transaction/,
  );
  const patient = runMigrations(await connect(), { ...impatient, attempts: 1000 });
  await reader.rollbackTransaction();
  await reader.release();
  expect(await patient).toEqual(['WidenCrates1700000000003']);
});

test('the connection goes back to the pool without the lock and with its own timeouts', async () => {
  const host = createDataSource({
    url: withDatabase(server, database),
    poolSize: 1,
    migrationsDirectory: directory,
  });
  opened.push(await host.initialize());
  await runMigrations(host);
  expect(
    await host.query(`SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`),
  ).toEqual([{ lock: '0', statement: '30s', locks: 0 }]);
});

test('files that are misnamed or share a timestamp are refused by name', async () => {
  await write('1700000000002-again.sql', 'SELECT 1');
  expect(() => loadMigrations(directory)).toThrow(
    /1700000000002-again\.sql and 1700000000002-fill-crates\.sql/,
  );
  await rm(join(directory, '1700000000002-again.sql'));
  await write('17-Too Short.sql', 'SELECT 1');
  expect(() => loadMigrations(directory)).toThrow(/17-Too Short\.sql is misnamed/);
});

test('the package folder of migrations is found from the sources and from dist', () => {
  const root = join(__dirname, '..', '..');
  expect(migrationsDirectory()).toBe(join(root, 'migrations'));
  expect(migrationsDirectory(join(root, 'dist', 'src', 'database'))).toBe(join(root, 'migrations'));
});
