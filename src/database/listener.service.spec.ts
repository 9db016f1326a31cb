import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { ListenerService } from './listener.service';

let database: TestDatabase;
let dataSource: DataSource;
let service: ListenerService;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
});

afterAll(() => database.drop());

beforeEach(() => {
  service = new ListenerService(dataSource);
});

afterEach(() => service.beforeApplicationShutdown());

test.each([
  ['rejects', () => Promise.reject(new Error('no connection'))],
  [
    'throws',
    () => {
      throw new Error('no connection');
    },
  ],
])('what could not be read, as it %s, is read again until it is', async (_, fail) => {
  let failures = 3;
  const read: string[] = [];
  await service.listen('told', {
    heard: () => fail(),
    missed: () => {
      if (failures-- > 0) return fail();
      read.push('everything');
    },
  });
  await dataSource.query(`NOTIFY told, 'this'`);
  await eventually(() => expect(read).toEqual(['everything']), 10_000);
  expect(failures).toBe(-1);
});

test('everything is read again after a lost connection, and what is told later is heard', async () => {
  const heard: string[] = [];
  let missed = 0;
  await service.listen('told', { heard: (payload) => heard.push(payload), missed: () => (missed += 1) });
  await dataSource.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'onhand listener'`,
  );
  await eventually(() => expect(missed).toBe(1), 10_000);
  await dataSource.query(`NOTIFY told, 'later'`);
  await eventually(() => expect(heard).toEqual(['later']));
});
