import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { InventoryApp, reservationIn } from '../../test/support/inventory-app';
import type { LedgerCommand, OrderLineTarget } from './commands';
import { contentHash } from './commands';
import { bytesArray, numberArray, textArray } from './sql-array';

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

function eventsOf(skuId: number) {
  return host.rows('SELECT * FROM ledger WHERE sku_id = $1 ORDER BY seq', [skuId]);
}

describe('the ledger', () => {
  it.each([
    ['UPDATE ledger SET quantity = quantity + 1', 'UPDATE'],
    ['DELETE FROM ledger', 'DELETE'],
    ['TRUNCATE ledger', 'TRUNCATE'],
    ['DELETE FROM ledger WHERE false', 'DELETE'],
  ])('refuses %s', async (sql, verb) => {
    const skuId = await host.newSku(3);
    const before = await eventsOf(skuId);
    await expect(host.rows(sql)).rejects.toThrow(`the ledger is append-only: ${verb} is refused`);
    expect(await eventsOf(skuId)).toEqual(before);
  });

  it('refuses a second event of one version of a level', async () => {
    const skuId = await host.newSku(3);
    const copied =
      'sku_id, location_id, type, from_state, to_state, quantity, available, reserved, quarantined, damaged, in_transit, on_order, version, command_key, content_hash, actor, occurred_at, recorded_at';
    await expect(
      host.rows(`INSERT INTO ledger (${copied}) SELECT ${copied} FROM ledger WHERE sku_id = $1`, [skuId]),
    ).rejects.toMatchObject({ code: '23505' });
  });

  it('refuses a second use of one key', async () => {
    await host.newSku(3);
    await expect(
      host.rows('INSERT INTO idempotency_keys SELECT * FROM idempotency_keys LIMIT 1'),
    ).rejects.toMatchObject({ code: '23505' });
  });

  it('stores with each event who did what, why, when, and the level after it', async () => {
    const skuId = await host.newSku(9);
    const occurredAt = '2024-02-29T12:34:56.789Z';
    const command: LedgerCommand = {
      kind: 'move',
      type: 'ADJUST',
      skuId,
      locationId: host.front,
      quantityUnits: -2,
      state: 'available',
      reason: 'two broken, "found" in {aisle 3}',
      reference: 'count\\7, null',
      occurredAt,
      key: randomUUID(),
      actor: 'api:stocktake',
    };
    const start = new Date();
    await host.ledger.post(command);
    const [, event] = await eventsOf(skuId);
    expect(event).toEqual({
      seq: expect.any(Number),
      sku_id: skuId,
      location_id: host.front,
      type: 'ADJUST',
      from_state: 'available',
      to_state: 'outside',
      quantity: 2,
      available: 7,
      reserved: 0,
      quarantined: 0,
      damaged: 0,
      in_transit: 0,
      on_order: 0,
      version: 2,
      counterpart_location_id: null,
      channel: null,
      order_id: null,
      line_id: null,
      reservation_id: null,
      command_key: command.key,
      content_hash: contentHash(command),
      reference: 'count\\7, null',
      reason: 'two broken, "found" in {aisle 3}',
      actor: 'api:stocktake',
      occurred_at: new Date(occurredAt),
      recorded_at: expect.any(Date),
    });
    expect(Math.abs((event!.recorded_at as Date).getTime() - start.getTime())).toBeLessThan(60_000);
  });

  it('dates an event when it was recorded where nobody says otherwise, and names both ends of a transfer', async () => {
    const skuId = await host.newSku(5);
    const { front, back } = host;
    await host.post({
      kind: 'move',
      type: 'TRANSFER',
      skuId,
      locationId: front,
      toLocationId: back,
      quantityUnits: 2,
    });
    const [, leaving, arriving] = await eventsOf(skuId);
    expect(leaving).toMatchObject({
      location_id: front,
      counterpart_location_id: back,
      to_state: 'outside',
      available: 3,
    });
    expect(arriving).toMatchObject({
      location_id: back,
      counterpart_location_id: front,
      in_transit: 2,
      version: 1,
    });
    expect(leaving!.occurred_at).toEqual(leaving!.recorded_at);
  });

  it('keeps levels, reservation and key as its events leave them', async () => {
    const skuId = await host.newSku(4);
    const key = randomUUID();
    const posted = await host.reserve([{ skuId, quantityUnits: 3 }], {
      key,
      reference: 'cart 7',
      ttlSeconds: 60,
    });
    const { id, expiresAt } = reservationIn(posted);
    const [, event] = await eventsOf(skuId);
    expect(event).toMatchObject({
      type: 'RESERVE',
      reservation_id: id,
      reference: 'cart 7',
      available: 1,
      reserved: 3,
    });
    const recorded = event!.recorded_at as Date;
    expect(new Date(expiresAt!).getTime() - recorded.getTime()).toBe(60_000);
    expect(await host.rows('SELECT * FROM levels WHERE sku_id = $1', [skuId])).toMatchObject([
      { location_id: host.front, available: 1, reserved: 3, version: 2, updated_at: recorded },
    ]);
    expect(await host.rows('SELECT * FROM reservations WHERE id = $1', [id])).toMatchObject([
      { reference: 'cart 7', state: 'held', expires_at: new Date(expiresAt!), created_at: recorded },
    ]);
    expect(await host.rows('SELECT outcome FROM idempotency_keys WHERE key = $1', [key])).toEqual([
      { outcome: JSON.parse(JSON.stringify(posted.outcome)) },
    ]);
    await host
      .post({ kind: 'fulfil', reservationId: id, lines: [{ skuId, quantityUnits: 1 }] })
      .then(({ outcome }) => {
        expect(outcome).toEqual({ refused: { code: 'reservation-held' } });
      });
    await host.post({ kind: 'confirm', reservationId: id });
    await host.post({ kind: 'fulfil', reservationId: id, lines: [{ skuId, quantityUnits: 1 }] });
    expect(await host.reservations.find(id)).toEqual({
      id,
      reference: 'cart 7',
      state: 'confirmed',
      expiresAt: undefined,
      lines: [
        { line: 0, skuId, locationId: host.front, quantity: 3, reserved: 3, fulfilled: 1, released: 0 },
      ],
    });
  });
});

describe('a shortfall', () => {
  const shortfallsOf = (skuId: number) =>
    host.rows('SELECT * FROM shortfalls WHERE sku_id = $1 ORDER BY id', [skuId]);

  it('of a count is open with what is missing now, resolved once it is there, and a new one after that', async () => {
    const skuId = await host.newSku(5);
    await host.reserve([{ skuId, quantityUnits: 5 }]);
    const adjust = (quantityUnits: number) =>
      host.post({
        kind: 'move',
        type: 'ADJUST',
        skuId,
        locationId: host.front,
        quantityUnits,
        reason: 'count',
      });
    await adjust(-3);
    await adjust(1);
    expect(await shortfallsOf(skuId)).toMatchObject([
      { cause: 'count', state: 'open', quantity: 2, location_id: host.front, resolved_at: null },
    ]);
    await adjust(2);
    await adjust(-1);
    expect(await shortfallsOf(skuId)).toMatchObject([
      { state: 'resolved', quantity: 2, resolved_at: expect.any(Date) },
      { state: 'open', quantity: 1, resolved_at: null },
    ]);
  });

  it('of an order line is one row that is open, resolved and opened again', async () => {
    const skuId = await host.newSku(1);
    const settle = (revision: number, ordered: number) => {
      const line: OrderLineTarget = { lineId: 'a', skuId, ordered, cancelled: 0, fulfilled: 0, returned: 0 };
      return host.post({
        kind: 'settle-order',
        channel: 'shop',
        orderId: `of ${skuId}`,
        revision,
        reservationId: randomUUID(),
        lines: [line],
        lineIds: ['a'],
        placedAt: '2024-05-01T10:00:00.000Z',
      });
    };
    await settle(1, 4);
    const [reservation] = await host.rows('SELECT id FROM reservations WHERE order_id = $1', [`of ${skuId}`]);
    const names = { channel: 'shop', order_id: `of ${skuId}`, line_id: 'a', reservation_id: reservation!.id };
    expect(await shortfallsOf(skuId)).toMatchObject([
      { cause: 'order', state: 'open', quantity: 3, ...names },
    ]);
    await settle(2, 1);
    expect(await shortfallsOf(skuId)).toMatchObject([
      { state: 'resolved', quantity: 3, resolved_at: expect.any(Date) },
    ]);
    await settle(3, 2);
    expect(await shortfallsOf(skuId)).toMatchObject([{ state: 'open', quantity: 1, resolved_at: null }]);
  });
});

describe('connections that are killed in the middle of the work', () => {
  it('lose nothing, double nothing, and leave nobody without an answer', async () => {
    const hosts = [host, second];
    const skus = await Promise.all([0, 1, 2, 3].map(() => host.newSku(0)));
    const ids = new Map<string, number>();
    const answers: Promise<unknown>[] = [];
    const killer = setUpKiller();
    const start = Date.now();
    while (killer.kills < 12 || Date.now() - start < 600) {
      if (Date.now() - start > 20_000) throw new Error(`only ${killer.kills} transactions were killed`);
      for (let index = 0; index < 24; index++) {
        const key = randomUUID();
        const skuId = skus[index % 4]!;
        ids.set(key, skuId);
        answers.push(
          hosts[index % 2]!.post(
            { kind: 'move', type: 'RESTOCK', skuId, locationId: host.front, quantityUnits: 1 },
            key,
          ),
        );
      }
      await sleep(5);
    }
    await killer.stop();
    const settled = await Promise.allSettled(answers);
    expect(settled.filter((each) => each.status === 'rejected')).toEqual([]);
    const written = await host.rows<{ command_key: string; sku_id: number }>(
      'SELECT command_key, sku_id FROM ledger WHERE sku_id = ANY($1)',
      [skus],
    );
    expect(written).toHaveLength(ids.size);
    expect(new Map(written.map((row) => [row.command_key, row.sku_id]))).toEqual(ids);
    expect((await host.verify.verify()).violations).toEqual([]);
  });

  /** Ends sessions that are in a transaction, one after the other, until stopped. */
  function setUpKiller(): { readonly kills: number; stop(): Promise<void> } {
    const killer = { kills: 0, stopped: false };
    const work = (async () => {
      const connection = await database.dataSource();
      while (!killer.stopped) {
        const killed: unknown[] = await connection.query(`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL LIMIT 1`);
        killer.kills += killed.length;
        await sleep(15);
      }
    })();
    return {
      get kills() {
        return killer.kills;
      },
      stop: () => {
        killer.stopped = true;
        return work;
      },
    };
  }
});

describe('an array literal', () => {
  it('carries any text, number and bytes to PostgreSQL and back', async () => {
    const text = fc.oneof(
      fc.constantFrom(
        null,
        '',
        'null',
        'NULL',
        '{}',
        'a,b',
        '"',
        '\\',
        ' ',
        "'",
        '\n',
        'é✓𝄞',
        'a b',
        'x:y.z#1-2',
      ),
      fc.string({ unit: 'grapheme' }).filter((drawn) => !drawn.includes('\0')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(text),
        fc.array(fc.option(fc.maxSafeInteger())),
        fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
        async (texts, numbers, bytes) => {
          const [row] = await host.rows(
            'SELECT $1::text[] AS texts, $2::bigint[] AS numbers, $3::bytea[] AS bytes',
            [textArray(texts), numberArray(numbers), bytesArray(bytes)],
          );
          expect(row).toEqual({ texts, numbers, bytes });
        },
      ),
      { numRuns: 150 },
    );
  });
});
