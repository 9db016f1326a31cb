import { createServer } from 'node:net';
import type { Pool } from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { withDatabase } from '../../test/support/test-server';
import { waitForDatabase } from './data-source';
import { DatabaseUnreachableError } from './database.errors';

const log = { log: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
});

afterAll(() => database.drop());

test('a search by nothing finds nothing, rather than the first row', async () => {
  const settings = new EntitySchema({ name: 'things', columns: { id: { type: Number, primary: true } } });
  const things = await database.dataSource([settings]);
  await things.query('CREATE TABLE things (id integer PRIMARY KEY)');
  await things.query('INSERT INTO things VALUES (1)');
  await expect(things.getRepository('things').findOneBy({ id: undefined })).rejects.toThrow(/undefined/);
  expect(await things.getRepository('things').findOneBy({ id: 1 })).toEqual({ id: 1 });
});

test('int8 comes back as a number, and as text where a number would be rounded', async () => {
  expect(
    await dataSource.query(`SELECT 9007199254740991::int8 AS largest, 9007199254740992::int8 AS beyond, -5::int8 AS negative,
      NULL::int8 AS nothing, '{1,NULL,9007199254740993}'::int8[] AS several, count(*) AS counted FROM pg_class WHERE false`),
  ).toEqual([
    {
      largest: 9007199254740991,
      beyond: '9007199254740992',
      negative: -5,
      nothing: null,
      several: [1, null, '9007199254740993'],
      counted: 0,
    },
  ]);
});

test('the server ends statements and idle transactions after 30 seconds', async () => {
  expect(
    await dataSource.query(`SELECT current_setting('statement_timeout') AS statement, current_setting('application_name') AS name,
      current_setting('idle_in_transaction_session_timeout') AS idle`),
  ).toEqual([{ statement: '30s', idle: '30s', name: 'onhand' }]);
});

test('losing idle and busy connections fails their queries and nothing else', async () => {
  const pool = (dataSource.driver as unknown as { master: Pool }).master;
  const taken = await pool.connect();
  await Promise.all([dataSource.query('SELECT 1'), dataSource.query('SELECT 2')]);
  await dataSource.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await expect(taken.query('SELECT 1')).rejects.toThrow();
  taken.release(true);
  expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

describe('waiting for a database', () => {
  test('ends when the server answers', async () => {
    await expect(waitForDatabase(database.url, log)).resolves.toBeUndefined();
  });

  test('gives up with host, port and database but without the password', async () => {
    const port = await closedPort();
    const refused = waitForDatabase(`postgres://someone:s3cret@127.0.0.1:${port}/stock`, log, 600);
    await expect(refused).rejects.toThrow(DatabaseUnreachableError);
    await expect(refused).rejects.toThrow(`database stock on 127.0.0.1:${port}`);
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });

  test('does not wait when the password is wrong, which time does not cure', async () => {
    const wrong = database.url.replace(/:[^:@]+@/, ':wr0ng@');
    const refused = waitForDatabase(wrong, log);
    await expect(refused).rejects.toThrow(/password authentication failed/);
    await expect(refused).rejects.not.toThrow(/wr0ng/);
  });

  test('waits for a database that is created a moment later', async () => {
    const warnings: string[] = [];
    const patience = waitForDatabase(
      withDatabase(database.url, 'onhand_not_there'),
      { ...log, warn: (text: string) => void warnings.push(text) },
      600,
    );
    await expect(patience).rejects.toThrow(/"onhand_not_there" does not exist/);
    expect(warnings.length).toBeGreaterThan(0);
  });

  test.each(['not a url with s3cret', 'mysql://root:s3cret@host/db', 'postgres://user:s3cret@host:port/db'])(
    'a malformed URL is never repeated',
    async (url) => {
      const refused = waitForDatabase(url, log, 0);
      await expect(refused).rejects.toThrow(/DATABASE_URL is not a PostgreSQL URL/);
      await expect(refused).rejects.not.toThrow(/s3cret/);
    },
  );
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
