import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { InventoryApp, refusalIn, reservationIn, tamper } from '../../test/support/inventory-app';
import type { BareCommand } from '../../test/support/memory-ledger';
import type { SettleOrderCommand } from './commands';
import { IdempotencyConflictError, LedgerClosedError } from './inventory.errors';
import type { Posted } from './ledger.service';

/** Two hosts on one database. Small batches, so that many transactions meet. */
let database: TestDatabase;
let hosts: [InventoryApp, InventoryApp];
let host: InventoryApp;

beforeAll(async () => {
  database = await createTestDatabase();
  host = await InventoryApp.start(database.url, { maxBatch: 16 });
  hosts = [host, await InventoryApp.start(database.url, { maxBatch: 16 })];
});

afterAll(async () => {
  await Promise.all(hosts.map((each) => each.stop()));
  await database.drop();
});

/** I1–I3 hold, and versions and times of every level follow from one to the next. */
afterEach(async () => {
  const { ok, violations } = await host.verify.verify();
  expect({ ok, violations }).toEqual({ ok: true, violations: [] });
  const broken = await host.rows(`
    SELECT * FROM (
      SELECT sku_id, location_id, version, recorded_at,
             row_number() OVER level AS expected, lag(recorded_at) OVER level AS before
        FROM ledger WINDOW level AS (PARTITION BY sku_id, location_id ORDER BY version)) e
     WHERE version <> expected OR recorded_at < before`);
  expect(broken).toEqual([]);
});

/** Runs a piece of work so many times at once, on the hosts in turn. */
function atOnce<T>(times: number, work: (on: InventoryApp, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => work(hosts[index % 2]!, index)));
}

async function levelOf(skuId: number, locationId = host.front) {
  const [row] = await host.stock.levelsOf([skuId]);
  return row!.levels.find((each) => each.locationId === locationId)?.level;
}

function won(posted: readonly Posted[]): Posted[] {
  return posted.filter(({ outcome }) => !('refused' in outcome));
}

/** What the database has seen since it was made. A session that failed has ended, and counted, by then. */
async function troubles(): Promise<{ deadlocks: number; failed: number }> {
  await sleep(50);
  const [row] = await host.rows<{ deadlocks: number; failed: number }>(
    'SELECT deadlocks, xact_rollback AS failed FROM pg_stat_database WHERE datname = current_database()',
  );
  return row!;
}

describe('many at once', () => {
  it('500 reservations on 5 units from two hosts: exactly 5 win, every time', async () => {
    const before = await troubles();
    for (let round = 0; round < 5; round++) {
      const skuId = await host.newSku(5);
      const posted = await atOnce(500, (on) => on.reserve([{ skuId, quantityUnits: 1 }]));
      expect(won(posted)).toHaveLength(5);
      const refused = posted.map(({ outcome }) => refusalIn(outcome)).filter(Boolean);
      expect(refused).toEqual(Array(495).fill('insufficient-stock'));
      expect(await levelOf(skuId)).toMatchObject({ available: 0, reserved: 5, version: 6 });
    }
    // The level's lock orders them: no transaction finds out at its end that it was too late.
    expect(await troubles()).toEqual(before);
  });

  it('orders that name two SKUs in opposite order never deadlock, and none fails', async () => {
    const skus = [await host.newSku(150), await host.newSku(150)];
    const posted = await atOnce(400, (on, index) => {
      const lines = skus.map((skuId) => ({ skuId, quantityUnits: 1 }));
      return on.reserve(index % 4 < 2 ? lines : lines.reverse());
    });
    expect(won(posted)).toHaveLength(150);
    for (const skuId of skus) expect(await levelOf(skuId)).toMatchObject({ available: 0, reserved: 150 });
    expect((await troubles()).deadlocks).toBe(0);
  });

  it('reservations that end in opposite order never deadlock, and each unit is counted once', async () => {
    const skus = [await host.newSku(40), await host.newSku(40)];
    const ids = await atOnce(40, async (on) => {
      return reservationIn(await on.reserve(skus.map((skuId) => ({ skuId, quantityUnits: 1 })))).id;
    });
    const kinds = ['fulfil', 'release', 'fulfil'] as const;
    const asked = [...ids, ...ids.toReversed(), ...ids];
    const posted = await atOnce(asked.length, (on, index) =>
      on.post({ kind: kinds[index % 3]!, reservationId: asked[index]! }),
    );
    expect(won(posted)).toHaveLength(40);
    for (const skuId of skus) expect(await levelOf(skuId)).toMatchObject({ reserved: 0 });
    expect((await troubles()).deadlocks).toBe(0);
  });

  it('the first events of a SKU from two hosts are both written', async () => {
    for (let round = 0; round < 20; round++) {
      const skuId = await host.newSku();
      await atOnce(2, (on) => on.restock(skuId, 1));
      expect(await levelOf(skuId)).toMatchObject({ available: 2, version: 2 });
    }
  });

  it('all documents of an order, shuffled over two hosts, end as the newest one has it', async () => {
    const skuId = await host.newSku(100);
    const counts = [
      { ordered: 4, cancelled: 0, fulfilled: 0, returned: 0 },
      { ordered: 6, cancelled: 0, fulfilled: 0, returned: 0 },
      { ordered: 6, cancelled: 0, fulfilled: 2, returned: 0 },
      { ordered: 6, cancelled: 3, fulfilled: 2, returned: 0 },
      { ordered: 6, cancelled: 3, fulfilled: 3, returned: 1 },
    ];
    for (let round = 0; round < 8; round++) {
      const orderId = randomUUID();
      const documents = counts.map((line, revision) => document(orderId, revision + 1, { skuId, ...line }));
      const delivered = [...documents, ...documents, ...documents].sort(() => Math.random() - 0.5);
      await atOnce(delivered.length, (on, index) => on.post(delivered[index]!));
      const parts = await host.rows(
        `SELECT r.state, sum(p.reserved - p.released) AS net, sum(p.fulfilled) AS fulfilled, sum(returned) AS returned
           FROM reservations r JOIN reservation_lines p ON p.reservation_id = r.id
          WHERE r.channel = 'shop' AND r.order_id = $1 GROUP BY r.id`,
        [orderId],
      );
      expect(parts).toEqual([{ state: 'fulfilled', net: '3', fulfilled: '3', returned: '1' }]);
    }
    expect(await levelOf(skuId)).toMatchObject({ available: 76, reserved: 0, quarantined: 8 });
  });
});

function document(
  orderId: string,
  revision: number,
  line: Partial<SettleOrderCommand['lines'][number]> & { skuId: number },
  more: Partial<SettleOrderCommand> = {},
): BareCommand {
  return {
    kind: 'settle-order',
    channel: 'shop',
    orderId,
    revision,
    reservationId: randomUUID(),
    lines: [{ lineId: 'a', ordered: 0, cancelled: 0, fulfilled: 0, returned: 0, ...line }],
    lineIds: ['a'],
    placedAt: '2024-05-01T10:00:00.000Z',
    ...more,
  };
}

describe('a key', () => {
  it('posted twenty times at once on two hosts reserves once and is answered alike', async () => {
    for (let round = 0; round < 10; round++) {
      const skuId = await host.newSku(50);
      const key = randomUUID();
      const posted = await atOnce(20, (on) => on.reserve([{ skuId, quantityUnits: 2 }], { key }));
      expect(await levelOf(skuId)).toMatchObject({ available: 48, reserved: 2, version: 2 });
      expect(posted.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      for (const { outcome } of posted) expect(outcome).toEqual(posted[0]!.outcome);
      expect(await host.count('ledger WHERE command_key = $1', [key])).toBe(1);
      expect(await host.count('reservations WHERE id = $1', [reservationIn(posted[0]!).id])).toBe(1);
    }
  });

  it('of a command that touches no level yet is used once all the same', async () => {
    for (let round = 0; round < 10; round++) {
      const skuId = await host.newSku();
      const key = randomUUID();
      const restock = {
        kind: 'move',
        type: 'RESTOCK',
        skuId,
        locationId: host.front,
        quantityUnits: 3,
      } as const;
      const posted = await atOnce(10, (on) => on.post(restock, key));
      expect(posted.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(await levelOf(skuId)).toMatchObject({ available: 3, version: 1 });
    }
  });

  it('with other content is a named conflict and writes no row', async () => {
    const skuId = await host.newSku(10);
    const other = await host.newSku(10);
    const key = randomUUID();
    await host.reserve([{ skuId, quantityUnits: 1 }], { key });
    const before = await tableSizes();
    for (const on of hosts) {
      await expect(on.reserve([{ skuId, quantityUnits: 2 }], { key })).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expect(on.reserve([{ skuId: other, quantityUnits: 1 }], { key })).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expect(on.post({ kind: 'release', reservationId: randomUUID() }, key)).rejects.toMatchObject({
        code: 'idempotency-conflict',
        key,
      });
    }
    expect(await tableSizes()).toEqual(before);
  });

  it('with twenty contents at once is given to one of them, and nineteen conflict', async () => {
    const skus = await Promise.all(Array.from({ length: 20 }, () => host.newSku(10)));
    const key = randomUUID();
    const settled = await Promise.allSettled(
      skus.map((skuId, index) => hosts[index % 2]!.reserve([{ skuId, quantityUnits: 1 }], { key })),
    );
    expect(settled.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    const reasons = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    for (const reason of reasons) expect(reason).toBeInstanceOf(IdempotencyConflictError);
    expect(await host.count('ledger WHERE command_key = $1', [key])).toBe(1);
  });

  it('that was refused stays refused after stock has come, and a new one is not', async () => {
    const skuId = await host.newSku(1);
    const key = randomUUID();
    const lines = [{ skuId, quantityUnits: 2 }];
    const refused = await host.reserve(lines, { key });
    expect(refusalIn(refused.outcome)).toBe('insufficient-stock');
    await host.restock(skuId, 10);
    for (const on of hosts) {
      expect(await on.reserve(lines, { key })).toEqual({ outcome: refused.outcome, duplicate: true });
    }
    expect(await levelOf(skuId)).toMatchObject({ available: 11, reserved: 0 });
    expect(refusalIn((await host.reserve(lines)).outcome)).toBeUndefined();
  });

  it('is answered as it was, whatever became of the reservation since', async () => {
    const skuId = await host.newSku(5);
    const key = randomUUID();
    const first = await host.reserve([{ skuId, quantityUnits: 5 }], {
      key,
      ttlSeconds: 60,
      reference: 'cart 7',
    });
    const { id } = reservationIn(first);
    await host.post({ kind: 'release', reservationId: id });
    const again = await hosts[1].reserve([{ skuId, quantityUnits: 5 }], {
      key,
      ttlSeconds: 60,
      reference: 'cart 7',
    });
    expect(again).toEqual({ outcome: JSON.parse(JSON.stringify(first.outcome)), duplicate: true });
    expect(await levelOf(skuId)).toMatchObject({ available: 5, reserved: 0 });
  });

  async function tableSizes(): Promise<number[]> {
    return Promise.all(
      ['ledger', 'idempotency_keys', 'reservations', 'reservation_lines'].map((t) => host.count(t)),
    );
  }
});

describe('a command that PostgreSQL refuses', () => {
  const NUL = String.fromCharCode(0);

  it.each([
    ['a NUL in the reference', { reference: `cart${NUL}7` }],
    ['a time that is none', { occurredAt: 'some day' }],
    ['no reason for a count', { type: 'ADJUST', reason: undefined }],
    ['no units', { quantityUnits: 0 }],
  ])('for %s fails alone, and its neighbours are done', async (_name, flaw) => {
    const skuId = await host.newSku(100);
    const good = { kind: 'move', type: 'RESTOCK', skuId, locationId: host.front, quantityUnits: 1 } as const;
    const settled = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        host.post(index === 7 ? ({ ...good, ...flaw } as BareCommand) : good),
      ),
    );
    expect(settled.map((each) => each.status)).toEqual(
      Array.from({ length: 30 }, (_, index) => (index === 7 ? 'rejected' : 'fulfilled')),
    );
    expect(await levelOf(skuId)).toMatchObject({ available: 129, version: 30 });
  });

  it('for a NUL in its key fails alone too', async () => {
    const skuId = await host.newSku(9);
    const posts = ['a', `b${NUL}`, 'c'].map((key) =>
      host.reserve([{ skuId, quantityUnits: 1 }], { key: `${skuId}${key}` }),
    );
    const settled = await Promise.allSettled(posts);
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await levelOf(skuId)).toMatchObject({ reserved: 2 });
  });

  it('costs its key nothing: the corrected command is done under it', async () => {
    const skuId = await host.newSku(9);
    const key = randomUUID();
    await expect(host.reserve([{ skuId, quantityUnits: 1 }], { key, reference: NUL })).rejects.toThrow();
    expect((await host.reserve([{ skuId, quantityUnits: 1 }], { key })).duplicate).toBe(false);
  });
});

describe('a hold', () => {
  it('is given back once its time is past by the database, and not before', async () => {
    const skuId = await host.newSku(5);
    const [early, late] = [await hold(skuId, 2), await hold(skuId, 3)];
    expect(await host.reservations.expireDue()).toBe(0);
    await expireAt(early, '-1 second');
    expect(await host.reservations.expireDue()).toBe(1);
    expect(await levelOf(skuId)).toMatchObject({ available: 2, reserved: 3 });
    expect(await stateOf(early)).toBe('expired');
    expect(await stateOf(late)).toBe('held');
  });

  it('is given back once when two hosts look at the same time', async () => {
    const skuId = await host.newSku(30);
    const ids = await Promise.all(Array.from({ length: 30 }, () => hold(skuId, 1)));
    await host.rows(
      `UPDATE reservations SET expires_at = clock_timestamp() - interval '1 second' WHERE id = ANY($1)`,
      [ids],
    );
    const expired = await Promise.all([...hosts, ...hosts].map((on) => on.reservations.expireDue()));
    expect(expired.reduce((sum, count) => sum + count)).toBe(30);
    expect(await levelOf(skuId)).toMatchObject({ available: 30, reserved: 0 });
  });

  it.each(['2001-01-01', '2101-01-01'])(
    'lives by the database on a host whose clock says %s',
    async (hostTime) => {
      const skuId = await host.newSku(2);
      fakeDateAlone(hostTime);
      try {
        const [kept, due] = [await hold(skuId, 1), await hold(skuId, 1)];
        await expireAt(due, '-1 millisecond');
        expect(await host.reservations.expireDue()).toBe(1);
        expect(refusalIn((await host.post({ kind: 'confirm', reservationId: due })).outcome)).toBe(
          'reservation-expired',
        );
        expect(reservationIn(await host.post({ kind: 'confirm', reservationId: kept })).state).toBe(
          'confirmed',
        );
        const [row] = await host.rows(
          `SELECT recorded_at BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp() AS now
           FROM ledger WHERE sku_id = $1 ORDER BY version DESC LIMIT 1`,
          [skuId],
        );
        expect(row).toEqual({ now: true });
      } finally {
        jest.useRealTimers();
      }
    },
  );

  it('confirmed at the moment it expires ends one way, and everybody is told that way, in 100 rounds', async () => {
    const rounds = 100;
    const skuId = await host.newSku(rounds);
    const ids = await Promise.all(Array.from({ length: rounds }, () => hold(skuId, 1)));
    // Ten are due before anybody looks and ten long after; the others while both are at it.
    const moments = ids.map((_, index) => (index < 10 ? -1_000 : index < 20 ? 60_000 : index));
    await host.rows(
      `UPDATE reservations r SET expires_at = clock_timestamp() + make_interval(secs => m.ms / 1000.0)
         FROM unnest($1::uuid[], $2::int[]) AS m (id, ms) WHERE r.id = m.id`,
      [ids, moments],
    );
    const until = Date.now() + 300;
    const sweep = (async () => {
      while (Date.now() < until) await hosts[1].reservations.expireDue();
    })();
    const confirmed = await Promise.all(
      ids.map(async (id, index) => {
        await sleep(Math.max(0, index - 5 + Math.random() * 10));
        return refusalIn((await host.post({ kind: 'confirm', reservationId: id })).outcome) === undefined;
      }),
    );
    await sweep;
    const states = await Promise.all(ids.map(stateOf));
    expect(states).toEqual(confirmed.map((yes) => (yes ? 'confirmed' : 'expired')));
    const kept = confirmed.filter(Boolean).length;
    expect(confirmed.slice(0, 20)).toEqual([...Array(10).fill(false), ...Array(10).fill(true)]);
    expect(await levelOf(skuId)).toMatchObject({ available: rounds - kept, reserved: kept });
  });

  async function hold(skuId: number, quantityUnits: number): Promise<string> {
    return reservationIn(await host.reserve([{ skuId, quantityUnits }], { ttlSeconds: 600 })).id;
  }

  async function expireAt(id: string, fromNow: string): Promise<void> {
    await host.rows('UPDATE reservations SET expires_at = clock_timestamp() + $2::interval WHERE id = $1', [
      id,
      fromNow,
    ]);
  }

  async function stateOf(id: string): Promise<string | undefined> {
    return (await host.reservations.find(id))?.state;
  }
});

/** Date says another time; timers go on as ever. */
function fakeDateAlone(now: string): void {
  jest.useFakeTimers({
    now: new Date(now),
    doNotFake: [
      ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
      ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
}

describe('recorded_at', () => {
  it('never goes back on a level, even when the clock of the database has', async () => {
    const skuId = await host.newSku(1);
    const future = new Date(Date.now() + 3_600_000);
    await tamper(database.url, 'UPDATE levels SET updated_at = $2 WHERE sku_id = $1', [skuId, future]);
    await tamper(database.url, 'UPDATE ledger SET recorded_at = $2 WHERE sku_id = $1', [skuId, future]);
    await host.restock(skuId, 1);
    const rows = await host.rows('SELECT recorded_at FROM ledger WHERE sku_id = $1 ORDER BY version', [
      skuId,
    ]);
    expect(rows).toEqual([{ recorded_at: future }, { recorded_at: future }]);
  });
});

describe('a host that stops', () => {
  it('answers what is in flight and then takes no more', async () => {
    const stopping = await InventoryApp.start(database.url, { maxBatch: 8 });
    const skuId = await stopping.newSku(100);
    const inFlight = Array.from({ length: 60 }, () => stopping.reserve([{ skuId, quantityUnits: 1 }]));
    const stopped = stopping.stop();
    expect(won(await Promise.all(inFlight))).toHaveLength(60);
    await stopped;
    await expect(stopping.reserve([{ skuId, quantityUnits: 1 }])).rejects.toThrow(LedgerClosedError);
    expect(await levelOf(skuId)).toMatchObject({ available: 40, reserved: 60 });
  });
});
