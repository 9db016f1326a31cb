import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { eventually } from '../../test/support/eventually';
import { InventoryApp } from '../../test/support/inventory-app';
import { urlFor } from '../database/connection-url';
import type { StockRow } from './stock.service';

let database: TestDatabase;
let host: InventoryApp;
let second: InventoryApp;

beforeAll(async () => {
  database = await createTestDatabase();
  // One lane and large batches, so that one commit can change more levels than a notification can name.
  host = await InventoryApp.start(database.url, { lanes: 1, maxBatch: 2_000 });
  second = await InventoryApp.start(database.url);
});

afterAll(async () => {
  await Promise.all([host.stop(), second.stop()]);
  await database.drop();
});

function day(dayOfJanuary: number, seconds = 0): Date {
  return new Date(Date.UTC(2024, 0, dayOfJanuary, 0, 0, seconds));
}

/** Available units by location. */
function availableIn({ levels }: StockRow): Map<number, number> {
  return new Map(levels.map(({ locationId, level }) => [locationId, level.available]));
}

async function adjust(
  skuId: number,
  quantityUnits: number,
  occurredAt: Date,
  locationId = host.front,
): Promise<Date> {
  await sleep(2);
  const { outcome } = await host.post({
    kind: 'move',
    type: 'ADJUST',
    skuId,
    locationId,
    quantityUnits,
    reason: 'count',
    occurredAt: occurredAt.toISOString(),
  });
  if (!('move' in outcome)) throw new Error(JSON.stringify(outcome));
  return new Date(outcome.move.recordedAt);
}

describe('stock of the past', () => {
  it('as of a moment counts what had happened by then, however late it was heard of', async () => {
    const skuId = await host.newSku();
    await adjust(skuId, 10, day(1));
    await adjust(skuId, -3, day(5));
    await adjust(skuId, 4, day(3));
    const asOf = async (moment: Date) =>
      availableIn(await host.stock.levelsAsOf(skuId, moment)).get(host.front);
    expect(await asOf(day(0))).toBeUndefined();
    expect(await asOf(day(1))).toBe(10);
    expect(await asOf(day(3))).toBe(14);
    expect(await asOf(day(4))).toBe(14);
    expect(await asOf(day(5))).toBe(11);
  });

  it('as known at a moment leaves out what was heard of later, however early it had happened', async () => {
    const skuId = await host.newSku();
    const recorded = [
      await adjust(skuId, 10, day(1)),
      await adjust(skuId, -3, day(5)),
      await adjust(skuId, 4, day(3)),
    ];
    const knownAt = async (moment: Date) =>
      availableIn(await host.stock.levelsKnownAt(skuId, moment)).get(host.front);
    expect(await knownAt(day(6))).toBeUndefined();
    expect(await knownAt(new Date(recorded[0]!.getTime() - 1))).toBeUndefined();
    expect(await Promise.all(recorded.map(knownAt))).toEqual([10, 7, 11]);
    expect(await knownAt(new Date(recorded[1]!.getTime() + 1))).toBe(7);
    expect(await knownAt(new Date(Date.now() + 60_000))).toBe(11);
  });

  it('agrees with a count by hand at any moment of any history', async () => {
    const event = fc.record({
      units: fc.integer({ min: 1, max: 9 }),
      second: fc.nat(20),
      atBack: fc.boolean(),
    });
    for (const events of fc.sample(fc.array(event, { minLength: 1, maxLength: 20 }), {
      numRuns: 12,
      seed: 7,
    })) {
      const skuId = await host.newSku();
      const recorded: Date[] = [];
      for (const { units, second: at, atBack } of events)
        recorded.push(await adjust(skuId, units, day(1, at), atBack ? host.back : host.front));
      const sums = (counts: (index: number) => boolean) => {
        const byLocation = new Map<number, number>();
        events.forEach(({ units, atBack }, index) => {
          if (!counts(index)) return;
          const place = atBack ? host.back : host.front;
          byLocation.set(place, (byLocation.get(place) ?? 0) + units);
        });
        return byLocation;
      };
      for (const moment of [-1, 0, 5, 10, 20].map((at) => day(1, at)))
        expect(availableIn(await host.stock.levelsAsOf(skuId, moment))).toEqual(
          sums((index) => day(1, events[index]!.second) <= moment),
        );
      for (const moment of recorded)
        expect(availableIn(await host.stock.levelsKnownAt(skuId, moment))).toEqual(
          sums((index) => recorded[index]! <= moment),
        );
    }
  });

  it('as known now is the present level, version and all', async () => {
    const skuId = await host.newSku(9);
    await host.reserve([{ skuId, quantityUnits: 2 }]);
    await host.restock(skuId, 1, host.far);
    const [now] = await host.stock.levelsOf([skuId]);
    expect(await host.stock.levelsKnownAt(skuId, new Date(Date.now() + 60_000))).toEqual(now);
  });
});

describe('present stock', () => {
  it('comes in the order asked for, locations by priority', async () => {
    const [first, next, empty] = [await host.newSku(), await host.newSku(), await host.newSku()];
    for (const place of [host.far, host.back, host.front]) await host.restock(first, 5, place);
    await host.restock(next, 7, host.back);
    const rows = await host.stock.levelsOf([next, empty, first]);
    expect(rows.map(({ skuId, levels }) => [skuId, levels.map(({ locationId }) => locationId)])).toEqual([
      [next, [host.back]],
      [empty, []],
      [first, [host.front, host.back, host.far]],
    ]);
    expect((await host.stock.levelsAsOf(first, new Date(Date.now() + 60_000))).levels).toEqual(
      rows[2]!.levels,
    );
  });
});

describe('the events of a SKU', () => {
  it('page by page are all of them once, newest first, also while new ones are written', async () => {
    const skuId = await host.newSku();
    for (let index = 0; index < 5; index++)
      await host.restock(skuId, 4, [host.front, host.back, host.far][index % 3]);
    const { front, back } = host;
    await host.post({
      kind: 'move',
      type: 'TRANSFER',
      skuId,
      locationId: front,
      toLocationId: back,
      quantityUnits: 1,
    });
    await host.restock(await host.newSku(), 1);
    const all = await host.rows<{ seq: number }>(
      'SELECT seq FROM ledger WHERE sku_id = $1 ORDER BY seq DESC',
      [skuId],
    );
    expect(all).toHaveLength(7);
    for (const limit of [1, 2, 3, 7, 100]) {
      const seen: number[] = [];
      for (let cursor: number | undefined; ; cursor = seen.at(-1)) {
        const page = await host.stock.events(skuId, limit, cursor);
        expect(page.length).toBeLessThanOrEqual(limit);
        if (page.length === 0) break;
        seen.push(...page.map(({ seq }) => seq));
        await second.restock(skuId, 1);
      }
      expect(seen.slice(-7)).toEqual(all.map(({ seq }) => seq));
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('are counted by type', async () => {
    const before = await host.stock.countEvents();
    const skuId = await host.newSku(9);
    await host.reserve([{ skuId, quantityUnits: 2 }]);
    await host.reserve([{ skuId, quantityUnits: 2 }]);
    const after = await host.stock.countEvents();
    expect(after.events - before.events).toBe(3);
    expect((after.byType.RESTOCK ?? 0) - (before.byType.RESTOCK ?? 0)).toBe(1);
    expect((after.byType.RESERVE ?? 0) - (before.byType.RESERVE ?? 0)).toBe(2);
    expect(Object.values(after.byType).reduce((sum, count) => sum + count, 0)).toBe(after.events);
  });
});

describe('availability in memory', () => {
  function available(on: InventoryApp, skuId: number, locationId = on.front): number | undefined {
    return on.availability.levelsOf(skuId).get(locationId)?.available;
  }

  it('knows this host’s commit before its caller is answered, and another host’s soon after', async () => {
    const skuId = await host.newSku(5);
    expect(available(host, skuId)).toBe(5);
    await eventually(() => expect(available(second, skuId)).toBe(5));
    await second.restock(skuId, 2, second.back);
    expect(available(second, skuId, host.back)).toBe(2);
    await eventually(() => expect(available(host, skuId, host.back)).toBe(2));
  });

  it('is empty for a SKU without events', async () => {
    expect(host.availability.levelsOf(await host.newSku()).size).toBe(0);
  });

  it('never goes back while two hosts write, and ends where the table is', async () => {
    const skuId = await host.newSku(500);
    const seen: number[][] = [[], []];
    let stopped = false;
    const watch = () => {
      [host, second].forEach((on, index) =>
        seen[index]!.push(on.availability.levelsOf(skuId).get(host.front)?.version ?? 0),
      );
      if (!stopped) setImmediate(watch);
    };
    watch();
    // Each host's own commits overtake what it is still reading of the other's.
    const posting = Array.from({ length: 12 }, async (_, index) => {
      for (let round = 0; round < 30; round++) await [host, second][index % 2]!.restock(skuId, 1);
    });
    await Promise.all(posting);
    await eventually(() => {
      for (const on of [host, second])
        expect(on.availability.levelsOf(skuId).get(host.front)).toMatchObject({
          version: 361,
          available: 860,
        });
    });
    stopped = true;
    for (const versions of seen) {
      expect(versions.findIndex((version, index) => version < (versions[index - 1] ?? 0))).toBe(-1);
      expect(new Set(versions).size).toBeGreaterThan(20);
    }
  });

  it('never goes back to what was read before its own commit and arrives after it', async () => {
    const slow = await slowAnswers(database.url, 'FROM levels l\n  JOIN unnest', 300);
    const third = await InventoryApp.start(slow.url);
    try {
      const skuId = await host.newSku(5);
      await eventually(() => expect(slow.held).toBe(1));
      await third.restock(skuId, 1);
      expect(available(third, skuId)).toBe(6);
      await eventually(() => expect(slow.released).toBe(1));
      await sleep(20);
      expect(available(third, skuId)).toBe(6);
    } finally {
      await third.stop();
      slow.close();
    }
  });

  it('follows a commit that changes more levels than a notification can name', async () => {
    const codes = Array.from({ length: 1_500 }, (_, index) => ({ sku: `many-${index}` }));
    const skus = (await host.catalog.upsertSkus(codes)).map(({ sku }) => sku.id);
    await Promise.all(skus.map((skuId) => host.restock(skuId, 3)));
    expect(
      await host.count('ledger WHERE sku_id = ANY($1) GROUP BY recorded_at HAVING count(*) > 1000', [skus]),
    ).toBeGreaterThan(0);
    await eventually(() =>
      expect(skus.map((skuId) => available(second, skuId))).toEqual(Array(1_500).fill(3)),
    );
  });

  it('reads everything again after its connection for notifications was lost', async () => {
    const skuId = await host.newSku(5);
    await eventually(() => expect(available(second, skuId)).toBe(5));
    const killed = await host.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'onhand listener'`,
    );
    expect(killed).toHaveLength(2);
    await sleep(50);
    await host.restock(skuId, 1);
    await sleep(100);
    expect(available(second, skuId)).toBe(5);
    await eventually(() => expect(available(second, skuId)).toBe(6));
  });

  it('starts with the whole table', async () => {
    const skuId = await host.newSku(5);
    const third = await InventoryApp.start(database.url);
    expect(available(third, skuId)).toBe(5);
    await third.stop();
  });
});

/** A way to the database that holds back the answer to each query with `text` in it, for so long. */
async function slowAnswers(url: string, text: string, delayMs: number) {
  const { host: where, port, user, password, database: name } = new Client({ connectionString: url });
  const target = where.startsWith('/') ? { path: `${where}/.s.PGSQL.${port}` } : { host: where, port };
  const state = { held: 0, released: 0 };
  const server = createServer((client) => {
    const upstream = connect(target);
    client.on('data', (bytes) => {
      if (bytes.includes(text)) {
        state.held++;
        upstream.pause();
        setTimeout(() => {
          state.released++;
          upstream.resume();
        }, delayMs);
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  const parts = { host: '127.0.0.1', port: own, database: name!, user: user!, password: password! };
  return {
    url: urlFor(parts),
    get held() {
      return state.held;
    },
    get released() {
      return state.released;
    },
    close: () => server.close(),
  };
}
