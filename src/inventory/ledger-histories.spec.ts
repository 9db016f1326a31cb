import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  histories,
  LOCATIONS_IN_PRIORITY,
  settleOrder,
  SKUS,
  type Step,
} from '../../test/support/command-sequences';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { InventoryApp } from '../../test/support/inventory-app';
import { type BareCommand, MemoryLedger } from '../../test/support/memory-ledger';
import type { Outcome } from './commands';
import { EMPTY_LEVEL } from './level';

let database: TestDatabase;
let host: InventoryApp;

beforeAll(async () => {
  database = await createTestDatabase();
  // One lane keeps arrival order over all SKUs, and a small batch makes several of each history.
  host = await InventoryApp.start(database.url, { lanes: 1, maxBatch: 7 });
});

afterAll(async () => {
  await host.stop();
  await database.drop();
});

/** The commands of a history over SKUs, reservations and orders that nobody else touches. Time stands still. */
function commandsOf(steps: readonly Step[], skus: readonly number[]): BareCommand[] {
  const places = [host.front, host.back, host.far];
  const skuOf = (drawn: number) => skus[SKUS.indexOf(drawn)]!;
  const placeOf = (drawn: number | undefined) => drawn && places[LOCATIONS_IN_PRIORITY.indexOf(drawn)]!;
  const translate = <Line extends { skuId: number; locationId?: number }>(line: Line): Line => ({
    ...line,
    skuId: skuOf(line.skuId),
    locationId: placeOf(line.locationId),
  });
  const made: string[] = [];
  const orders = new Map<string, string>();
  return steps.flatMap((step): BareCommand[] => {
    if ('tickMs' in step) return [];
    if ('order' in step) {
      const name = orders.get(step.order) ?? randomUUID();
      orders.set(step.order, name);
      const command = settleOrder(name, step.revision, step.lines);
      if (command.kind !== 'settle-order') return [];
      return [{ ...command, reservationId: randomUUID(), lines: command.lines.map(translate) }];
    }
    if ('change' in step) {
      const reservationId = made[step.reservation % Math.max(1, made.length)] ?? randomUUID();
      return [{ ...step.change, reservationId, lines: step.change.lines?.map(translate) }];
    }
    const { command } = step;
    if (command.kind === 'move')
      return [{ ...translate(command), toLocationId: placeOf(command.toLocationId) }];
    if (command.kind !== 'reserve') return [];
    const reservationId = randomUUID();
    made.push(reservationId);
    const ttlSeconds = command.ttlSeconds && command.ttlSeconds * 1_000;
    return [{ ...command, reservationId, ttlSeconds, lines: command.lines.map(translate) }];
  });
}

/** What was answered, without the times, which are the database's. */
function timeless(outcome: Outcome): unknown {
  return JSON.parse(
    JSON.stringify(outcome, (name, value: unknown) => (/At$/.test(name) ? undefined : value)),
  );
}

function partOf(row: Record<string, unknown>): unknown {
  const { reservation_id: _id, line_id: lineId, sku_id: skuId, location_id: locationId, ...counts } = row;
  return { ...counts, lineId: lineId ?? undefined, skuId, locationId };
}

it('the ledger on PostgreSQL, in batches, does what the rules do one by one in memory', async () => {
  for (const steps of fc.sample(histories, { numRuns: 60, seed: 20240501 })) {
    const skus = await Promise.all(SKUS.map(() => host.newSku()));
    const commands = commandsOf(steps, skus);
    const memory = new MemoryLedger([host.front, host.back, host.far]);
    const expected = commands.map((command) => timeless(memory.post(command).outcome));
    const posted = await Promise.all(commands.map((command) => host.post(command)));
    expect(posted.map(({ outcome }) => timeless(outcome))).toEqual(expected);
    for (const { skuId, levels } of await host.stock.levelsOf(skus)) {
      for (const locationId of [host.front, host.back, host.far]) {
        const stored = levels.find((each) => each.locationId === locationId)?.level ?? EMPTY_LEVEL;
        expect(stored).toEqual(memory.level(skuId, locationId));
        expect(host.availability.levelsOf(skuId).get(locationId) ?? EMPTY_LEVEL).toEqual(stored);
      }
    }
    for (const { id, state, revision, parts } of memory.stock.takenReservations()) {
      const [stored] = await host.rows('SELECT state, revision FROM reservations WHERE id = $1', [id]);
      expect(stored).toEqual({ state, revision: revision ?? null });
      const lines = await host.rows(
        'SELECT * FROM reservation_lines WHERE reservation_id = $1 ORDER BY line, part',
        [id],
      );
      expect(lines.map(partOf)).toEqual(parts.toSorted((a, b) => a.line - b.line || a.part - b.part));
    }
    const open = await host.rows<{ quantity: number }>(
      `SELECT quantity FROM shortfalls WHERE state = 'open' AND sku_id = ANY($1) ORDER BY quantity`,
      [skus],
    );
    expect(open.map(({ quantity }) => quantity)).toEqual(
      [...memory.openShortfalls.values()].sort((a, b) => a - b),
    );
  }
  const { ok, violations, events } = await host.verify.verify();
  expect({ ok, violations }).toEqual({ ok: true, violations: [] });
  expect(events).toBeGreaterThan(400);
});
