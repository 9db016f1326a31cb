import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { InboxService } from './inbox.service';

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
});

afterAll(() => database.drop());

test('what could not be applied has its turn when it is due, before what came after that', async () => {
  const inbox = new InboxService(dataSource);
  const receive = (body: string) =>
    inbox.receive('shop', 'orders', { method: 'POST', path: '/', headers: {}, body: Buffer.from(body) });
  const claimed = async () => (await inbox.claim('shop', 1)).map(({ body }) => body.toString());
  await receive('failed once');
  expect(await claimed()).toEqual(['failed once']);
  await receive('waits already');
  await dataSource.query(`UPDATE inbox SET not_before = clock_timestamp() WHERE body = 'failed once'`);
  await receive('newest');
  expect([await claimed(), await claimed(), await claimed()]).toEqual([
    ['waits already'],
    ['failed once'],
    ['newest'],
  ]);
});
