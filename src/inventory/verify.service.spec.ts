import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { InventoryApp, refusalIn, reservationIn, tamper } from '../../test/support/inventory-app';

let database: TestDatabase;
let host: InventoryApp;
let second: InventoryApp;

beforeAll(async () => {
  database = await createTestDatabase();
  host = await InventoryApp.start(database.url, { maxBatch: 16 });
  second = await InventoryApp.start(database.url, { maxBatch: 16 });
});

afterAll(async () => {
  await Promise.all([host.stop(), second.stop()]);
  await database.drop();
});

/** Every row of what the ledger's events leave behind. */
async function levels() {
  return host.rows('SELECT * FROM levels ORDER BY sku_id, location_id');
}

async function violations(): Promise<string[]> {
  const verification = await host.verify.verify();
  expect(verification.ok).toBe(verification.violationCount === 0);
  return verification.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

/** Does `work` while both hosts post this and that, and waits for the last of it. */
async function underLoad(skus: readonly number[], work: () => Promise<void>): Promise<void> {
  let stopped = false;
  const any = () => skus[Math.floor(Math.random() * skus.length)]!;
  const post = async (on: InventoryApp) => {
    while (!stopped) {
      const skuId = any();
      await on.restock(skuId, 3, Math.random() < 0.5 ? on.front : on.back);
      const posted = await on.reserve([skuId, any()].map((id) => ({ skuId: id, quantityUnits: 2 })));
      if (refusalIn(posted.outcome)) continue;
      const { id } = reservationIn(posted);
      await on.post({ kind: 'fulfil', reservationId: id, lines: [{ skuId, quantityUnits: 1 }] });
      await on.post({ kind: 'release', reservationId: id });
    }
  };
  const posting = Promise.all([host, second, host, second].map(post));
  try {
    await work();
  } finally {
    stopped = true;
    await posting;
  }
}

describe('verify', () => {
  it('finds nothing wrong at any moment while two hosts write', async () => {
    const skus = await Promise.all([1, 2, 3, 4, 5].map(() => host.newSku(2)));
    const seen: number[] = [];
    await underLoad(skus, async () => {
      for (let round = 0; round < 20; round++) {
        const { ok, violations: found, events } = await host.verify.verify();
        expect({ ok, found }).toEqual({ ok: true, found: [] });
        seen.push(events);
      }
    });
    expect(seen.at(-1)!).toBeGreaterThan(seen[0]! + 20);
    const { events, levels: counted, reservations } = await host.verify.verify();
    expect(events).toBe(await host.count('ledger'));
    expect(counted).toBe(await host.count('levels'));
    expect(reservations).toBe(await host.count('reservations'));
  });

  describe('names', () => {
    let skuId: number;
    let place: string;
    let reservationId: string;

    /** Ten at the front of which four are reserved; four events at the back. */
    beforeEach(async () => {
      skuId = await host.newSku(10);
      place = `${host.catalog.skuCode(skuId)} at front`;
      reservationId = reservationIn(await host.reserve([{ skuId, quantityUnits: 4 }])).id;
      expect(await violations()).toEqual([]);
    });

    afterEach(async () => {
      for (const table of ['ledger', 'levels', 'reservation_lines', 'shortfalls'])
        await tamper(database.url, `DELETE FROM ${table} WHERE sku_id = $1`, [skuId]).catch(() => undefined);
      await tamper(database.url, 'DELETE FROM reservations WHERE id = $1', [reservationId]).catch(
        () => undefined,
      );
    });

    it('a level that was changed', async () => {
      await tamper(database.url, 'UPDATE levels SET available = 7 WHERE sku_id = $1', [skuId]);
      expect(await violations()).toEqual([
        `I1: ${place} is v2 [7 4 0 0 0 0], its events make v2 [6 4 0 0 0 0]`,
      ]);
    });

    it('a level whose version was changed', async () => {
      await tamper(database.url, 'UPDATE levels SET version = 9 WHERE sku_id = $1', [skuId]);
      expect(await violations()).toEqual([
        `I1: ${place} is v9 [6 4 0 0 0 0], its events make v2 [6 4 0 0 0 0]`,
      ]);
    });

    it('a level that is gone', async () => {
      await tamper(database.url, 'DELETE FROM levels WHERE sku_id = $1', [skuId]);
      expect(await violations()).toEqual([
        `I1: ${place} has events but no level`,
        `I2: ${place} holds 0 reserved, reservations have 4 open`,
      ]);
    });

    it('a level that nobody made', async () => {
      await tamper(
        database.url,
        'INSERT INTO levels (sku_id, location_id, available, updated_at) VALUES ($1, $2, 3, now())',
        [skuId, host.back],
      );
      expect(await violations()).toEqual([`I1: ${place.replace('front', 'back')} has a level but no events`]);
    });

    it('a level of a SKU that does not exist', async () => {
      await tamper(
        database.url,
        'INSERT INTO levels (sku_id, location_id, updated_at) VALUES ($1, $2, now())',
        [999_999, host.front],
      );
      const found = await violations();
      await tamper(database.url, 'DELETE FROM levels WHERE sku_id = $1', [999_999]);
      expect(found[0]).toBe(
        `I1: the level of SKU id 999999 at location id ${host.front} names one that does not exist`,
      );
    });

    it('an event whose level does not follow from the one before', async () => {
      const seq = await insertEvent({ version: 3, available: 8 });
      await tamper(database.url, 'UPDATE levels SET available = 7, version = 3 WHERE sku_id = $1', [skuId]);
      expect(await violations()).toEqual([
        `I1: event ${seq} of ${place} stores v3 [8 4 0 0 0 0], the rules make v3 [7 4 0 0 0 0]`,
      ]);
    });

    it('an event that is missing', async () => {
      await host.restock(skuId, 1);
      await tamper(database.url, 'DELETE FROM ledger WHERE sku_id = $1 AND version = 2', [skuId]);
      const found = await violations();
      expect(found).toHaveLength(2);
      expect(found[0]).toMatch(
        /^I1: event \d+ .* stores v3 \[7 4 0 0 0 0\], the rules make v2 \[11 0 0 0 0 0\]$/,
      );
      expect(found[1]).toBe(`I1: ${place} is v3 [7 4 0 0 0 0], its events make v2 [11 0 0 0 0 0]`);
    });

    it('a reservation line that was changed', async () => {
      await tamper(database.url, 'UPDATE reservation_lines SET fulfilled = 1 WHERE reservation_id = $1', [
        reservationId,
      ]);
      expect(await violations()).toEqual([`I2: ${place} holds 4 reserved, reservations have 3 open`]);
    });

    it('a reservation that is over and still has units open', async () => {
      await tamper(database.url, `UPDATE reservations SET state = 'released' WHERE id = $1`, [reservationId]);
      expect(await violations()).toEqual([`I2: reservation ${reservationId} is released but has open units`]);
    });

    it('lines without a reservation', async () => {
      await tamper(database.url, 'DELETE FROM reservations WHERE id = $1', [reservationId]);
      expect(await violations()).toEqual([`I2: lines of reservation ${reservationId} have no reservation`]);
    });

    it('units below zero that no open shortfall of that many explains', async () => {
      await host.post({
        kind: 'move',
        type: 'ADJUST',
        skuId,
        locationId: host.front,
        quantityUnits: -8,
        reason: 'count',
      });
      expect(await violations()).toEqual([]);
      const expected = [`I3: ${place} has -2 available and no shortfall of that many`];
      await tamper(database.url, 'UPDATE shortfalls SET quantity = 1 WHERE sku_id = $1', [skuId]);
      expect(await violations()).toEqual(expected);
      await tamper(database.url, `UPDATE shortfalls SET quantity = 2, state = 'resolved' WHERE sku_id = $1`, [
        skuId,
      ]);
      expect(await violations()).toEqual(expected);
    });

    it('the first hundred of what is wrong, and how much it is', async () => {
      await tamper(
        database.url,
        'INSERT INTO levels (sku_id, location_id, updated_at) SELECT $1, 1000 + n, now() FROM generate_series(1, 130) n',
        [skuId],
      );
      const { ok, violationCount, violations: named } = await host.verify.verify();
      // Each has no events, and is at a location that does not exist.
      expect([ok, violationCount, named.length]).toEqual([false, 260, 100]);
    });

    /** A RESTOCK of one unit as no writer would store it. Returns its sequence number. */
    async function insertEvent({
      version,
      available,
    }: {
      version: number;
      available: number;
    }): Promise<number> {
      await tamper(
        database.url,
        `INSERT INTO ledger (sku_id, location_id, type, from_state, to_state, quantity, available, reserved, quarantined,
           damaged, in_transit, on_order, version, command_key, content_hash, actor, occurred_at, recorded_at)
         VALUES ($1, $2, 'RESTOCK', 'outside', 'available', 1, $3, 4, 0, 0, 0, 0, $4, $5, '', 'nobody', now(), now())`,
        [skuId, host.front, available, version, randomUUID()],
      );
      const [row] = await host.rows<{ seq: number }>('SELECT max(seq) AS seq FROM ledger');
      return row!.seq;
    }
  });
});

describe('rebuild', () => {
  it('makes the same rows, to the time of their last change', async () => {
    const [skuId, occurredAt] = [await host.newSku(1), '2024-05-01T10:00:00.000Z'];
    const late = {
      kind: 'move',
      type: 'RESTOCK',
      skuId,
      locationId: host.front,
      quantityUnits: 1,
      occurredAt,
    } as const;
    await host.post(late);
    const before = await levels();
    expect(before.length).toBeGreaterThan(5);
    const rebuilt = await host.rebuild.rebuild();
    expect(await levels()).toEqual(before);
    expect(rebuilt).toMatchObject({
      events: await host.count('ledger'),
      levels: before.length,
      corrected: 0,
    });
  });

  it.each([
    ['changed', 'UPDATE levels SET available = available + 100, version = version + 5'],
    ['deleted', 'DELETE FROM levels'],
  ])('repairs levels that were %s, and what every host has read of them', async (_name, damage) => {
    const skuId = await host.newSku(6);
    const before = await levels();
    await tamper(database.url, damage);
    await Promise.all([host, second].map((on) => on.availability.reset()));
    expect(second.availability.levelsOf(skuId).get(host.front)?.available).not.toBe(6);
    await host.rebuild.rebuild();
    expect(await levels()).toEqual(before);
    expect(await violations()).toEqual([]);
    expect(host.availability.levelsOf(skuId).get(host.front)).toMatchObject({ available: 6, version: 1 });
    await eventually(() =>
      expect(second.availability.levelsOf(skuId).get(host.front)).toMatchObject({ available: 6, version: 1 }),
    );
  });

  it('removes a level that nobody made', async () => {
    const before = await levels();
    await tamper(
      database.url,
      'INSERT INTO levels (sku_id, location_id, updated_at) VALUES (999999, 1, now())',
    );
    await host.rebuild.rebuild();
    expect(await levels()).toEqual(before);
  });

  it('lets writers wait and readers read, and loses nothing of what is written meanwhile', async () => {
    const skus = await Promise.all([1, 2, 3].map(() => host.newSku(5)));
    const empty: number[] = [];
    const watching = setInterval(() => {
      for (const id of skus) if (host.availability.levelsOf(id).size === 0) empty.push(id);
    }, 0);
    try {
      await underLoad(skus, async () => {
        for (let round = 0; round < 5; round++) {
          await host.rebuild.rebuild();
          for (const { levels: found } of await host.stock.levelsOf(skus)) expect(found).not.toEqual([]);
        }
      });
    } finally {
      clearInterval(watching);
    }
    expect(empty).toEqual([]);
    expect(await violations()).toEqual([]);
    for (const row of await host.stock.levelsOf(skus)) {
      const known = [...host.availability.levelsOf(row.skuId)].map(([locationId, level]) => ({
        locationId,
        level,
      }));
      expect(known.sort((a, b) => a.locationId - b.locationId)).toEqual(
        row.levels.toSorted((a, b) => a.locationId - b.locationId),
      );
    }
  });
});
