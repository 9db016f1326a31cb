import { createHash, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { poolOf } from '../database/pool';
import { CountRecords } from './count-records';

/** So many that a look through all of them for each of them would be ended by `statement_timeout`. */
const SKUS = 30_000;

let database: TestDatabase;
let pool: Pool;
let records: CountRecords;

beforeAll(async () => {
  database = await createTestDatabase();
  const dataSource = await database.dataSource();
  pool = poolOf(dataSource);
  records = new CountRecords(dataSource);
  await pool.query(`INSERT INTO skus (code) SELECT 'S-' || n FROM generate_series(1, ${SKUS}) n`);
  await pool.query(
    `INSERT INTO locations (code, name) VALUES ('front', 'Front'), ('back', 'Back'), ('far', 'Far')`,
  );
  await pool.query(
    `INSERT INTO levels (sku_id, location_id, available, version, updated_at)
     SELECT s.id, l.id, 1, 1, clock_timestamp() FROM skus s CROSS JOIN locations l`,
  );
  // What the server knows of lines is from before there was one.
  await pool.query('ANALYZE');
});

afterAll(() => database.drop());

/** A full count that names every SKU whose number is not in `left`, at each of the places. */
async function counted(
  places: string[],
  left: (skuNumber: number, place: string) => boolean,
): Promise<string> {
  const id = randomUUID();
  const hash = createHash('sha256').update(id).digest();
  const about = {
    source: id,
    kind: 'full' as const,
    takenAt: new Date(),
    reason: 'stocktaking',
    receivedBy: 'test',
  };
  const { rows } = await pool.query<{ sku: string; skuId: number; location: string; locationId: number }>(
    `SELECT s.code AS sku, s.id AS "skuId", l.code AS location, l.id AS "locationId"
       FROM skus s CROSS JOIN locations l WHERE l.code = ANY($1) ORDER BY s.id, l.id`,
    [places],
  );
  const lines = rows
    .filter(({ sku, location }) => !left(Number(sku.slice(2)), location))
    .map((row, index) => ({ ...row, line: index + 1, state: 'on_hand' as const, counted: 1 }));
  expect(await records.create({ id, hash, ...about }, lines)).toEqual({ id, created: true });
  return id;
}

async function uncountedOf(id: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after = { skuId: 0, locationId: 0 }; ;) {
    const page = await records.uncounted(id, after, limit);
    found.push(...page.map(({ skuId, locationId }) => `${skuId}@${locationId}`));
    if (page.length < limit) return found;
    after = page.at(-1)!;
  }
}

async function idsOf(where: string): Promise<string[]> {
  const { rows } = await pool.query<{ level: string }>(
    `SELECT sku_id || '@' || location_id AS level FROM levels v JOIN skus s ON s.id = v.sku_id
       JOIN locations l ON l.id = v.location_id WHERE ${where} ORDER BY sku_id, location_id`,
  );
  return rows.map(({ level }) => level);
}

test('what a full count leaves out is found for every SKU, though other places have as many', async () => {
  const id = await counted(['front'], (skuNumber) => skuNumber % 10_000 === 7);
  expect(await uncountedOf(id, 500)).toEqual(
    await idsOf(`l.code = 'front' AND s.code IN ('S-7', 'S-10007', 'S-20007')`),
  );
});

test('a page that ends between two places of a SKU leaves none out', async () => {
  const id = await counted(['front', 'back'], (skuNumber) => skuNumber <= 5);
  const expected = await idsOf(
    `l.code IN ('front', 'back') AND s.code IN ('S-1', 'S-2', 'S-3', 'S-4', 'S-5')`,
  );
  expect(expected).toHaveLength(10);
  expect(await uncountedOf(id, 3)).toEqual(expected);
});
