import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { recordVerdicts } from './push-verdicts';

/** More than are asked about at once. */
const MANY = 60_000;

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.dataSource();
});

afterAll(() => database.drop());

/** Accepted since the planner last looked. Answers their ids. */
async function acceptMany(channel: string): Promise<string[]> {
  await dataSource.query(
    `INSERT INTO listings (channel, channel_sku) SELECT $1, n::text FROM generate_series(1, $2::int) n`,
    [channel, MANY],
  );
  await dataSource.query(
    'INSERT INTO shown_quantities (listing_id, pushed_units) SELECT id, 5 FROM listings WHERE channel = $1',
    [channel],
  );
  const rows: { id: string }[] = await dataSource.query(
    `INSERT INTO pushes (id, listing_id, channel, quantity, waterfall, trigger, state, sent_at)
     SELECT gen_random_uuid(), id, channel, 5, '{}', 'change', 'sent', clock_timestamp() FROM listings WHERE channel = $1
     RETURNING id`,
    [channel],
  );
  await dataSource.query('ANALYZE pushes, shown_quantities, dirty_listings');
  await dataSource.query(`UPDATE pushes SET state = 'accepted', receipt = 'feed 1' WHERE channel = $1`, [
    channel,
  ]);
  return rows.map(({ id }) => id);
}

/** What takes the square of its number is ended by the time that a statement may take. */
test.each([
  ['accepted', { accepted: MANY }, { dirty: 0, known: MANY }],
  ['rejected', { rejected: MANY }, { dirty: MANY, known: 0 }],
] as const)('all that a channel was asked about is %s in one go', async (state, pushes, left) => {
  const ids = await acceptMany(state);
  await recordVerdicts(
    dataSource,
    ids.map((pushId) => ({ pushId, state, reason: null, final: false })),
  );
  const rows: unknown = await dataSource.query(
    `SELECT (SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM pushes WHERE channel = $1 AND decided_at IS NOT NULL GROUP BY 1) p) AS pushes,
            (SELECT count(*)::int FROM dirty_listings WHERE channel = $1 AND forced) AS dirty,
            (SELECT count(pushed_units)::int FROM shown_quantities q JOIN listings l ON l.id = q.listing_id WHERE l.channel = $1) AS known`,
    [state],
  );
  expect(rows).toEqual([{ pushes, ...left }]);
});
