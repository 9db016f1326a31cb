import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { LeaderService } from './leader.service';

describe('the leader', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let standing: { leader: LeaderService; terms: number }[];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    dataSource = await database.dataSource();
  });

  beforeEach(() => {
    standing = [];
  });

  afterEach(async () => {
    await Promise.all(standing.map(({ leader }) => leader.beforeApplicationShutdown()));
  });

  afterAll(() => database.drop());

  function stand() {
    const one = { leader: new LeaderService(dataSource), terms: 0 };
    standing.push(one);
    one.leader.stand(() => (one.terms += 1));
    return one;
  }

  const leading = () => standing.filter(({ leader }) => leader.leads);
  const oneLeads = () => eventually(() => expect(leading()).toHaveLength(1));

  test('of many that stand one leads', async () => {
    for (let host = 0; host < 5; host++) stand();
    await oneLeads();
    const [first] = leading();
    for (let look = 0; look < 20; look++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(leading()).toEqual([first]);
    }
    expect(standing.map(({ terms }) => terms).sort()).toEqual([0, 0, 0, 0, 1]);
  });

  test('one that stops makes room for another at once', async () => {
    stand();
    await oneLeads();
    const second = stand();
    await standing[0]!.leader.beforeApplicationShutdown();
    expect(standing[0]!.leader.leads).toBe(false);
    await eventually(() => expect(second.leader.leads).toBe(true), 2_500);
    expect(second.terms).toBe(1);
  });

  test('one that loses its connection does not lead until it has the lock again', async () => {
    stand();
    await oneLeads();
    stand();
    const ended = await dataSource.query(
      `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()`,
    );
    expect(ended).toHaveLength(1);
    await eventually(() => expect(standing[0]!.terms + standing[1]!.terms).toBe(2));
    await oneLeads();
  });

  test('the server ends the session of a leader that it does not hear of, before another may lead', async () => {
    const one = stand();
    await oneLeads();
    const second = stand();
    // Nothing of this process runs for six seconds, as when it is stopped: only the server can end the term.
    const stuckUntil = Date.now() + 6_000;
    while (Date.now() < stuckUntil);
    expect(one.leader.leads).toBe(false);
    await oneLeads();
    expect(one.terms + second.terms).toBe(2);
  });
});
